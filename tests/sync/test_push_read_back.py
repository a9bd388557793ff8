"""What the platform made of what it took: receipts never say what its gradebook does not."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from demo.faults import Fault
from demo.model import Grade
from lti_tool.sync.models import GradePush, GradePushItem, ItemState, PushState
from tests.sync.world import World


@pytest.fixture
def world(world: World) -> World:
    """Three students who are graded, and a column that belongs to an activity."""
    world.school.class_("C")
    world.link_course()
    world.students("a", "b", "c")
    for key, score in (("a", "70"), ("b", "80.55"), ("c", "0")):
        world.school.grade(key, "C/part", score)
    world.assignment_grades.ensure_line_item(
        world.registration,
        world.ags,
        label="Part",
        maximum=Decimal(100),
        resource_id="C/part",
        tag="naga-part",
    )
    with world.platform.change() as state:
        (item,) = state.line_items.values()
        item.coupled = True
    return world


def override(world: World, key: str, score: float | None) -> None:
    """A teacher sets a grade in the gradebook by hand, long ago."""
    with world.platform.change() as state:
        (item,) = state.line_items
        state.grades.setdefault(item, {})[world.accounts[key].id] = Grade(
            score, 0.0, overridden=True
        )


def confirmed(world: World, push: GradePush) -> dict[str, bool]:
    return {
        line.item.person_key: line.item.confirmed_at is not None
        for line in world.pushes.items(push.id)
    }


def test_a_teachers_override_is_said_with_both_values(world: World) -> None:
    override(world, "b", 55.5)
    push = world.push()

    assert push.state is PushState.DONE
    assert world.states(push) == {
        "a": ("sent", None),
        "b": ("refused", "overridden_in_platform"),
        "c": ("sent", None),
    }
    (line,) = world.pushes.items(push.id, state=ItemState.REFUSED)
    assert line.item.detail == "The platform holds 55.50, the SIS has 80.55."
    assert (line.item.previous, line.item.score) == (Decimal("55.5"), Decimal("80.55"))
    assert line.item.sent_at is not None
    assert "by hand" in line.reason
    assert confirmed(world, push) == {"a": True, "b": False, "c": True}
    assert world.held() == {"a": 70.0, "b": 55.5, "c": 0.0}


def test_without_the_override_a_retry_sends_it(world: World) -> None:
    override(world, "b", 55.5)
    push = world.push()
    with world.platform.change() as state:
        (item,) = state.line_items
        state.grades[item][world.accounts["b"].id].overridden = False
    assert world.pushes.progress(push.id).can_retry
    world.pushes.retry(push.id, actor="teacher")
    world.pushes.run(push.id)
    assert world.states(push)["b"] == ("sent", None)
    assert confirmed(world, push)["b"]
    assert world.held()["b"] == 80.55


def test_an_emptied_override_is_no_grade(world: World) -> None:
    override(world, "b", None)
    push = world.push()
    (line,) = world.pushes.items(push.id, state=ItemState.REFUSED)
    assert line.item.detail == "The platform holds no grade, the SIS has 80.55."


def test_results_are_read_once_for_each_part(world: World) -> None:
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    world.traffic.readings.clear()
    world.pushes.run(push.id)
    assert len(world.traffic.readings) == 1
    # Nothing to send, nothing to look at.
    again = world.preview()
    world.pushes.queue(again.id, actor="teacher")
    world.traffic.readings.clear()
    world.pushes.run(again.id)
    assert world.traffic.readings == []


def test_what_cannot_be_read_back_is_said(world: World) -> None:
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    world.platform.faults.add(Fault("results", status=503, times=None))
    assert world.pushes.run(push.id).push.state is PushState.DONE
    assert confirmed(world, push) == dict.fromkeys("abc", False)
    for line in world.pushes.items(push.id, state=ItemState.SENT):
        assert "could not be asked" in (line.item.detail or "")


def test_what_went_through_before_a_stop_is_looked_at(world: World) -> None:
    """The platform shuts its door to scores after the first batch."""
    keys = [f"s{number:03}" for number in range(80)]
    world.students(*keys)
    for key in keys:
        world.school.grade(key, "C/part", "66")
    override(world, "b", 55.5)
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    down = Fault("scores", status=503, times=None)
    world.traffic.before_score(64, lambda: world.platform.faults.add(down))
    progress = world.pushes.run(push.id)
    assert progress.push.state is PushState.FAILED
    assert world.states(push)["b"] == ("refused", "overridden_in_platform")
    sent = world.pushes.items(push.id, state=ItemState.SENT, limit=100)
    assert sent
    assert all(line.item.confirmed_at for line in sent)


def test_a_run_that_died_before_it_looked_is_made_good(world: World) -> None:
    override(world, "b", 55.5)
    push = world.push()
    # As a worker leaves it that is killed after the last score.
    with world.database.write() as session:
        session.get_one(GradePush, push.id).state = PushState.RUNNING
        session.execute(
            sa.update(GradePushItem).values(
                state=ItemState.SENT, reason=None, detail=None, confirmed_at=None
            )
        )
    sent = len(world.traffic.scores)
    world.clock.advance(minutes=5)
    assert world.pushes.resume_abandoned() == [push.id]
    assert world.states(push)["b"] == ("refused", "overridden_in_platform")
    assert world.states(push)["a"] == ("sent", None)
    assert len(world.traffic.scores) == sent


def test_a_column_that_went_with_what_was_sent_is_no_success(world: World) -> None:
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    world.platform.faults.add(Fault("results", status=404, times=None))
    world.pushes.run(push.id)
    assert world.states(push) == dict.fromkeys("abc", ("failed", "column_gone"))


def test_what_a_lost_column_held_is_sent_again(world: World) -> None:
    """More than one batch: the column disappears after the first."""
    keys = [f"s{number:03}" for number in range(100)]
    world.students(*keys)
    for key in keys:
        world.school.grade(key, "C/part", "66")
    push = world.preview()
    world.pushes.queue(push.id, actor="teacher")
    world.traffic.before_score(80, lambda: _delete_column(world))
    progress = world.pushes.run(push.id)
    assert progress.push.state is PushState.DONE
    assert progress.counts[ItemState.SENT] == 103
    assert len(world.held()) == 103
    assert len(world.platform.state.line_items) == 1


def _delete_column(world: World) -> None:
    with world.platform.change() as state:
        state.line_items.clear()
        state.grades.clear()
