"""What a Moodle's plugin calls to connect, and to end it: over HTTP, as it does."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from lti_tool import create_app
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Base
from lti_tool.settings import Settings
from lti_tool.wiring import Services
from tests.moodle.moodle_site import STRANGE_KEY, MoodleServer, encoded, served

TOOL = "https://sis.example.edu"


@dataclass
class Tool:
    """The tool's API, and the Moodle that calls it."""

    services: Services
    client: Any
    moodle: MoodleServer

    def send(
        self,
        name: str,
        message: dict[str, Any],
        *,
        sign: bool = True,
        packed: bool = True,
        key: RSAKey | None = None,
    ) -> Any:
        """Post a message to ``/api/v1/moodle/<name>``."""
        body = gzip.compress(encoded(message)) if packed else encoded(message)
        path = f"/api/v1/moodle/{name}"
        headers = {"Content-Type": "application/json"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        if sign:
            headers["Authorization"] = self.moodle.authorization(body, TOOL + path, key=key)
        return self.client.post(path, data=body, headers=headers, base_url=TOOL)

    def secret(self) -> str:
        """The secret of a new code."""
        content = self.services.pairing.code(actor="tests").text.split(".")[1]
        found: str = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))["s"]
        return found

    def pair(self) -> dict[str, Any]:
        """Connect; the answer."""
        done = self.send("pair", self.moodle.pairing(self.secret()))
        assert done.status_code == 200, done.text
        found: dict[str, Any] = done.json
        return found


@pytest.fixture
def tool(tmp_path: Path, database_url: str, keys_dir: Path, clock: FixedClock) -> Iterator[Tool]:
    app = create_app(
        Settings(
            public_url=TOOL,
            database_url=database_url,
            keys_dir=keys_dir,
            broker_dir=tmp_path / "broker",
            log_level="ERROR",
            outbound_allow_private=True,
            outbound_allow_http=True,
        ),
        clock=clock,
    )
    services: Services = app.extensions["naga"]
    Base.metadata.create_all(services.database.engine)
    with served(clock) as moodle:
        yield Tool(services, app.test_client(), moodle)
    services.database.dispose()


def test_from_the_code_to_the_checklist_and_back(tool: Tool, clock: FixedClock) -> None:
    secret = tool.secret()
    offer = tool.send("offer", {"contract": 1, "secret": secret}, sign=False)
    assert offer.json["tool_url"] == TOOL
    done = tool.send("pair", tool.moodle.pairing(secret))
    assert done.json["contract"] == 1
    assert {each["name"]: each["status"] for each in done.json["checks"]}["moodle_answers"] == "ok"

    clock.advance(days=20)
    tool.moodle.token = "b" * 32
    ends = tool.moodle.now() + 30 * 86400
    renewed = tool.send("token", {"contract": 1, "token": {"token": "b" * 32, "expires_at": ends}})
    assert renewed.json == {"expires_at": ends}

    checked = tool.send("check", {"contract": 1})
    assert checked.json["now"] == tool.moodle.now()
    assert {each["status"] for each in checked.json["checks"]} == {"ok"}

    assert tool.send("unpair", {"contract": 1}).json == {}
    gone = tool.send("check", {"contract": 1})
    assert (gone.status_code, gone.json["code"]) == (410, "site_disconnected")
    assert tool.pair()["site"] == done.json["site"]


def test_the_answer_may_be_lost(tool: Tool) -> None:
    message = tool.moodle.pairing(tool.secret())
    first, second = tool.send("pair", message), tool.send("pair", message)
    assert first.json == second.json


@pytest.mark.parametrize("name", ["token", "check", "sign-in", "unpair", "events"])
def test_a_stranger_is_refused_everywhere(tool: Tool, name: str) -> None:
    message = {"contract": 1}
    before = tool.send(name, message)
    assert (before.status_code, before.json["code"]) == (401, "site_unknown")
    tool.pair()
    for done in (
        tool.send(name, message, sign=False),
        tool.send(name, message, key=STRANGE_KEY),
    ):
        assert (done.status_code, done.json["code"]) == (401, "request_unsigned")
        assert done.mimetype == "application/problem+json"


def test_a_request_is_taken_once(tool: Tool) -> None:
    tool.pair()
    body = encoded({"contract": 1})
    path = "/api/v1/moodle/check"
    headers = {"Authorization": tool.moodle.authorization(body, TOOL + path)}
    answers = [tool.client.post(path, data=body, headers=headers, base_url=TOOL) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 401]
    assert answers[1].json["code"] == "request_replayed"


