from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.identity.rights import ADMINISTRATION, Right
from lti_tool.identity.sign_in_errors import (
    SignInPersonUnknownError,
    SignInRightlessError,
    SignInTokenError,
)
from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import Person
from tests.identity.launched import PERSON
from tests.identity.oidc_provider import (
    key,
)
from tests.identity.session_world import TOOL, World


@pytest.fixture
def world(signed: World) -> World:
    return signed


def test_roles_become_rights_and_unknown_ones_nothing(world: World) -> None:
    found = world.now(world.open())
    assert found is not None
    assert found.name == "SOK Dara"
    assert found.roles == ("registrar",)
    assert found.rights == {Right.READ, Right.GRADES, Right.PEOPLE}
    assert found.person_key == PERSON


@pytest.mark.parametrize("roles", [None, [], ["unheard-of"], "administrator", [1], {}])
def test_who_has_no_right_here_gets_no_session(world: World, roles: Any) -> None:
    world.oidc.person["naga_roles"] = roles
    with pytest.raises(SignInRightlessError):
        world.open()


def test_a_person_whom_the_sis_does_not_know_gets_none(world: World) -> None:
    world.oidc.person["person_uuid"] = "nobody"
    with pytest.raises(SignInPersonUnknownError):
        world.open()


def test_an_administrator_need_not_be_in_the_sis(world: World) -> None:
    world.oidc.person |= {"person_uuid": None, "naga_roles": ["administrator"]}
    found = world.now(world.open())
    assert found is not None
    assert found.rights == ADMINISTRATION


def test_it_ends_when_nobody_uses_it_and_after_eight_hours(world: World) -> None:
    secret = world.open()
    world.clock.advance(minutes=29)
    assert world.now(secret)
    world.clock.advance(minutes=29)
    assert world.now(secret), "the page before kept it alive"
    world.clock.advance(minutes=31)
    assert world.now(secret) is None
    busy = world.open()
    for _ in range(16):
        assert world.now(busy)
        world.clock.advance(minutes=30)
    assert world.now(busy) is None


def test_signing_out_at_the_provider_ends_it(world: World) -> None:
    secret = world.open()
    assert world.sessions.end_by(world.oidc.logout_token()) == 1
    assert world.now(secret) is None
    assert world.audited()[-1] == "admin.session_ended"


@pytest.mark.parametrize(("named", "ended"), [({"sub": None}, 1), ({"sid": None}, 1)])
def test_one_name_is_enough(world: World, named: dict[str, Any], ended: int) -> None:
    world.open()
    assert world.sessions.end_by(world.oidc.logout_token(**named)) == ended


def test_another_session_or_person_is_left_alone(world: World) -> None:
    secret = world.open()
    assert world.sessions.end_by(world.oidc.logout_token(sid="session-2")) == 0
    assert world.sessions.end_by(world.oidc.logout_token(sub="account-2")) == 0
    assert world.now(secret)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ({"iss": "https://other.example"}, "invalid_claim"),
        ({"aud": "another"}, "invalid_claim"),
        ({"aud": None}, "missing_claim"),
        ({"iat": None}, "missing_claim"),
        ({"exp": 1}, "expired_token"),
        ({"events": None}, "not_a_logout"),
        ({"events": {"http://schemas.openid.net/event/other": {}}}, "not_a_logout"),
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": None}}, "not_a_logout"),
        ({"nonce": "n"}, "nonce_present"),
        ({"sub": None, "sid": None}, "nobody_named"),
        ({"sub": 7}, "invalid_claim"),
        ({"jti": None}, "jti_missing"),
        ({"jti": "x" * 256}, "jti_missing"),
    ],
)
def test_a_logout_token_that_does_not_hold_ends_nothing(
    world: World, spoil: dict[str, Any], reason: str
) -> None:
    secret = world.open()
    with pytest.raises(SignInTokenError) as refused:
        world.sessions.end_by(world.oidc.logout_token(**spoil))
    assert refused.value.context["reason"] == reason
    assert world.now(secret)


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_only_the_providers_own_signature_counts(world: World, alg: str) -> None:
    secret = world.open()
    world.oidc.header = {"alg": alg}
    with pytest.raises(SignInTokenError):
        world.sessions.end_by(world.oidc.logout_token())
    world.oidc.header = {"kid": "provider"}
    world.oidc.signing_key = key("thief")
    with pytest.raises(SignInTokenError):
        world.sessions.end_by(world.oidc.logout_token())
    assert world.now(secret)


