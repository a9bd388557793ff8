"""The log of movements: pages, exports, and that it is only ever added to."""

from __future__ import annotations

import pytest

from lti_tool.sync.grades.log import Moved
from lti_tool.sync.grades.models import Direction, Movement
from tests.sync.grades.grade_world import GradeWorld


def moved(world: GradeWorld, number: int, *, course: str = "K") -> Moved:
    """A movement of P's grade."""
    return Moved(
        world.site.id,
        course,
        course,
        f"P{number % 2}",
        f"{course}/mid",
        direction=Direction.FROM_MOODLE,
        movement=Movement.IMPORTED,
        before=None,
        after=number,
        actor="T",
    )


@pytest.fixture
def filled(world: GradeWorld) -> GradeWorld:
    """2,500 movements in one course and one in another."""
    with world.database.writing() as connection:
        world.log.write(connection, [moved(world, number) for number in range(2500)])
        world.log.write(connection, [moved(world, 0, course="L")])
        world.log.write(connection, [])
    return world


def test_a_course_in_pages_the_newest_first(filled: GradeWorld) -> None:
    first = filled.log.of_course(filled.site.id, "K", limit=1000)
    second = filled.log.of_course(filled.site.id, "K", before=first[-1].id, limit=2000)
    assert [each.after for each in [*first, *second]] == list(reversed(range(2500)))
    assert first[0].at == filled.clock.now()


def test_one_grade(filled: GradeWorld) -> None:
    found = filled.log.of_grade(filled.site.id, "P1", "K/mid", limit=3)
    assert [each.after for each in found] == [2499, 2497, 2495]


def test_an_export_of_any_size_the_oldest_first(filled: GradeWorld) -> None:
    assert [each.after for each in filled.log.every(filled.site.id, "K")] == list(range(2500))
    assert len(list(filled.log.every())) == 2501
    filled.clock.advance(seconds=1)
    assert list(filled.log.every(since=filled.clock.now())) == []


def test_how_many_of_each_sort(filled: GradeWorld) -> None:
    counts = filled.log.counts(filled.site.id)
    assert counts == {(Direction.FROM_MOODLE, Movement.IMPORTED): 2501}
