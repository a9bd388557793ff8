"""What people decide about grades that changed in Moodle, and what follows on both sides."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import ChangeKind, GradeChange
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.rules import GradeRefusedError
from lti_tool.sync.grades.conflicts import (
    ConflictChangedError,
    ConflictDecidedError,
    ConflictView,
)
from lti_tool.sync.grades.models import ConflictState, GradeConflict
from tests.sync.grades.grade_world import GradeWorld, counted


@pytest.fixture
def locked(world: GradeWorld) -> ConflictView:
    """A's grade was approved with 80, and Moodle has 90."""
    world.enter("A", "K/mid", "80")
    world.grading.approve(["K/mid"], actor="registrar")
    world.send()
    world.grade("A", "K/mid", "90")
    world.pull()
    return world.conflicts.undecided()[0]


@pytest.fixture
def withdrawn(world: GradeWorld) -> ConflictView:
    """A's grade of 80 came from Moodle and was taken away there."""
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.pull()
    return world.conflicts.undecided()[0]


def acts(world: GradeWorld) -> list[tuple[str, str]]:
    """Who did what, by the audit log."""
    with world.database.read() as session:
        return [
            (each.actor, each.action)
            for each in session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id))
            if each.action.startswith("grade_conflict")
        ]


def test_kept_the_sis_s_goes_back(world: GradeWorld, locked: ConflictView) -> None:
    world.conflicts.keep(locked.id, actor="registrar", note="As agreed.", shown=locked.shown)
    world.send()
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (Decimal(80), Decimal(80))
    world.pull()
    found = world.conflicts.get(locked.id)
    assert (found.state, found.decided_by, found.note) == (
        ConflictState.KEPT,
        "registrar",
        "As agreed.",
    )
    assert world.conflicts.undecided() == []
    assert [move for move, *_ in world.movements("A", "K/mid")] == [
        "sent",
        "conflict",
        "kept",
        "sent",
    ]
    assert acts(world) == [("registrar", "grade_conflict.kept")]


def test_kept_and_graded_once_more_before_it_went_back(
    world: GradeWorld, locked: ConflictView
) -> None:
    world.conflicts.keep(locked.id, actor="registrar")
    world.grade("A", "K/mid", "95")
    world.send()
    assert world.moodle("A", "K/mid") == 95
    world.clock.advance(seconds=1)
    world.pulls.run(world.site)
    [again] = world.conflicts.undecided()
    assert (again.sis_value, again.moodle_value) == (8000, 9500)


def test_taken_it_is_a_correction_and_stays_approved(
    world: GradeWorld, locked: ConflictView
) -> None:
    world.conflicts.take(
        locked.id, actor="registrar", reason="Regraded rightly.", shown=locked.shown
    )
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal(90), GradeStatus.APPROVED)
    with world.database.read() as session:
        change = session.scalars(sa.select(GradeChange).order_by(GradeChange.id.desc())).first()
        assert change is not None
        assert (change.kind, change.reason, change.changed_by) == (
            ChangeKind.CORRECTION,
            "Regraded rightly.",
            "registrar",
        )
    receipt = world.receipt("A", "K/mid")
    assert (receipt.base, receipt.seen) == (9000, 9000)
    world.send()
    world.pull()
    assert world.moodle("A", "K/mid") == 90
    assert world.conflicts.undecided() == []
    assert ("taken", 8000, 9000) in world.movements("A", "K/mid")
    assert acts(world) == [("registrar", "grade_conflict.taken")]


def test_nothing_goes_to_moodle_before_it_is_decided(
    world: GradeWorld, locked: ConflictView
) -> None:
    world.enter("B", "K/mid", "70")
    world.send()
    assert world.moodle("B", "K/mid") == 70
    assert world.moodle("A", "K/mid") == 90


def test_a_withdrawal_kept(world: GradeWorld, withdrawn: ConflictView) -> None:
    world.conflicts.keep(withdrawn.id, actor="registrar")
    world.send()
    assert world.moodle("A", "K/mid") == 80
    world.pull()
    assert world.conflicts.undecided() == []


def test_a_withdrawal_taken(world: GradeWorld, withdrawn: ConflictView) -> None:
    world.conflicts.take(withdrawn.id, actor="registrar", reason="Wrong student.")
    assert world.score("A", "K/mid") is None
    world.send()
    world.pull()
    assert world.moodle("A", "K/mid") is None
    assert world.conflicts.undecided() == []


def test_taking_needs_a_reason(world: GradeWorld, locked: ConflictView) -> None:
    with pytest.raises(InvalidInputError):
        world.conflicts.take(locked.id, actor="registrar", reason=" ")
    assert world.conflicts.get(locked.id).undecided
    assert world.score("A", "K/mid") == 80


def test_what_was_not_seen_is_not_decided(world: GradeWorld, locked: ConflictView) -> None:
    world.grade("A", "K/mid", "95")
    world.pull()
    with pytest.raises(ConflictChangedError):
        world.conflicts.take(locked.id, actor="registrar", reason="So be it.", shown=locked.shown)
    assert world.score("A", "K/mid") == 80
    seen = world.conflicts.get(locked.id)
    world.conflicts.take(locked.id, actor="registrar", reason="So be it.", shown=seen.shown)
    assert world.score("A", "K/mid") == 95


