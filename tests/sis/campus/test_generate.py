"""The synthetic campus: the same for a seed, shaped like a school, awkward on purpose."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.sis.campus.calendar import terms_around, terms_of_year
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.campus.population import populate
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import ClassType, EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import ClassHeader, ClassPart, Enrollment, Person


def content(database: Database) -> dict[str, list[Any]]:
    with database.read() as session:
        return {
            model.__tablename__: [
                tuple(row)
                for row in session.execute(sa.select(model.__table__).order_by(sa.text("id")))
            ]
            for model in (Person, ClassHeader, ClassPart, Enrollment, ClassPartGrade)
        }


def test_same_seed_twice_changes_nothing(database: Database, clock: FixedClock) -> None:
    generate_campus(database, clock, size=50, seed=7)
    before = content(database)
    clock.advance(days=40)
    assert generate_campus(database, clock, size=50, seed=7).changed == 0
    assert content(database) == before


def test_other_seed_is_other_people() -> None:
    assert populate(50, 1).rows == populate(50, 1).rows
    assert populate(50, 1).rows != populate(50, 2).rows


def test_other_campus_is_refused(database: Database, clock: FixedClock) -> None:
    generate_campus(database, clock, size=50, seed=7)
    before = content(database)
    with pytest.raises(ConflictError):
        generate_campus(database, clock, size=50, seed=8)
    assert content(database) == before


def test_unknown_size(database: Database, clock: FixedClock) -> None:
    with pytest.raises(InvalidInputError):
        generate_campus(database, clock, size=51)


def test_sixteen_terms_a_year_and_three_to_five_at_once() -> None:
    assert len(terms_of_year(2026)) == 16
    assert Counter(term.kind for term in terms_of_year(2026)).most_common()[-1][1] == 4
    for day in range(365):
        at = dt.date(2026, 1, 1) + dt.timedelta(days=day)
        assert 3 <= sum(term.runs(at) for term in terms_around(at)) <= 5


def test_awkward_people_are_all_there() -> None:
    people = populate(50, 1)
    rows = people.rows
    assert any(len(row["family_name"]) >= 250 for row in rows)
    assert any(not row["family_name"] for row in rows)
    assert any(not row["personal_name"] for row in rows)
    assert any(row["khmer_name"] is None for row in rows)
    assert any(row["school_email"] is None for row in rows)
    emails = Counter(row["school_email"] for row in rows if row["school_email"])
    assert emails.most_common(1)[0][1] == 2
    assert any(row["is_student"] and row["is_teacher"] for row in rows)
    ids = [row["student_id"] for row in rows if row["student_id"]]
    assert len(set(ids)) == len(ids)
    assert "00005" in ids
    assert all(
        len(row[name] or "") <= 255 for row in rows for name in ("family_name", "khmer_name")
    )


def test_thousand_students_have_the_schools_shape(database: Database, clock: FixedClock) -> None:
    generate_campus(database, clock, size=1000)
    with database.read() as session:
        sizes = sorted(
            session.scalars(
                sa.select(sa.func.count()).select_from(Enrollment).group_by(Enrollment.header_id)
            )
        )
        statuses = Counter(session.scalars(sa.select(Enrollment.status)))
        grades = set(session.scalars(sa.select(ClassPartGrade.status)))
        scores = set(session.scalars(sa.select(ClassPartGrade.score)))
        types = set(session.scalars(sa.select(ClassHeader.class_type)))
        teacherless = session.scalar(
            sa.select(sa.func.count()).select_from(ClassPart).where(ClassPart.teacher_id.is_(None))
        )
    assert 18 <= sizes[len(sizes) // 2] <= 28
    assert sizes[-1] == 47
    assert 0.09 < statuses[EnrollmentStatus.DROPPED] / statuses.total() < 0.13
    assert statuses[EnrollmentStatus.AUDIT]
    assert grades == set(GradeStatus)
    assert {0, None} <= scores
    assert {ClassType.COMBINED, ClassType.READING, ClassType.STANDARD} <= types
    assert teacherless


@pytest.mark.parametrize("day", ["2026-01-01", "2026-04-21", "2026-06-30", "2026-11-23"])
def test_some_class_is_worth_showing_on_any_day(
    database: Database, clock: FixedClock, day: str
) -> None:
    at = dt.date.fromisoformat(day)
    clock.advance(days=(at - clock.now().date()).days)
    generate_campus(database, clock, size=50)
    example = EmbeddedSis(database, clock).example_class()
    assert example is not None
    assert example.term_start <= at <= example.term_end