def test_an_id_token_is_no_logout_token(world: World) -> None:
    world.open()
    world.oidc.header = {"typ": "at+jwt"}
    with pytest.raises(SignInTokenError, match="could not be trusted"):
        world.sessions.end_by(world.oidc.logout_token())


def test_a_logout_token_counts_once(world: World) -> None:
    token = world.oidc.logout_token()
    world.open()
    assert world.sessions.end_by(token) == 1
    again = world.open()
    with pytest.raises(SignInTokenError) as refused:
        world.sessions.end_by(token)
    assert refused.value.context["reason"] == "replayed"
    assert world.now(again)


def test_roles_that_changed_are_learnt_without_the_browser(world: World) -> None:
    secret = world.open()
    world.oidc.person["naga_roles"] = ["auditor"]
    world.clock.advance(minutes=4)
    assert world.now(secret)
    world.sessions.keep_current()
    assert world.now(secret).roles == ("registrar",)  # type: ignore[union-attr]
    world.clock.advance(minutes=2)
    world.sessions.keep_current()
    assert world.now(secret).roles == ("auditor",)  # type: ignore[union-attr]
    assert "admin.roles_changed" in world.audited()


def test_who_lost_all_roles_is_out(world: World) -> None:
    secret = world.open()
    world.oidc.person["naga_roles"] = ["unheard-of"]
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None


def test_whose_session_ended_there_is_out(world: World) -> None:
    secret = world.open()
    world.oidc.refresh_token = "another"
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None


def test_a_client_that_is_refused_ends_nobodys_session(world: World) -> None:
    secret = world.open()
    world.provider.client_secret = "another"
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 0
    assert world.now(secret)


def test_a_token_about_somebody_else_ends_it(world: World) -> None:
    secret = world.open()
    world.oidc.spoil = {"sub": "account-2"}
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None


def test_one_that_cannot_be_judged_keeps_no_other_from_it(world: World) -> None:
    first, second = world.open(), world.open()
    world.oidc.spoil = {"aud": "another"}
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 0
    assert world.now(first)
    assert world.now(second)
    assert len(world.oidc.stub.seen("POST", "/token")) == 4
    assert world.sessions.keep_current() == 0
    assert len(world.oidc.stub.seen("POST", "/token")) == 4, "their turn comes in five minutes"
    world.oidc.spoil = {}
    world.oidc.person["naga_roles"] = []
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 2


def test_a_provider_that_is_away_ends_nobodys_session(world: World) -> None:
    secret = world.open()
    world.oidc.stub.close()
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 0
    assert world.now(secret)


def test_who_was_suspended_in_the_sis_is_out_at_the_next_look(world: World) -> None:
    secret = world.open()
    with world.database.write() as session:
        session.execute(
            sa.update(Person)
            .where(Person.sourced_id == PERSON)
            .values(status=PersonStatus.SUSPENDED)
        )
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None
    with pytest.raises(SignInPersonUnknownError):
        world.open()


def test_the_way_to_sign_out_there_too(world: World) -> None:
    secret = world.open()
    url = world.sessions.sign_out_url(secret, back_to=f"{TOOL}/admin/sign-in")
    assert url is not None
    assert url.startswith(f"{world.oidc.issuer}/logout?id_token_hint=ey")
    assert "post_logout_redirect_uri=https%3A%2F%2Ftool.example%2Fadmin%2Fsign-in" in url
    world.admin.end(secret)
    assert world.sessions.sign_out_url(secret, back_to=TOOL) is None


def test_tokens_are_sealed_and_forgotten(world: World) -> None:
    secret = world.open()
    sealed = world.admin.sealed_tokens(secret)
    assert sealed is not None
    assert b"refresh-1" not in sealed
    world.sessions.end_by(world.oidc.logout_token())
    assert world.admin.sealed_tokens(secret) is None
