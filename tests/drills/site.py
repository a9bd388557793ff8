"""The installation under drill: a tool, the door, a real Moodle; and the proof that all is well."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import DIGESTED, Category, Course, Gradebook, Grades, Roster, User
from lti_tool.moodle.models import MoodleEvent, MoodleSite
from lti_tool.sis.change_models import SisChange
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import Enrollment, Person
from lti_tool.sync.broker import Broker
from lti_tool.sync.grades.models import ConflictState, GradeConflict, GradePull
from lti_tool.sync.provisioning.models import RunState, SiteGate, SyncMark, SyncRun
from lti_tool.wiring import Services
from tests.drills import crowd
from tests.drills.door import Door
from tests.drills.postgresql import Server
from tests.e2e.moodle.site import Moodle
from tests.e2e.tool import Tool

_ACTS = Path(__file__).with_name("drill.php")
_REDIRECTED = Path(__file__).with_name("redirected")


@dataclass
class DrilledTool(Tool):
    """A tool whose processes reach Moodle through the door alone."""

    door: tuple[str, int] = ("", 0)
    bundle: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        """As deployed, but that it looks for Moodle at the door."""
        environment = super().environment
        path = [str(_REDIRECTED), *filter(None, [environment.get("PYTHONPATH")])]
        return environment | {
            "NAGASIS_CA_BUNDLE": str(self.bundle),
            "MOODLE_SYNC_ENABLED": "true",
            # The changes of a drill are mass changes by design.
            "MOODLE_GUARD_SHARE": "1",
            "MOODLE_GUARD_COUNT": "1000000",
            # … and come faster after one another than those of a day.
            "MOODLE_RATE_LIMIT": "100000",
            "PYTHONPATH": os.pathsep.join(path),
            "DOOR_FROM": self.door[0],
            "DOOR_TO": f"127.0.0.1:{self.door[1]}",
        }

    def add_worker(self, name: str) -> None:
        """Start one more worker."""
        code = "from lti_tool.cli import main; main()"
        self._spawn(name, [sys.executable, "-c", code, "worker", "--concurrency=2"])

    def kill(self, name: str) -> None:
        """``kill -9`` of a process and its children."""
        process = self.processes.pop(name)
        for pid in (process.pid, *_children(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def restart(self, name: str) -> None:
        """Start a killed process again."""
        if name == "web":
            self.start_web()
            self._wait()
        else:
            self.add_worker(name)


@dataclass
class Installation:
    """Everything that a drill needs. ``services`` reach Moodle directly."""

    tool: DrilledTool
    moodle: Moodle
    door: Door
    services: Services
    server: Server | None
    entered: frozenset[tuple[Any, ...]] = frozenset()

    def act(self, command: str, **arguments: Any) -> Any:
        """Do one thing in Moodle by ``drill.php``."""
        return self.moodle.script(_ACTS, command, **arguments)

    @property
    def site(self) -> MoodleSite:
        """The Moodle, as the tool knows it."""
        (site,) = self.services.sites.moodles()
        return site

    def ask_worker(self, task: str) -> None:
        """Put one task of the schedule into the broker now."""
        broker = Broker("filesystem://", self.tool.folder / "broker")
        broker.celery.send_task(task)

    # -- the SIS

    def shake(self, seed: int) -> None:
        """Change everything in the SIS."""
        crowd.shake(self.services.database, seed)
        self.enter()

    def enter(self) -> None:
        """What the SIS says now is what was meant: it must say so at the next proof."""
        self.entered = self.sis()

    def sis(self) -> frozenset[tuple[Any, ...]]:
        """All that the SIS says and Moodle could take from it: people, places and grades."""
        grade, place, person = ClassPartGrade, Enrollment, Person
        told = {
            "grade": (grade.enrollment_id, grade.part_id, grade.score, grade.letter, grade.status),
            "place": (place.person_id, place.header_id, place.status, place.status_since),
            "person": (
                *(person.sourced_id, person.student_id, person.family_name, person.personal_name),
                *(person.khmer_name, person.school_email, person.status),
            ),
        }
        queries = [sa.select(sa.literal(kind), *columns) for kind, columns in told.items()]
        with self.services.database.reading() as connection:
            return frozenset(tuple(row) for query in queries for row in connection.execute(query))

    # -- how it stands

    def unsettled(self) -> dict[str, Any]:
        """What is still to be done: nothing of it may stay."""
        with self.services.database.reading() as connection:
            changes = connection.scalar(sa.select(sa.func.count()).select_from(SisChange))
            marks = connection.execute(
                sa.select(SyncMark.kind, SyncMark.waiting_for, sa.func.count()).group_by(
                    SyncMark.kind, SyncMark.waiting_for
                )
            ).all()
            running = connection.scalar(
                sa.select(SyncRun.id).where(SyncRun.state == RunState.RUNNING).limit(1)
            )
            pulls = connection.scalar(sa.select(sa.func.count()).select_from(GradePull))
            told = connection.scalar(
                sa.select(sa.func.count()).where(
                    MoodleEvent.type.like("grade%"), MoodleEvent.taken_at.is_(None)
                )
            )
        found = {
            "changes": changes,
            "marks": [tuple(row) for row in marks],
            "run": running,
            "courses to be read": pulls,
            "told of grades": told,
        }
        return {name: value for name, value in found.items() if value}

    def settle(self, seconds: float = 180) -> float:
        """Wait until nothing is to be done; returns after how many seconds."""
        began = time.monotonic()
        while unsettled := self.unsettled():
            if time.monotonic() - began > seconds:
                raise AssertionError(
                    f"not settled after {seconds} s: {unsettled}\n{self.tool.log('worker')}"
                )
            time.sleep(0.25)
        return time.monotonic() - began

    def expire_lease(self) -> None:
        """Two minutes later, without waiting for them: whoever held the site is given up."""
        with self.services.database.writing() as connection:
            connection.execute(sa.update(SiteGate).values(lease_until=self.services.clock.now()))

    def proven(self, *, letters: Collection[str] = ()) -> None:
        """Moodle equals the SIS, which says what it said; nothing is there twice, or was lost.

        ``letters``: the keys that are refused, and nothing else.
        """
        found: dict[str, Any] = {
            "to be done": self.unsettled(),
            "different": self.differences(letters),
            "there twice, or half": self.act("doubles"),
            "cached as it is not": self.act("cached"),
            "no longer in the SIS": sorted(map(str, self.entered - self.sis()))[:20],
        }
        assert not any(found.values()), f"not proven: {found}"
        refused = {each.key for each in self.services.provisioning.letters.list(self.site.id)}
        assert refused == set(letters), f"refused: {refused}"

    def differences(self, without: Collection[str] = ()) -> dict[str, Any]:
        """What differs between Moodle's digests and the documents of the SIS."""
        rendering, site = self.services.provisioning.rendering, self.site
        found: dict[str, Any] = {}
        for kind in DIGESTED:
            keys = rendering.all_keys(kind)
            rendered = rendering.render(kind, keys, now=self.services.clock.now(), site_id=site.id)
            wanted = {
                key: fingerprint(document)
                for key, document in rendered.items()
                if isinstance(document, Category | User | Course | Roster | Gradebook)
                and key not in without
            }
            there = {
                item.key: item.fingerprint
                for item in self.services.moodle_plugin.digests(site, kind)
            }
            wrong = [key for key in wanted if there.get(key) != wanted[key]]
            if wrong:
                found[kind] = wrong
        if grades := self._grades_that_differ(without):
            found["grades"] = grades
        return found

    def _grades_that_differ(self, without: Collection[str]) -> list[tuple[str, str, str]]:
        """Grades that Moodle should hold and does not: course, person and item."""
        wanted = {
            cell: value
            for cell, value in self.grades_for_moodle().items()
            if cell[0] not in without
        }
        there = self.grades_in_moodle()
        assert wanted, "the SIS has grades for Moodle"
        return [cell for cell, value in wanted.items() if there.get(cell) != value]

    def grades_for_moodle(self) -> dict[tuple[str, str, str], int]:
        """What the SIS has to say there, by course, person and item."""
        rendering, now = self.services.provisioning.rendering, self.services.clock.now()
        keys = rendering.all_keys("grades")
        return {
            (document.course, grade.user, grade.item): grade.value
            for document in rendering.render("grades", keys, now=now, site_id=self.site.id).values()
            if isinstance(document, Grades)
            for grade in document.grades
            if grade.value is not None
        }

    def grades_in_moodle(self) -> dict[tuple[str, str, str], int | None]:
        """What stands there, by course, person and item."""
        return {
            (each["course"], each["user"], each["key"]): each["percent"]
            for page in self.services.moodle_plugin.pages(self.site, "grades", {"keyed": True})
            for each in page
        }

    def disputes(self) -> list[tuple[str, str, str]]:
        """Grades about which somebody would have to decide: person, item and reason."""
        undecided = GradeConflict.state.in_([ConflictState.OPEN, ConflictState.ASKED])
        query = sa.select(GradeConflict.person_key, GradeConflict.item_key, GradeConflict.reason)
        with self.services.database.reading() as connection:
            rows = connection.execute(query.where(undecided)).all()
        return sorted((row[0], row[1], row[2]) for row in rows)

    # -- Moodle's PHP

    def kill_php(self) -> int | None:
        """``kill -9`` of the PHP process that has a transaction open in Moodle's database now.

        Returns its id, or ``None`` if there was none at this moment.
        """
        access = self.act_once("database")
        with psycopg.connect(
            host=access["host"],
            port=access["port"],
            dbname=access["name"],
            user=access["user"],
            password=access["password"],
        ) as connection:
            ports = connection.execute(
                "SELECT client_port FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND client_port > 0 AND xact_start IS NOT NULL"
            ).fetchall()
        for (port,) in ports:
            for pid in _owners(port):
                if "php" in Path(f"/proc/{pid}/comm").read_text():
                    os.kill(pid, signal.SIGKILL)
                    return pid
        return None

    def act_once(self, command: str) -> Any:
        """As :meth:`act` for what never changes: asked once."""
        known: dict[str, Any] = self.__dict__.setdefault("_known", {})
        if command not in known:
            known[command] = self.act(command)
        return known[command]

    # -- an older backup

    @contextmanager
    def backup(self, folder: Path) -> Iterator[Callable[[], None]]:
        """A backup of Moodle's database as it is now; call what is yielded to restore it."""
        access = self.act_once("database")
        environment = {**os.environ, "PGPASSWORD": access["password"]}
        where = ["-h", access["host"], "-U", access["user"], "-d", access["name"]]
        where += ["-p", str(access["port"])] if access["port"] else []
        dump = folder / "moodle.dump"
        # Their contents alone: PHPUnit's tables may stand beside them.
        tables = ["-t", f"{access['prefix']}*"]
        subprocess.run(
            ["pg_dump", *where, "-Fc", "--data-only", *tables, "-f", str(dump)],
            env=environment,
            check=True,
            timeout=300,
        )
        listed = subprocess.run(
            ["pg_restore", "-l", str(dump)], capture_output=True, text=True, check=True, timeout=60
        ).stdout
        names = re.findall(r"TABLE DATA \w+ (\w+) ", listed)

        def restore() -> None:
            # As an administrator would: nobody reads a Moodle that is half there.
            self.door.shut()
            empty = "TRUNCATE " + ", ".join(names)
            subprocess.run(
                ["psql", *where, "-q", "-v", "ON_ERROR_STOP=1", "-c", empty],
                env=environment,
                check=True,
                timeout=120,
            )
            subprocess.run(
                ["pg_restore", *where, "--data-only", "--exit-on-error", str(dump)],
                env=environment,
                check=True,
                timeout=300,
            )
            self.moodle.cli("admin/cli/purge_caches.php")
            self.door.open()

        yield restore


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _owners(port: int) -> Iterator[int]:
    """The processes that hold the connection from this local port."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = row.split()
            if int(cells[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{cells[9]}]")
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with suppress(OSError):
            if any(str(link.readlink()) in inodes for link in (folder / "fd").iterdir()):
                yield int(folder.name)
