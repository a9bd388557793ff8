"""What can befall the tool: its database, its broker, its workers, bad records, a cut import."""

from __future__ import annotations

import csv
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.sis.models import ClassHeader, Enrollment, Person, Teaching
from lti_tool.sync.provisioning.models import MoodleIntegrationRecord, SyncRun
from tests.drills import crowd
from tests.drills.door import Answer, Call
from tests.drills.site import Installation

pytestmark = [pytest.mark.moodle, pytest.mark.timeout(900)]
MANY = 500


def test_a_database_that_crashes_and_comes_back(installation: Installation) -> None:
    if installation.server is None:
        pytest.skip("the tool's database is a file, or there is no PostgreSQL to crash")
    server = installation.server
    crashed = threading.Event()

    def crash() -> None:
        server.stop("immediate")
        time.sleep(5)
        server.start()
        crashed.set()

    calls = 0

    def crashing(call: Call) -> Answer | None:
        nonlocal calls
        calls += call.function == "apply"
        if calls == 3 and call.function == "apply":
            threading.Thread(target=crash).start()
        return call.send()

    with installation.door.doing(crashing):
        installation.shake(201)
        assert crashed.wait(120)
        installation.services.database.engine.dispose()
        # A run that could not say that it ended holds the site for its lease.
        installation.settle(240)
    installation.proven()
    assert installation.tool.processes["worker"].poll() is None
    assert installation.tool.processes["web"].poll() is None


def test_a_broker_that_is_emptied(installation: Installation) -> None:
    over = threading.Event()

    def empty() -> None:
        while not over.wait(0.2):
            for message in (installation.tool.folder / "broker" / "messages").glob("*"):
                message.unlink(missing_ok=True)

    emptying = threading.Thread(target=empty)
    emptying.start()
    try:
        installation.shake(202)
        time.sleep(10)
    finally:
        over.set()
        emptying.join()
    shutil.rmtree(installation.tool.folder / "broker" / "messages")
    (installation.tool.folder / "broker" / "messages").mkdir()
    installation.settle()
    installation.proven()


def test_two_workers_at_once(installation: Installation) -> None:
    installation.door.most_at_once = 0
    with installation.services.database.reading() as connection:
        last = connection.scalar(sa.select(sa.func.max(MoodleIntegrationRecord.id))) or 0
    installation.tool.add_worker("second")
    try:
        for seed in (203, 204):
            installation.shake(seed)
            installation.settle()
        assert installation.tool.processes["second"].poll() is None, installation.tool.log("second")
    finally:
        installation.tool.kill("second")
        # The killed one may have held the site at that moment.
        installation.expire_lease()
    installation.proven()
    assert installation.door.most_at_once == 1
    with installation.services.database.reading() as connection:
        done = connection.execute(
            sa.select(MoodleIntegrationRecord.key, sa.func.count())
            .where(MoodleIntegrationRecord.id > last, MoodleIntegrationRecord.kind == "user")
            .group_by(MoodleIntegrationRecord.key)
        ).all()
        runs = connection.execute(
            sa.select(SyncRun.started_at, SyncRun.finished_at).order_by(SyncRun.started_at)
        ).all()
    assert len(done) >= crowd.PEOPLE
    # Changed twice, and so written twice: by whichever worker, but never by both.
    assert max(count for _, count in done) == 2
    ended = [end for _, end in runs if end is not None]
    assert all(end <= start for end, (start, _) in zip(ended, runs[1:], strict=False))


def test_a_refused_record_among_many(installation: Installation) -> None:
    keys = _newcomers(installation, "many-", add=False)
    poisoned = keys[MANY // 2]
    account = installation.act("stranger", username=poisoned)
    try:
        _newcomers(installation, "many-")
        installation.settle()
        assert installation.differences([poisoned]) == {}
        (letter,) = installation.services.provisioning.letters.list(installation.site.id)
        assert (letter.key, letter.code, letter.field) == (poisoned, "username_taken", "/username")
        installation.proven(letters=[poisoned])
    finally:
        installation.act("leave", **account)
        said = installation.tool.cli("sync", "retry")
    assert "1 will be tried again" in said
    installation.settle()
    installation.proven()


def test_a_record_that_breaks_whatever_call_it_travels_in(installation: Installation) -> None:
    keys = _newcomers(installation, "worse-", add=False)
    poisoned = keys[MANY // 3]
    broken = 0

    def choking(call: Call) -> Answer | None:
        nonlocal broken
        if call.function == "apply" and f'"idnumber":"{poisoned}"'.encode() in call.body:
            broken += 1
            return Answer(500, b"Internal error", "text/plain")
        return call.send()

    with installation.door.doing(choking):
        _newcomers(installation, "worse-")
        installation.settle(300)
    installation.proven(letters=[poisoned])
    assert broken < 10
    installation.tool.cli("sync", "retry", "user", poisoned)
    installation.settle()
    installation.proven()


def _newcomers(installation: Installation, name: str, *, add: bool = True) -> list[str]:
    prefix = f"{crowd.PREFIX}{name}"
    if add:
        return crowd.add_people(installation.services.database, MANY, prefix=prefix)
    return [f"{prefix}{number:04}" for number in range(MANY)]


def test_an_import_that_was_cut_short(installation: Installation, tmp_path: Path) -> None:
    before = _active(installation)
    package = _export(installation, tmp_path / "whole")
    whole = (package / "enrollments.csv").read_bytes()
    (package / "enrollments.csv").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(AssertionError, match=r"removals wait|line|row"):
        _import(installation, package)
    installation.settle()
    installation.proven()
    assert _active(installation) == before
    (package / "enrollments.csv").write_bytes(whole)
    _import(installation, package)
    installation.settle()
    installation.proven()
    assert _active(installation) == before


def _import(installation: Installation, package: Path) -> None:
    said = installation.tool.cli("sis", "import", str(package))
    assert "removals wait" not in said, said


def _active(installation: Installation) -> int:
    return installation.services.provisioning.ledger.total_active(installation.site.id, "roster")


def _export(installation: Installation, folder: Path) -> Path:
    """Every place of the SIS as a whole OneRoster file."""
    folder.mkdir()
    rows: list[dict[str, Any]] = []
    with installation.services.database.reading() as connection:
        for key, header, person, status in connection.execute(
            sa.select(
                Enrollment.sourced_id, ClassHeader.sourced_id, Person.sourced_id, Enrollment.status
            )
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .join(Person, Person.id == Enrollment.person_id)
        ):
            rows.append(_row(key, header, person, "student", str(status)))
        for key, header, person in connection.execute(
            sa.select(Teaching.sourced_id, ClassHeader.sourced_id, Person.sourced_id)
            .join(ClassHeader, ClassHeader.id == Teaching.header_id)
            .join(Person, Person.id == Teaching.person_id)
        ):
            rows.append(_row(key, header, person, "teacher", ""))
    _write(folder / "enrollments.csv", rows)
    properties = {
        "manifest.version": "1.0",
        "oneroster.version": "1.2",
        "file.enrollments": "bulk",
        "source.systemName": "Drills",
        "source.systemCode": "drills",
    }
    _write(
        folder / "manifest.csv",
        [{"propertyName": name, "value": value} for name, value in properties.items()],
    )
    return folder


def _row(key: str, header: str, person: str, role: str, status: str) -> dict[str, Any]:
    return {
        "sourcedId": key,
        "classSourcedId": header,
        "schoolSourcedId": "drills",
        "userSourcedId": person,
        "role": role,
        "metadata.naga.status": status,
    }


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
