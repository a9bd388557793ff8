"""What a provider says of somebody, and what that is worth: roles, and proof."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from lti_tool.identity.provider_claims import ProviderClaims
from lti_tool.identity.sign_in_errors import (
    SignInClaimMissingError,
    SignInRightlessError,
    SignInStepUpError,
)
from tests.identity.launched import OTHER
from tests.identity.oidc_provider import (
    CONFIGURATION,
)
from tests.identity.session_world import World
from tests.lti.outbound_world import as_json


@pytest.fixture
def world(signed: World) -> World:
    return signed


def test_the_sis_says_who_is_a_student_or_a_teacher(world: World) -> None:
    world.oidc.person["naga_roles"] = []
    world.oidc.refresh_token = ""
    with pytest.raises(SignInRightlessError):
        world.open()
    world.set_person(is_student=True)
    secret = world.open()
    assert world.roles(secret) == ("student",)
    assert "person.signed_in" in world.audited()
    # Without a refresh token too, what the SIS says is learnt; what the provider said is kept.
    world.set_person(is_student=False, is_teacher=True)
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 0
    assert world.roles(secret) == ("teacher",)
    world.set_person(is_teacher=False)
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None


def test_what_the_provider_said_is_kept_without_a_refresh_token(world: World) -> None:
    world.oidc.refresh_token = ""
    world.set_person(is_teacher=True)
    secret = world.open()
    assert world.roles(secret) == ("registrar", "teacher")
    world.set_person(is_teacher=False)
    world.clock.advance(minutes=6)
    world.sessions.keep_current()
    assert world.roles(secret) == ("registrar",)


def test_nobody_is_a_student_without_being_somebody(world: World) -> None:
    world.oidc.person |= {"person_uuid": None, "naga_roles": ["student", "auditor"]}
    assert world.roles(world.open()) == ("auditor",)
    world.oidc.person["naga_roles"] = ["student"]
    with pytest.raises(SignInClaimMissingError):
        world.open()


def test_an_account_that_becomes_somebody_elses_ends_the_session(world: World) -> None:
    secret = world.open()
    world.oidc.person["person_uuid"] = OTHER
    world.clock.advance(minutes=6)
    assert world.sessions.keep_current() == 1
    assert world.now(secret) is None


def test_a_session_that_nobody_uses_is_not_kept_alive_at_the_provider(world: World) -> None:
    world.open()
    world.clock.advance(minutes=31)
    asked = len(world.oidc.stub.seen("POST", "/token"))
    world.sessions.keep_current()
    assert len(world.oidc.stub.seen("POST", "/token")) == asked


@pytest.mark.parametrize(
    ("said", "refused_for"),
    [
        ({"acr": "gold"}, None),
        ({"acr": "silver"}, "acr"),
        ({"acr": None}, "acr"),
        ({"acr": ["gold"]}, "acr"),
        ({"acr": "gold", "auth_time": 1}, "auth_time"),
        ({"acr": "gold", "auth_time": 1 << 40}, "auth_time"),
        ({"acr": "gold", "auth_time": None}, None),
    ],
)
def test_a_step_up_needs_the_proof_that_was_asked_for(
    world: World, said: dict[str, Any], refused_for: str | None
) -> None:
    world.said = ProviderClaims("person_uuid", "naga_roles", step_up_acr=("gold", "platinum"))
    world.oidc.spoil = said
    if refused_for is None:
        found = world.now(world.open(step_up=True))
        assert found is not None
        assert (found.acr, found.authenticated_at) == ("gold", world.clock.now())
        return
    with pytest.raises(SignInStepUpError) as refused:
        world.open(step_up=True)
    assert refused.value.field == refused_for
    assert "admin.signed_in" not in world.audited()
    # To come in at all it is good enough.
    assert world.now(world.open())


def test_when_somebody_proved_who_they_are_is_not_made_up(world: World) -> None:
    world.oidc.spoil = {"auth_time": None}
    found = world.now(world.open())
    assert found is not None
    assert found.authenticated_at is None


@pytest.mark.parametrize(
    ("knows", "claims"),
    [
        ({}, None),
        ({"claims_parameter_supported": True}, None),
        ({"claims_parameter_supported": True, "acr_values_supported": ["1"]}, None),
        (
            {"claims_parameter_supported": True, "acr_values_supported": ["1", "gold"]},
            {"id_token": {"acr": {"essential": True, "values": ["gold"]}}},
        ),
    ],
)
def test_a_provider_is_asked_as_it_takes_it(
    world: World, knows: dict[str, Any], claims: dict[str, Any] | None
) -> None:
    world.oidc.stub.on(
        "GET", CONFIGURATION, lambda _request: as_json(world.oidc.configuration() | knows)
    )

    def asked(step_up: tuple[str, ...] | None) -> dict[str, str]:
        url = world.provider.authorization_url(
            state="s", nonce="n", verifier="v" * 43, step_up=step_up
        )
        return dict(parse_qsl(urlsplit(url).query))

    found = asked(("gold",))
    assert (found["acr_values"], found["max_age"]) == ("gold", "0")
    assert json.loads(found.get("claims", "null")) == claims
    assert {"acr_values", "claims"}.isdisjoint(asked(()))
    assert asked(())["max_age"] == "0"
    assert {"acr_values", "claims", "max_age"}.isdisjoint(asked(None))
