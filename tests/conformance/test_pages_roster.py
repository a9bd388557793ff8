"""A platform that lists nobody, or fewer than before, or fails, changes nobody: lti.md N11."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from demo.faults import Fault
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.names_roles import NrpsError
from lti_tool.sync.models import RosterComparison, RosterState
from tests.sync.world import World, open_world

_EVERYBODY = ["a", "b", "c", "d"]
_MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
_OWN = {"roster_comparison", "roster_row", "lti_access_token"}


@pytest.fixture
def course(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    """A class of four in a course of the same four, compared once."""
    with open_world(database, clock, keyring) as world:
        world.school.class_("C")
        world.link_course()
        world.students(*_EVERYBODY)
        _compare(world)
        yield world


def _compare(world: World) -> RosterComparison:
    return world.rosters.compare(
        world.registration, context_id=world.context_id, nrps=world.nrps, class_keys=["C"]
    )


def _latest(world: World) -> RosterComparison:
    found = world.rosters.latest(world.registration.id, world.context_id)
    assert found is not None
    return found


def _states(world: World) -> dict[str, RosterState]:
    lines = world.rosters.rows(_latest(world).id, limit=100)
    return {str(line.row.person_key): line.row.state for line in lines}


def _kept(world: World) -> dict[str, list[Any]]:
    """Everything that the database holds but comparisons and tokens."""
    with world.database.read() as session:
        found = sa.MetaData()
        found.reflect(session.connection())
        return {
            name: sorted(map(repr, session.execute(sa.select(table)).all()))
            for name, table in found.tables.items()
            if name not in _OWN
        }


def _lists(*members: dict[str, Any]) -> Fault:
    body = {"id": "x", "context": {"id": "1"}, "members": list(members)}
    return Fault("memberships", body=json.dumps(body), content_type=_MEDIA_TYPE)


def test_n11_an_empty_roster_shows_everybody_as_missing_and_changes_nobody(course: World) -> None:
    assert _states(course) == dict.fromkeys(_EVERYBODY, RosterState.PRESENT)
    before = _kept(course)
    course.platform.faults.add(_lists())
    comparison = _compare(course)
    assert comparison.members == 0
    assert _states(course) == dict.fromkeys(_EVERYBODY, RosterState.MISSING)
    assert _kept(course) == before
    # The platform comes to its senses: nobody has to be linked or enrolled again.
    _compare(course)
    assert _states(course) == dict.fromkeys(_EVERYBODY, RosterState.PRESENT)


def test_n11_a_shrunken_roster_shows_who_is_missing_and_changes_nobody(course: World) -> None:
    before = _kept(course)
    left = course.accounts["b"]
    course.platform.faults.add(
        _lists({"user_id": str(left.id), "roles": ["Learner"], "status": "Active"})
    )
    assert _compare(course).members == 1
    assert _states(course) == {
        "a": RosterState.MISSING,
        "b": RosterState.PRESENT,
        "c": RosterState.MISSING,
        "d": RosterState.MISSING,
    }
    assert _kept(course) == before


def test_n11_grades_of_the_missing_are_not_sent_and_not_taken_away(course: World) -> None:
    for key in _EVERYBODY:
        course.school.grade(key, "C/part", "70")
    course.push()
    held = course.held()
    assert held == dict.fromkeys(_EVERYBODY, 70.0)
    sent = len(course.traffic.scores)
    for key in _EVERYBODY:
        course.school.grade(key, "C/part", "80")
    course.platform.faults.add(_lists())
    course.push()
    assert len(course.traffic.scores) == sent
    assert course.held() == held


@pytest.mark.parametrize(
    "fault",
    [
        Fault("memberships", status=500, times=None),
        Fault("memberships", status=403),
        Fault("memberships", status=404),
        Fault("memberships", html=True),
        Fault("memberships", short=True),
        Fault("memberships", redirect="http://127.0.0.1:9/elsewhere"),
        Fault("memberships", body='{"id":"x","context":{"id":"1"}}', content_type=_MEDIA_TYPE),
        Fault("memberships", body="", content_type=_MEDIA_TYPE),
        Fault("memberships", next_link="http://127.0.0.1:9/next"),
    ],
    ids=["500", "403", "404", "html", "short", "redirect", "no members", "no body", "next page"],
)
def test_n11_on_a_failure_the_former_comparison_stays(course: World, fault: Fault) -> None:
    former = _latest(course).id
    before = _kept(course)
    course.platform.faults.add(replace(fault))
    with pytest.raises(NrpsError):
        _compare(course)
    assert _latest(course).id == former
    assert _states(course) == dict.fromkeys(_EVERYBODY, RosterState.PRESENT)
    assert _kept(course) == before
