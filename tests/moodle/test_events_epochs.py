"""Events under an epoch: what is missing, what a restore brings back, and what may be forgotten."""

from __future__ import annotations

import uuid

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.moodle.events import EpochOverError, EventIntake, Held
from lti_tool.moodle.models import MoodleEvent, MoodleSite
from tests.moodle.moodle_site import EPOCH
from tests.moodle.signing import batch, connect, event, ids, reload, send, stored

OTHER = "00000000-0000-4000-8000-00000000000e"


def test_events_that_this_tool_never_stored_are_noted(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 5))
    before = clock.now()
    clock.advance(hours=6)
    # The tool was restored from a backup: 6 to 10 were acknowledged, and removed in Moodle.
    assert send(intake, site, batch(11, 3)).held == 13
    now = reload(database, site)
    assert now.reconcile_since == before
    assert [each.seq for each in stored(database, site)] == [1, 2, 3, 4, 5, 11, 12, 13]
    clock.advance(hours=1)
    assert send(intake, site, batch(20, 0)).held == 19
    assert reload(database, site).reconcile_since == before


def test_never_heard_and_behind_at_once(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    assert send(intake, site, batch(4, 2)).held == 5
    assert reload(database, site).reconcile_since == site.paired_at


def test_moodle_restored_holds_less_than_the_tool(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    with pytest.raises(EpochOverError) as caught:
        send(intake, site, batch(5, 2))
    assert caught.value.problem()["code"] == "epoch_over"
    assert (caught.value.status, caught.value.context["held"]) == (409, 10)
    assert reload(database, site).reconcile_since is None


def test_moodle_restored_and_other_things_happened_since(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    strange = [event(seq, id=str(uuid.UUID(int=seq + 500))) for seq in range(5, 15)]
    with pytest.raises(EpochOverError):
        send(intake, site, batch(5, 10, events=strange))
    # The event before is another, whether the last held or one before it.
    for first in (11, 8):
        with pytest.raises(EpochOverError):
            send(intake, site, batch(first, 7, after=str(uuid.UUID(int=999))))
    assert [each.event_id for each in stored(database, site)] == ids(range(1, 11))


def test_the_event_before_need_not_be_known(intake: EventIntake, site: MoodleSite) -> None:
    send(intake, site, batch(1, 10))
    assert send(intake, site, batch(11, 1, after=None)).held == 11


def test_a_new_epoch_begins_at_one(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    received = clock.now()
    clock.advance(days=1)
    fresh = [event(seq, id=str(uuid.UUID(int=seq + 500))) for seq in (1, 2)]
    assert send(intake, site, batch(1, 2, epoch=OTHER, events=fresh)) == Held(
        held=2, epoch=OTHER, now=int(clock.now().timestamp())
    )
    now = reload(database, site)
    assert (now.epoch, now.held, now.reconcile_since) == (OTHER, 2, received)
    assert now.restored_at == clock.now()
    assert len(stored(database, site)) == 12


def test_what_was_sent_before_the_restore_is_not_stored_twice(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    # 8 to 10 waited when the backup was made; they are numbered anew, and 11 is new.
    waiting = [event(seq - 7) | {"id": str(uuid.UUID(int=seq))} for seq in range(8, 12)]
    assert send(intake, site, batch(1, 4, epoch=OTHER, events=waiting)).held == 4
    assert sorted(each.event_id for each in stored(database, site)) == ids(range(1, 12))
    assert send(intake, site, batch(1, 4, epoch=OTHER, events=waiting)).held == 4


def test_a_straggler_does_not_bring_an_epoch_back(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    fresh = [event(1, id=str(uuid.UUID(int=501)))]
    send(intake, site, batch(1, 1, epoch=OTHER, events=fresh))
    for late in (batch(1, 10), batch(11, 3)):
        with pytest.raises(EpochOverError):
            send(intake, site, late)
    assert reload(database, site).epoch == OTHER


def test_paired_anew_with_an_epoch_that_we_know(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    with database.write() as session:
        found = session.get(MoodleSite, site.id)
        assert found is not None
        found.held, found.held_id = 0, None
    strange = [event(seq, id=str(uuid.UUID(int=seq + 500))) for seq in range(6, 9)]
    with pytest.raises(EpochOverError):
        send(intake, site, batch(6, 3, events=strange))
    assert send(intake, site, batch(9, 4)).held == 12


def test_the_first_epoch_of_all_is_no_restore(
    database: Database, clock: FixedClock, intake: EventIntake
) -> None:
    site = connect(database, clock, epoch=None)
    assert send(intake, site, batch(1, 2)).held == 2
    assert reload(database, site).reconcile_since is None


def test_purging_keeps_what_waits_and_the_last_of_each_epoch(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 10))
    fresh = [event(seq, id=str(uuid.UUID(int=seq + 500))) for seq in (1, 2, 3)]
    send(intake, site, batch(1, 3, epoch=OTHER, events=fresh))
    with database.write() as session:
        for each in session.query(MoodleEvent).where(MoodleEvent.seq != 2):
            each.taken_at = clock.now()
    clock.advance(days=30)
    assert intake.purge(older_than_days=30) == 0
    clock.advance(seconds=1)
    assert intake.purge(older_than_days=30) == 9
    assert [(each.epoch, each.seq) for each in stored(database, site)] == [
        (OTHER, 2), (OTHER, 3), (EPOCH, 2), (EPOCH, 10),
    ]  # fmt: skip
    with pytest.raises(EpochOverError):
        send(intake, site, batch(1, 3))


def test_what_nobody_awaits_is_dealt_with_and_forgotten_in_time(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    kinds = ("sync.applied", "something.new", "grade.changed", "hole")
    events = [event(seq, type=kind) for seq, kind in enumerate(kinds, 1)]
    send(intake, site, batch(1, 4, events=events))
    waiting = [each.type for each in stored(database, site) if each.taken_at is None]
    assert waiting == ["grade.changed"]
    clock.advance(days=31)
    # The last one stays, as ever.
    assert intake.purge(older_than_days=30) == 2
    assert [each.type for each in stored(database, site)] == ["grade.changed", "hole"]
