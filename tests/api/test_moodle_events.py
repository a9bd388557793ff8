"""Events over HTTP: packed and signed as a plugin does it, to the tool as it really serves."""

from __future__ import annotations

import gzip
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import make_server

from lti_tool import create_app, migrations
from lti_tool.api import signed
from lti_tool.core.clock import FixedClock
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.settings import Settings
from lti_tool.wiring import Services
from tests.moodle.moodle_site import MoodleServer, served
from tests.moodle.signing import (
    TOOL,
    batch,
    claims_of,
    connect,
    event,
    packed,
    reload,
    signature,
    stored,
)

PATH = "/api/v1/moodle/events"


@dataclass
class World:
    """The tool behind a port, and a Moodle that is connected with it."""

    address: str
    services: Services
    clock: FixedClock
    moodle: MoodleServer
    site: MoodleSite

    def post(self, message: Any, **claims: Any) -> requests.Response:
        """Post a message, packed and signed."""
        sent = packed(self.moodle, message, **claims)
        return self.send(sent.body, sent.headers)

    def send(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        """Post these very bytes."""
        return requests.post(self.address + PATH, data=body, headers=headers, timeout=60)

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers that sign a body."""
        return {"Authorization": signature(claims_of(self.moodle, body), self.moodle.key)}


@pytest.fixture
def app(tmp_path: Path, keys_dir: Path, database_url: str, clock: FixedClock) -> Iterator[Flask]:
    app = create_app(
        Settings(
            database_url=database_url,
            keys_dir=keys_dir,
            public_url=TOOL,
            broker_dir=tmp_path / "broker",
            outbound_allow_private=True,
            outbound_allow_http=True,
            log_level="ERROR",
        ),
        clock=clock,
    )
    migrations.upgrade(app.extensions["naga"].database)
    yield app
    app.extensions["naga"].database.dispose()


@pytest.fixture
def world(app: Flask, clock: FixedClock) -> Iterator[World]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    services: Services = app.extensions["naga"]
    with served(clock) as moodle:
        site = connect(services.database, clock, moodle)
        address = f"http://127.0.0.1:{server.server_port}"
        yield World(address, services, clock, moodle, site)
    server.shutdown()
    server.server_close()
    thread.join()


def test_events_are_stored_and_the_answer_says_how_far(world: World) -> None:
    answer = world.post(batch(1, 3))
    assert answer.status_code == 200
    assert answer.json() == {
        "held": 3,
        "epoch": batch(1, 0)["epoch"],
        "now": int(world.clock.now().timestamp()),
        "renew": False,
        "sign_in": None,
    }
    assert world.post(batch(1, 5)).json()["held"] == 5
    assert len(stored(world.services.database, world.site)) == 5


def test_a_site_whose_token_is_refused_is_asked_for_a_new_one(world: World) -> None:
    world.services.sites.pause(world.site.id, reason="moodle_token_refused", actor="tests")
    assert world.post(batch(1, 3)).json()["renew"] is True


def test_a_body_need_not_be_packed(world: World) -> None:
    body = json.dumps(batch(1, 2)).encode()
    assert world.send(body, world.sign(body)).json()["held"] == 2


def test_what_is_refused_is_a_problem_document(world: World) -> None:
    answer = world.send(gzip.compress(b"{}"), {"Content-Encoding": "gzip"})
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "request_unsigned"
    assert answer.json()["field"] == "Authorization"


def test_a_request_is_taken_once(world: World) -> None:
    sent = packed(world.moodle, batch(1, 1))
    assert world.send(sent.body, sent.headers).status_code == 200
    again = world.send(sent.body, sent.headers)
    assert (again.status_code, again.json()["code"]) == (401, "request_replayed")


def test_it_is_too_late(world: World) -> None:
    now = world.moodle.now()
    answer = world.post(batch(1, 1), iat=now - 600, exp=now - 540)
    assert (answer.status_code, answer.json()["code"]) == (401, "request_expired")
    assert answer.json()["now"] == now


def test_a_signature_for_another_address(world: World) -> None:
    answer = world.post(batch(1, 1), aud=TOOL + "/api/v1/moodle/unpair")
    assert (answer.status_code, answer.json()["field"]) == (401, "aud")


def test_the_malformed_event_is_found_by_its_place(world: World) -> None:
    message = batch(1, 10)
    message["events"][6]["user"] = "Dara"
    answer = world.post(message)
    assert (answer.status_code, answer.json()["code"]) == (422, "events_invalid")
    assert answer.json()["field"] == "/events/6/user"
    assert "Dara" not in answer.text
    # What the plugin does then: a hole in its place, and all others arrive.
    bad = message["events"][6]
    message["events"][6] = {"seq": 7, "id": bad["id"], "type": "hole", "at": bad["at"]}
    assert world.post(message).json()["held"] == 10


def test_another_version(world: World) -> None:
    answer = world.post({"contract": 7})
    assert (answer.status_code, answer.json()["code"]) == (400, "contract_unsupported")
    assert answer.json()["supported"] == [1]


def test_an_epoch_that_is_over(world: World) -> None:
    world.post(batch(1, 9))
    answer = world.post(batch(3, 2))
    assert (answer.status_code, answer.json()["code"]) == (409, "epoch_over")


def test_a_connection_that_was_ended(world: World) -> None:
    with world.services.database.write() as session:
        found = session.get(MoodleSite, world.site.id)
        assert found is not None
        found.standing = SiteStanding.DISCONNECTED
    answer = world.post(batch(1, 1))
    assert (answer.status_code, answer.json()["code"]) == (410, "site_disconnected")


def _event(seq: int) -> dict[str, Any]:
    """An event that cannot be packed smaller."""
    return event(seq, data={f"k{key}": secrets.token_hex(127) for key in range(20)})


def test_more_than_a_form_may_have(world: World) -> None:
    message = batch(1, 1000) | {"events": [_event(seq) for seq in range(1, 1001)]}
    sent = packed(world.moodle, message)
    assert len(sent.body) > 1024 * 1024
    assert world.send(sent.body, sent.headers).json()["held"] == 1000


def test_eight_megabytes_and_no_more(app: Flask, world: World) -> None:
    limit = 8 * 1024 * 1024
    too_large = b"0" * (limit + 1)
    # Not over the wire: the answer comes before the body is read, and may cross it.
    refused = app.test_client().post(PATH, data=too_large, headers=world.sign(too_large))
    assert refused.status_code == 413
    bomb = gzip.compress(b" " * 200 * 1024 * 1024, compresslevel=1)
    assert len(bomb) < limit
    answer = world.send(bomb, world.sign(bomb) | {"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}")[:-4], "gzip"),
        (gzip.compress(b"{}") + b"more", "gzip"),
        (b"{}", "br"),
        (b"{", ""),
    ],
    # Packed bodies hold the time of packing: no names for tests.
    ids=["not packed", "cut short", "with more behind it", "packed otherwise", "no JSON"],
)
def test_bodies_that_cannot_be_read(world: World, body: bytes, encoding: str) -> None:
    answer = world.send(body, world.sign(body) | {"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert reload(world.services.database, world.site).held == 0


def test_only_posts(world: World) -> None:
    answer = requests.get(world.address + PATH, timeout=10)
    assert answer.status_code == 405


def test_a_site_is_limited_and_others_are_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed, "PER_SITE", "2/minute")
    with served(world.clock) as other:
        other.client_id = "client-2"
        connect(world.services.database, world.clock, other)
        assert [world.post(batch(1, 1)).status_code for _ in range(3)] == [200, 200, 429]
        sent = packed(other, batch(1, 1))
        assert world.send(sent.body, sent.headers).status_code == 200


def test_strangers_are_limited_before_anything_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed, "PER_ADDRESS", "2/minute")
    statuses = [world.send(b"{}", {}).status_code for _ in range(3)]
    assert statuses == [401, 401, 429]
