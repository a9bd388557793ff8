"""Two workers on the same push, and on the same score: lti.md A17."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.sync.models import ItemState, PushState
from lti_tool.sync.pushes import PushRunningError
from tests.sync.world import Services, World, open_world

_STUDENTS = [f"s{number}" for number in range(12)]


@pytest.fixture
def course(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    """A class of twelve with a mark each."""
    with open_world(database, clock, keyring) as world:
        world.school.class_("C")
        world.link_course()
        world.students(*_STUDENTS)
        _mark(world, "50")
        yield world


def _mark(world: World, score: str) -> None:
    for key in _STUDENTS:
        world.school.grade(key, "C/part", score)


def _stamps(world: World) -> dict[str, list[str]]:
    """The timestamps of every account's scores, as they arrived."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for score in world.traffic.scores:
        found[score["userId"]].append(score["timestamp"])
    return found


@pytest.fixture
def other(course: World, keyring: Keyring) -> Services:
    """A worker in another process: the same database, nothing in memory."""
    return Services(course.database, course.clock, keyring)


AtOnce = Callable[[list[Callable[[], Any]]], list[Any]]


def test_a17_of_two_workers_on_one_push_one_sends(
    course: World, other: Services, at_once: AtOnce
) -> None:
    push = course.preview()
    course.pushes.queue(push.id, actor="teacher")
    at_once([partial(each.pushes.run, push.id) for each in (course, other)])
    assert Counter(score["userId"] for score in course.traffic.scores) == Counter(
        str(account.id) for account in course.accounts.values()
    )
    progress = course.pushes.progress(push.id)
    assert progress.push.state is PushState.DONE
    assert progress.counts[ItemState.SENT] == len(_STUDENTS)
    assert len(course.platform.state.line_items) == 1


def test_a17_two_pushes_of_one_course_are_not_under_way_at_once(
    course: World, other: Services, at_once: AtOnce
) -> None:
    pushes = [course.preview(), course.preview()]
    queued = at_once(
        [
            lambda: course.pushes.queue(pushes[0].id, actor="teacher"),
            lambda: other.pushes.queue(pushes[1].id, actor="colleague"),
        ]
    )
    refused = [each for each in queued if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [PushRunningError]
    at_once([course.pushes.resume_abandoned, other.pushes.resume_abandoned])
    assert len(course.traffic.scores) == len(_STUDENTS)


def test_a17_timestamps_of_one_score_strictly_increase(
    course: World, other: Services, at_once: AtOnce
) -> None:
    # The clock stands still, and the platform compares whole seconds: an equal one would be 409.
    for score in ("51", "52", "53"):
        _mark(course, score)
        push = course.preview()
        course.pushes.queue(push.id, actor="teacher")
        at_once([partial(each.pushes.run, push.id) for each in (course, other)])
        assert course.pushes.progress(push.id).counts[ItemState.SENT] == len(_STUDENTS)
    stamps = _stamps(course)
    assert len(stamps) == len(_STUDENTS)
    for each in stamps.values():
        assert len(each) == 3
        assert each == sorted(set(each))
        assert len({stamp[:19] for stamp in each}) == 3, "they differ by whole seconds"
    assert set(course.held().values()) == {53.0}


def test_a17_two_previews_of_one_grade_send_it_once(course: World, other: Services) -> None:
    first, second = course.preview(), course.preview()
    course.pushes.queue(first.id, actor="teacher")
    other.pushes.run(first.id)
    course.pushes.queue(second.id, actor="teacher")
    other.pushes.run(second.id)
    # The second was decided upon before the first ran; whatever it sends, it sends later.
    for each in _stamps(course).values():
        assert each == sorted(set(each))
    assert set(course.held().values()) == {50.0}
    assert len(course.platform.state.line_items) == 1
