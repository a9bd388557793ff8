"""The grades of one course by themselves: seen before, sent when asked."""

from __future__ import annotations

import pytest

from lti_tool.core.errors import NotFoundError
from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sync.grades.service import MoodleGradeSyncService
from tests.sync.grades.grade_world import GradeWorld


@pytest.fixture
def service(world: GradeWorld) -> MoodleGradeSyncService:
    parts = world.parts
    return MoodleGradeSyncService(
        world.database,
        world.clock,
        Extracts(world.database),
        parts.client,
        parts.rendering,
        parts.marks,
        parts.ledger,
        parts.letters,
        parts.explanations,
        parts.receipts,
    )


def test_a_preview_says_what_would_change_and_changes_nothing(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    world.enter("A", "K/mid", "80")
    world.enter("B", "K/mid", "70")
    found = service.preview(world.site, "K")
    assert [(each.user, each.item, each.result) for each in found] == [
        ("A", "K/mid", "updated"),
        ("B", "K/mid", "updated"),
    ]
    (change,) = found[0].changes
    assert (change.field, change.before, change.after) == ("value", None, 8000)
    assert world.moodle("A", "K/mid") is None
    assert world.count("grade_receipt") == 0
    (one,) = service.preview(world.site, "K", {("B", "K/mid"), ("B", TOTAL)})
    assert (one.user, one.item) == ("B", "K/mid")
    assert service.preview(world.site, "K", {("C", "K/mid")}) == []


def test_a_preview_of_a_course_that_has_no_gradebook_yet(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    world.school.class_("L")
    world.school.student("D", "L")
    world.school.grade("D", "L/part", "55")
    world.changed()
    assert [each.code for each in service.preview(world.site, "L")] in ([], ["course_missing"])
    assert service.preview(world.site, "nothing") == []


def test_what_was_asked_for_is_sent_by_whom(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    world.enter("A", "K/mid", "80")
    world.enter("B", "K/mid", "70")
    world.send()
    world.clock.advance(seconds=10)
    assert service.push(world.site, "K", {("A", "K/mid")}, actor="T") == 1
    receipt = world.receipt("A", "K/mid")
    assert (receipt.asked, receipt.asked_by) == (8000, "T")
    assert receipt.asked_at is not None
    assert receipt.sent_at is not None
    assert receipt.asked_at > receipt.sent_at
    world.send()
    receipt = world.receipt("A", "K/mid")
    assert receipt.sent_at is not None
    assert receipt.asked_at is not None
    assert receipt.sent_at >= receipt.asked_at
    assert receipt.sent_by == "T"
    other = world.receipt("B", "K/mid")
    assert (other.asked_at, other.sent_by) == (None, "sync")


def test_what_came_from_moodle_goes_back_only_if_somebody_wants_just_that(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    world.grade("A", "K/mid", "60")
    world.pull()
    assert service.push(world.site, "K", actor="T") == 0
    assert service.push(world.site, "K", {("A", "K/mid")}, actor="T") == 1
    world.send()
    assert world.moodle("A", "K/mid") == 60
    receipt = world.receipt("A", "K/mid")
    assert (receipt.sent, receipt.base, receipt.code) == (6000, 6000, None)


def test_nothing_to_say_is_nothing_to_ask(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    world.enter("A", "K/mid", "80", submitted=False)
    assert service.push(world.site, "K", actor="T") == 0
    assert world.count("grade_receipt") == 0


def test_a_course_is_sent_again_with_its_gradebook(
    world: GradeWorld, service: MoodleGradeSyncService
) -> None:
    assert service.resync(world.site, "K") == {"gradebook": ["K"], "grades": ["K"]}
    assert {each.kind for each in service.dry_run(world.site, "K")} == {"gradebook", "grades"}
    assert service.status(world.site, "K").waits
    with pytest.raises(NotFoundError):
        service.resync(world.site, "unknown")


def test_a_student_who_leaves_takes_no_document_of_grades_along(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.enter("B", "K/mid", "70")
    world.send()
    calls = len(world.movements("B", "K/mid"))
    world.school.enrol("A", "K", status=EnrollmentStatus.DROPPED)
    world.changed()
    run = world.parts.engine.run(world.site)
    assert run is not None
    assert run.counts["roster"].get("updated") == 1
    assert set(run.counts["grades"]) == {"skipped"}
    assert len(world.movements("B", "K/mid")) == calls
    world.enter("B", "K/mid", "75")
    world.send()
    assert world.moodle("B", "K/mid") == 75