def test_the_sis_s_may_have_changed_too(world: GradeWorld, locked: ConflictView) -> None:
    world.grading.correct(
        GradeEntry("A", "K/mid", Decimal(82)), actor="registrar", reason="Miscounted."
    )
    with pytest.raises(ConflictChangedError):
        world.conflicts.keep(locked.id, actor="registrar", shown=locked.shown)
    seen = world.conflicts.get(locked.id)
    assert seen.sis_value == 8200
    world.conflicts.keep(locked.id, actor="registrar", shown=seen.shown)
    world.send()
    assert world.moodle("A", "K/mid") == 82


def test_decided_is_decided(world: GradeWorld, locked: ConflictView) -> None:
    world.conflicts.keep(locked.id, actor="registrar")
    with pytest.raises(ConflictDecidedError):
        world.conflicts.take(locked.id, actor="other", reason="No.")
    with pytest.raises(ConflictDecidedError):
        world.conflicts.ask(locked.id, actor="other", question="Why?")
    with pytest.raises(NotFoundError):
        world.conflicts.keep(99, actor="registrar")
    assert world.score("A", "K/mid") == 80


def test_of_two_who_decide_at_once_one_does(world: GradeWorld, locked: ConflictView) -> None:
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def decide(take: bool) -> None:
        start.wait()
        try:
            if take:
                world.conflicts.take(locked.id, actor="one", reason="Yes.")
            else:
                world.conflicts.keep(locked.id, actor="two")
            outcomes.append("done")
        except ConflictDecidedError:
            outcomes.append("too late")

    threads = [threading.Thread(target=decide, args=(take,)) for take in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done", "too late"]
    found = world.conflicts.get(locked.id)
    assert world.score("A", "K/mid") == (90 if found.state is ConflictState.TAKEN else 80)


def test_the_teacher_is_asked_and_proposes(world: GradeWorld, locked: ConflictView) -> None:
    with pytest.raises(InvalidInputError):
        world.conflicts.answer(locked.id, actor="T", take=True, words="Unasked.")
    world.conflicts.ask(locked.id, actor="registrar", question="Which one is right?")
    [asked] = world.conflicts.undecided(class_keys=["K"], state=ConflictState.ASKED)
    assert (asked.question, asked.asked_by) == ("Which one is right?", "registrar")
    world.pull()
    assert world.conflicts.get(locked.id).state is ConflictState.ASKED
    world.conflicts.answer(locked.id, actor="T", take=True, words="I found another page.")
    answered = world.conflicts.get(locked.id)
    assert (answered.state, answered.proposes_take, answered.answer) == (
        ConflictState.OPEN,
        True,
        "I found another page.",
    )
    assert world.score("A", "K/mid") == 80
    assert acts(world) == [
        ("registrar", "grade_conflict.asked"),
        ("T", "grade_conflict.answered"),
    ]


def test_a_refusal_left_as_it_is(world: GradeWorld) -> None:
    world.school.enrol("A", "K", EnrollmentStatus.DROPPED)
    world.grade("A", "K/mid", "90")
    world.pull()
    [refused] = world.conflicts.undecided()
    with pytest.raises(GradeRefusedError) as caught:
        world.conflicts.take(refused.id, actor="registrar", reason="Try.")
    assert caught.value.context["reason"] == "not_attending"
    world.conflicts.keep(refused.id, actor="registrar", note="Left.")
    world.pull()
    world.send()
    assert world.conflicts.undecided() == []
    assert world.moodle("A", "K/mid") == 90
    world.grade("A", "K/mid", "91")
    world.pull()
    assert [each.reason for each in world.conflicts.undecided()] == ["not_attending"]


def test_a_refusal_taken_after_it_was_put_right(world: GradeWorld) -> None:
    world.school.enrol("A", "K", EnrollmentStatus.DROPPED)
    world.grade("A", "K/mid", "90")
    world.pull()
    [refused] = world.conflicts.undecided()
    world.school.enrol("A", "K")
    world.conflicts.take(refused.id, actor="registrar", reason="Back again.")
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal(90), GradeStatus.SUBMITTED)


def test_thousands_are_read_in_pages_with_few_statements(
    world: GradeWorld, locked: ConflictView
) -> None:
    with world.database.write() as session:
        session.execute(
            sa.insert(GradeConflict),
            [
                {
                    "site_id": world.site.id,
                    "course_key": "K",
                    "class_key": "K",
                    "person_key": f"P{number}",
                    "item_key": "K/mid",
                    "reason": "locked" if number % 2 else "audit",
                    "sis_value": 1,
                    "moodle_value": 2,
                    "since": world.clock.now(),
                }
                for number in range(3000)
            ],
        )
    with counted(world.database) as sent:
        first = world.conflicts.undecided(limit=1000)
    assert len(first) == 1000
    assert len(sent) <= 8
    second = world.conflicts.undecided(after=first[-1].id, limit=3000)
    assert len(second) == 2001
    assert not {each.id for each in first} & {each.id for each in second}
    assert world.conflicts.counts() == {
        (ConflictState.OPEN, "locked"): 1501,
        (ConflictState.OPEN, "audit"): 1500,
    }
    assert len(world.conflicts.undecided(reason="audit", limit=5000)) == 1500
    assert world.conflicts.undecided(person_key="P1")[0].person_name == "P1"
