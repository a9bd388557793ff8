"""Grades from Moodle to the SIS, on a platform that reads and writes as the plugin does."""

from __future__ import annotations

from decimal import Decimal

from lti_tool.sis.entities import GradeSource, GradeStatus
from tests.sync.grades.grade_world import GradeWorld


def test_a_grade_given_in_moodle_is_a_submitted_part_grade(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "87.5")
    assert world.pull() == 1
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status, grade.source) == (
        Decimal("87.50"),
        GradeStatus.SUBMITTED,
        GradeSource.MOODLE_IMPORT,
    )
    assert grade.entered_by == "T"
    assert grade.graded_at is not None
    assert grade.graded_at < world.clock.now()
    assert world.movements("A", "K/mid") == [("imported", None, 8750)]
    receipt = world.receipt("A", "K/mid")
    assert (receipt.base, receipt.seen, receipt.class_key) == (8750, 8750, "K")
    assert world.pulls.waiting(world.site.id) == set()
