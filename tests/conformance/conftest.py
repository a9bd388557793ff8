"""A platform for the tests: signs what a test wants signed, serves its keys, counts who asks."""

from __future__ import annotations

import base64
import json
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jws
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from lti_tool import create_app
from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.launch import AcceptedLaunch, Launches
from lti_tool.lti.login import Logins, LoginTicket
from lti_tool.lti.models import Launch, Registration
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.settings import Settings

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

PUBLIC_URL = "https://tool.example"
TARGET = PUBLIC_URL + "/l"
ISSUER = "https://moodle.example"
CLIENT = "client-1"
DEPLOYMENT = "7"


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    """A key by name: made once, as making one is slow."""
    if bits >= 2048:
        return RSAKey.generate_key(bits, private=True)
    with warnings.catch_warnings(action="ignore"):
        return RSAKey.generate_key(bits, private=True)


def jwk(key: RSAKey, kid: str | None, **members: Any) -> dict[str, Any]:
    """The public JWK of a key; a member set to ``None`` is left out."""
    document = {**key.as_dict(private=False), "kid": kid, "alg": "RS256", "use": "sig", **members}
    return {name: value for name, value in document.items() if value is not None}


def encode(part: Any) -> str:
    """A segment of a token."""
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def sign(payload: Any, key: RSAKey, *, alg: str = "RS256", **header: Any) -> str:
    """A compact JWS of anything at all, with any header; ``None`` leaves a member out."""
    protected = {"typ": "JWT", "alg": alg, "kid": "key-1", **header}
    protected = {name: value for name, value in protected.items() if value is not None}
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_payload_length = registry.max_header_length = 10_000_000
    if protected.keys() & {"crit", "b64", "jku", "x5u", "jwk", "x5c"}:
        # The library refuses to write what a test wants to see refused.
        signing_input = f"{encode(protected)}.{encode(content)}"
        signature = registry.get_alg("RS256").sign(signing_input.encode(), key)
        return f"{signing_input}.{encode(signature)}"
    return jws.serialize_compact(protected, content, key, registry=registry)


@dataclass
class KeyServer:
    """Serves key sets by path; counts the fetches."""

    url: str
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    fetches: int = 0
    hold: threading.Event | None = None

    def serve(self, *keys: dict[str, Any], path: str = "/keys") -> str:
        """Publish these keys; returns the address."""
        return self.answer(json.dumps({"keys": keys}).encode(), path=path)

    def answer(
        self,
        body: bytes,
        *,
        status: int = 200,
        path: str = "/keys",
        headers: dict[str, str] | None = None,
    ) -> str:
        """Answer with anything; returns the address."""
        self.answers[path] = (status, headers or {}, body)
        return self.url + path


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.fetches += 1
            if server.hold is not None:
                server.hold.wait(10)
            status, headers, body = server.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                # The reader has had enough, as it should of a large answer.
                self.close_connection = True

        def log_message(self, *_: Any) -> None: ...

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None: ...

    httpd = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    server = KeyServer(f"http://127.0.0.1:{httpd.server_address[1]}")
    yield server
    if server.hold is not None:
        server.hold.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@dataclass
