"""Grades from Moodle that a person must look at: locked, withdrawn, held, refused."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from demo.grade_model import LineItem
from demo.gradebook import CourseGrades
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.models import ClassPart
from tests.sync.grades.grade_world import GradeWorld


def test_an_approved_grade_waits_for_a_decision(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.approve(["K/mid"], actor="registrar")
    world.send()
    world.grade("A", "K/mid", "90")
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert world.disputes() == [("A", "K/mid", "locked", "open")]
    world.pull()
    world.send()
    assert world.disputes() == [("A", "K/mid", "locked", "open")]
    assert world.moodle("A", "K/mid") == 90
    assert [move for move, _, _ in world.movements("A", "K/mid")].count("conflict") == 1


def test_a_conflict_holds_both_sides(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.grading.approve(["K/mid"], actor="registrar")
    world.send()
    world.grade("A", "K/mid", "90")
    world.pull()
    [conflict] = world.conflicts.undecided()
    assert (conflict.sis_value, conflict.sis_status, conflict.sis_by) == (
        8000,
        "APPROVED",
        "registrar",
    )
    assert (conflict.moodle_value, conflict.moodle_by, conflict.moodle_name) == (
        9000,
        "T",
        "T Dara",
    )
    assert conflict.sis_at is not None
    assert conflict.moodle_at is not None
    assert conflict.sis_at < conflict.moodle_at
    assert (conflict.person_name, conflict.item_name) == ("A Dara", "Mid")
    assert conflict.remedy


def test_a_withdrawn_grade_is_not_erased(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert world.disputes() == [("A", "K/mid", "withdrawn", "open")]


def test_equal_again_ends_a_conflict(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.grade("B", "K/mid", None)
    world.pull()
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "81")
    world.pull()
    assert {state for *_, state in world.disputes()} == {"closed"}
    assert world.score("B", "K/mid") == 81


def test_another_value_renews_the_conflict(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.approve(["K/mid"], actor="registrar")
    for score in ("90", "91"):
        world.grade("A", "K/mid", score)
        world.pull()
    [conflict] = world.conflicts.undecided()
    assert conflict.moodle_value == 9100
    assert [after for move, _, after in world.movements("A", "K/mid") if move == "conflict"] == [
        9000,
        9100,
    ]


def test_a_held_grade_wins_until_it_is_lifted(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.hold(
        GradeEntry("A", "K/mid", Decimal(60)), actor="registrar", reason="Copied work."
    )
    world.send()
    assert world.moodle("A", "K/mid") == 60
    world.grade("A", "K/mid", "85")
    world.pull()
    world.send()
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (Decimal(60), Decimal(60))
    assert world.disputes() == []
    assert ("refused", 6000, 8500) in world.movements("A", "K/mid")
    world.grading.lift("A", "K/mid", actor="registrar", reason="Settled.")
    world.grade("A", "K/mid", "85")
    world.pull()
    assert world.score("A", "K/mid") == 85


def test_who_left_gets_no_grade_and_it_is_said_once(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "70")
    world.school.enrol("A", "K", EnrollmentStatus.DROPPED)
    world.pull()
    world.pull()
    assert world.disputes() == [("A", "K/mid", "not_attending", "open")]
    assert world.movements("A", "K/mid") == [("refused", None, 8000)]
    assert world.score("B", "K/mid") == 70
    world.school.enrol("A", "K")
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert world.disputes() == [("A", "K/mid", "not_attending", "closed")]


def test_an_auditor_gets_no_grade(world: GradeWorld) -> None:
    world.school.enrol("A", "K", audit=True)
    world.grade("A", "K/mid", "80")
    world.pull()
    assert world.disputes() == [("A", "K/mid", "audit", "open")]


def test_an_account_that_nobody_knows(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    account = world.account("A")
    account.idnumber = ""
    world.pull()
    who = f"moodle:{account.id}"
    assert world.disputes() == [(who, "K/mid", "unknown_person", "open")]
    account.idnumber = "stranger"
    world.pull()
    assert world.disputes() == [
        (who, "K/mid", "unknown_person", "closed"),
        ("stranger", "K/mid", "unknown_person", "open"),
    ]


def test_more_than_all_points_is_refused(world: GradeWorld) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    world.grade("A", "K/mid", "80")
    world.platform.state.grades[item.id][world.account("A").id].final = 104.0
    world.grade("B", "K/mid", "70")
    world.pull()
    assert world.disputes() == [("A", "K/mid", "out_of_range", "open")]
    assert world.score("A", "K/mid") is None
    assert world.score("B", "K/mid") == 70


def test_what_is_no_number_is_said_and_can_be_left(world: GradeWorld) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert isinstance(item, LineItem)
    world.grade("A", "K/mid", "80")
    world.pull()
    item.numeric = False
    world.pull()
    [refused] = world.conflicts.undecided()
    assert refused.reason == "no_number"
    world.conflicts.keep(refused.id, actor="registrar")
    world.pull()
    assert world.conflicts.undecided() == []
    assert world.score("A", "K/mid") == 80


def test_a_part_that_is_no_longer_the_sis_s_has_nothing_to_decide(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.pull()
    with world.database.write() as session:
        session.execute(
            sa.update(ClassPart).where(ClassPart.sourced_id == "K/mid").values(active=False)
        )
    world.pull()
    assert world.disputes() == [("A", "K/mid", "withdrawn", "closed")]
