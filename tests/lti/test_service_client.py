from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from werkzeug import Request, Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.links import find_link
from lti_tool.lti.platforms.base import SCORE
from lti_tool.lti.service_client import ServiceClient
from lti_tool.lti.service_errors import (
    AGS,
    AgsMalformedError,
    AgsRefusedError,
    AgsUnavailableError,
    ServiceError,
)
from tests.lti.outbound_world import Stub, World, as_json, open_world, raw_server


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, timeout=1) as world:
        yield world


def _call(world: World, url: str, method: str = "GET", **options: Any) -> Any:
    settings: dict[str, Any] = {"scope": SCORE, "errors": AGS, "accept": "application/json"}
    return world.client.call(world.registration, method, url, **(settings | options))


def test_a_server_that_hangs_is_unavailable(
    world: World, database: Database, clock: FixedClock, keyring: Keyring
) -> None:
    hasty = ServiceClient(
        HttpClient(allow_private=True, allow_http=True),
        world.tokens,
        attempts=2,
        timeout=0.05,
        sleep=world.waits.append,
    )
    with raw_server(None) as url, pytest.raises(AgsUnavailableError, match="timed out") as caught:
        hasty.call(world.registration, "GET", url, scope=SCORE, errors=AGS, accept="x/y")
    assert caught.value.uncertain
    assert len(world.waits) == 1
    assert 0.25 <= world.waits[0] <= 0.5


def test_a_server_that_breaks_off_is_unavailable(world: World) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"
    with raw_server(answer) as url, pytest.raises(AgsUnavailableError):
        _call(world, url)
    assert world.waits == [0.5, 1.0]


def test_a_hundred_megabytes_are_not_read(world: World) -> None:
    sent = 0

    def flood() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 1024 * 1024

    world.stub.on("GET", "/flood", lambda _: Response(flood(), content_type="application/json"))
    with pytest.raises(AgsMalformedError) as caught:
        _call(world, f"{world.url}/flood")
    assert caught.value.context["outbound"] == "outbound_too_large"
    assert sent < 40
    assert world.waits == []


def test_an_address_that_may_not_be_called_is_refused(world: World) -> None:
    strict = ServiceClient(HttpClient(), world.tokens, sleep=world.waits.append)
    with pytest.raises(AgsRefusedError) as caught:
        strict.call(world.registration, "GET", world.url, scope=SCORE, errors=AGS, accept="x/y")
    assert caught.value.context["outbound"] == "outbound_host_refused"


def test_a_private_address_is_refused_before_a_byte_is_sent(world: World) -> None:
    public_only = ServiceClient(HttpClient(allow_http=True), world.tokens)
    with pytest.raises(AgsRefusedError):
        public_only.call(
            world.registration, "GET", f"{world.url}/x", scope=SCORE, errors=AGS, accept="x/y"
        )
    assert world.stub.seen("GET", "/x") == []


def test_a_redirect_to_a_private_address_is_not_followed(world: World) -> None:
    inside = Stub()
    try:
        headers = {"Location": f"{inside.url}/metadata"}
        world.stub.on("GET", "/moved", Response("", 307, headers=headers))
        with pytest.raises(AgsRefusedError) as caught:
            _call(world, f"{world.url}/moved")
        assert caught.value.http_status == 307
        assert inside.requests == []
    finally:
        inside.close()


def test_a_refused_token_is_the_services_error_with_its_code(world: World) -> None:
    world.stub.on("POST", "/token", as_json({"error": "invalid_client"}, 400))
    with pytest.raises(AgsRefusedError) as caught:
        _call(world, f"{world.url}/x")
    assert caught.value.context["token_error"] == "token_invalid_client"
    assert caught.value.context["host"] == "127.0.0.1"
    assert len(world.stub.requests) == 1


def test_a_token_endpoint_in_trouble_is_tried_again(world: World) -> None:
    world.stub.queue("POST", "/token", Response("", 503))
    world.stub.on("GET", "/x", as_json({"a": 1}))
    assert _call(world, f"{world.url}/x").json() == {"a": 1}
    assert world.waits == [0.5]
    world.tokens.drop(world.registration, [SCORE], "token-1")
    world.stub.on("POST", "/token", Response("", 503))
    with pytest.raises(AgsUnavailableError) as caught:
        _call(world, f"{world.url}/x")
    assert caught.value.context["token_error"] == "token_unavailable"
    assert not caught.value.uncertain


def test_what_may_have_happened_is_not_repeated(world: World) -> None:
    world.stub.queue("POST", "/once", Response("", 503), Response("", 500))
    with pytest.raises(AgsUnavailableError) as caught:
        _call(world, f"{world.url}/once", "POST", body={}, repeatable=False)
    assert caught.value.uncertain
    assert len(world.stub.seen("POST", "/once")) == 2


def test_decimals_are_sent_as_numbers_and_nothing_else_is(world: World) -> None:
    world.stub.on("PUT", "/x", lambda request: Response(request.get_data()))
    answer = _call(world, f"{world.url}/x", "PUT", body={"a": Decimal("1.5"), "b": Decimal(2)})
    assert answer.body == b'{"a": 1.5, "b": 2}'
    with pytest.raises(TypeError):
        _call(world, f"{world.url}/x", "PUT", body={"a": object()})
    with pytest.raises(ValueError):
        _call(world, f"{world.url}/x", "PUT", body={"a": float("nan")})


def test_deep_nesting_is_malformed(world: World) -> None:
    world.stub.on("GET", "/deep", Response("[" * 200_000))

    def following(response: Any, _document: Any) -> str | None:
        return find_link(response.link_headers, "next", base=response.url)

    with pytest.raises(AgsMalformedError):
        list(
            world.client.pages(
                world.registration,
                f"{world.url}/deep",
                scope=SCORE,
                errors=AGS,
                accept="x/y",
                following=following,
            )
        )


def test_the_token_is_kept_over_calls(world: World) -> None:
    def check(request: Request) -> Response:
        return as_json({"auth": request.headers["Authorization"]})

    world.stub.on("GET", "/x", check)
    for _ in range(5):
        assert _call(world, f"{world.url}/x").json() == {"auth": "Bearer token-1"}
    assert len(world.tokens_given) == 1


def test_an_error_without_an_answer_has_no_status() -> None:
    assert ServiceError("x").http_status is None
    problem = ServiceError("x", host="h").problem()
    assert problem["code"] == "service_failed"
    assert problem["host"] == "h"
