"""A small school, a platform that has its courses as Moodle's plugin would, and grades on both."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from demo import Platform
from demo.grade_model import Grade, LineItem
from demo.gradebook import CourseGrades, in_range
from demo.model import Course, Person
from demo.provisioning.documents import KINDS
from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.moodle.models import MoodleEvent, MoodleSite, System
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.sites import Sites
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import ClassStatus, PartGradeView
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.grade_rows import standing_grades
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.models import ClassHeader, Term
from lti_tool.sis.models import Person as SisPerson
from lti_tool.sync.grades.conflicts import Conflicts
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.models import GradeConflict, GradeReceipt
from lti_tool.sync.grades.pulls import GradePulls
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.provisioning.assembly import Limits, Provisioning, assemble
from tests.sync.connected import NoRegistrations, Tokens, connected_site
from tests.sync.school import School


@dataclass
class GradeWorld:
    """Everything that a test of grades needs. Values are scores, as people write them."""

    database: Database
    clock: FixedClock
    platform: Platform
    site: MoodleSite
    school: School
    parts: Provisioning
    grading: Grading
    log: GradeLog
    pulls: GradePulls
    conflicts: Conflicts
    audit: AuditLog = field(default_factory=lambda: AuditLog(FixedClock(dt.datetime.now(dt.UTC))))

    # -- the SIS

    def enter(self, person: str, part: str, score: str | None, **options: Any) -> None:
        """A teacher's grade in the SIS, submitted."""
        self.clock.advance(seconds=1)
        entry = GradeEntry(person, part, None if score is None else Decimal(score))
        outcome = self.grading.enter([entry], actor="teacher", **{"submitted": True} | options)[0]
        assert outcome.state != "refused", outcome

    def sis(self, person: str, part: str) -> PartGradeView | None:
        """The SIS's grade."""
        with self.database.write() as session:
            return standing_grades(session, [part]).get((person, part))

    def score(self, person: str, part: str) -> Decimal | None:
        """The SIS's score."""
        grade = self.sis(person, part)
        return grade.score if grade else None

    # -- Moodle

    def account(self, person: str) -> Person:
        """A person's account."""
        return next(each for each in self.platform.state.people.values() if each.idnumber == person)

    def course(self, key: str) -> Course:
        """A class's course."""
        return next(each for each in self.platform.state.courses.values() if each.idnumber == key)

    def grade(
        self, person: str, part: str, score: str | None, *, course: str = "K", by: str = "T"
    ) -> None:
        """A teacher grades in Moodle, or takes a grade away."""
        self.clock.advance(seconds=1)
        state = self.platform.state
        item = CourseGrades(state, self.course(course)).keyed(part)
        assert isinstance(item, LineItem)
        cell = state.grades.setdefault(item.id, {}).setdefault(
            self.account(person).id, Grade(None, 0.0)
        )
        cell.final = None if score is None else in_range(int(Decimal(score) * 100), item)
        cell.modified = self.platform.epoch()
        cell.grader = self.account(by).id
        cell.source = ""

    def moodle(self, person: str, part: str, *, course: str = "K") -> Decimal | None:
        """What Moodle has."""
        held = CourseGrades(self.platform.state, self.course(course))
        item = held.keyed(part)
        found = held.percent(item, self.account(person).id) if item is not None else None
        return None if found is None else Decimal(found) / 100

    # -- both

    def changed(self) -> None:
        """Have everything looked at that was written into the SIS by hand; classes are running."""
        with self.database.write() as session:
            session.execute(sa.update(ClassHeader).values(status=ClassStatus.ACTIVE))
            now = self.clock.now()
            for kind, model in (
                (ChangeKind.TERM, Term),
                (ChangeKind.PERSON, SisPerson),
                (ChangeKind.CLASS, ClassHeader),
                (ChangeKind.ROSTER, ClassHeader),
                (ChangeKind.GRADES, ClassHeader),
            ):
                keys = session.scalars(sa.select(model.sourced_id)).all()
                record(session, kind, keys, at=now)

    def send(self) -> None:
        """Run the engine until nothing is due."""
        for _ in range(10):
            self.clock.advance(seconds=1)
            run = self.parts.engine.run(self.site)
            while (waiting := self.parts.runs.waiting(self.site.id)) is not None:
                self.parts.runs.approve(waiting.id, actor="tests")
                run = self.parts.engine.run(self.site)
            if run is None or not run.done:
                return

    def pull(self, *courses: str) -> int:
        """Read the courses' grades."""
        self.clock.advance(seconds=1)
        self.pulls.request(self.site.id, courses or ("K",))
        self.clock.advance(seconds=1)
        return self.pulls.run(self.site)

    def receipt(self, person: str, part: str) -> GradeReceipt:
        """Where a grade stands."""
        with self.database.read() as session:
            return session.scalars(
                sa.select(GradeReceipt).where(
                    GradeReceipt.person_key == person, GradeReceipt.item_key == part
                )
            ).one()

    def movements(self, person: str, part: str) -> list[tuple[str, int | None, int | None]]:
        """What moved, the oldest first."""
        found = self.log.of_grade(self.site.id, person, part)
        return [(each.movement.value, each.before, each.after) for each in reversed(found)]

    def disputes(self) -> list[tuple[str, str, str, str]]:
        """Person, item, reason and state of all conflicts."""
        with self.database.read() as session:
            rows = session.scalars(sa.select(GradeConflict).order_by(GradeConflict.id)).all()
        return [(each.person_key, each.item_key, each.reason, each.state.value) for each in rows]

    def event(self, kind: str, course: int | None, **values: Any) -> None:
        """Moodle tells of something."""
        with self.database.write() as session:
            count = session.scalar(sa.select(sa.func.count()).select_from(MoodleEvent)) or 0
            session.add(
                MoodleEvent(
                    site_id=self.site.id,
                    epoch="E",
                    seq=count + 1,
                    event_id=str(uuid.uuid4()),
                    type=kind,
                    at=self.clock.now(),
                    course=course,
                    received_at=self.clock.now(),
                    **values,
                )
            )

    def count(self, table: str, where: str = "1=1") -> int:
        """Rows of a table."""
        with self.database.read() as session:
            return int(session.scalar(sa.text(f"SELECT COUNT(*) FROM {table} WHERE {where}")) or 0)  # noqa: S608


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", note)


def build_world(
    database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient, platform: Platform
) -> GradeWorld:
    """A class K with the parts mid and final, a teacher T and the students A, B and C, of which
    nothing is in Moodle yet."""
    school = School(database, clock)
    school.person("T", teacher=True)
    school.class_("K", parts=("mid", "final"), teacher="T")
    for key in ("A", "B", "C"):
        school.student(key, "K")
    site = connected_site(database, clock, platform.base_url, kinds=KINDS)
    audit = AuditLog(clock)
    extracts = Extracts(database)
    parts = assemble(
        database,
        clock,
        keyring,
        audit,
        extracts,
        {System.MOODLE: MoodlePlugin(http, Tokens())},
        Sites(database, clock, audit, keyring, NoRegistrations()),
        Lifecycle(ZoneInfo("Asia/Phnom_Penh")),
        Limits(calls_per_minute=100_000),
        sleep=lambda _: None,
    )
    grading, log = Grading(database, clock), GradeLog(database, clock)
    world = GradeWorld(
        database,
        clock,
        platform,
        site,
        school,
        parts,
        grading,
        log,
        GradePulls(database, clock, parts.client, extracts, grading, parts.ledger, log),
        Conflicts(database, clock, audit, extracts, grading, parts.ledger, log),
        audit,
    )
    world.changed()
    return world
