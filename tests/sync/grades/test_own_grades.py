"""What a student is told, what the registrar holds, and the log by student and class."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.holds import Holds
from lti_tool.sync.grades.own_grades import Brought, OwnGrades
from tests.sync.grades.grade_world import GradeWorld, counted


def test_before_the_first_reading_nothing_is_said(world: GradeWorld) -> None:
    own = OwnGrades(world.database)
    assert own.brought(world.site.registration_id, ["K"], "A") == Brought()


def test_a_student_is_told_of_their_own_open_grades_and_of_no_refusal(world: GradeWorld) -> None:
    for person in ("A", "B"):
        world.enter(person, "K/mid", "80")
        world.grading.approve(["K/mid"], actor="dean", person_keys=[person])
    world.send()
    world.pull()
    world.grade("A", "K/mid", "90")
    world.pull()
    own = OwnGrades(world.database)
    registration = world.site.registration_id
    with counted(world.database) as sent:
        mine = own.brought(registration, ["K"], "A")
    assert len(sent) == 2
    assert mine.undecided == {"K/mid"}
    assert mine.read_at is not None
    assert mine.read_at <= world.clock.now()
    assert own.brought(registration, ["K"], "B").undecided == frozenset()
    assert own.brought(registration, ["other"], "A") == Brought()
    assert own.brought(registration + 1, ["K"], "A") == Brought()
    [conflict] = world.conflicts.undecided()
    world.conflicts.keep(conflict.id, actor="dean")
    assert own.brought(registration, ["K"], "A").undecided == frozenset()


def test_holds_have_a_reason_until_they_are_lifted(world: GradeWorld) -> None:
    holds = Holds(world.database)
    world.enter("A", "K/mid", "80")
    assert holds.of("A", "K") == {}
    with pytest.raises(InvalidInputError):
        world.grading.hold(GradeEntry("A", "K/mid"), actor="dean", reason="")
    world.grading.hold(GradeEntry("A", "K/mid", Decimal(85)), actor="dean", reason="The board.")
    hold = holds.of("A", "K")["K/mid"]
    assert (hold.held_by, hold.reason, hold.held_at) == ("dean", "The board.", world.clock.now())
    assert holds.of("B", "K") == {}
    assert holds.of("A", "other") == {}
    world.grading.lift("A", "K/mid", actor="dean", reason="Done.")
    assert holds.of("A", "K") == {}
    with pytest.raises(NotFoundError):
        world.grading.lift("A", "K/mid", actor="dean", reason="Again.")


def test_the_log_of_a_student_in_a_class_in_pages(world: GradeWorld) -> None:
    for number in range(3):
        for person in ("A", "B"):
            world.enter(person, "K/mid", str(70 + number))
        world.enter("A", "K/final", str(50 + number))
        world.send()
    entries = world.log.of_person("A", "K", limit=4)
    assert len(entries) == 4
    assert {entry.person_key for entry in entries} == {"A"}
    assert {entry.item_key for entry in entries} == {"K/mid", "K/final"}
    assert [entry.id for entry in entries] == sorted((each.id for each in entries), reverse=True)
    rest = world.log.of_person("A", "K", before=entries[-1].id)
    every = list(world.log.every(person_key="A", class_key="K"))
    assert [entry.id for entry in every] == [each.id for each in reversed([*entries, *rest])]
    assert world.log.of_person("A", "other") == []
    assert list(world.log.every(person_key="A", class_key="other")) == []
