from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sync.gradebook import Gradebook
from tests.sync.school import School


@pytest.fixture
def school(database: Database, clock: FixedClock) -> School:
    return School(database, clock)


def test_totals_are_the_weighted_means_of_what_counts(school: School) -> None:
    school.class_("IEAP-1", parts=["grammar", "writing", "speaking"], sessions=2)
    school.student("a", "IEAP-1")
    school.grade("a", "IEAP-1/grammar", "80")
    school.grade("a", "IEAP-1/speaking", "90")
    school.grade("a", "IEAP-1/writing", "10", GradeStatus.DRAFT)
    table = Gradebook(school.sis).table(["IEAP-1", "unknown"])
    assert [column.part.name for column in table.columns] == ["Grammar", "Speaking", "Writing"]
    (row,) = table.rows
    assert [total.score for total in row.sessions] == [Decimal("85.00"), None]
    assert row.final is not None
    assert (row.final.score, row.final.letter) == (Decimal("85.00"), "B")
    assert row.grades["IEAP-1/writing"].status is GradeStatus.DRAFT
    school.grade("a", "IEAP-1/writing", "0")
    (row,) = Gradebook(school.sis).table(["IEAP-1"]).rows
    assert [total.score for total in row.sessions] == [Decimal("85.00"), Decimal("0.00")]
    assert row.final is not None
    assert (row.final.score, row.final.letter) == (Decimal("42.50"), "F")


def test_students_come_by_name_in_pages_and_who_left_is_not_shown(school: School) -> None:
    school.class_("C")
    school.class_("D")
    for key, class_key in (("b", "C"), ("a", "D"), ("c", "C"), ("gone", "C"), ("done", "C")):
        school.student(key, class_key)
    school.enrol("gone", "C", EnrollmentStatus.NO_SHOW_ACADEMIC)
    school.enrol("done", "C", EnrollmentStatus.COMPLETED)
    gradebook = Gradebook(school.sis)
    pages = [gradebook.table(["C", "D"], offset=start, limit=2) for start in (0, 2, 4)]
    assert [[row.person.person_key for row in page.rows] for page in pages] == [
        ["a", "b"],
        ["c", "done"],
        [],
    ]
    assert {page.total for page in pages} == {4}
    assert [row.class_key for row in pages[0].rows] == ["D", "C"]


def test_the_number_of_statements_does_not_depend_on_students(
    school: School, statements: list[str]
) -> None:
    school.class_("C", parts=["one", "two"])
    counts = []
    for upto in (3, 30):
        for number in range(upto):
            key = f"s{upto}-{number}"
            school.student(key, "C")
            school.grade(key, "C/one", "70")
        statements.clear()
        Gradebook(school.sis).table(["C"], limit=100)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 10


def test_weights_that_are_shown_rounded_leave_the_totals_alone(school: School) -> None:
    """Thirds are shown as 33.34, 33.33, 33.33 %; a mean of those would be 81.08."""
    parts = ["one", "two", "three"]
    school.class_("C", parts=parts)
    school.student("a", "C")
    for part, score in zip(parts, ("59.53", "88.56", "95.17"), strict=True):
        school.grade("a", f"C/{part}", score)
    table = Gradebook(school.sis).table(["C"])
    shown = [column.part.weight for column in table.columns]
    assert sum(shown) == 1
    (row,) = table.rows
    assert row.final is not None
    assert row.final.score == Decimal("81.09")


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    weights=st.lists(st.decimals(0, 3, places=3), min_size=1, max_size=6),
    sessions=st.sampled_from([1, 2]),
    grades=st.lists(
        st.tuples(
            st.one_of(st.none(), st.decimals(0, 100, places=2)), st.sampled_from(list(GradeStatus))
        ),
        min_size=6,
        max_size=6,
    ),
)
def test_teacher_and_student_see_the_same_totals(
    school: School,
    weights: list[Decimal],
    sessions: int,
    grades: list[tuple[Decimal | None, GradeStatus]],
) -> None:
    key = uuid.uuid4().hex
    parts = [f"p{number}" for number in range(len(weights))]
    school.class_(key, parts=parts, sessions=sessions, weights=weights)
    school.student(f"{key}-a", key)
    for part, (score, status) in zip(parts, grades, strict=False):
        school.grade(f"{key}-a", f"{key}/{part}", None if score is None else str(score), status)
    (row,) = Gradebook(school.sis).table([key]).rows
    own = school.sis.student_grades(f"{key}-a", key)
    assert (row.sessions, row.final) == (own.sessions, own.final)
    class_ = school.sis.class_(key)
    assert class_ is not None
    assert sum(session.weight for session in class_.sessions) == 1
    assert sum(part.share for part in class_.parts) == 1
    for session in class_.sessions:
        assert sum(part.share for part in session.parts) == session.weight
