"""When people were last seen in Moodle."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from demo import Platform
from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleEvent
from lti_tool.sis.activity import Activity, Seen
from lti_tool.sync.activity import ActivitySync
from tests.sync.provisioning.conftest import Campus, campus, platform

__all__ = ["campus", "platform"]

EARLY = dt.datetime(2026, 3, 1, 8, 0, tzinfo=dt.UTC)
LATE = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def activity(database: Database) -> Activity:
    return Activity(database)


@pytest.fixture
def sync(campus: Campus, activity: Activity) -> ActivitySync:
    campus.parts.engine.run(campus.site)
    return ActivitySync(campus.database, campus.clock, campus.parts.client, activity)


def _person(campus: Campus) -> str:
    return campus.extracts.person_keys()[0]


def _moodle_id(platform: Platform, key: str) -> int:
    return next(p.id for p in platform.state.people.values() if p.idnumber == key)


def _tell(campus: Campus, seq: int, user: int, at: dt.datetime) -> None:
    with campus.database.write() as session:
        session.add(
            MoodleEvent(
                site_id=campus.site.id,
                epoch="e",
                seq=seq,
                event_id=str(seq),
                type="user.loggedin",
                at=at,
                user=user,
                received_at=campus.clock.now(),
            )
        )


def test_the_latest_counts_in_whatever_order_it_is_told(activity: Activity) -> None:
    activity.note_people({"p": Seen(EARLY, LATE)})
    activity.note_people({"p": Seen(LATE, EARLY), "q": Seen(None, None)})
    assert activity.person("p") == Seen(LATE, LATE)
    activity.note_people({"p": Seen(None, None)})
    assert activity.person("p") == Seen(LATE, LATE)
    assert activity.person("q") == activity.person("nobody") == Seen(None, None)
    activity.note_classes([("c", "p", LATE), ("c", "p", EARLY)])
    activity.note_classes([("c", "p", EARLY)])
    assert activity.class_("c") == {"p": LATE}


def test_sign_ins_are_taken_once(
    campus: Campus, platform: Platform, sync: ActivitySync, activity: Activity
) -> None:
    person = _person(campus)
    user = _moodle_id(platform, person)
    _tell(campus, 1, user, LATE)
    _tell(campus, 2, user, EARLY)
    _tell(campus, 3, 999_999, LATE)
    assert sync.take_events(campus.site) == 3
    assert activity.person(person) == Seen(LATE, LATE)
    assert sync.take_events(campus.site) == 0


def test_what_happened_since_is_read(
    campus: Campus, platform: Platform, sync: ActivitySync, activity: Activity
) -> None:
    person = _person(campus)
    with platform.change() as state:
        account = state.people[_moodle_id(platform, person)]
        account.last_login, account.last_access = int(EARLY.timestamp()), int(LATE.timestamp())
        course = next(iter(state.courses.values()))
        course.last_access[account.id] = int(LATE.timestamp())
    sync.read(campus.site)
    assert activity.person(person) == Seen(EARLY, LATE)
    assert activity.class_(course.idnumber) == {person: LATE}
    with campus.database.read() as session:
        until = session.scalar(sa.text("SELECT COUNT(*) FROM activity_reading"))
    assert until == 1
