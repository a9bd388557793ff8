"""16,000 enrolments with nothing changed, in a real Moodle; then one change among them.

Both ways of looking are measured: ``nagasis sync apply --all`` (everything is rendered and compared
with what was sent) and ``nagasis sync reconcile`` (with what is there). What is written in Moodle
is counted by its database, less what Moodle itself writes for any call that only reads. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from benchmarks.kept import Kept, kept
from benchmarks.moodle_site import Site, figure, find_site
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.entities import ClassStatus, EnrollmentStatus
from lti_tool.sis.models import ClassHeader, Enrollment, Person
from tests.drills.door import Answer, Call

ENROLMENTS = 16_000
SECONDS = 10


def _fill(campus: Kept) -> int:
    """Enrol people until there are as many enrolments as wanted; returns how many there are."""
    now = campus.services.clock.now()
    taken = {EnrollmentStatus.ENROLLED, EnrollmentStatus.ACTIVE, EnrollmentStatus.AUDIT}
    with campus.services.database.write() as session:
        there = {
            (row.person_id, row.header_id): row for row in session.scalars(sa.select(Enrollment))
        }
        people = session.scalars(
            sa.select(Person.id).where(Person.is_student).order_by(Person.id)
        ).all()
        headers = session.execute(
            sa.select(ClassHeader.id, ClassHeader.sourced_id)
            .where(ClassHeader.status == ClassStatus.ACTIVE)
            .order_by(ClassHeader.id)
        ).all()
        count = sum(row.status in taken for row in there.values())
        pairs = [
            (person_id, header.id)
            for step in range(len(headers))
            for number, person_id in enumerate(people)
            for header in [headers[(number + step) % len(headers)]]
        ]
        for person_id, header_id in pairs:
            if count >= ENROLMENTS:
                break
            if (person_id, header_id) in there:
                continue
            session.add(
                Enrollment(
                    sourced_id=f"bench-{person_id}-{header_id}",
                    person_id=person_id,
                    header_id=header_id,
                    status_since=now,
                    updated_at=now,
                )
            )
            count += 1
        record(session, ChangeKind.ROSTER, [header.sourced_id for header in headers], at=now)
    return count


def _written(site: Site, work: Callable[[], Any]) -> tuple[float, dict[str, int]]:
    """Seconds of ``work``, and the rows written in Moodle meanwhile, by table."""
    # The database's counters are about a second behind.
    time.sleep(1.5)
    before = {name: int(count) for name, count in (site.run("writes") or {}).items()}
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    time.sleep(1.5)
    after = {name: int(count) for name, count in (site.run("writes") or {}).items()}
    return took, {
        name: count - before.get(name, 0)
        for name, count in after.items()
        if count > before.get(name, 0)
    }


class _Counter:
    """Counts calls, and the documents that travel."""

    def __init__(self) -> None:
        self.calls = 0
        self.documents: list[str] = []

    def __call__(self, call: Call) -> Answer | None:
        self.calls += 1
        if call.function == "apply":
            found = re.search(rb'name="documents"\r\n\r\n(.*)\r\n--', call.body, re.S)
            assert found is not None
            part = found[1].split(b"\r\n--")[0]
            self.documents += [
                f"{each['kind']} {each.get('idnumber') or each.get('course')}"
                for each in json.loads(part)
            ]
        return call.send()


def _look(campus: Kept, *arguments: str) -> tuple[float, int, _Counter]:
    """Run one command; returns its seconds, the rows that it wrote in Moodle, and its calls."""
    counter = _Counter()
    with campus.door.doing(counter):
        took, rows = _written(campus.moodle, lambda: campus.tool.cli("sync", *arguments))
    _, upkeep = _written(
        campus.moodle,
        lambda: [
            campus.services.moodle_plugin.status(campus.site) for _ in range(max(1, counter.calls))
        ],
    )
    ours = {name: count for name, count in rows.items() if count > upkeep.get(name, 0)}
    print(
        f"{' '.join(arguments)}: {took:.2f} s, {counter.calls} calls, documents"
        f" {counter.documents}, rows {rows}, of which Moodle's own {upkeep}",
        flush=True,
    )
    return took, sum(count - upkeep.get(name, 0) for name, count in ours.items()), counter


def main() -> None:
    """Measure, then take everything back."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"), flush=True)
    with kept(site) as campus:
        count = _fill(campus)
        print(campus.tool.cli("sync", "apply", "--all"), flush=True)
        different = campus.different()
        print(f"{count} enrolments, {different} things differ", flush=True)
        if different:
            raise SystemExit("Moodle is not equal to the SIS.")
        compared, none, _ = _look(campus, "apply", "--all")
        proven, nothing, _ = _look(campus, "reconcile")
        roster = next(
            each
            for each in campus.documents("roster").values()
            if any(member.role == "student" for member in getattr(each, "members", []))
        )
        member = next(m for m in getattr(roster, "members", []) if m.role == "student")
        classes = campus.services.sis_extracts.classes([roster.course])  # type: ignore[union-attr]
        Enrolling(campus.services.database, campus.services.clock).drop(
            member.user, next(iter(classes))
        )
        counter = _look(campus, "apply")[2]
        if campus.different():
            raise SystemExit("The change did not arrive.")
    figures = [
        figure(f"seconds for {ENROLMENTS} enrolments, as sent", compared, SECONDS, at_least=False),
        figure(f"seconds for {ENROLMENTS} enrolments, as is", proven, SECONDS, at_least=False),
        figure("rows written in Moodle", none + nothing, 0, at_least=False),
        figure("documents for one change", len(counter.documents), 1, at_least=False),
    ]
    print(json.dumps({"name": "nochange", "figures": figures}))


if __name__ == "__main__":
    main()
