"""How long an enrolment, or a drop, takes from the SIS to a real Moodle while much else waits.

The worker is a real process with its schedule. People are renamed by the thousand, anew before the
last of them is done; meanwhile students are enrolled and dropped one after the other, and Moodle's
database is watched for each. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import sqlalchemy as sa

from benchmarks.kept import Kept, kept
from benchmarks.moodle_site import figure, find_site
from lti_tool.moodle.documents import Roster
from lti_tool.sis.change_models import ChangeKind, SisChange
from lti_tool.sis.changes import record
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.models import Person
from lti_tool.sync.provisioning.models import SyncMark

CHANGES, PAUSE = 60, 1.5
QUEUED = 1000
GOAL = 5
PATIENCE = 60


class _Crowd:
    """Keeps at least so many other changes in the queue."""

    def __init__(self, campus: Kept) -> None:
        self._campus = campus
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.least = 1_000_000
        self.rounds = 0

    def __enter__(self) -> _Crowd:
        self._rename()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def waiting(self) -> int:
        """How many changes and marks there are."""
        with self._campus.services.database.reading() as connection:
            return sum(
                connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for table in (SisChange, SyncMark)
            )

    def _run(self) -> None:
        while not self._over.wait(0.1):
            waiting = self.waiting()
            self.least = min(self.least, waiting)
            if waiting < QUEUED + 600:
                self._rename()

    def _rename(self) -> None:
        self.rounds += 1
        now = self._campus.services.clock.now()
        with self._campus.services.database.write() as session:
            rows = session.execute(sa.select(Person.id, Person.sourced_id)).all()
            # Names alone: nobody's place depends on them.
            session.execute(
                sa.update(Person),
                [{"id": row.id, "khmer_name": f"ឈ្មោះ {self.rounds}"} for row in rows],
            )
            record(session, ChangeKind.PERSON, [row.sourced_id for row in rows], at=now)


def _chosen(campus: Kept) -> list[tuple[str, str]]:
    """People and classes, in their course now, each class taught by itself."""
    chance = random.Random(1)
    rosters = cast("dict[str, Roster]", campus.documents("roster"))
    views = campus.services.sis_extracts.classes(list(rosters))
    found = [
        (member.user, key)
        for key, roster in rosters.items()
        if not views[key].combined_with
        for member in roster.members
        if member.role == "student" and member.status == "active"
    ]
    chance.shuffle(found)
    return found[: CHANGES // 2]


def measure(campus: Kept) -> list[float]:
    """Seconds of each change, from its commit to Moodle."""
    chosen = _chosen(campus)
    wanted = [(person, key, False) for person, key in chosen]
    wanted += [(person, key, True) for person, key in chosen]
    enrolling = Enrolling(campus.services.database, campus.services.clock)
    took: list[float] = []
    with ThreadPoolExecutor(1) as pool:
        for start in (0, len(chosen)):
            some = wanted[start : start + len(chosen)]
            watched = pool.submit(
                campus.moodle.run,
                "watch",
                places=[{"course": key, "user": who, "active": on} for who, key, on in some],
                seconds=len(some) * PAUSE + PATIENCE,
            )
            # Moodle's PHP takes a moment to begin.
            time.sleep(3)
            done: list[float] = []
            for person, key, on in some:
                (enrolling.enroll if on else enrolling.drop)(person, key)
                done.append(time.time())
                time.sleep(PAUSE)
            seen: list[Any] = watched.result()
            if None in seen:
                raise SystemExit(f"{seen.count(None)} changes did not arrive in Moodle.")
            took += [max(0.0, at - then) for at, then in zip(seen, done, strict=True)]
    return sorted(took)


def main() -> None:
    """Measure, then take everything back."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"), flush=True)
    with kept(site, worker=True) as campus:
        deadline = time.monotonic() + 300
        while campus.different() and time.monotonic() < deadline:
            time.sleep(2)
        with _Crowd(campus) as crowd:
            took = measure(campus)
        print(f"{crowd.rounds} times everybody renamed; at least {crowd.least} changes waited")
    p95 = statistics.quantiles(took, n=20)[-1]
    print(f"median {statistics.median(took):.2f} s, 95% {p95:.2f} s, all {took[-1]:.2f} s")
    figures = [
        figure("seconds until it is so in Moodle, 95%", p95, GOAL, at_least=False),
        figure("other changes that waited, at least", crowd.least, QUEUED, at_least=True),
    ]
    print(json.dumps({"name": "latency", "figures": figures}))


if __name__ == "__main__":
    main()
