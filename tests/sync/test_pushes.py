from __future__ import annotations

from decimal import Decimal

import pytest

from demo.faults import Fault
from lti_tool.core.errors import NotFoundError
from lti_tool.lti.models import Registration, Standing
from lti_tool.sis.entities import GradeStatus
from lti_tool.sync.models import ItemState, PushState
from lti_tool.sync.push_reasons import WORDS, PushReason
from lti_tool.sync.pushes import PushRunningError, PushStateError
from tests.sync.world import World


@pytest.fixture
def world(world: World) -> World:
    world.school.class_("C")
    world.link_course()
    return world


def test_a_push_makes_the_column_and_sends_every_grade_once(world: World) -> None:
    world.students("a", "b", "c")
    for key, score in (("a", "0"), ("b", "85.55"), ("c", "100")):
        world.school.grade(key, "C/part", score)

    preview = world.preview()
    before = world.pushes.progress(preview.id)
    assert before.counts[ItemState.SEND] == 3
    assert before.new_columns == ("C/part",)
    assert world.platform.state.line_items == {}

    world.pushes.queue(preview.id, actor="teacher")
    after = world.pushes.run(preview.id)

    assert after.push.state is PushState.DONE
    assert after.counts[ItemState.SENT] == 3
    assert after.done == after.total == 3
    assert world.held() == {"a": 0.0, "b": 85.55, "c": 100.0}
    assert len(world.traffic.scores) == 3
    assert [line.item.sent_at for line in world.pushes.items(preview.id)] == [world.clock.now()] * 3


def test_a_push_done_twice_sends_nothing(world: World) -> None:
    world.students("a", "b")
    world.school.grade("a", "C/part", "33.33")
    world.school.grade("b", "C/part", "66.67")
    world.push()
    sent = len(world.traffic.scores)

    push = world.push()

    assert world.states(push) == {"a": ("unchanged", None), "b": ("unchanged", None)}
    assert push.state is PushState.DONE
    assert len(world.traffic.scores) == sent
    assert len(world.platform.state.line_items) == 1


def test_a_column_with_another_maximum_holds_the_same_marks(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "33.33")
    world.push()
    with world.platform.change() as state:
        (item,) = state.line_items.values()
        item.maximum = 20.0
        state.grades[item.id].clear()

    world.clock.advance(seconds=5)
    world.push()

    assert world.held()["a"] == pytest.approx(6.666)
    assert world.states(world.preview()) == {"a": ("unchanged", None)}


def test_a_grade_that_changed_after_the_preview_is_not_sent(world: World) -> None:
    world.students("a", "b", "c")
    for key in ("a", "b", "c"):
        world.school.grade(key, "C/part", "70")
    push = world.preview()
    world.school.grade("b", "C/part", "71")
    world.school.grade("c", "C/part", "70", GradeStatus.DRAFT)
    world.pushes.queue(push.id, actor="teacher")
    world.pushes.run(push.id)

    assert world.states(push) == {
        "a": ("sent", None),
        "b": ("refused", "changed_since_preview"),
        "c": ("refused", "changed_since_preview"),
    }
    details = {line.item.person_key: line.item.detail for line in world.pushes.items(push.id)}
    assert details["b"] == "The preview showed 70.00, the SIS has 71.00 now."
    assert details["c"] == "The preview showed 70.00, the SIS has a draft now."

    world.pushes.retry(push.id, actor="teacher")
    world.pushes.run(push.id)
    assert world.states(push)["b"] == ("sent", None)
    assert world.states(push)["c"] == ("refused", "changed_since_preview")
    assert world.held() == {"a": 70.0, "b": 71.0}


