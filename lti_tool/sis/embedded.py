"""The embedded SIS: the same database as the tool, behind the SIS's interface."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.bulk import chunks
from lti_tool.sis.class_views import class_views, header_query, newest_first
from lti_tool.sis.entities import (
    ClassView,
    EnrollmentStatus,
    FinalGradeView,
    GradeStatus,
    PartGradeView,
    PersonStatus,
    PersonView,
    RosterEntry,
    SessionGradeView,
    StudentGrades,
)
from lti_tool.sis.grade_models import ClassPartGrade, ClassSessionGrade, FinalGrade
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    Course,
    Enrollment,
    Person,
    Teaching,
    Term,
)
from lti_tool.sis.search import fold, holds

_ATTENDING = [status for status in EnrollmentStatus if status.attends]


class EmbeddedSis:
    """Implements :class:`~lti_tool.sis.interfaces.StudentInformationSystem` on the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def person(self, person_key: str) -> PersonView | None:
        """The person with this key."""
        return self.people([person_key]).get(person_key)

    def people(self, person_keys: Collection[str]) -> dict[str, PersonView]:
        """The people with these keys, by key; unknown keys are absent."""
        found: dict[str, PersonView] = {}
        with self._database.read() as session:
            for some in chunks(set(person_keys)):
                for person in session.scalars(sa.select(Person).where(Person.sourced_id.in_(some))):
                    found[person.sourced_id] = person_view(person)
        return found

    def find_people(self, text: str, *, limit: int = 20) -> list[PersonView]:
        """People whose name, Khmer name, student id, key or school e-mail holds ``text``.

        Every word must be found, in any order; case does not matter.
        """
        words = fold(text).split()
        if not words:
            return []
        query = (
            sa.select(Person)
            .where(Person.active, *(holds(Person.search, word) for word in words))
            .order_by(Person.family_name, Person.personal_name, Person.sourced_id)
            .limit(limit)
        )
        with self._database.read() as session:
            return [person_view(person) for person in session.scalars(query)]

    def class_(self, class_key: str) -> ClassView | None:
        """The class with this key, with its sessions and parts; a removed one is CANCELLED."""
        with self._database.read() as session:
            found = class_views(session, header_query().where(ClassHeader.sourced_id == class_key))
        return found[0] if found else None

    def find_classes(self, text: str, *, limit: int = 20) -> list[ClassView]:
        """Classes whose course code, title, term or key holds ``text``; the newest first."""
        words = fold(text).split()
        if not words:
            return []
        query = header_query().where(
            ClassHeader.active,
            *(
                sa.or_(
                    holds(ClassHeader.search, word),
                    holds(Course.search, word),
                    holds(Term.search, word),
                )
                for word in words
            ),
        )
        with self._database.read() as session:
            return class_views(session, newest_first(query).limit(limit))

    def classes_taught_by(self, person_key: str) -> list[ClassView]:
        """Classes that this person teaches, whole or in part; the newest term first."""
        by_part = (
            sa.select(ClassSession.header_id)
            .join(ClassPart, ClassPart.session_id == ClassSession.id)
            .join(Person, Person.id == ClassPart.teacher_id)
            .where(Person.sourced_id == person_key, ClassPart.active)
        )
        by_class = (
            sa.select(Teaching.header_id)
            .join(Person, Person.id == Teaching.person_id)
            .where(Person.sourced_id == person_key, Teaching.active)
        )
        query = header_query().where(
            ClassHeader.active,
            sa.or_(ClassHeader.id.in_(by_part), ClassHeader.id.in_(by_class)),
        )
        with self._database.read() as session:
            return class_views(session, newest_first(query))

    def enrollment(self, person_key: str, class_key: str) -> RosterEntry | None:
        """This person's enrolment in this class, whatever its status."""
        query = _roster_query(class_key).where(Person.sourced_id == person_key)
        with self._database.read() as session:
            row = session.execute(query).first()
        return _roster_entry(row) if row else None

    def roster(self, class_key: str, *, chunk: int = 1000) -> Iterator[list[RosterEntry]]:
        """All enrolments of a class, whatever their status, in chunks, ordered by person key."""
        last: str | None = None
        while True:
            query = _roster_query(class_key).order_by(Person.sourced_id).limit(chunk)
            if last is not None:
                query = query.where(Person.sourced_id > last)
            # A transaction per chunk: whoever consumes slowly must not hold one open.
            with self._database.read() as session:
                entries = [_roster_entry(row) for row in session.execute(query)]
            if entries:
                last = entries[-1].person.person_key
                yield entries
            if len(entries) < chunk:
                return

    def part_grades(self, class_key: str, part_keys: Iterable[str]) -> list[PartGradeView]:
        """All grades of these parts, drafts too; at most one per person and part."""
        query = _grade_query(class_key).where(ClassPart.sourced_id.in_(list(part_keys)))
        with self._database.read() as session:
            return [_part_grade(row) for row in session.execute(query)]

    def student_grades(self, person_key: str, class_key: str) -> StudentGrades:
        """One student's grades in one class, drafts left out: three statements."""
        enrolled = (
            sa.select(Enrollment.id)
            .join(Person, Person.id == Enrollment.person_id)
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .where(Person.sourced_id == person_key, ClassHeader.sourced_id == class_key)
            .scalar_subquery()
        )
        parts = _grade_query(class_key).where(
            Person.sourced_id == person_key, ClassPartGrade.status != GradeStatus.DRAFT
        )
        totals = (
            sa.select(ClassSessionGrade, ClassSession.number)
            .join(ClassSession, ClassSession.id == ClassSessionGrade.session_id)
            .where(ClassSessionGrade.enrollment_id == enrolled)
            .order_by(ClassSession.number)
        )
        with self._database.read() as session:
            part_grades = tuple(_part_grade(row) for row in session.execute(parts))
            session_grades = tuple(
                SessionGradeView(person_key, number, total.score, total.letter, total.points)
                for total, number in session.execute(totals)
            )
            final = session.scalar(
                sa.select(FinalGrade).where(FinalGrade.enrollment_id == enrolled)
            )
        return StudentGrades(
            parts=part_grades,
            sessions=session_grades,
            final=(
                FinalGradeView(person_key, final.score, final.letter, final.points, final.status)
                if final is not None and final.letter is not None
                else None
            ),
        )

    def example_class(self) -> ClassView | None:
        """A running class that shows everything: a teacher, 2 parts or more, 10 graded students.

        ``None`` if the SIS has none. The class with the most shown grades comes first.
        """
        today = self._clock.now().date()
        query = (
            sa.select(ClassHeader.id)
            .join(Term, Term.id == ClassHeader.term_id)
            .join(Enrollment, Enrollment.header_id == ClassHeader.id)
            .join(ClassPartGrade, ClassPartGrade.enrollment_id == Enrollment.id)
            .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
            .where(
                ClassHeader.active,
                Enrollment.status.in_(_ATTENDING),
                ClassPart.active,
                ClassPart.teacher_id.is_not(None),
                ClassPartGrade.status.in_([GradeStatus.SUBMITTED, GradeStatus.APPROVED]),
            )
            .group_by(ClassHeader.id)
            .having(
                sa.func.count(Enrollment.id.distinct()) >= 10,
                sa.func.count(ClassPart.id.distinct()) >= 2,
            )
            .order_by(
                sa.func.max(
                    sa.case((sa.and_(Term.start_date <= today, Term.end_date >= today), 1), else_=0)
                ).desc(),
                sa.func.count().desc(),
                ClassHeader.id,
            )
            .limit(1)
        )
        with self._database.read() as session:
            found = session.scalar(query)
            if found is None:
                return None
            return class_views(session, header_query().where(ClassHeader.id == found))[0]


