"""A worker that dies, two that race, and whatever order grades come in."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Base, Database
from lti_tool.sis.entities import GradeStatus
from lti_tool.sync.models import GradePush, ItemState, PushState
from tests.sync.world import World, open_world

ROOT = Path(__file__).parents[2]
WORKER = """
import datetime as dt, sys
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from tests.sync.world import Services
url, now, push_id = sys.argv[1:]
clock = FixedClock(dt.datetime.fromisoformat(now))
Services(Database(url), clock, Keyring({"testkey1": b"k" * 32})).pushes.run(push_id)
"""


def _class_of(world: World, count: int) -> list[str]:
    world.school.class_("C")
    world.link_course()
    keys = [f"s{number:03}" for number in range(count)]
    world.students(*keys)
    for number, key in enumerate(keys):
        world.school.grade(key, "C/part", str(number % 101))
    return keys


def _queued(world: World) -> GradePush:
    push = world.preview()
    return world.pushes.queue(push.id, actor="teacher")


@pytest.mark.parametrize(
    ("ending", "after"),
    [("/lineitems", 0), ("/scores", 0), ("/scores", 30), ("/scores", 70), ("/scores", 99)],
)
def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(
    world: World, database_url: str, ending: str, after: int
) -> None:
    keys = _class_of(world, 100)
    push = _queued(world)
    world.traffic.hold(ending, after=after)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, database_url, world.clock.now().isoformat(), push.id],
        cwd=ROOT,
    )
    assert world.traffic.reached.wait(60)
    worker.kill()
    worker.wait()

    # It is not taken over while it may still live.
    assert world.pushes.run(push.id).push.state is PushState.RUNNING
    world.traffic.release()
    world.clock.advance(minutes=5)
    assert world.pushes.resume_abandoned() == [push.id]

    progress = world.pushes.progress(push.id)
    assert progress.push.state is PushState.DONE
    assert progress.counts[ItemState.SENT] == 100
    assert world.held() == {key: float(number % 101) for number, key in enumerate(keys)}
    assert len(world.platform.state.line_items) == 1
    # Only what was under way when it died is sent again.
    again = list(Counter(score["userId"] for score in world.traffic.scores).values())
    assert max(again) <= 2
    assert sum(again) - 100 <= 64
    assert world.states(world.preview()) == dict.fromkeys(keys, ("unchanged", None))


def test_of_two_workers_one_runs(world: World) -> None:
    _class_of(world, 40)
    push = _queued(world)
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        world.pushes.run(push.id)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(world.traffic.scores) == 40
    assert world.pushes.progress(push.id).counts[ItemState.SENT] == 40
    with world.database.read() as session:
        done = session.scalars(sa.select(AuditEvent).filter_by(action="grades.done")).all()
        assert len(done) == 1
        assert AuditLog.first_broken(session) is None


def test_a_worker_that_was_taken_for_dead_stops(world: World) -> None:
    _class_of(world, 70)
    push = _queued(world)
    world.traffic.hold("/scores", after=0)
    slow = threading.Thread(target=world.pushes.run, args=[push.id])
    slow.start()
    assert world.traffic.reached.wait(60)
    world.clock.advance(minutes=5)
    world.traffic.release()
    with world.database.write() as session:
        # Another worker takes it, between two signs of life of the first.
        taken = session.get_one(GradePush, push.id)
        taken.runner = "another"
    slow.join()
    progress = world.pushes.progress(push.id)
    assert progress.push.state is PushState.RUNNING
    assert progress.push.runner == "another"
    world.clock.advance(minutes=5)
    world.pushes.resume_abandoned()
    assert world.pushes.progress(push.id).counts[ItemState.SENT] == 70


def test_a_push_takes_a_bounded_number_of_statements(world: World, statements: list[str]) -> None:
    _class_of(world, 128)
    statements.clear()
    push = world.preview()
    preview = len(statements)
    world.pushes.queue(push.id, actor="teacher")
    statements.clear()
    world.pushes.run(push.id)
    assert preview <= 25
    # Two batches: what is to send, a time for each, receipts; what surrounds them; a look at what
    # the platform made of it.
    assert len(statements) <= 45


_SCORES = st.decimals(Decimal(0), Decimal(100), places=2)
_STEP = st.one_of(
    st.tuples(st.just("grade"), st.sampled_from(["a", "b"]), _SCORES),
    st.tuples(st.just("draft"), st.sampled_from(["a", "b"]), _SCORES),
    st.tuples(st.just("there"), st.sampled_from(["a", "b"]), _SCORES),
    st.tuples(st.just("maximum"), st.just(""), st.sampled_from([Decimal(1), Decimal(30)])),
    st.tuples(st.just("delete"), st.just(""), st.just(Decimal(0))),
    st.tuples(st.just("push"), st.just(""), st.just(Decimal(0))),
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(_STEP, max_size=8))
def test_after_any_history_a_push_leaves_nothing_to_send(
    shared: World, steps: list[tuple[str, str, Decimal]]
) -> None:
    world = shared
    for kind, key, value in steps:
        world.clock.advance(seconds=10)
        _take(world, kind, key, value)
    world.clock.advance(seconds=10)
    world.push()
    sent = len(world.traffic.scores)
    again = world.push()
    progress = world.pushes.progress(again.id)
    assert progress.counts[ItemState.SENT] == 0
    assert progress.counts[ItemState.FAILED] == 0
    assert len(world.traffic.scores) == sent


def _take(world: World, kind: str, key: str, value: Decimal) -> None:
    items = world.platform.state.line_items
    if kind == "grade":
        world.school.grade(key, "C/part", str(value))
    elif kind == "draft":
        world.school.grade(key, "C/part", str(value), GradeStatus.DRAFT)
    elif kind == "push":
        world.push()
    elif not items:
        return
    elif kind == "there":
        (item,) = items.values()
        world.grade_there(key, min(float(value), item.maximum))
    elif kind == "maximum":
        (item,) = items.values()
        item.maximum = float(value)
        # As Moodle does when a teacher asks it to rescale nothing: marks are cut to the maximum.
        for grade in world.platform.state.grades.get(item.id, {}).values():
            grade.final = None if grade.final is None else min(grade.final, item.maximum)
    else:
        with world.platform.change() as state:
            state.line_items.clear()
            state.grades.clear()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One world for all examples: each goes on from where the last one ended."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('shared')}/naga.db")
    Base.metadata.create_all(database.engine)
    clock = FixedClock(dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC))
    with open_world(database, clock, Keyring({"testkey1": b"k" * 32})) as world:
        world.school.class_("C")
        world.link_course()
        world.students("a", "b")
        yield world
    database.dispose()
