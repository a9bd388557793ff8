"""The intake of events: what it takes, what it refuses, and how far it says that it holds."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.errors import (
    ContractUnsupportedError,
    SiteDisconnectedError,
    SiteUnknownError,
)
from lti_tool.moodle.events import EventIntake, EventsInvalidError, Held, read_batch
from lti_tool.moodle.models import MoodleSite, SiteStanding
from tests.moodle.moodle_site import EPOCH
from tests.moodle.signing import batch, connect, event, ids, reload, send, stored


def test_a_batch_is_stored_as_it_was_sent(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    clock.advance(minutes=3)
    held = send(intake, site, batch(1, 3, backlog=12))
    assert held == Held(held=3, epoch=EPOCH, now=int(clock.now().timestamp()))
    first = stored(database, site)[0]
    assert (first.seq, first.event_id, first.type) == (1, ids(range(1, 2))[0], "grade.changed")
    assert first.at == dt.datetime.fromtimestamp(1772420401, dt.UTC)
    assert (first.actor, first.user, first.course, first.object) == (2, 101, 7, 1001)
    assert first.data == {"item": 5, "final": 87.5, "overridden": False}
    assert (first.received_at, first.taken_at) == (clock.now(), None)
    now = reload(database, site)
    assert (now.held, now.held_id, now.epoch) == (3, ids(range(3, 4))[0], EPOCH)
    assert (now.backlog, now.heard_at, now.reconcile_since) == (12, clock.now(), None)


def test_again_or_overlapping_changes_nothing(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 5))
    assert send(intake, site, batch(1, 5)).held == 5
    assert send(intake, site, batch(3, 6)).held == 8
    assert send(intake, site, batch(2, 2, next=9)).held == 8
    assert [each.seq for each in stored(database, site)] == [*range(1, 9)]


def test_nothing_to_send_is_an_answer_too(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    assert send(intake, site, batch(1, 0)).held == 0
    send(intake, site, batch(1, 2))
    assert send(intake, site, batch(3, 0)).held == 2
    assert reload(database, site).reconcile_since is None


def test_a_thousand_is_a_batch_and_more_is_not(intake: EventIntake, site: MoodleSite) -> None:
    assert send(intake, site, batch(1, 1000)).held == 1000
    with pytest.raises(InvalidInputError) as caught:
        send(intake, site, batch(1001, 1001))
    assert (caught.value.status, caught.value.field) == (400, "/events")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"at": "yesterday"}, "at"),
        ({"at": -1}, "at"),
        ({"at": 2**40}, "at"),
        ({"at": None}, "at"),
        ({"type": "Grade Changed"}, "type"),
        ({"type": "x" * 41}, "type"),
        ({"id": "7"}, "id"),
        ({"id": "00000000-0000-0000-0000-00000000000A"}, "id"),
        ({"user": -1}, "user"),
        ({"user": 2**63}, "user"),
        ({"user": 1.5}, "user"),
        ({"user": "5"}, "user"),
        ({"actor": 2**63}, "actor"),
        ({"actor": -(10**30)}, "actor"),
        ({"data": {"item": {"nested": 1}}}, "data/item"),
        ({"data": {"item": "x" * 256}}, "data/item"),
        ({"data": {"a/b~c": []}}, "data/a~1b~0c"),
        ({"data": {"final": math.inf}}, "data/final"),
        ({"data": {"final": math.nan}}, "data/final"),
        ({"data": {"text": "\ud800"}}, "data/text"),
        ({"data": {f"key{number}": 1 for number in range(21)}}, "data"),
        ({"data": []}, "data"),
        ({"name": "Sok Dara"}, "name"),
        ({"seq": 12}, "seq"),
        ({"seq": 0}, "seq"),
        ({"seq": True}, "seq"),
    ],
)
def test_a_malformed_event_is_named(
    database: Database,
    intake: EventIntake,
    site: MoodleSite,
    fields: dict[str, Any],
    place: str,
) -> None:
    message = batch(1, 20)
    message["events"][10] = event(11) | fields
    with pytest.raises(EventsInvalidError) as caught:
        send(intake, site, message)
    assert caught.value.status == 422
    assert caught.value.field == f"/events/10/{place}"
    assert "Sok Dara" not in str(caught.value.problem())
    assert stored(database, site) == []


def test_what_is_missing_or_not_an_event_is_named(intake: EventIntake, site: MoodleSite) -> None:
    message = batch(1, 3)
    del message["events"][1]["type"]
    with pytest.raises(EventsInvalidError) as caught:
        send(intake, site, message)
    assert caught.value.field == "/events/1/type"
    strange: tuple[Any, ...] = (None, [], "event", 7)
    for wrong in strange:
        message["events"][1] = wrong
        with pytest.raises(EventsInvalidError) as caught:
            send(intake, site, message)
        assert caught.value.field == "/events/1"


def test_an_id_stands_in_a_batch_once(intake: EventIntake, site: MoodleSite) -> None:
    message = batch(1, 3)
    message["events"][2]["id"] = message["events"][0]["id"]
    with pytest.raises(EventsInvalidError) as caught:
        send(intake, site, message)
    assert caught.value.field == "/events/2/id"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"epoch": "one"}, "/epoch"),
        ({"epoch": None}, "/epoch"),
        ({"next": 3}, "/next"),
        ({"next": 2**63}, "/next"),
        ({"first": 0}, "/first"),
        ({"first": "1"}, "/first"),
        ({"after": "x"}, "/after"),
        ({"backlog": -1}, "/backlog"),
        ({"contract": "1"}, "/contract"),
        ({"contract": None}, "/contract"),
        ({"events": {}}, "/events"),
        ({"secret": "x"}, "/secret"),
    ],
)
def test_a_malformed_message_is_no_event_s_fault(
    intake: EventIntake, site: MoodleSite, changes: dict[str, Any], field: str
) -> None:
    # Not 422: the plugin would look for the event, and set aside one after the other.
    with pytest.raises(InvalidInputError) as caught:
        send(intake, site, batch(1, 3) | changes)
    assert (caught.value.status, caught.value.field) == (400, field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'"text"'])
def test_no_message_at_all(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read_batch(body)


def test_another_version_is_told_what_this_tool_speaks() -> None:
    # Whatever else it holds: of another version nothing may be concluded.
    with pytest.raises(ContractUnsupportedError) as caught:
        read_batch(b'{"contract": 2, "whatever": true}')
    assert caught.value.context == {"supported": [1]}
    assert "Update this tool" in (caught.value.remedy or "")


def test_types_of_a_younger_plugin_are_kept(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 1, events=[event(1, type="badge.awarded", data={})]))
    assert stored(database, site)[0].type == "badge.awarded"


def test_acts_of_moodle_itself_have_actors_below_zero(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 1, events=[event(1, actor=-20)]))
    assert stored(database, site)[0].actor == -20


def test_characters_that_databases_dislike(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    text = "ពិន្ទុ \x00 'quoted' \U0001f600"
    send(intake, site, batch(1, 1, events=[event(1, data={"idnumber": text})]))
    assert stored(database, site)[0].data == {"idnumber": text}


def test_a_hole_keeps_the_place_and_may_be_filled(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    message = batch(1, 3)
    message["events"][1] = {"seq": 2, "id": ids(range(2, 3))[0], "type": "hole", "at": 1772420402}
    assert send(intake, site, message).held == 3
    assert [each.type for each in stored(database, site)][1] == "hole"
    assert send(intake, site, message).held == 3
    clock.advance(minutes=1)
    assert send(intake, site, batch(1, 3, next=4)).held == 3
    filled = stored(database, site)[1]
    assert (filled.type, filled.user, filled.received_at) == ("grade.changed", 102, clock.now())
    # A hole never takes away what is there.
    assert send(intake, site, message).held == 3
    assert stored(database, site)[1].type == "grade.changed"


def test_a_hole_filled_under_a_new_number(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    message = batch(1, 3)
    message["events"][1] = {"seq": 2, "id": ids(range(2, 3))[0], "type": "hole", "at": 1772420402}
    send(intake, site, message)
    again = batch(4, 1, events=[event(4, id=ids(range(2, 3))[0])])
    assert send(intake, site, again).held == 4
    assert [(each.seq, each.type) for each in stored(database, site)] == [
        (1, "grade.changed"),
        (2, "grade.changed"),
        (3, "grade.changed"),
    ]


def test_sites_do_not_mix(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    other = connect(database, clock)
    send(intake, site, batch(1, 3))
    assert send(intake, other, batch(1, 2)).held == 2
    assert (len(stored(database, site)), len(stored(database, other))) == (3, 2)


def test_sites_that_went_away(
    database: Database, clock: FixedClock, intake: EventIntake, site: MoodleSite
) -> None:
    gone = connect(database, clock, standing=SiteStanding.DISCONNECTED)
    with pytest.raises(SiteDisconnectedError):
        send(intake, gone, batch(1, 1))
    with pytest.raises(SiteUnknownError):
        intake.accept(10**6, read_batch(json.dumps(batch(1, 1)).encode()))
    paused = connect(database, clock, standing=SiteStanding.PAUSED)
    assert send(intake, paused, batch(1, 1)).held == 1


def test_a_backlog_beyond_all_measure(
    database: Database, intake: EventIntake, site: MoodleSite
) -> None:
    send(intake, site, batch(1, 1, backlog=10**12))
    assert reload(database, site).backlog == 2**31 - 1
