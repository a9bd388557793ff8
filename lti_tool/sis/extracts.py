"""The embedded SIS in bulk: what keeps another system equal to it reads through here.

Every method is a statement or two per 1,000 keys; without keys it reads everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.bulk import chunks
from lti_tool.sis.class_views import class_views, header_query
from lti_tool.sis.embedded import PART_GRADE_COLUMNS, PERSON_COLUMNS, person_view
from lti_tool.sis.entities import (
    ClassGrades,
    ClassTotals,
    ClassView,
    FinalGradeView,
    Membership,
    PartGradeView,
    PersonStatus,
    PersonView,
    ScaleLetter,
    SessionGradeView,
    TermView,
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
from lti_tool.sis.rules import choose_scale
from lti_tool.sis.scales import stored_scales

_CHUNK = 1000
_people = cast(sa.Table, Person.__table__)
_headers = cast(sa.Table, ClassHeader.__table__)
_enrollments = cast(sa.Table, Enrollment.__table__)
_teachings = cast(sa.Table, Teaching.__table__)
_terms = cast(sa.Table, Term.__table__)
_courses = cast(sa.Table, Course.__table__)
_sessions = cast(sa.Table, ClassSession.__table__)
_parts = cast(sa.Table, ClassPart.__table__)
_part_grades = cast(sa.Table, ClassPartGrade.__table__)
_totals = cast(sa.Table, ClassSessionGrade.__table__)
_finals = cast(sa.Table, FinalGrade.__table__)


class Extracts:
    """Implements :class:`~lti_tool.sis.interfaces.SisExtracts` on the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def term_keys(self) -> list[str]:
        """Keys of all terms, sorted."""
        return self._keys(_terms.c.sourced_id)

    def person_keys(self) -> list[str]:
        """Keys of all people, sorted."""
        return self._keys(_people.c.sourced_id)

    def class_keys(self) -> list[str]:
        """Keys of all classes, sorted."""
        return self._keys(_headers.c.sourced_id)

    def terms(self, keys: Collection[str]) -> dict[str, TermView]:
        """These terms, by key; unknown keys are absent."""
        columns = (_terms.c.code, _terms.c.title, _terms.c.start_date, _terms.c.end_date)
        query = sa.select(_terms.c.sourced_id, *columns, _terms.c.active)
        return {row[0]: TermView(*row) for row in self._rows(query, _terms.c.sourced_id, keys)}

    def people(self, keys: Collection[str]) -> dict[str, PersonView]:
        """These people, by key; unknown keys are absent."""
        query = sa.select(*PERSON_COLUMNS)
        return {row[0]: person_view(row) for row in self._rows(query, _people.c.sourced_id, keys)}

    def shared_emails(self, emails: Collection[str]) -> set[str]:
        """Which of these addresses, in lower case, belong to more than one person."""
        folded = sa.func.lower(_people.c.school_email)
        query = sa.select(folded).group_by(folded).having(sa.func.count() > 1)
        wanted = {email.lower() for email in emails}
        return {row[0] for row in self._rows(query, folded, wanted)}

    def holders_of_emails(self, emails: Collection[str]) -> dict[str, set[str]]:
        """Keys of the people who have these addresses, by the address in lower case."""
        folded = sa.func.lower(_people.c.school_email)
        query = sa.select(folded, _people.c.sourced_id)
        found: dict[str, set[str]] = defaultdict(set)
        for email, key in self._rows(query, folded, {email.lower() for email in emails}):
            found[email].add(key)
        return dict(found)

    def classes(self, keys: Collection[str]) -> dict[str, ClassView]:
        """These classes, by key; unknown keys are absent, removed ones are CANCELLED."""
        found: dict[str, ClassView] = {}
        for some in chunks(set(keys), _CHUNK):
            with self._database.reading() as connection:
                views = class_views(
                    connection, header_query().where(_headers.c.sourced_id.in_(some))
                )
            found.update((view.class_key, view) for view in views)
        return found

    def memberships(self, class_keys: Collection[str]) -> dict[str, list[Membership]]:
        """All enrolments of these classes, whatever their status, by class, ordered by person."""
        query = (
            sa.select(
                _headers.c.sourced_id,
                _people.c.sourced_id,
                _enrollments.c.status,
                _enrollments.c.is_audit,
                _people.c.status,
                _people.c.active,
            )
            .select_from(_enrollments)
            .join(_headers, _headers.c.id == _enrollments.c.header_id)
            .join(_people, _people.c.id == _enrollments.c.person_id)
            .order_by(_headers.c.sourced_id, _people.c.sourced_id)
        )
        found: dict[str, list[Membership]] = defaultdict(list)
        for row in self._rows(query, _headers.c.sourced_id, class_keys):
            class_key, person_key, status, is_audit, person_status, active = row
            if not active and person_status is PersonStatus.ACTIVE:
                person_status = PersonStatus.INACTIVE
            found[class_key].append(
                Membership(class_key, person_key, status, is_audit, person_status)
            )
        return dict(found)

    def named_teachers(self, class_keys: Collection[str]) -> dict[str, list[str]]:
        """People who teach these classes beyond what their parts say, by class."""
        query = (
            sa.select(_headers.c.sourced_id, _people.c.sourced_id)
            .select_from(_teachings)
            .join(_headers, _headers.c.id == _teachings.c.header_id)
            .join(_people, _people.c.id == _teachings.c.person_id)
            .where(_teachings.c.active)
            .order_by(_people.c.sourced_id)
        )
        found: dict[str, list[str]] = defaultdict(list)
        for class_key, person_key in self._rows(query, _headers.c.sourced_id, class_keys):
            found[class_key].append(person_key)
        return dict(found)

    def grades(self, class_keys: Collection[str]) -> dict[str, ClassGrades]:
        """All grades of these classes, by class; one without any grade has an empty one."""
        of_class, of_person = _headers.c.sourced_id, _people.c.sourced_id
        parts: dict[str, list[PartGradeView]] = defaultdict(list)
        query = _of_enrollment(_part_grades, *PART_GRADE_COLUMNS).join(
            _parts, _parts.c.id == _part_grades.c.part_id
        )
        for row in self._rows(query.order_by(_parts.c.sourced_id, of_person), of_class, class_keys):
            parts[row[0]].append(PartGradeView(*row[1:]))
        sessions: dict[str, dict[str, list[SessionGradeView]]] = defaultdict(
            lambda: defaultdict(list)
        )
        query = _of_enrollment(
            _totals, _sessions.c.number, _totals.c.score, _totals.c.letter, _totals.c.points
        ).join(_sessions, _sessions.c.id == _totals.c.session_id)
        for row in self._rows(query.order_by(of_person, _sessions.c.number), of_class, class_keys):
            sessions[row[0]][row[1]].append(SessionGradeView(*row[1:]))
        finals: dict[str, dict[str, FinalGradeView]] = defaultdict(dict)
        query = _of_enrollment(
            _finals, _finals.c.score, _finals.c.letter, _finals.c.points, _finals.c.status
        ).where(_finals.c.letter.is_not(None))
        for row in self._rows(query, of_class, class_keys):
            finals[row[0]][row[1]] = FinalGradeView(*row[1:])
        return {
            key: ClassGrades(
                tuple(parts[key]),
                {
                    person: ClassTotals(tuple(sessions[key][person]), finals[key].get(person))
                    for person in sorted(sessions[key].keys() | finals[key].keys())
                },
            )
            for key in class_keys
        }

    def letters(self, class_keys: Collection[str]) -> dict[str, tuple[ScaleLetter, ...]]:
        """The letters of each class's scale, the best first; unknown keys are absent."""
        with self._database.read() as session:
            scales = stored_scales(session)
        letters = {
            scale.code: tuple(
                ScaleLetter(row.letter, row.minimum)
                for row in sorted(scale.conversions, key=lambda row: row.minimum, reverse=True)
            )
            for scale in scales
        }
        query = sa.select(_headers.c.sourced_id, _courses.c.code, _courses.c.cycle).join(
            _courses, _courses.c.id == _headers.c.course_id
        )
        return {
            key: letters[choose_scale(scales, cycle=cycle, course_code=code).code]
            for key, code, cycle in self._rows(query, _headers.c.sourced_id, class_keys)
        }

    def classes_of_terms(self, term_keys: Collection[str]) -> set[str]:
        """Keys of the classes of these terms."""
        query = sa.select(_headers.c.sourced_id).join(_terms, _terms.c.id == _headers.c.term_id)
        return {row[0] for row in self._rows(query, _terms.c.sourced_id, term_keys)}

    def classes_of_people(self, person_keys: Collection[str]) -> set[str]:
        """Keys of the classes in which these people have an enrolment, whatever its status."""
        query = (
            sa.select(_headers.c.sourced_id)
            .join(_enrollments, _enrollments.c.header_id == _headers.c.id)
            .join(_people, _people.c.id == _enrollments.c.person_id)
            .distinct()
        )
        return {row[0] for row in self._rows(query, _people.c.sourced_id, person_keys)}

    def _keys(self, column: sa.Column[str]) -> list[str]:
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(column).order_by(column)))

    def _rows(
        self, query: sa.Select[Any], column: sa.ColumnElement[Any], keys: Collection[str]
    ) -> Iterator[Any]:
        for some in chunks(sorted(set(keys)), _CHUNK):
            with self._database.reading() as connection:
                yield from connection.execute(query.where(column.in_(some))).all()


def _of_enrollment(table: sa.Table, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Rows that hang on enrolments, with the keys of the class and of the person before them."""
    return (
        sa.select(_headers.c.sourced_id, _people.c.sourced_id, *columns)
        .select_from(table)
        .join(_enrollments, _enrollments.c.id == table.c.enrollment_id)
        .join(_headers, _headers.c.id == _enrollments.c.header_id)
        .join(_people, _people.c.id == _enrollments.c.person_id)
    )
