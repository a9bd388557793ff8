"""Both sides of each grade of a course, as the gradebook shows them."""

from __future__ import annotations

import pytest

from lti_tool.moodle.documents import TOTAL
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import ClassView, EnrollmentStatus
from lti_tool.sync.grades.cells import CellState
from lti_tool.sync.grades.views import CourseGrades, Table
from tests.sync.grades.grade_world import GradeWorld, counted


@pytest.fixture
def view(world: GradeWorld) -> ClassView:
    found = world.school.sis.class_("K")
    assert found is not None
    return found


@pytest.fixture
def views(world: GradeWorld) -> CourseGrades:
    return CourseGrades(world.database, world.school.sis)


def table(world: GradeWorld, views: CourseGrades, view: ClassView, text: str = "") -> Table:
    return views.table(world.site, [view], part_keys=["K/mid", "K/final"], totals=True, text=text)


def states(found: Table) -> dict[tuple[str, str], CellState]:
    return {
        (cell.person_key, cell.item_key): cell.state
        for _row, _column, cell in found.cells()
        if cell.known
    }


def test_a_grade_on_its_way_through_the_states(
    world: GradeWorld, views: CourseGrades, view: ClassView
) -> None:
    world.enter("A", "K/mid", "80", submitted=False)
    assert states(table(world, views, view)) == {("A", "K/mid"): CellState.STAYS}
    world.grading.submit(["K/mid"], actor="T")
    # Its total is there too, and is not for Moodle before it is approved.
    totals = {("A", "K#1"): CellState.STAYS, ("A", TOTAL): CellState.STAYS}
    assert states(table(world, views, view)) == {("A", "K/mid"): CellState.WAITS} | totals
    world.parts.marks.gather()
    assert table(world, views, view).state.waits
    world.send()
    found = table(world, views, view)
    assert states(found) == {("A", "K/mid"): CellState.SAME} | totals
    assert not found.state.waits
    assert found.different == 0
    world.enter("A", "K/mid", "0")
    assert states(table(world, views, view))["A", "K/mid"] is CellState.CHANGED
    world.send()
    world.grade("B", "K/mid", "50")
    world.pull()
    assert states(table(world, views, view))["B", "K/mid"] is CellState.MOODLE
    world.grading.approve(["K/mid"], actor="T")
    world.send()
    world.grade("A", "K/mid", "33")
    world.pull()
    found = table(world, views, view)
    assert states(found)["A", "K/mid"] is CellState.DECISION
    assert found.counts[CellState.DECISION] == 1
    [cell] = [c for _, _, c in found.cells() if c.state is CellState.DECISION]
    assert str(cell.moodle) == "33.00"
    assert cell.conflict is not None
    assert found.state.read_at == world.clock.now()


def test_what_is_not_for_moodle(world: GradeWorld, views: CourseGrades, view: ClassView) -> None:
    world.enter("A", "K/mid", "80")
    world.enter("B", "K/mid", "70")
    world.school.enrol("A", "K", EnrollmentStatus.AUDIT, audit=True)
    world.school.enrol("B", "K", EnrollmentStatus.DROPPED)
    found = table(world, views, view)
    assert {row.person_key for row in found.rows} == {"A", "C"}
    [cell] = [c for _, _, c in found.cells() if c.item_key == "K/mid" and c.person_key == "A"]
    assert (cell.state, cell.sis.stays) == (CellState.STAYS, "auditor")


def test_only_what_somebody_may_see(
    world: GradeWorld, views: CourseGrades, view: ClassView
) -> None:
    world.enter("A", "K/mid", "80")
    world.enter("A", "K/final", "70")
    found = views.table(world.site, [view], part_keys=["K/final"], totals=False)
    assert [column.item_key for column in found.columns] == ["K/final"]
    assert {cell.item_key for _, _, cell in found.cells()} == {"K/final"}
    assert found.counts[CellState.WAITS] == 1


def test_a_search_knows_names_in_both_alphabets_and_numbers(
    world: GradeWorld, views: CourseGrades, view: ClassView
) -> None:
    world.school.person("D", family_name="Sok", khmer_name="សុខ ដារ៉ា", student_id="12345")
    world.school.enrol("D", "K")
    for text in ("sok", "dara SOK", "សុខ", "123"):
        assert "D" in {row.person_key for row in table(world, views, view, text).rows}, text
    assert table(world, views, view, "sok nobody").rows == ()


def test_classes_taught_together_have_columns_of_their_own(
    world: GradeWorld, views: CourseGrades
) -> None:
    world.school.class_("X", parts=("quiz",), combined="both")
    world.school.class_("Y", parts=("quiz",), combined="both")
    world.school.student("E", "X")
    world.school.student("F", "Y")
    both = [found for key in ("X", "Y") if (found := world.school.sis.class_(key))]
    shown = views.table(world.site, both, part_keys=["X/quiz", "Y/quiz"], totals=True)
    assert shown.course_key == "X"
    assert [column.item_key for column in shown.columns] == [
        "X/quiz", "X#1", "Y/quiz", "Y#1", TOTAL,
    ]  # fmt: skip
    assert {row.person_key: sorted(row.cells) for row in shown.rows} == {
        "E": [TOTAL, "X#1", "X/quiz"],
        "F": [TOTAL, "Y#1", "Y/quiz"],
    }


def test_the_statements_do_not_grow_with_the_students(
    world: GradeWorld, views: CourseGrades, view: ClassView
) -> None:
    with counted(world.database) as few:
        table(world, views, view)
    for number in range(30):
        world.school.student(f"S{number}", "K")
        world.enter(f"S{number}", "K/mid", str(number))
    with counted(world.database) as many:
        assert len(table(world, views, view).rows) == 33
    assert len(many) == len(few) <= 12


def test_which_courses_the_plugin_keeps(
    world: GradeWorld, views: CourseGrades, view: ClassView
) -> None:
    context = str(world.course("K").id)
    registration = world.site.registration_id
    found = views.site(registration, context, [view])
    assert found is not None
    assert found.id == world.site.id
    # A course that somebody linked by hand is not the one that the tool keeps.
    assert views.site(registration, "999999", [view]) is None
    assert views.site(registration + 1, context, [view]) is None
    assert views.site(registration, context, []) is None
    # Nor one whose plugin knows nothing of grades.
    with world.database.write() as session:
        session.get_one(MoodleSite, world.site.id).versions = {"kinds": ["course", "roster"]}
    assert views.site(registration, context, [view]) is None