def person_view(person: Person) -> PersonView:
    """A person as others see them; one whom the source no longer has is at most INACTIVE."""
    status = person.status
    if not person.active and status is PersonStatus.ACTIVE:
        status = PersonStatus.INACTIVE
    return PersonView(
        person_key=person.sourced_id,
        student_id=person.student_id,
        family_name=person.family_name,
        personal_name=person.personal_name,
        khmer_name=person.khmer_name,
        school_email=person.school_email,
        status=status,
        is_student=person.is_student,
        is_teacher=person.is_teacher,
    )


def _roster_query(class_key: str) -> sa.Select[Person, Enrollment]:
    return (
        sa.select(Person, Enrollment)
        .join(Enrollment, Enrollment.person_id == Person.id)
        .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
        .where(ClassHeader.sourced_id == class_key)
    )


def _roster_entry(row: Any) -> RosterEntry:
    person, enrollment = row
    return RosterEntry(
        person=person_view(person),
        status=enrollment.status,
        is_audit=enrollment.is_audit or enrollment.status is EnrollmentStatus.AUDIT,
        since=enrollment.status_since,
    )


def _grade_query(class_key: str) -> sa.Select[ClassPartGrade, str, str]:
    return (
        sa.select(ClassPartGrade, Person.sourced_id, ClassPart.sourced_id)
        .join(Enrollment, Enrollment.id == ClassPartGrade.enrollment_id)
        .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
        .join(Person, Person.id == Enrollment.person_id)
        .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
        .where(ClassHeader.sourced_id == class_key)
        .order_by(ClassPart.sourced_id, Person.sourced_id)
    )


def _part_grade(row: Any) -> PartGradeView:
    grade, person_key, part_key = row
    return PartGradeView(
        person_key=person_key,
        part_key=part_key,
        score=grade.score,
        letter=grade.letter,
        status=grade.status,
        source=grade.source,
        entered_by=grade.entered_by,
        updated_at=grade.updated_at,
    )