class World:
    """A tool with one registered platform, and that platform's hands."""

    database: Database
    clock: FixedClock
    http: HttpClient
    key_server: KeyServer
    registrations: Registrations
    platform_keys: PlatformKeys
    logins: Logins
    launches: Launches
    registration: Registration
    key: RSAKey

    def login(self, **changes: str | None) -> LoginTicket:
        """Begin a sign-in as the platform would; ``None`` leaves a parameter out."""
        return self.logins.begin(login_parameters(**changes))

    def claims(self, ticket: LoginTicket | None = None, **changes: Any) -> dict[str, Any]:
        """A right message for this sign-in, changed by claim name; ``...`` leaves one out."""
        now = int(self.clock.now().timestamp())
        nonce = ticket.nonce if ticket else "nonce"
        return message(now, nonce, **changes)

    def sign(self, payload: Any, **options: Any) -> str:
        """Sign as the platform."""
        return sign(payload, options.pop("key", self.key), **options)

    def accept(self, ticket: LoginTicket, id_token: str, **changes: Any) -> AcceptedLaunch:
        """Come back with the platform's answer."""
        values = {
            "state": ticket.state,
            "id_token": id_token,
            "binding_secret": ticket.binding_secret,
            **changes,
        }
        return self.launches.accept(**values)

    def launch(self, **changes: Any) -> AcceptedLaunch:
        """Sign in and launch with these claims."""
        ticket = self.login()
        return self.accept(ticket, self.sign(self.claims(ticket, **changes)))

    def refused(self, **changes: Any) -> LaunchError:
        """The error of a launch with these claims, which must leave exactly one record."""
        ticket = self.login()
        return self.refused_token(self.sign(self.claims(ticket, **changes)), ticket)

    def refused_token(
        self, id_token: str, ticket: LoginTicket | None = None, **changes: Any
    ) -> LaunchError:
        """The error of a launch with this token, which must leave exactly one record."""
        before = len(self.records())
        with pytest.raises(LaunchError) as caught:
            self.accept(ticket or self.login(), id_token, **changes)
        records = self.records()
        assert len(records) == before + 1
        record = next(each for each in records if each.reference == caught.value.reference)
        assert record.outcome != "accepted"
        assert record.reason == caught.value.code
        assert record.secret_hash is None
        assert 400 <= caught.value.status < 504
        return caught.value

    def records(self) -> list[Launch]:
        """All launch records."""
        return self.launches.recent(limit=1000)

    def another_process(self) -> Launches:
        """The same tool in another process: same database, nothing in memory."""
        keys = PlatformKeys(self.database, self.clock, self.http)
        return Launches(
            self.database,
            self.clock,
            self.registrations,
            self.logins,
            keys,
            public_url=PUBLIC_URL,
        )


