"""A Moodle that was restored from a backup: its older grades are nobody's change."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
import sqlalchemy as sa

from demo.gradebook import CourseGrades
from lti_tool.moodle.models import Site
from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grading import GradeEntry
from tests.sync.grades.grade_world import GradeWorld


@contextmanager
def _restored(world: GradeWorld) -> Iterator[None]:
    """What happens in the block is lost in Moodle, and the tool has heard so."""
    state = world.platform.state
    backup = copy.deepcopy(state.grades)
    yield
    state.grades.clear()
    state.grades.update(backup)
    world.clock.advance(hours=1)
    world.site.restored_at = world.clock.now()
    world.clock.advance(seconds=1)


@pytest.fixture
def graded(world: GradeWorld) -> GradeWorld:
    """Both sides agree: A has a grade of the SIS's, B one that Moodle gave."""
    world.enter("A", "K/mid", "70")
    world.send()
    world.grade("B", "K/mid", "60")
    world.pull()
    return world


def test_what_the_sis_sent_since_is_sent_again(graded: GradeWorld) -> None:
    with _restored(graded):
        graded.enter("A", "K/mid", "90")
        graded.enter("C", "K/mid", "50")
        graded.send()
        assert graded.moodle("A", "K/mid") == 90
    graded.pull()
    assert graded.score("A", "K/mid") == 90
    assert graded.disputes() == []
    graded.send()
    assert graded.moodle("A", "K/mid") == 90
    assert graded.moodle("C", "K/mid") == 50
    # What it was stands in the log.
    assert ("refused", 9000, 7000) in graded.movements("A", "K/mid")
    graded.pull()
    assert graded.pulls.waiting(graded.site.id) == set()


def test_what_came_from_moodle_since_goes_back_there(graded: GradeWorld) -> None:
    with _restored(graded):
        graded.grade("B", "K/mid", "75")
        graded.grade("C", "K/mid", "55")
        graded.pull()
        assert graded.score("C", "K/mid") == 55
    graded.pull()
    assert graded.score("B", "K/mid") == 75
    assert graded.score("C", "K/mid") == 55
    assert graded.disputes() == []
    graded.send()
    assert graded.moodle("B", "K/mid") == 75
    assert graded.moodle("C", "K/mid") == 55


def test_an_approved_grade_is_sent_and_nobody_is_asked(graded: GradeWorld) -> None:
    with _restored(graded):
        graded.enter("A", "K/mid", "90")
        graded.grading.approve(["K/mid"], actor="registrar")
        graded.send()
    graded.pull()
    graded.send()
    grade = graded.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal("90.00"), GradeStatus.APPROVED)
    assert graded.moodle("A", "K/mid") == 90
    assert graded.disputes() == []


def test_a_letter_that_stands_alone_is_sent_again(graded: GradeWorld) -> None:
    def letter() -> str:
        item = CourseGrades(graded.platform.state, graded.course("K")).keyed("K/mid")
        assert item is not None
        cell = graded.platform.state.grades[item.id].get(graded.account("C").id)
        return cell.text if cell else ""

    with _restored(graded):
        graded.clock.advance(seconds=1)
        entry = GradeEntry("C", "K/mid", letter="I")
        graded.grading.enter([entry], actor="teacher", submitted=True)
        graded.send()
        assert letter() == "I"
    assert letter() == ""
    graded.pull()
    graded.send()
    assert letter() == "I"
    graded.pull()
    assert graded.parts.engine.run(graded.site) is None, "once is enough"


def test_what_the_sis_has_emptied_since_does_not_come_back(graded: GradeWorld) -> None:
    with _restored(graded):
        for person in ("A", "B"):
            graded.clock.advance(seconds=1)
            entry = GradeEntry(person, "K/mid")
            graded.grading.correct(entry, actor="registrar", reason="mistaken")
        graded.send()
        assert graded.moodle("A", "K/mid") is None
        assert graded.moodle("B", "K/mid") is None
    assert graded.moodle("A", "K/mid") == 70
    graded.pull()
    assert graded.score("A", "K/mid") is None
    graded.send()
    assert graded.moodle("A", "K/mid") is None
    assert graded.moodle("B", "K/mid") is None
    graded.pull()
    assert graded.disputes() == []
    assert graded.parts.engine.run(graded.site) is None, "once is enough"


def test_what_is_graded_after_the_restore_is_news(graded: GradeWorld) -> None:
    with _restored(graded):
        graded.enter("A", "K/mid", "90")
        graded.send()
    graded.grade("A", "K/mid", "40")
    graded.grade("B", "K/mid", "45")
    graded.pull()
    assert graded.score("A", "K/mid") == 40
    assert graded.score("B", "K/mid") == 45


def test_what_waited_to_be_read_before_the_backup_is_news_too(graded: GradeWorld) -> None:
    graded.grade("A", "K/mid", "40")
    with _restored(graded):
        pass
    graded.pull()
    assert graded.score("A", "K/mid") == 40


def test_as_ever_when_both_agree_again(graded: GradeWorld) -> None:
    with _restored(graded):
        graded.enter("A", "K/mid", "90")
        graded.send()
    graded.pull()
    graded.send()
    graded.pull()
    # B's grade was the same all the time: it was looked at since.
    graded.grade("A", "K/mid", None)
    graded.grade("B", "K/mid", None)
    graded.pull()
    assert [each[::2] for each in graded.disputes()] == [("A", "withdrawn"), ("B", "withdrawn")]


def test_nothing_is_read_before_the_tool_has_heard_of_it(graded: GradeWorld) -> None:
    held = graded.platform.state.connection
    with graded.database.write() as session:
        session.execute(sa.update(Site).values(epoch="one", held=10))
    graded.site.epoch, graded.site.held = "one", 10
    held.epoch, held.last = "one", 10
    graded.grade("A", "K/mid", "71")
    graded.pull()
    assert graded.score("A", "K/mid") == 71
    for held.epoch, held.last in (("one", 9), ("two", 10), ("", 0)):
        graded.grade("A", "K/mid", "33")
        assert graded.pull() == 0
        assert graded.score("A", "K/mid") == 71
        assert graded.pulls.waiting(graded.site.id) == {"K"}
        graded.clock.advance(minutes=10)
    graded.site.epoch, graded.site.held = "two", 0
    held.epoch, held.last = "two", 0
    graded.pull()
    assert graded.pulls.waiting(graded.site.id) == set()