def test_a_newer_grade_on_the_platform_is_kept_and_both_are_shown(world: World) -> None:
    world.students("a", "b")
    for key in ("a", "b"):
        world.school.grade(key, "C/part", "70")
    world.push()
    for key in ("a", "b"):
        world.school.grade(key, "C/part", "80")
    push = world.preview()
    # The platform's clock is ahead: its own edit is later than ours will be.
    world.clock.advance(minutes=5)
    world.grade_there("a", 55.5)
    world.grade_there("b", 80.0)
    world.clock.advance(minutes=-5)
    world.pushes.queue(push.id, actor="teacher")
    world.pushes.run(push.id)

    assert world.states(push) == {
        "a": ("refused", "newer_in_platform"),
        "b": ("unchanged", None),
    }
    (line,) = world.pushes.items(push.id, state=ItemState.REFUSED)
    assert line.item.detail == "The platform holds 55.50, the SIS has 80.00."
    assert line.item.previous == Decimal("55.5")
    assert world.held() == {"a": 55.5, "b": 80.0}


def test_timestamps_rise_even_when_the_clock_stands_still(world: World) -> None:
    world.students("a")
    for score in ("70", "71", "72"):
        world.school.grade("a", "C/part", score)
        assert world.states(world.push())["a"] == ("sent", None)
    stamps = [score["timestamp"] for score in world.traffic.scores]
    assert stamps == sorted(set(stamps))
    assert world.held() == {"a": 72.0}


def test_what_the_platform_refuses_is_explained_and_can_be_retried(world: World) -> None:
    world.students("a")
    world.school.student("t", "C")
    world.account("t", role="editingteacher")
    for key in ("a", "t"):
        world.school.grade(key, "C/part", "70")

    push = world.push()

    assert push.state is PushState.DONE
    assert world.states(push) == {"a": ("sent", None), "t": ("refused", "platform_refused")}
    (line,) = world.pushes.items(push.id, state=ItemState.REFUSED)
    assert "role that is graded" in (line.item.detail or "")
    assert "HTTP 400" in (line.item.detail or "")

    world.platform.enrol(world.course, world.accounts["t"], "student")
    assert world.pushes.progress(push.id).can_retry
    world.pushes.retry(push.id, actor="teacher")
    progress = world.pushes.run(push.id)
    assert progress.counts[ItemState.SENT] == 2
    assert not progress.can_retry
    with pytest.raises(PushStateError):
        world.pushes.retry(push.id, actor="teacher")


def test_a_platform_that_is_down_stops_the_push_and_loses_nothing(world: World) -> None:
    keys = [f"s{number:03}" for number in range(70)]
    world.students(*keys)
    for key in keys:
        world.school.grade(key, "C/part", "70")
    world.platform.faults.add(Fault("scores", status=503, times=None))

    push = world.push()

    progress = world.pushes.progress(push.id)
    assert push.state is PushState.FAILED
    assert push.error
    assert progress.counts[ItemState.FAILED] == 64
    assert progress.counts[ItemState.SEND] == 6
    assert progress.reasons == {PushReason.PLATFORM_UNAVAILABLE: 64}
    assert progress.can_retry

    world.platform.faults.clear()
    world.pushes.retry(push.id, actor="teacher")
    progress = world.pushes.run(push.id)
    assert progress.push.state is PushState.DONE
    assert progress.push.error is None
    assert progress.counts[ItemState.SENT] == 70
    assert set(world.held().values()) == {70.0}


def test_one_lost_answer_fails_nobody(world: World) -> None:
    world.students("a", "b")
    for key in ("a", "b"):
        world.school.grade(key, "C/part", "70")
    world.platform.faults.add(Fault("scores", half=True, after=True, status=502))
    push = world.push()
    assert {state for state, _ in world.states(push).values()} <= {"sent", "unchanged"}
    assert world.held() == {"a": 70.0, "b": 70.0}


