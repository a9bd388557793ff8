"""Parts that take their grades from a teacher's own items, on a platform that has some."""

from __future__ import annotations

from decimal import Decimal

import pytest

from demo.grade_model import Grade, GradeCategory, LineItem
from demo.gradebook import CourseGrades as PlatformGrades
from lti_tool.sis.entities import ClassView, GradeStatus
from lti_tool.sync.grades.connections import GradeConnectionError, GradeConnections
from lti_tool.sync.grades.decisions import Action
from tests.sync.grades.grade_world import GradeWorld


@pytest.fixture
def view(world: GradeWorld) -> ClassView:
    found = world.school.sis.class_("K")
    assert found is not None
    return found


@pytest.fixture
def connections(world: GradeWorld) -> GradeConnections:
    parts = world.parts
    return GradeConnections(
        world.database,
        world.clock,
        world.audit,
        world.school.sis,
        parts.client,
        parts.rendering,
        parts.ledger,
    )


def quiz(world: GradeWorld, name: str = "Midterm quiz", **more: object) -> LineItem:
    """A teacher makes something to grade, of 20 points."""
    state = world.platform.state
    state.last_id += 1
    item = LineItem(
        id=state.last_id,
        course_id=world.course("K").id,
        tool_id=0,
        label=name,
        maximum=20.0,
        **more,  # type: ignore[arg-type]
    )
    state.line_items[item.id] = item
    return item


def graded(world: GradeWorld, item: LineItem, person: str, final: float) -> None:
    world.clock.advance(seconds=1)
    world.platform.state.grades.setdefault(item.id, {})[world.account(person).id] = Grade(
        final, world.platform.epoch(), grader=world.account("T").id
    )


def both_ways(world: GradeWorld) -> None:
    """What the worker does within seconds: send, read, send again."""
    world.send()
    world.clock.advance(seconds=5)
    world.pulls.run(world.site)
    world.send()


def reason(error: pytest.ExceptionInfo[GradeConnectionError]) -> object:
    return error.value.context["reason"]


