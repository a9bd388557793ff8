"""Loads a synthetic campus in bulk; the same seed twice changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Base, Database
from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.sis.bulk import Written, ids_by_key, write_rows
from lti_tool.sis.campus.calendar import CampusTerm, terms_around
from lti_tool.sis.campus.marks import Marks
from lti_tool.sis.campus.population import Population, campus_key, data, populate
from lti_tool.sis.campus.timetable import CampusClass, Timetable
from lti_tool.sis.changes import record_since
from lti_tool.sis.entities import ClassStatus, GradeSource
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Course,
    Cycle,
    Enrollment,
    ImportRun,
    Person,
    Term,
)
from lti_tool.sis.rules import Scale, choose_scale, graded, session_weights
from lti_tool.sis.scales import install_scales, stored_scales
from lti_tool.sis.search import fold
from lti_tool.sis.totals import recompute_totals

#: Students of the campuses on offer.
SIZES = (50, 1000, 5000)

_KIND = "campus"
Progress = Callable[[str], None]


@dataclass(slots=True)
class CampusReport:
    """What was written, by table; ``around`` is the day that the campus is built around."""

    around: dt.date
    written: dict[str, Written] = field(default_factory=dict)

    @property
    def changed(self) -> int:
        """Rows that were created or changed."""
        return sum(part.changed for part in self.written.values())


def generate_campus(
    database: Database,
    clock: Clock,
    *,
    size: int,
    seed: int = 1,
    around: dt.date | None = None,
    progress: Progress = lambda _: None,
) -> CampusReport:
    """Build the campus with this size and seed in one transaction.

    Args:
        size: number of students, one of :data:`SIZES`.
        around: terms that run on this day are under way; by default today, or the day that this
            campus was first built around.

    Raises:
        ConflictError: the database already holds other people.
    """
    if size not in SIZES:
        raise InvalidInputError(
            f"There is no campus of {size} students.",
            field="size",
            remedy="Use one of " + ", ".join(map(str, SIZES)) + ".",
        )
    now = clock.now()
    with database.write() as session:
        previous = session.scalar(
            sa.select(ImportRun).where(ImportRun.kind == _KIND).order_by(ImportRun.id).limit(1)
        )
        wanted = {"size": size, "seed": seed}
        known = previous.counts if previous else {}
        others = session.scalar(sa.select(sa.func.count()).select_from(Person))
        if (others and previous is None) or (
            previous and {name: known.get(name) for name in wanted} != wanted
        ):
            raise ConflictError(
                "The database already holds people who are not of this campus.",
                remedy="Use an empty database, or the size and seed that it was made with.",
            )
        day = around or (dt.date.fromisoformat(known["around"]) if known else now.date())
        report = _Loader(session, now, seed, size, progress).load(day)
        if report.changed:
            record_since(session, now)
        if previous is None or report.changed:
            session.add(
                ImportRun(
                    kind=_KIND,
                    source=f"seed {seed}",
                    actor="campus",
                    started_at=now,
                    finished_at=clock.now(),
                    updated_at=now,
                    counts={**wanted, "around": day.isoformat()},
                    issues=[],
                )
            )
    return report


class _Loader:
    def __init__(
        self, session: Session, now: dt.datetime, seed: int, size: int, progress: Progress
    ) -> None:
        self._session = session
        self._now = now
        self._seed = seed
        self._size = size
        self._progress = progress
        self._written: dict[str, Written] = {}

    def load(self, day: dt.date) -> CampusReport:
        install_scales(self._session, now=self._now)
        people = populate(self._size, self._seed)
        terms = terms_around(day)
        self._write(Person, people.rows, "sourced_id")
        self._write(Term, [_term(term) for term in terms], "sourced_id")
        self._write(Course, [_course(course) for course in data("courses.json")], "sourced_id")
        classes = self._classes(people, terms, day)
        self._headers(classes, day)
        self._parts(classes)
        self._marks(classes, day)
        headers = self._ids(ClassHeader.sourced_id, [one.key for one in classes])
        self._progress("totals")
        self._written["totals"] = recompute_totals(self._session, headers.values(), now=self._now)
        return CampusReport(day, self._written)

    def _classes(
        self, people: Population, terms: list[CampusTerm], day: dt.date
    ) -> list[CampusClass]:
        timetable = Timetable(people, self._seed, self._size)
        classes: list[CampusClass] = []
        for kind in dict.fromkeys(term.kind for term in terms):
            running = [term for term in terms if term.kind is kind and term.runs(day)]
            for share, term in enumerate(running):
                classes += timetable.classes(term, share=share, of=len(running))
            ended = [term for term in terms if term.kind is kind and term.end < day]
            # Half of them were here last term already, and have their final grades.
            classes += timetable.classes(ended[-1], share=0, of=2) if ended else []
        return classes

    def _headers(self, classes: list[CampusClass], day: dt.date) -> None:
        terms = self._ids(Term.sourced_id, [one.term.code for one in classes])
        courses = self._ids(Course.sourced_id, [one.course for one in classes])
        groups = {(terms[one.term.code], one.combined): None for one in classes if one.combined}
        self._write(
            CombinedClass,
            [{"term_id": term, "name": name} for term, name in groups],
            "term_id",
            "name",
        )
        found = {
            (row.term_id, row.name): row.id
            for row in self._session.scalars(sa.select(CombinedClass))
        }
        self._write(
            ClassHeader,
            [
                {
                    "sourced_id": one.key,
                    "course_id": courses[one.course],
                    "term_id": terms[one.term.code],
                    "section": one.section,
                    "time_of_day": one.time_of_day,
                    "class_type": one.class_type,
                    "status": _class_status(one, day),
                    "combined_class_id": found.get((terms[one.term.code], one.combined or "")),
                    "active": True,
                    "search": fold(one.key, one.section),
                }
                for one in classes
            ],
            "sourced_id",
        )

    def _parts(self, classes: list[CampusClass]) -> None:
        headers = self._ids(ClassHeader.sourced_id, [one.key for one in classes])
        halves = [
            {
                "header_id": headers[one.key],
                "number": number,
                "name": f"Session {number}" if one.sessions > 1 else "",
                "weight": weight,
            }
            for one in classes
            for number, weight in enumerate(session_weights(one.course), start=1)
        ]
        self._write(ClassSession, halves, "header_id", "number")
        sessions = {
            (row.header_id, row.number): row.id
            for row in self._session.execute(
                sa.select(ClassSession.header_id, ClassSession.number, ClassSession.id)
            )
        }
        teachers = self._ids(
            Person.sourced_id,
            [part.teacher for one in classes for part in one.parts if part.teacher],
        )
        self._write(
            ClassPart,
            [
                {
                    "sourced_id": part_key(one, index),
                    "session_id": sessions[headers[one.key], part.session],
                    "code": part.code,
                    "name": part.name,
                    "part_type": part.kind,
                    "weight": part.weight,
                    "teacher_id": teachers[part.teacher] if part.teacher else None,
                    "teacher_named": True,
                    "room": part.room,
                    "meeting_days": "MON,WED,FRI" if part.code % 2 else "TUE,THU",
                    "start_time": dt.time.fromisoformat(one.hours[0]),
                    "end_time": dt.time.fromisoformat(one.hours[1]),
                    "active": True,
                }
                for one in classes
                for index, part in enumerate(one.parts)
            ],
            "sourced_id",
        )

    def _marks(self, classes: list[CampusClass], day: dt.date) -> None:
        marks = Marks(self._seed, self._size)
        headers = self._ids(ClassHeader.sourced_id, [one.key for one in classes])
        people = self._ids(Person.sourced_id, [key for one in classes for key in one.students])
        parts = self._ids(
            ClassPart.sourced_id,
            [part_key(one, index) for one in classes for index in range(len(one.parts))],
        )
        enrolled = {one.key: marks.enrollments(one, ended=one.term.end < day) for one in classes}
        rows: list[dict[str, Any]] = [
            {
                "sourced_id": campus_key(self._seed, "enrollment", one.key, student.student),
                "person_id": people[student.student],
                "header_id": headers[one.key],
                "status": student.status,
                "is_audit": student.is_audit,
                "status_since": student.since,
                "active": True,
            }
            for one in classes
            for student in enrolled[one.key]
        ]
        self._write(Enrollment, rows, "sourced_id")
        ids = self._ids(Enrollment.sourced_id, [row["sourced_id"] for row in rows])
        scales = stored_scales(self._session)
        grades: list[dict[str, Any]] = []
        for one in classes:
            scale = choose_scale(scales, cycle=one.cycle, course_code=one.course)
            ended = one.term.end < day
            for grade in marks.grades(one, enrolled[one.key], ended=ended):
                key = campus_key(self._seed, "enrollment", one.key, grade.student)
                part = one.parts[grade.part]
                grades.append(
                    {
                        "enrollment_id": ids[key],
                        "part_id": parts[part_key(one, grade.part)],
                        **_marked(scale, grade.score),
                        "status": grade.status,
                        "source": GradeSource.MIGRATED if ended else GradeSource.MANUAL_TEACHER,
                        "entered_by": part.teacher or "campus",
                        "approved_by": "campus" if grade.status.locked else None,
                    }
                )
        self._write(ClassPartGrade, grades, "enrollment_id", "part_id")

    def _write(self, model: type[Base], rows: list[dict[str, Any]], *key: str) -> None:
        self._progress(model.__tablename__.removeprefix("sis_").replace("_", " "))
        self._written[model.__tablename__] = write_rows(
            self._session, model, rows, key=key, now=self._now
        )

    def _ids(self, column: Any, keys: list[str]) -> dict[str, int]:
        return ids_by_key(self._session, column, keys)


def part_key(class_: CampusClass, index: int) -> str:
    """The key of a class's part: ``<class>/<session>.<code>``."""
    part = class_.parts[index]
    return f"{class_.key}/{part.session}.{part.code}"


def _class_status(class_: CampusClass, day: dt.date) -> ClassStatus:
    if class_.term.end < day:
        return ClassStatus.COMPLETED
    if class_.term.start <= day:
        return ClassStatus.ACTIVE
    # Next term is being planned: some classes are not decided yet.
    return ClassStatus.DRAFT if class_.section > "B" else ClassStatus.SCHEDULED


def _term(term: CampusTerm) -> dict[str, Any]:
    return {
        "sourced_id": term.code,
        "code": term.code,
        "title": term.code,
        "cycle": term.cycle,
        "term_type": term.kind,
        "start_date": term.start,
        "end_date": term.end,
        "active": True,
        "search": fold(term.code, term.kind),
    }


def _course(course: dict[str, Any]) -> dict[str, Any]:
    return {
        "sourced_id": course["code"],
        "code": course["code"],
        "title": course["title"],
        "cycle": Cycle(course["cycle"]),
        "credits": course["credits"],
        "active": True,
        "search": fold(course["code"], course["title"]),
    }


def _marked(scale: Scale, score: Decimal | None) -> dict[str, Any]:
    total = graded(scale, score)
    return {"score": total.score, "letter": total.letter, "points": total.points}
