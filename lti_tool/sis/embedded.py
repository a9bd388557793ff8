"""The embedded SIS: the same database as the tool, behind the SIS's interface."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.bulk import chunks
from lti_tool.sis.class_views import class_views, header_query, newest_first
from lti_tool.sis.entities import (
    ClassTotals,
    ClassView,
    EnrollmentStatus,
    FinalGradeView,
    GradeStatus,
    OwnEnrollment,
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
from lti_tool.sis.own_classes import class_sizes, own_enrollments
from lti_tool.sis.search import fold, holds

_ATTENDING = [status for status in EnrollmentStatus if status.attends]


# What is read at every launch is built once, of tables and columns: building statements and
# entities costs more than running them.
_people = cast(sa.Table, Person.__table__)
_headers = cast(sa.Table, ClassHeader.__table__)
_parts = cast(sa.Table, ClassPart.__table__)
_part_grades = cast(sa.Table, ClassPartGrade.__table__)
_sessions = cast(sa.Table, ClassSession.__table__)
_totals = cast(sa.Table, ClassSessionGrade.__table__)
_finals = cast(sa.Table, FinalGrade.__table__)
_enrollments = cast(sa.Table, Enrollment.__table__)
PERSON_COLUMNS = (
    _people.c.sourced_id,
    _people.c.student_id,
    _people.c.family_name,
    _people.c.personal_name,
    _people.c.khmer_name,
    _people.c.school_email,
    _people.c.status,
    _people.c.is_student,
    _people.c.is_teacher,
    _people.c.active,
)
# As PartGradeView has them, behind the person.
PART_GRADE_COLUMNS = (
    _parts.c.sourced_id,
    _part_grades.c.score,
    _part_grades.c.letter,
    _part_grades.c.status,
    _part_grades.c.source,
    _part_grades.c.entered_by,
    _part_grades.c.updated_at,
    _part_grades.c.approved_by,
    _part_grades.c.graded_at,
    _part_grades.c.held_by,
)
_PERSON_KEY = sa.bindparam("person_key", type_=sa.String)
_CLASS_KEY = sa.bindparam("class_key", type_=sa.String)
_PEOPLE: sa.Select[*tuple[Any, ...]] = sa.select(*PERSON_COLUMNS).where(
    _people.c.sourced_id.in_(sa.bindparam("person_keys", expanding=True))
)
_ONE_PERSON: sa.Select[*tuple[Any, ...]] = sa.select(*PERSON_COLUMNS).where(
    _people.c.sourced_id == _PERSON_KEY
)
_CLASS = header_query().where(_headers.c.sourced_id == _CLASS_KEY)
_ROSTER: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        *PERSON_COLUMNS, _enrollments.c.status, _enrollments.c.is_audit, _enrollments.c.status_since
    )
    .select_from(_people)
    .join(_enrollments, _enrollments.c.person_id == _people.c.id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .where(_headers.c.sourced_id == _CLASS_KEY)
)
_ENROLLMENT = _ROSTER.where(_people.c.sourced_id == _PERSON_KEY)
_GRADES: sa.Select[*tuple[Any, ...]] = (
    sa.select(_people.c.sourced_id, *PART_GRADE_COLUMNS)
    .select_from(_part_grades)
    .join(_enrollments, _enrollments.c.id == _part_grades.c.enrollment_id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .join(_people, _people.c.id == _enrollments.c.person_id)
    .join(_parts, _parts.c.id == _part_grades.c.part_id)
    .where(_headers.c.sourced_id == _CLASS_KEY)
    .order_by(_parts.c.sourced_id, _people.c.sourced_id)
)
_PART_GRADES = _GRADES.where(_parts.c.sourced_id.in_(sa.bindparam("part_keys", expanding=True)))
_OWN_PART_GRADES = _GRADES.where(
    _people.c.sourced_id == _PERSON_KEY, _part_grades.c.status != GradeStatus.DRAFT
)
_OWN_ENROLLMENT = (
    sa.select(_enrollments.c.id)
    .join(_people, _people.c.id == _enrollments.c.person_id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .where(_people.c.sourced_id == _PERSON_KEY, _headers.c.sourced_id == _CLASS_KEY)
    .scalar_subquery()
)
_OWN_TOTALS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _sessions.c.number,
        _totals.c.score,
        _totals.c.letter,
        _totals.c.points,
    )
    .select_from(_totals)
    .join(_sessions, _sessions.c.id == _totals.c.session_id)
    .where(_totals.c.enrollment_id == _OWN_ENROLLMENT)
    .order_by(_sessions.c.number)
)
_OWN_FINAL: sa.Select[*tuple[Any, ...]] = sa.select(
    _finals.c.score, _finals.c.letter, _finals.c.points, _finals.c.status
).where(_finals.c.enrollment_id == _OWN_ENROLLMENT)
_CLASS_TOTALS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _people.c.sourced_id,
        _sessions.c.number,
        _totals.c.score,
        _totals.c.letter,
        _totals.c.points,
    )
    .select_from(_totals)
    .join(_sessions, _sessions.c.id == _totals.c.session_id)
    .join(_enrollments, _enrollments.c.id == _totals.c.enrollment_id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .join(_people, _people.c.id == _enrollments.c.person_id)
    .where(_headers.c.sourced_id == _CLASS_KEY)
    .order_by(_people.c.sourced_id, _sessions.c.number)
)
_CLASS_FINALS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _people.c.sourced_id,
        _finals.c.score,
        _finals.c.letter,
        _finals.c.points,
        _finals.c.status,
    )
    .select_from(_finals)
    .join(_enrollments, _enrollments.c.id == _finals.c.enrollment_id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .join(_people, _people.c.id == _enrollments.c.person_id)
    .where(_headers.c.sourced_id == _CLASS_KEY, _finals.c.letter.is_not(None))
)
_OF_PEOPLE = _people.c.sourced_id.in_(sa.bindparam("person_keys", expanding=True))
_SOME_TOTALS = _CLASS_TOTALS.where(_OF_PEOPLE)
_SOME_FINALS = _CLASS_FINALS.where(_OF_PEOPLE)
# Of more people than this, the whole class is read: a list of keys has a longest length.
_NAMED_PEOPLE = 1000


class EmbeddedSis:
    """Implements :class:`~lti_tool.sis.interfaces.StudentInformationSystem` on the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def person(self, person_key: str) -> PersonView | None:
        """The person with this key."""
        with self._database.reading() as connection:
            row = connection.execute(_ONE_PERSON, {"person_key": person_key}).first()
        return person_view(row) if row else None

    def people(self, person_keys: Collection[str]) -> dict[str, PersonView]:
        """The people with these keys, by key; unknown keys are absent."""
        found: dict[str, PersonView] = {}
        with self._database.reading() as connection:
            for some in chunks(set(person_keys)):
                for row in connection.execute(_PEOPLE, {"person_keys": some}):
                    found[row[0]] = person_view(row)
        return found

    def find_people(self, text: str, *, limit: int = 20) -> list[PersonView]:
        """People whose name, Khmer name, student id, key or school e-mail holds ``text``.

        Every word must be found, in any order; case does not matter.
        """
        words = fold(text).split()
        if not words:
            return []
        query = (
            sa.select(*PERSON_COLUMNS)
            .where(Person.active, *(holds(Person.search, word) for word in words))
            .order_by(Person.family_name, Person.personal_name, Person.sourced_id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [person_view(row) for row in connection.execute(query)]

    def class_(self, class_key: str) -> ClassView | None:
        """The class with this key, with its sessions and parts; a removed one is CANCELLED."""
        with self._database.reading() as connection:
            found = class_views(connection, _CLASS, {"class_key": class_key})
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
        with self._database.reading() as connection:
            return class_views(connection, newest_first(query).limit(limit))

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
        with self._database.reading() as connection:
            return class_views(connection, newest_first(query))

    def enrollment(self, person_key: str, class_key: str) -> RosterEntry | None:
        """This person's enrolment in this class, whatever its status."""
        keys = {"class_key": class_key, "person_key": person_key}
        with self._database.reading() as connection:
            row = connection.execute(_ENROLLMENT, keys).first()
        return _roster_entry(row) if row else None

    def enrollments_of(self, person_key: str) -> list[OwnEnrollment]:
        """All enrolments of this person, whatever their status; the newest term first."""
        with self._database.reading() as connection:
            return own_enrollments(connection, person_key)

    def class_sizes(self, class_keys: Collection[str]) -> dict[str, int]:
        """How many students these classes have who attend or have ended them, by class."""
        with self._database.reading() as connection:
            return class_sizes(connection, class_keys)

    def roster(self, class_key: str, *, chunk: int = 1000) -> Iterator[list[RosterEntry]]:
        """All enrolments of a class, whatever their status, in chunks, ordered by person key."""
        last: str | None = None
        while True:
            query = _ROSTER.order_by(_people.c.sourced_id).limit(chunk)
            if last is not None:
                query = query.where(_people.c.sourced_id > last)
            # A transaction per chunk: whoever consumes slowly must not hold one open.
            with self._database.reading() as connection:
                rows = connection.execute(query, {"class_key": class_key})
                entries = [_roster_entry(row) for row in rows]
            if entries:
                last = entries[-1].person.person_key
                yield entries
            if len(entries) < chunk:
                return

    def part_grades(self, class_key: str, part_keys: Iterable[str]) -> list[PartGradeView]:
        """All grades of these parts, drafts too; at most one per person and part."""
        keys = {"class_key": class_key, "part_keys": list(part_keys)}
        with self._database.reading() as connection:
            return [_part_grade(row) for row in connection.execute(_PART_GRADES, keys)]

    def class_totals(self, class_key: str, person_keys: Collection[str]) -> dict[str, ClassTotals]:
        """Totals of these people in this class, by person key: two statements."""
        wanted = set(person_keys)
        named = len(wanted) <= _NAMED_PEOPLE
        keys = {"class_key": class_key} | ({"person_keys": list(wanted)} if named else {})
        with self._database.reading() as connection:
            totals = connection.execute(_SOME_TOTALS if named else _CLASS_TOTALS, keys).all()
            finals = connection.execute(_SOME_FINALS if named else _CLASS_FINALS, keys).all()
        sessions: dict[str, list[SessionGradeView]] = defaultdict(list)
        for row in totals:
            sessions[row[0]].append(SessionGradeView(*row))
        final = {row[0]: FinalGradeView(*row) for row in finals}
        return {
            key: ClassTotals(tuple(sessions.get(key, ())), final.get(key))
            for key in wanted & (sessions.keys() | final.keys())
        }

    def student_grades(self, person_key: str, class_key: str) -> StudentGrades:
        """One student's grades in one class, drafts left out: three statements."""
        keys = {"person_key": person_key, "class_key": class_key}
        with self._database.reading() as connection:
            parts = tuple(_part_grade(row) for row in connection.execute(_OWN_PART_GRADES, keys))
            sessions = tuple(
                SessionGradeView(person_key, *row) for row in connection.execute(_OWN_TOTALS, keys)
            )
            final = connection.execute(_OWN_FINAL, keys).first()
        return StudentGrades(
            parts=parts,
            sessions=sessions,
            final=(
                FinalGradeView(person_key, *final)
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
        with self._database.reading() as connection:
            found = connection.scalar(query)
            if found is None:
                return None
            return class_views(connection, header_query().where(ClassHeader.id == found))[0]


def person_view(row: Sequence[Any]) -> PersonView:
    """A person as others see them; one whom the source no longer has is at most INACTIVE."""
    person = PersonView(*row[: len(PERSON_COLUMNS) - 1])
    active = row[len(PERSON_COLUMNS) - 1]
    if not active and person.status is PersonStatus.ACTIVE:
        return replace(person, status=PersonStatus.INACTIVE)
    return person


def _roster_entry(row: Any) -> RosterEntry:
    status, is_audit, since = row[len(PERSON_COLUMNS) :]
    return RosterEntry(
        person=person_view(row),
        status=status,
        is_audit=is_audit or status is EnrollmentStatus.AUDIT,
        since=since,
    )


def _part_grade(row: Any) -> PartGradeView:
    return PartGradeView(*row)
