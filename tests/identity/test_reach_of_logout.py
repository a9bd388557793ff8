"""Whose launches end with a session, and when."""

from __future__ import annotations

import pytest

from lti_tool.sis.entities import PersonStatus
from tests.identity.launched import OTHER, PERSON
from tests.identity.session_world import World


@pytest.fixture
def world(signed: World) -> World:
    return signed


def test_signing_out_at_the_provider_ends_the_same_persons_launches(world: World) -> None:
    mine, elsewhere = world.launch(PERSON, "42"), world.launch(OTHER, "43")
    unknown = world.launch(None, "44")
    world.open()
    world.sessions.end_by(world.oidc.logout_token(sid="another"))
    assert world.holds(mine)
    world.sessions.end_by(world.oidc.logout_token())
    assert not world.holds(mine)
    assert world.holds(elsewhere)
    assert world.holds(unknown)
    assert "person.launches_ended" in world.audited()


def test_it_ends_them_also_where_the_own_session_had_ended_before(world: World) -> None:
    mine = world.launch(PERSON, "42")
    world.admin.end(world.open())
    assert world.holds(mine)
    assert world.sessions.end_by(world.oidc.logout_token()) == 0
    assert not world.holds(mine)


def test_suspension_in_the_sis_ends_launches_with_the_session(world: World) -> None:
    mine = world.launch(PERSON, "42")
    world.open()
    world.set_person(status=PersonStatus.SUSPENDED)
    assert world.sessions.keep_current() == 1
    assert not world.holds(mine)