def test_no_token_is_said_once_and_stops_everything(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    push = world.preview()
    world.clock.advance(hours=2)
    world.platform.faults.add(
        Fault("token", status=400, body='{"error":"invalid_client"}', times=None)
    )
    world.pushes.queue(push.id, actor="teacher")
    progress = world.pushes.run(push.id)
    assert progress.push.state is PushState.FAILED
    assert progress.reasons == {PushReason.NO_ACCESS: 1}


def test_a_column_deleted_on_the_platform_is_made_again(world: World) -> None:
    world.students("a", "b")
    for key in ("a", "b"):
        world.school.grade(key, "C/part", "70")
    world.push()
    for key in ("a", "b"):
        world.school.grade(key, "C/part", "75")
    push = world.preview()
    with world.platform.change() as state:
        (old,) = state.line_items
        del state.line_items[old]
        state.grades.pop(old)
    world.pushes.queue(push.id, actor="teacher")
    progress = world.pushes.run(push.id)
    assert progress.counts[ItemState.SENT] == 2
    (new,) = world.platform.state.line_items
    assert new != old
    assert world.held() == {"a": 75.0, "b": 75.0}


def test_a_column_that_disappears_again_and_again_ends(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    world.platform.faults.add(Fault("scores", status=404, times=None))
    push = world.push()
    assert push.state is PushState.DONE
    assert world.states(push) == {"a": ("failed", "column_gone")}


def test_each_part_of_combined_classes_has_its_own_column(world: World) -> None:
    world.school.class_("D", parts=["grammar", "writing"], combined="both")
    world.link_course("D")
    world.students("a")
    world.students("d", class_key="D")
    world.school.grade("a", "C/part", "70")
    world.school.grade("d", "D/grammar", "80")
    world.school.grade("d", "D/writing", "90")
    world.push()
    assert world.held("C/part") == {"a": 70.0}
    assert world.held("D/grammar") == {"d": 80.0}
    assert world.held("D/writing") == {"d": 90.0}
    only = world.preview(part_keys=["D/writing"])
    assert [line.item.part_key for line in world.pushes.items(only.id)] == ["D/writing"]
    assert [line.part_name for line in world.pushes.items(only.id)] == ["Writing"]


def test_a_column_of_a_deep_link_is_used(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    made = world.assignment_grades.ensure_line_item(
        world.registration,
        world.ags,
        label="By link",
        maximum=Decimal(10),
        resource_id="C/part",
        tag="naga-part",
    )
    push = world.push()
    assert world.pushes.progress(push.id).new_columns == ()
    assert len(world.platform.state.line_items) == 1
    assert world.held() == {"a": 7.0}
    assert made.maximum == 10


def test_steps_are_taken_in_order_and_one_push_at_a_time(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    first, second = world.preview(), world.preview()
    assert world.pushes.run(first.id).push.state is PushState.PREVIEW
    with pytest.raises(PushStateError):
        world.pushes.retry(first.id, actor="teacher")
    world.pushes.queue(first.id, actor="teacher")
    with pytest.raises(PushStateError):
        world.pushes.queue(first.id, actor="teacher")
    with pytest.raises(PushRunningError):
        world.pushes.queue(second.id, actor="teacher")
    assert world.pushes.resume_abandoned() == [first.id]
    world.pushes.queue(second.id, actor="teacher")
    world.pushes.run(second.id)
    assert world.states(second)["a"] == ("sent", None)
    assert {push.id for push in world.pushes.recent(world.registration.id, world.context_id)} == {
        first.id,
        second.id,
    }
    with pytest.raises(NotFoundError):
        world.pushes.progress("nothing")


def test_a_platform_switched_off_gets_nothing(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    with world.database.write() as session:
        session.get_one(Registration, world.registration.id).standing = Standing.DISABLED
    assert world.pushes.run(push.id).push.state is PushState.FAILED
    assert world.traffic.scores == []


def test_old_receipts_and_idle_previews_are_purged(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    done, idle = world.push(), world.preview()
    world.clock.advance(days=2)
    assert world.pushes.purge(older_than_days=30) == 1
    with pytest.raises(NotFoundError):
        world.pushes.progress(idle.id)
    world.clock.advance(days=30)
    assert world.pushes.purge(older_than_days=30) == 1
    with pytest.raises(NotFoundError):
        world.pushes.progress(done.id)


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(PushReason)
