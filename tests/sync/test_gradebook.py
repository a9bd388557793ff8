from __future__ import annotations

from decimal import Decimal

import pytest

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
    assert row.final == Decimal("85.00")
    assert row.grades["IEAP-1/writing"].status is GradeStatus.DRAFT
    school.grade("a", "IEAP-1/writing", "0")
    (row,) = Gradebook(school.sis).table(["IEAP-1"]).rows
    assert [total.score for total in row.sessions] == [Decimal("85.00"), Decimal("0.00")]
    assert row.final == Decimal("42.50")


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
