"""Connecting a Moodle again, or two at once, or while something breaks."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.errors import NagaError
from lti_tool.lti.models import Standing
from lti_tool.moodle.errors import (
    PairingCodeExpiredError,
    PairingCodeUsedError,
    SiteElsewhereError,
)
from lti_tool.moodle.models import MoodleSite, PairingCode, SiteStanding
from tests.moodle.moodle_site import MoodleServer
from tests.moodle.pairing_world import World
from tests.moodle.pairing_world import moodle as moodle
from tests.moodle.pairing_world import other as other
from tests.moodle.pairing_world import world as world


def test_the_same_moodle_may_ask_again_while_the_code_lives(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    secret = world.secret()
    first = world.pair(moodle, secret)
    again = world.pair(moodle, secret)
    assert (again.id, again.registration_id) == (first.id, first.registration_id)
    assert len(world.registrations.list()) == 1
    with pytest.raises(PairingCodeUsedError):
        world.pair(other, secret)
    assert other.key_fetches == 0
    assert len(world.sites.moodles()) == 1
    world.clock.advance(minutes=15)
    with pytest.raises(PairingCodeExpiredError):
        world.pair(moodle, secret)


def test_pairing_again_mends_what_was_changed(world: World, moodle: MoodleServer) -> None:
    site = world.pair(moodle, world.secret())
    registration_id = site.registration_id
    world.registrations.update(registration_id, actor="tests", sourcedid_trusted=False)
    world.registrations.set_standing(registration_id, Standing.DISABLED, actor="tests")
    moodle.client_id, moodle.deployment_id, moodle.token = "client-2", "2", "b" * 32
    again = world.pair(moodle, world.secret())
    mended = world.registrations.get(registration_id)
    assert (again.id, again.registration_id) == (site.id, registration_id)
    assert (mended.standing, mended.sourcedid_trusted) == (Standing.ACTIVE, True)
    assert mended.client_id == "client-2"
    assert ("2", Standing.ACTIVE) in [
        (each.deployment_id, each.standing) for each in mended.deployments
    ]
    assert world.sites.token(again) == "b" * 32


def test_connected_again_after_its_end_it_wants_reconciling(
    world: World, moodle: MoodleServer
) -> None:
    site = world.pair(moodle, world.secret())
    heard = world.clock.now()
    world.sites.disconnect(site.id, actor="tests")
    ended = world.sites.moodle(site.id)
    assert ended.token_sealed is None
    assert world.registrations.get(site.registration_id).standing is Standing.DISABLED
    world.sites.disconnect(site.id, actor="tests")
    world.clock.advance(days=3)
    again = world.pair(moodle, world.secret())
    assert again.id == site.id
    assert again.standing is SiteStanding.ACTIVE
    assert again.reconcile_since == heard
    assert world.registrations.get(site.registration_id).standing is Standing.ACTIVE


def test_a_new_epoch_begins_at_nothing(world: World, moodle: MoodleServer) -> None:
    site = world.pair(moodle, world.secret())
    with world.database.write() as session:
        session.execute(sa.update(MoodleSite).values(held=7, held_id="x"))
    assert world.pair(moodle, world.secret()).held == 7
    again = world.pair(moodle, world.secret(), epoch="00000000-0000-4000-8000-000000000000")
    assert (again.id, again.held, again.held_id) == (site.id, 0, None)
    assert again.reconcile_since is not None


def test_a_registration_of_another_moodle_is_not_taken_over(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    site = world.pair(moodle, world.secret())
    world.registrations.update(site.registration_id, actor="tests", issuer=other.url)
    secret = world.secret()
    with pytest.raises(SiteElsewhereError):
        world.pair(other, secret)
    assert [each.url for each in world.sites.moodles()] == [moodle.url]


def test_of_two_moodles_with_one_code_one_wins(
    world: World, moodle: MoodleServer, other: MoodleServer
) -> None:
    secret = world.secret()
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def pair(site: MoodleServer) -> None:
        barrier.wait()
        try:
            world.pair(site, secret)
            outcomes.append("paired")
        except NagaError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=pair, args=(each,)) for each in (moodle, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["paired", "pairing_code_used"]
    assert len(world.sites.moodles()) == len(world.registrations.list()) == 1


def test_a_code_in_use_is_not_taken_by_another(
    world: World, moodle: MoodleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = world.secret()
    real = world.pairing._usable

    def taken_meanwhile(*arguments: Any, **named: Any) -> PairingCode:
        code = real(*arguments, **named)
        with world.database.write() as session:
            session.execute(sa.update(PairingCode).values(used_at=world.clock.now()))
        return code

    monkeypatch.setattr(world.pairing, "_usable", taken_meanwhile)
    with pytest.raises(PairingCodeUsedError):
        world.pair(moodle, secret)
    assert world.sites.moodles() == []


def test_what_fails_in_between_gives_the_code_back(
    world: World, moodle: MoodleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = world.secret()
    with monkeypatch.context() as patch:
        patch.setattr(world.sites, "keep", _broken)
        with pytest.raises(RuntimeError):
            world.pair(moodle, secret)
    assert world.pair(moodle, secret).url == moodle.url
    assert len(world.registrations.list()) == 1


def _broken(*_arguments: object, **_named: object) -> None:
    raise RuntimeError("the process is about to die")
