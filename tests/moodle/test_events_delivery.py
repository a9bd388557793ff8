"""Events under faults: whatever is lost, repeated, late or killed, each is stored once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.moodle.events import EpochOverError, EventIntake, read_batch
from lti_tool.moodle.messages import RECORD_TYPES
from lti_tool.moodle.models import MoodleSite
from tests.moodle.signing import connect, event, reload, stored

_SHARED = [HealthCheck.function_scoped_fixture]


@dataclass
class Outbox:
    """The plugin's side, in as few lines as the contract allows.

    ``waiting`` are ids of events without a number; ``numbered`` have one and are not acknowledged.
    """

    epoch: str = field(default_factory=lambda: str(uuid.uuid4()))
    waiting: list[str] = field(default_factory=list)
    numbered: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    held: int = 0
    held_id: str | None = None

    def happen(self, count: int) -> None:
        """Something happens in Moodle."""
        new = [str(uuid.uuid4()) for _ in range(count)]
        self.waiting += new
        self.happened += new

    def message(self, size: int) -> dict[str, Any]:
        """The next batch, numbered."""
        self.numbered += self.waiting
        self.waiting = []
        first = self.held + 1
        return {
            "contract": 1,
            "epoch": self.epoch,
            "first": first,
            "next": first + len(self.numbered),
            "after": self.held_id,
            "backlog": max(0, len(self.numbered) - size),
            "sent_at": 1772420400,
            "events": [
                event(first + index, id=each) for index, each in enumerate(self.numbered[:size])
            ],
        }

    def acknowledge(self, epoch: str, held: int) -> None:
        """An answer has come; the plugin believes none that is of another epoch or goes back."""
        if epoch == self.epoch and held > self.held:
            gone = self.numbered[: held - self.held]
            self.numbered = self.numbered[held - self.held :]
            self.held, self.held_id = held, gone[-1]

    def begin_epoch(self) -> None:
        """The tool said 409: what waits is numbered from 1 anew."""
        self.epoch = str(uuid.uuid4())
        self.waiting = self.numbered + self.waiting
        self.numbered, self.held, self.held_id = [], 0, None


class Link:
    """Between outbox and intake of a Moodle just paired; what is ``late`` arrives when it will."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.intake = EventIntake(database, clock, awaited=RECORD_TYPES)
        self.outbox = Outbox()
        self.site = connect(database, clock, epoch=self.outbox.epoch)
        self.late: list[dict[str, Any]] = []

    def deliver(self, message: dict[str, Any], *, answered: bool) -> None:
        """Deliver a message. An answer may get lost, or its reader have been killed."""
        try:
            held = self.intake.accept(self.site.id, read_batch(json.dumps(message).encode()))
        except EpochOverError:
            if answered:
                self.outbox.begin_epoch()
            return
        if answered:
            self.outbox.acknowledge(held.epoch, held.held)

    def drain(self) -> None:
        """Send all that waits, without faults."""
        while self.outbox.waiting or self.outbox.numbered:
            self.deliver(self.outbox.message(1000), answered=True)


