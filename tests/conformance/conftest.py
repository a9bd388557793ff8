"""A tool with a platform beside it, which serves its keys and counts who asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
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
from tests.conformance.messages import (
    CLIENT,
    DEPLOYMENT,
    ISSUER,
    PUBLIC_URL,
    jwk,
    login_parameters,
    message,
    query_of,
    rsa_key,
    sign,
)


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