def login_parameters(**changes: str | None) -> dict[str, str]:
    """What Moodle sends; ``None`` leaves a parameter out."""
    values = {
        "iss": ISSUER,
        "target_link_uri": TARGET,
        "login_hint": "42",
        "lti_message_hint": '{"cmid":5,"launchid":"ltilaunch9_123"}',
        "client_id": CLIENT,
        "lti_deployment_id": DEPLOYMENT,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def message(at: int, expected_nonce: str, /, **changes: Any) -> dict[str, Any]:
    """A right resource-link message, shaped as Moodle's."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "42",
        "iat": at,
        "exp": at + 60,
        "nonce": expected_nonce,
        "name": "Sok Dara",
        "given_name": "Dara",
        "family_name": "Sok",
        "email": "dara@example.org",
        LTI + "version": "1.3.0",
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "deployment_id": DEPLOYMENT,
        LTI + "target_link_uri": TARGET,
        LTI + "roles": [MEMBERSHIP + "Learner"],
        LTI + "resource_link": {"id": "12", "title": "Grades", "description": ""},
        LTI + "context": {
            "id": "3",
            "label": "IEAP-1",
            "title": "English",
            "type": ["CourseSection"],
        },
        LTI + "launch_presentation": {
            "document_target": "iframe",
            "locale": "en",
            "return_url": ISSUER + "/mod/lti/return.php?course=3",
        },
        LTI + "lis": {"person_sourcedid": "", "course_section_sourcedid": "C-1"},
        LTI + "custom": {"naga_page": "roster", "other": "x"},
        LTI + "tool_platform": {
            "guid": "g",
            "product_family_code": "moodle",
            "version": "2024100706",
            "name": "Moodle",
        },
        AGS: {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "lineitems": ISSUER + "/mod/lti/services.php/3/lineitems?type_id=7",
        },
        NRPS: {
            "context_memberships_url": ISSUER + "/mod/lti/services.php/CourseSection/3/m",
            "service_versions": ["1.0", "2.0"],
        },
    }
    for name, value in changes.items():
        full = name if name in claims or name in _PLAIN else _FULL.get(name, LTI + name)
        if value is ...:
            claims.pop(full, None)
        else:
            claims[full] = value
    return claims


_PLAIN = frozenset({"azp", "nbf", "jti", "locale", "picture"})
_FULL = {"ags": AGS, "nrps": NRPS, "deep_linking": DEEP_LINKING}


def deep_linking_settings(**changes: Any) -> dict[str, Any]:
    """Deep-linking settings as Moodle sends them; ``...`` leaves one out."""
    settings = {
        "deep_link_return_url": ISSUER + "/mod/lti/contentitem_return.php?course=3&id=7",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_multiple": True,
        "auto_create": False,
        "title": "Naga SIS",
        "text": "",
        **changes,
    }
    return {name: value for name, value in settings.items() if value is not ...}


@pytest.fixture
def world(
    database: Database, clock: FixedClock, http: HttpClient, audit: AuditLog, key_server: KeyServer
) -> World:
    """A tool, and a platform registered with it whose keys are served locally."""
    key = rsa_key("platform")
    registrations = Registrations(database, clock, audit, allow_http=True)
    registration = registrations.create(
        actor="test",
        name="Moodle",
        issuer=ISSUER,
        client_id=CLIENT,
        auth_url=ISSUER + "/mod/lti/auth.php",
        token_url=ISSUER + "/mod/lti/token.php",
        jwks_url=key_server.serve(jwk(key, "key-1")),
        platform_family="moodle",
        deployment_ids=[DEPLOYMENT],
    )
    platform_keys = PlatformKeys(database, clock, http)
    logins = Logins(database, clock, registrations, public_url=PUBLIC_URL)
    launches = Launches(
        database, clock, registrations, logins, platform_keys, public_url=PUBLIC_URL
    )
    return World(
        database,
        clock,
        http,
        key_server,
        registrations,
        platform_keys,
        logins,
        launches,
        registration,
        key,
    )


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements sent since the test last cleared the list; BEGIN and COMMIT apart."""
    sent: list[str] = []

    def record(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.upper().startswith(("BEGIN", "PRAGMA")):
            sent.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", record)
    yield sent
    sa.event.remove(database.engine, "before_cursor_execute", record)


def query_of(url: str) -> dict[str, list[str]]:
    """The query of an address."""
    return parse_qs(urlsplit(url).query, keep_blank_values=True)


@pytest.fixture
def at_once() -> Callable[[list[Callable[[], Any]]], list[Any]]:
    """Runs functions in threads that start together; returns results or errors, in order."""

    def run(functions: list[Callable[[], Any]]) -> list[Any]:
        barrier = threading.Barrier(len(functions))
        results: list[Any] = [None] * len(functions)

        def call(number: int, function: Callable[[], Any]) -> None:
            barrier.wait()
            try:
                results[number] = function()
            except Exception as error:  # noqa: BLE001 - the test judges it
                results[number] = error

        threads = [
            threading.Thread(target=call, args=(number, function))
            for number, function in enumerate(functions)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run


@dataclass
class Web:
    """The whole tool over HTTP, beside the same world."""

    app: Flask
    world: World

    def browser(self) -> FlaskClient:
        """A browser with cookies of its own."""
        return self.app.test_client()

    def login(self, browser: FlaskClient, *, top: bool = True, **changes: Any) -> TestResponse:
        """Post the platform's login request, in a page of its own or in a frame."""
        return browser.post(
            "/lti/login",
            data=login_parameters(**changes),
            base_url=PUBLIC_URL,
            headers={"Sec-Fetch-Dest": "document" if top else "iframe"},
        )

    def get(self, browser: FlaskClient, path: str, **options: Any) -> TestResponse:
        """Open an address of the tool."""
        return browser.get(path, base_url=PUBLIC_URL, **options)

    def answer(self, redirect_url: str, **changes: Any) -> dict[str, str]:
        """What the platform posts back for the request that it was sent."""
        query = query_of(redirect_url)
        now = int(self.world.clock.now().timestamp())
        token = self.world.sign(message(now, query["nonce"][0], **changes))
        return {"state": query["state"][0], "id_token": token}

    def launch(self, browser: FlaskClient, form: Any, **headers: str) -> TestResponse:
        """Post the platform's answer."""
        return browser.post("/lti/launch", data=form, base_url=PUBLIC_URL, headers=headers)


@pytest.fixture
def web(world: World, database_url: str, keys_dir: Path) -> Iterator[Web]:
    """The application on the world's database."""
    settings = Settings(
        public_url=PUBLIC_URL,
        database_url=database_url,
        keys_dir=keys_dir,
        outbound_allow_private=True,
        outbound_allow_http=True,
        launch_rate_limit="40/minute",
        log_level="ERROR",
    )
    app = create_app(settings, clock=world.clock)
    yield Web(app, world)
    app.extensions["naga"].database.dispose()


def cookies_set(response: TestResponse) -> dict[str, str]:
    """The Set-Cookie lines of an answer by the cookie's name."""
    lines = response.headers.getlist("Set-Cookie")
    return {line.split("=", 1)[0]: line for line in lines}
