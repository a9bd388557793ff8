"""Access tokens: lti.md K1 to K5."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug import Request, Response

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.platforms.base import LINE_ITEM, MEMBERS_READ, RESULT_READ, SCORE
from lti_tool.lti.service_errors import NarrowerScopeError
from tests.lti.outbound_world import (
    TestSigner,
    World,
    add_registration,
    as_json,
    open_world,
    signing_key,
)


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


def _assertion(world: World, index: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    form = world.stub.seen("POST", "/token")[index].form
    token = jwt.decode(form["client_assertion"], signing_key())
    return token.header, token.claims


def test_k1_assertion_says_who_for_whom_and_for_how_long(world: World) -> None:
    world.tokens.get(world.registration, [SCORE])
    header, claims = _assertion(world)
    assert header["alg"] == "RS256"
    assert header["kid"] == "test-key"
    assert claims["iss"] == claims["sub"] == "tool-1"
    assert claims["aud"] == f"{world.url}/token"
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert claims["iat"] <= world.clock.now().timestamp() < claims["exp"]


def test_k1_jti_is_unique(world: World) -> None:
    world.tokens.get(world.registration, [SCORE])
    world.tokens.get(world.registration, [RESULT_READ])
    assert _assertion(world, 0)[1]["jti"] != _assertion(world, 1)[1]["jti"]


def test_k1_audience_may_differ_from_the_address(
    world: World, database: Database, clock: FixedClock
) -> None:
    other = add_registration(
        database, clock, world.url, client_id="tool-2", token_audience="https://as.example"
    )
    world.tokens.get(other, [SCORE])
    assert _assertion(world)[1]["aud"] == "https://as.example"


def test_k1_signed_by_the_published_key(
    world: World, database: Database, clock: FixedClock, keyring: Keyring, audit: AuditLog
) -> None:
    keys = ToolKeys(database, clock, keyring, audit)
    keys.ensure()
    http = HttpClient(allow_private=True, allow_http=True)
    AccessTokens(database, clock, keyring, http, keys).get(world.registration, [SCORE])
    assertion = world.stub.seen("POST", "/token")[0].form["client_assertion"]
    published = KeySet.import_key_set(keys.public_keyset())  # type: ignore[arg-type]
    assert jwt.decode(assertion, published).claims["iss"] == "tool-1"


def test_k2_no_deployment_is_named(world: World) -> None:
    # A token is the registration's: all of its deployments share it.
    world.tokens.get(world.registration, [SCORE])
    assert _assertion(world)[1].keys() == {"iss", "sub", "aud", "iat", "exp", "jti"}


def test_k3_form_urlencoded(world: World) -> None:
    world.tokens.get(world.registration, [SCORE])
    request = world.stub.seen("POST", "/token")[0]
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.form["grant_type"] == "client_credentials"
    assert (
        request.form["client_assertion_type"]
        == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    )
    assert request.form["scope"] == SCORE


def test_k4_kept_until_a_minute_before_it_expires(world: World) -> None:
    assert world.tokens.get(world.registration, [SCORE]) == "token-1"
    world.clock.advance(seconds=3539)
    assert world.tokens.get(world.registration, [SCORE]) == "token-1"
    world.clock.advance(seconds=2)
    assert world.tokens.get(world.registration, [SCORE]) == "token-2"


def test_k4_shared_by_processes_and_sealed(world: World, keyring: Keyring) -> None:
    world.tokens.get(world.registration, [SCORE])
    http = HttpClient(allow_private=True, allow_http=True)
    another = AccessTokens(world.database, world.clock, keyring, http, None)  # type: ignore[arg-type]
    assert another.get(world.registration, [SCORE]) == "token-1"
    with world.database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT token_sealed FROM lti_access_token").scalar()
    assert stored
    assert b"token-1" not in bytes(stored)


def test_k4_a_token_per_scope_set_in_any_order(world: World) -> None:
    first = world.tokens.get(world.registration, [SCORE, RESULT_READ])
    assert world.tokens.get(world.registration, [RESULT_READ, SCORE]) == first
    assert world.tokens.get(world.registration, [SCORE]) != first


def test_k4_never_shared_between_tenants(
    world: World, database: Database, clock: FixedClock
) -> None:
    other = add_registration(database, clock, world.url, client_id="tool-2")
    assert world.tokens.get(world.registration, [SCORE]) != world.tokens.get(other, [SCORE])


def test_k4_another_token_address_needs_another_token(world: World, keyring: Keyring) -> None:
    world.tokens.get(world.registration, [SCORE])
    world.registration.client_id = "tool-renamed"
    http = HttpClient(allow_private=True, allow_http=True)
    fresh = AccessTokens(world.database, world.clock, keyring, http, TestSigner())
    assert fresh.get(world.registration, [SCORE]) == "token-2"


@pytest.mark.parametrize(
    ("answer", "lifetime"),
    [
        ({}, 540),
        ({"expires_in": "3600"}, 3540),
        ({"expires_in": None}, 540),
        ({"expires_in": -5}, 540),
        ({"expires_in": 1e99}, 24 * 3600 - 60),
        ({"expires_in": 60}, 30),
        ({"expires_in": [1]}, 540),
    ],
)
def test_k4_default_when_the_lifetime_is_missing_or_odd(
    world: World, answer: dict[str, Any], lifetime: int
) -> None:
    world.stub.queue("POST", "/token", as_json({"access_token": "first"} | answer))
    world.tokens.get(world.registration, [SCORE])
    world.clock.advance(seconds=lifetime - 1)
    assert world.tokens.get(world.registration, [SCORE]) == "first"
    world.clock.advance(seconds=2)
    assert world.tokens.get(world.registration, [SCORE]) == "token-1"


def test_k4_single_flight(world: World) -> None:
    threads = 16
    arrived = threading.Barrier(threads)

    def slow(request: Request) -> Response:
        # Answers only when every other thread has had the chance to ask as well.
        asked.wait(5)
        return as_json({"access_token": "shared", "scope": request.form["scope"]})

    asked = threading.Event()
    world.stub.queue("POST", "/token", slow)

    def get(number: int) -> str:
        if arrived.wait(5) == 0:
            asked.set()
        return world.tokens.get(world.registration, [SCORE])

    with ThreadPoolExecutor(threads) as pool:
        tokens = set(pool.map(get, range(threads)))
    assert tokens == {"shared"}
    assert len(world.stub.seen("POST", "/token")) == 1


def test_k5_narrower_scopes_are_noticed(world: World) -> None:
    world.stub.queue(
        "POST", "/token", as_json({"access_token": "t", "scope": SCORE, "expires_in": 3600})
    )
    with pytest.raises(NarrowerScopeError) as caught:
        world.tokens.get(world.registration, [SCORE, LINE_ITEM])
    assert caught.value.context["missing"] == [LINE_ITEM]
    with pytest.raises(NarrowerScopeError):
        world.tokens.get(world.registration, [SCORE, LINE_ITEM])
    assert len(world.stub.seen("POST", "/token")) == 1
    # What an administrator corrects takes effect soon.
    world.clock.advance(seconds=61)
    assert world.tokens.get(world.registration, [SCORE, LINE_ITEM]) == "token-1"


def test_k5_no_scope_in_the_answer_means_as_asked(world: World) -> None:
    world.stub.queue("POST", "/token", as_json({"access_token": "t"}))
    assert world.tokens.get(world.registration, [MEMBERS_READ]) == "t"


def test_k5_scope_as_a_list(world: World) -> None:
    world.stub.queue("POST", "/token", as_json({"access_token": "t", "scope": [SCORE]}))
    assert world.tokens.get(world.registration, [SCORE]) == "t"