def test_another_contract_is_answered_before_anything_is_judged(tool: Tool) -> None:
    message = {"contract": 9, "something": "new"}
    for done in (tool.send("offer", message, sign=False), tool.send("pair", message)):
        assert (done.status_code, done.json["code"]) == (400, "contract_unsupported")
        assert done.json["supported"] == [1]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": 7}, "/url"),
        ({"token": {"token": "x", "expires_at": 1}}, "/token/token"),
        ({"extra": True}, "/extra"),
        ({"epoch": "no"}, "/epoch"),
        ({"contract": "1"}, "/contract"),
    ],
)
def test_a_message_that_does_not_fit_is_told_where(
    tool: Tool, change: dict[str, Any], field: str
) -> None:
    done = tool.send("pair", tool.moodle.pairing(tool.secret(), **change))
    assert (done.status_code, done.json["field"]) == (400, field)
    assert tool.services.sites.moodles() == []


def test_bodies_that_are_none(tool: Tool) -> None:
    path = "/api/v1/moodle/offer"
    for body, headers in (
        (b"{", {}),
        (b"[]", {}),
        (b"no gzip", {"Content-Encoding": "gzip"}),
        (gzip.compress(b"{}")[:-4], {"Content-Encoding": "gzip"}),
        (b"{}", {"Content-Encoding": "br"}),
    ):
        done = tool.client.post(path, data=body, headers=headers, base_url=TOOL)
        assert done.status_code == 400, body
        assert done.json["code"] == "invalid_input"
    bomb = gzip.compress(b" " * (9 * 1024 * 1024))
    done = tool.client.post(path, data=bomb, headers={"Content-Encoding": "gzip"}, base_url=TOOL)
    assert done.status_code == 413


def test_a_code_that_does_not_work_says_why(tool: Tool, clock: FixedClock) -> None:
    def refused(secret: str) -> str:
        done = tool.send("offer", {"contract": 1, "secret": secret}, sign=False)
        assert done.status_code == 400
        code: str = done.json["code"]
        return code

    used, late = tool.secret(), tool.secret()
    assert tool.send("pair", tool.moodle.pairing(used)).status_code == 200
    assert refused("x" * 20) == "pairing_code_unknown"
    assert refused(used) == "pairing_code_used"
    clock.advance(minutes=15)
    assert refused(late) == "pairing_code_expired"


def test_an_offer_says_where_people_of_that_moodle_will_sign_in(tool: Tool) -> None:
    issuer = "https://login.example.com/realms/school"
    url = "https://moodle.example.com"
    tool.services.sign_in_clients.keep(
        url, issuer=issuer, client_id="moodle", secret="s", person_claim="k", actor="tests"
    )
    asked = {"contract": 1, "secret": tool.secret()}
    for other, said in (({"url": url + "/"}, issuer), ({"url": url + "2"}, None), ({}, None)):
        done = tool.send("offer", asked | other, sign=False)
        assert done.json["sign_in_url"] == said


def test_guessing_codes_is_slowed_down(tool: Tool) -> None:
    answers = [
        tool.send("offer", {"contract": 1, "secret": f"guess-{number}"}, sign=False).status_code
        for number in range(35)
    ]
    assert answers[:30] == [400] * 30
    assert answers[-1] == 429


def test_a_moodle_that_does_not_answer_is_connected_and_told(tool: Tool) -> None:
    message = tool.moodle.pairing(tool.secret())
    tool.moodle.token = "quite" * 8
    done = tool.send("pair", message)
    lines = {each["name"]: each for each in done.json["checks"]}
    assert done.status_code == 200
    assert lines["moodle_answers"]["status"] == "error"
    assert "a" * 32 not in done.text


def test_pairing_says_by_what_people_sign_in(tool: Tool) -> None:
    assert tool.pair()["sign_in"] is None
    assert tool.send("sign-in", {"contract": 1}).json == {"contract": 1, "sign_in": None}
    tool.services.sign_in_clients.keep(
        tool.moodle.url,
        issuer="https://login.example.edu/realms/school",
        client_id="moodle",
        secret="s3cret",
        person_claim="person_uuid",
        actor="tests",
    )
    said = tool.pair()["sign_in"]
    assert said == {
        "issuer": "https://login.example.edu/realms/school",
        "client_id": "moodle",
        "client_secret": "s3cret",
        "person_claim": "person_uuid",
        "revision": tool.services.sign_in_clients.revision(tool.moodle.url),
    }
    assert tool.send("sign-in", {"contract": 1}).json["sign_in"] == said


def test_a_secret_is_said_only_to_its_own_moodle(tool: Tool) -> None:
    tool.pair()
    stranger = tool.send("sign-in", {"contract": 1}, key=STRANGE_KEY)
    assert stranger.status_code == 401
    tool.send("unpair", {"contract": 1})
    assert tool.send("sign-in", {"contract": 1}).status_code == 410
