from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from werkzeug import Request, Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.models import AccessToken, Standing
from lti_tool.lti.platforms.base import SCORE
from lti_tool.lti.service_errors import (
    InvalidClientError,
    InvalidScopeError,
    MalformedTokenError,
    TokenError,
    TokenUnavailableError,
)
from tests.lti.outbound_world import World, add_registration, as_json, open_world

HTML = Response("<!DOCTYPE html><p>Error</p>", 404, content_type="text/html")


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


@pytest.fixture
def moodle(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, family="moodle") as world:
        yield world


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (as_json({"error": "invalid_client"}, 400), InvalidClientError, 400),
        (as_json({"error": "invalid_scope"}, 400), InvalidScopeError, 400),
        (as_json({"error": "unauthorized_client"}, 400), TokenError, 400),
        (as_json(["error"], 400), TokenError, 400),
        (HTML, MalformedTokenError, 404),
        (Response("busy", 503), TokenUnavailableError, 503),
        (Response("slow", 429), TokenUnavailableError, 429),
        (Response("moved", 302, headers={"Location": "http://10.0.0.1/"}), TokenError, 302),
        (Response("<html>fine", 200), MalformedTokenError, 200),
        (Response('{"access_token": "half', 200), MalformedTokenError, 200),
        (Response("[" * 100_000, 200), TokenError, None),
        (as_json([1]), MalformedTokenError, 200),
        (as_json({"access_token": 5}), MalformedTokenError, 200),
        (as_json({"access_token": "two\r\nlines"}), MalformedTokenError, 200),
        (as_json({"access_token": "x" * 100_000}), MalformedTokenError, None),
    ],
)
def test_a_bad_answer_is_a_typed_error_with_evidence(
    world: World, answer: Response, kind: type[TokenError], status: int | None
) -> None:
    world.stub.queue("POST", "/token", answer)
    with pytest.raises(kind) as caught:
        world.tokens.get(world.registration, [SCORE])
    assert type(caught.value) is kind or kind is TokenError
    assert caught.value.http_status == status
    assert caught.value.remedy or status is None
    # Nothing bad is kept: the next request asks again.
    assert world.tokens.get(world.registration, [SCORE]) == "token-1"


def test_unreachable(world: World, database: Database, clock: FixedClock) -> None:
    gone = add_registration(database, clock, "http://127.0.0.1:1", client_id="gone")
    with pytest.raises(TokenUnavailableError):
        world.tokens.get(gone, [SCORE])


def test_a_disabled_platform_gets_no_request(world: World) -> None:
    world.registration.standing = Standing.DISABLED
    with pytest.raises(TokenError, match="disabled"):
        world.tokens.get(world.registration, [SCORE])
    assert world.stub.requests == []


def test_threads_share_a_failure_too(world: World) -> None:
    release = threading.Event()
    barrier = threading.Barrier(4)

    def fail(_request: Request) -> Response:
        release.wait(5)
        return as_json({"error": "invalid_client"}, 400)

    world.stub.on("POST", "/token", fail)

    def get(_number: int) -> str:
        if barrier.wait(5) == 0:
            release.set()
        try:
            return world.tokens.get(world.registration, [SCORE])
        except InvalidClientError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(get, range(4))) == {"token_invalid_client"}


def test_dropped_token_is_forgotten_everywhere(world: World) -> None:
    token = world.tokens.get(world.registration, [SCORE])
    world.tokens.drop(world.registration, [SCORE], token)
    assert world.tokens.get(world.registration, [SCORE]) == "token-2"
    world.tokens.drop(world.registration, ["never-asked"], "x")


def test_a_newer_token_survives_a_late_drop(world: World) -> None:
    old = world.tokens.get(world.registration, [SCORE])
    world.tokens.drop(world.registration, [SCORE], old)
    new = world.tokens.get(world.registration, [SCORE])
    world.tokens.drop(world.registration, [SCORE], old)
    assert world.tokens.get(world.registration, [SCORE]) == new
    with world.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AccessToken)) == 1


def test_moodle_that_cannot_fetch_our_keys_is_explained(moodle: World) -> None:
    moodle.stub.queue("POST", "/token", HTML)
    with pytest.raises(TokenError, match="could not fetch this tool's keys") as caught:
        moodle.tokens.get(moodle.registration, [SCORE])
    assert caught.value.remedy is not None
    assert "HTTP security" in caught.value.remedy
    assert caught.value.context["excerpt"].startswith("<!DOCTYPE")


@pytest.mark.parametrize("problem", ["invalid_client", "invalid_scope"])
def test_moodle_refusals_are_explained(moodle: World, problem: str) -> None:
    moodle.stub.queue("POST", "/token", as_json({"error": problem}, 400))
    with pytest.raises(TokenError, match="Moodle does not") as caught:
        moodle.tokens.get(moodle.registration, [SCORE])
    assert caught.value.code == f"token_{problem}"