def test_what_a_course_has_to_offer(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    item = quiz(world)
    locked = quiz(world, "Locked", locked=True)
    offers = {offer.item_id: offer for offer in connections.offers(world.site, [view])}
    # Parts, sessions and the course's total are the tool's own.
    assert offers.keys() == {item.id, locked.id}
    assert (offers[item.id].name, offers[item.id].maximum) == ("Midterm quiz", Decimal(20))
    assert offers[item.id].refusal is None
    assert offers[locked.id].refusal == "item_locked"


def test_a_preview_says_what_would_become_of_each_student(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    item = quiz(world)
    world.enter("B", "K/mid", "70")
    world.enter("C", "K/mid", "60")
    world.grading.approve(["K/mid"], actor="T", person_keys=["C"])
    graded(world, item, "A", 17)
    graded(world, item, "C", 0)
    offer, rows = connections.preview(world.site, [view], "K/mid", item.id)
    assert offer.name == "Midterm quiz"
    told = {row.entry.person.person_key: row for row in rows}
    assert (told["A"].given, told["A"].becomes) == (Decimal("17.0"), Decimal("85.00"))
    assert {key: row.decision.action for key, row in told.items()} == {
        "A": Action.IMPORT,
        "B": Action.SEND,
        "C": Action.CONFLICT,
    }
    assert told["C"].becomes == 0
    # Looking changes nothing.
    assert connections.of_classes(world.site.id, ["K"]) == {}
    assert world.score("A", "K/mid") is None


def test_a_connected_quiz_is_the_part(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    item = quiz(world)
    graded(world, item, "A", 17)
    world.enter("B", "K/mid", "70")
    world.send()
    found = connections.connect(world.site, [view], "K/mid", item.id, actor="T")
    assert (found.item_name, found.connected_by, found.class_key) == ("Midterm quiz", "T", "K")
    both_ways(world)
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal("85.00"), GradeStatus.SUBMITTED)
    # What the SIS had stands in the quiz now, and nothing looks as if it was taken away.
    assert world.moodle("B", "K/mid") == 70
    assert world.conflicts.undecided(world.site.id) == []
    offers = {offer.item_id: offer.part_key for offer in connections.offers(world.site, [view])}
    assert offers[item.id] == "K/mid"
    # The same again changes nothing.
    again = connections.connect(world.site, [view], "K/mid", item.id, actor="T")
    assert again.connected_at == found.connected_at
    assert world.count("audit_event", "action = 'grades.connected'") == 1


def test_a_part_that_is_disconnected_has_an_item_of_its_own(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    item = quiz(world)
    graded(world, item, "A", 17)
    connections.connect(world.site, [view], "K/mid", item.id, actor="T")
    both_ways(world)
    connections.disconnect(world.site, [view], "K/mid", actor="T")
    both_ways(world)
    held = PlatformGrades(world.platform.state, world.course("K"))
    own = held.keyed("K/mid")
    assert own is not None
    assert own.id != item.id
    assert world.moodle("A", "K/mid") == 85
    assert world.score("A", "K/mid") == 85
    assert world.conflicts.undecided(world.site.id) == []
    # Grades of the quiz are news no more.
    graded(world, item, "A", 3)
    world.pull()
    assert world.score("A", "K/mid") == 85
    connections.disconnect(world.site, [view], "K/mid", actor="T")
    assert world.count("audit_event", "action = 'grades.disconnected'") == 1


def test_another_item_takes_the_place_of_the_first(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    first, second = quiz(world), quiz(world, "Second")
    connections.connect(world.site, [view], "K/mid", first.id, actor="T")
    both_ways(world)
    connections.connect(world.site, [view], "K/mid", second.id, actor="T")
    both_ways(world)
    graded(world, second, "A", 10)
    world.pull()
    assert world.score("A", "K/mid") == 50
    # The first one is free again.
    connections.connect(world.site, [view], "K/final", first.id, actor="T")


def test_a_category_serves_a_part_by_its_total(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    course, state = world.course("K"), world.platform.state
    state.last_id += 1
    category = GradeCategory(id=state.last_id, label="Homework")
    assert course.gradebook is not None
    course.gradebook.categories.append(category)
    item = quiz(world, parent_id=category.id, weight=10_000)
    graded(world, item, "A", 15)
    connections.connect(world.site, [view], "K/mid", category.id, actor="T")
    both_ways(world)
    assert world.score("A", "K/mid") == 75


def test_what_cannot_be_connected(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    def refused(part_key: str, item_id: int) -> object:
        before = world.count("grade_connection")
        for attempt in (connections.preview, connections.connect):
            more = {"actor": "T"} if attempt == connections.connect else {}
            with pytest.raises(GradeConnectionError) as error:
                attempt(world.site, [view], part_key, item_id, **more)
        assert world.count("grade_connection") == before
        return reason(error)

    item = quiz(world)
    connections.connect(world.site, [view], "K/mid", item.id, actor="T")
    both_ways(world)
    own = PlatformGrades(world.platform.state, world.course("K")).keyed("K/final")
    assert own is not None
    assert refused("K/final", item.id) == "source_taken"
    assert refused("K/final", own.id) == "source_missing"
    assert refused("K/final", 999_999) == "source_missing"
    assert refused("K/final", quiz(world, "Locked", locked=True).id) == "item_locked"
    # Only Moodle itself knows that this one is graded with words.
    assert refused("K/final", quiz(world, "Essay", numeric=False).id) == "source_not_numeric"
    assert refused("X/other", quiz(world, "Free").id) == "part_unknown"


def test_a_conflict_about_another_item_ends_with_it(
    world: GradeWorld, connections: GradeConnections, view: ClassView
) -> None:
    world.enter("A", "K/mid", "80")
    world.grading.approve(["K/mid"], actor="T")
    world.send()
    world.grade("A", "K/mid", "20")
    world.pull()
    assert len(world.conflicts.undecided(world.site.id)) == 1
    connections.connect(world.site, [view], "K/mid", quiz(world).id, actor="T")
    assert world.conflicts.undecided(world.site.id) == []
    both_ways(world)
    assert world.moodle("A", "K/mid") == 80