_fault = st.sampled_from(["none", "lost", "answer lost", "late", "twice", "at once"])
_step = st.one_of(
    st.tuples(st.just("happen"), st.integers(1, 12)),
    st.tuples(st.just("send"), st.integers(1, 7), _fault),
    st.tuples(st.just("late"), st.integers(0, 100)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=_SHARED)
@given(steps=st.lists(_step, min_size=1, max_size=25))
def test_each_event_is_stored_once_in_any_order_of_faults(
    database: Database, clock: FixedClock, steps: list[tuple[Any, ...]]
) -> None:
    link = Link(database, clock)
    for step in steps:
        _take(link, step)
        _check(database, link)
    link.drain()
    for message in link.late:
        link.deliver(message, answered=False)
    events = _check(database, link)
    assert sorted(events) == sorted(link.outbox.happened)
    assert reload(database, link.site).reconcile_since is None


def _take(link: Link, step: tuple[Any, ...]) -> None:
    match step:
        case ("happen", count):
            link.outbox.happen(count)
        case ("late", which) if link.late:
            link.deliver(link.late.pop(which % len(link.late)), answered=False)
        case ("send", size, fault):
            message = link.outbox.message(size)
            if fault == "late":
                link.late.append(message)
            elif fault == "at once":
                _at_once(link, [message, link.outbox.message(size + 1)])
            elif fault != "lost":
                link.deliver(message, answered=fault == "none")
            if fault == "twice":
                link.deliver(message, answered=True)


def _at_once(link: Link, messages: list[dict[str, Any]]) -> None:
    barrier = threading.Barrier(len(messages))
    faults: list[BaseException] = []

    def send(message: dict[str, Any]) -> None:
        barrier.wait()
        try:
            link.deliver(message, answered=False)
        except BaseException as error:  # noqa: BLE001 - a thread's error would pass unseen
            faults.append(error)

    threads = [threading.Thread(target=send, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def _check(database: Database, link: Link) -> list[str]:
    """What is stored are the first events that happened, and ``held`` is their number."""
    site = reload(database, link.site)
    rows = stored(database, site)
    assert [each.seq for each in rows] == [*range(1, site.held + 1)]
    assert [each.event_id for each in rows] == link.outbox.happened[: site.held]
    assert site.held_id == (rows[-1].event_id if rows else None)
    assert link.outbox.held <= site.held
    return [each.event_id for each in rows]


@settings(max_examples=25, deadline=None, suppress_health_check=_SHARED)
@given(
    before=st.integers(1, 8),
    lost=st.integers(0, 8),
    since=st.integers(0, 8),
    size=st.integers(1, 5),
)
def test_a_restored_moodle_loses_and_repeats_nothing_that_it_still_has(
    database: Database, clock: FixedClock, before: int, lost: int, since: int, size: int
) -> None:
    link = Link(database, clock)
    outbox = link.outbox
    outbox.happen(before)
    link.deliver(outbox.message(size), answered=True)
    backup = json.loads(json.dumps(vars(outbox)))
    outbox.happen(lost)
    link.drain()
    link.outbox = Outbox(**backup)
    link.outbox.happen(since)
    link.drain()
    events = [each.event_id for each in stored(database, link.site)]
    assert len(events) == len(set(events))
    assert set(events) >= set(link.outbox.happened)
    # Whether anything was lost on the way shows only to who compares.
    if lost and since:
        assert reload(database, link.site).reconcile_since is not None


def test_many_senders_at_once(database: Database, clock: FixedClock) -> None:
    link = Link(database, clock)
    link.outbox.happen(200)
    _at_once(link, [link.outbox.message(size) for size in (50, 100, 150, 200, 200, 7)])
    link.drain()
    assert _check(database, link) == link.outbox.happened


_SENDER = """
import json, sys
from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Database
from lti_tool.core.logging import configure_logging
from lti_tool.lti import models
from lti_tool.moodle.events import EventIntake, read_batch

configure_logging(level="ERROR", json=True)
intake = EventIntake(Database(sys.argv[1]), SystemClock(), awaited=())
for line in sys.stdin:
    print(intake.accept(int(sys.argv[2]), read_batch(line.encode())).held, flush=True)
"""


@pytest.fixture
def sender(database: Database, database_url: str) -> Iterator[Callable[[MoodleSite], Any]]:
    """Start processes that store what they are given, line by line."""
    started: list[subprocess.Popen[str]] = []

    def start(site: MoodleSite) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", _SENDER, database_url, str(site.id)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_tool_is_killed_again_and_again(
    database: Database, clock: FixedClock, sender: Callable[[MoodleSite], Any]
) -> None:
    link = Link(database, clock)
    link.outbox.happen(2000)
    for batches in (1, 3, 2):
        process = sender(link.site)
        for _ in range(batches):
            process.stdin.write(json.dumps(link.outbox.message(100)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
            link.outbox.acknowledge(link.outbox.epoch, int(answer))
        # One more is under way: somewhere between its arrival and its answer the process dies.
        process.stdin.write(json.dumps(link.outbox.message(500)) + "\n")
        process.stdin.flush()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        _check(database, link)
    link.drain()
    assert _check(database, link) == link.outbox.happened
