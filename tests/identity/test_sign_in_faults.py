"""What the provider may answer wrongly, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug import Response

from lti_tool.core.errors import NagaError
from lti_tool.identity.sign_in_errors import (
    SignInDeniedError,
    SignInTokenError,
    SignInUnavailableError,
)
from tests.identity.launched import PERSON
from tests.identity.oidc_provider import (
    CONFIGURATION,
)
from tests.identity.sign_in_world import World, refused
from tests.lti.outbound_world import as_json, raw_server


@pytest.mark.parametrize(
    "answer",
    [
        Response("down", 503),
        Response("<html>", 200),
        as_json([1]),
        as_json({"issuer": "https://other.example"}),
        Response("[" * 200_000, 200),
        Response("x" * 300_000, 200),
        Response("", 302, headers={"Location": "http://10.0.0.1/"}),
    ],
)
def test_a_configuration_that_does_not_hold(world: World, answer: Response) -> None:
    world.oidc.stub.queue("GET", CONFIGURATION, answer)
    with pytest.raises(SignInUnavailableError):
        world.sign_ins.begin(world.launched.reference)
    # Nothing bad is kept: the next attempt asks again.
    assert world.sign_in() == PERSON


@pytest.mark.parametrize("endpoint", [None, 5, "ftp://provider.example/token", "//x"])
def test_an_endpoint_that_may_not_be_called(world: World, endpoint: Any) -> None:
    document = world.oidc.configuration() | {"authorization_endpoint": endpoint}
    world.oidc.stub.queue("GET", CONFIGURATION, as_json(document))
    with pytest.raises(SignInUnavailableError):
        world.sign_ins.begin(world.launched.reference)


def test_nobody_answers(world: World) -> None:
    with pytest.raises(SignInUnavailableError):
        world.process(issuer="http://127.0.0.1:1").begin(world.launched.reference)


def test_half_an_answer(world: World) -> None:
    with (
        raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{") as url,
        pytest.raises(SignInUnavailableError),
    ):
        world.process(issuer=url).begin(world.launched.reference)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response("down", 502), SignInUnavailableError),
        (as_json({}, 500), SignInUnavailableError),
        (as_json({"error": "invalid_client"}, 401), SignInDeniedError),
        (as_json({"error": ["odd"]}, 400), SignInDeniedError),
        (as_json({"access_token": "alone"}), SignInTokenError),
        (as_json({"id_token": 5}), SignInTokenError),
        (as_json({"id_token": "a.b.c.d.e"}), SignInTokenError),
        (as_json({"id_token": "nonsense"}), SignInTokenError),
    ],
)
def test_a_token_answer_that_does_not_hold(
    world: World, answer: Response, kind: type[NagaError]
) -> None:
    world.oidc.stub.queue("POST", "/token", answer)
    refused(world, kind)


def test_keys_that_cannot_be_read(world: World) -> None:
    world.oidc.stub.on("GET", "/keys", Response("down", 503))
    refused(world, SignInUnavailableError)
