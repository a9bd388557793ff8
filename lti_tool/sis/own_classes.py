"""What one person has: all their classes at once, however many they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.sis.bulk import chunks
from lti_tool.sis.class_views import class_views, header_query, newest_first
from lti_tool.sis.entities import EnrollmentStatus, FinalGradeView, OwnEnrollment
from lti_tool.sis.grade_models import FinalGrade
from lti_tool.sis.models import ClassHeader, Enrollment, Person

_people = cast(sa.Table, Person.__table__)
_headers = cast(sa.Table, ClassHeader.__table__)
_enrollments = cast(sa.Table, Enrollment.__table__)
_finals = cast(sa.Table, FinalGrade.__table__)
_COUNTED = [status for status in EnrollmentStatus if status.attends or status.ended]

_OWN: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _headers.c.sourced_id,
        _enrollments.c.status,
        _enrollments.c.is_audit,
        _finals.c.score,
        _finals.c.letter,
        _finals.c.points,
        _finals.c.status,
    )
    .select_from(_enrollments)
    .join(_people, _people.c.id == _enrollments.c.person_id)
    .join(_headers, _headers.c.id == _enrollments.c.header_id)
    .outerjoin(_finals, _finals.c.enrollment_id == _enrollments.c.id)
    .where(_people.c.sourced_id == sa.bindparam("person_key"), _headers.c.active)
)
_OWN_CLASSES = newest_first(
    header_query().where(
        _headers.c.active,
        _headers.c.id.in_(
            sa.select(_enrollments.c.header_id)
            .join(_people, _people.c.id == _enrollments.c.person_id)
            .where(_people.c.sourced_id == sa.bindparam("person_key"))
        ),
    )
)
_SIZES: sa.Select[*tuple[Any, ...]] = (
    sa.select(_headers.c.sourced_id, sa.func.count())
    .join(_enrollments, _enrollments.c.header_id == _headers.c.id)
    .where(
        _headers.c.sourced_id.in_(sa.bindparam("class_keys", expanding=True)),
        _enrollments.c.status.in_(_COUNTED),
    )
    .group_by(_headers.c.sourced_id)
)


def own_enrollments(connection: sa.Connection, person_key: str) -> list[OwnEnrollment]:
    """All enrolments of a person; a final grade that nobody may see yet is none. As many statements
    as for one class, and one more."""
    rows = {row[0]: row for row in connection.execute(_OWN, {"person_key": person_key})}
    if not rows:
        return []
    views = class_views(connection, _OWN_CLASSES, {"person_key": person_key})
    return [_own(person_key, view, rows[view.class_key]) for view in views]


def _own(person_key: str, view: Any, row: Any) -> OwnEnrollment:
    _, status, is_audit, *final = row
    audits = is_audit or status is EnrollmentStatus.AUDIT
    # As on the page of the class: without a letter there is no final grade yet.
    graded = FinalGradeView(person_key, *final) if final[1] is not None else None
    return OwnEnrollment(view, status, audits, graded)


def class_sizes(connection: sa.Connection, class_keys: Collection[str]) -> dict[str, int]:
    """How many students these classes have; one that has none is absent."""
    found: dict[str, int] = {}
    for some in chunks(set(class_keys)):
        found.update((row[0], row[1]) for row in connection.execute(_SIZES, {"class_keys": some}))
    return found
