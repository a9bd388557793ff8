"""A platform's services on a real local server, with failures on demand, and our half of it."""

from __future__ import annotations

import datetime as dt
import json
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.assignment_grades import AssignmentGrades
from lti_tool.lti.models import Registration, Standing
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.lti.service_client import ServiceClient

Handler = Callable[[Request], Response]


class QuietHandler(WSGIRequestHandler):
    """Writes no log."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@cache
def signing_key() -> RSAKey:
    """One RSA key for all tests of a process."""
    return RSAKey.generate_key(2048, {"kid": "test-key"})


class TestSigner:
    """Signs as ``ToolKeys`` does, with a key that is made once."""

    __test__ = False

    def sign(self, claims: dict[str, Any], *, headers: dict[str, Any] | None = None) -> str:
        """Return the compact JWS."""
        protected = {"alg": "RS256", "kid": "test-key", **(headers or {})}
        return jwt.encode(protected, claims, signing_key())


@dataclass
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode()))


def as_json(document: Any, status: int = 200, **headers: str) -> Response:
    """A JSON answer."""
    return Response(
        json.dumps(document), status, content_type="application/json", headers=headers or None
    )


class Stub:
    """A server that answers what a test tells it, and remembers what arrived."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.handlers: dict[tuple[str, str], Handler] = {}
        self.queued: dict[tuple[str, str], list[Response | Handler]] = defaultdict(list)
        self._lock = threading.Lock()
        self._server = make_server(
            "127.0.0.1", 0, self, threaded=True, request_handler=QuietHandler
        )
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request: what is queued first, then the handler."""
        request = Request(environ)
        key = (request.method, request.path)
        record = Recorded(
            request.method,
            request.path,
            request.query_string.decode(),
            dict(request.headers),
            request.get_data(),
        )
        with self._lock:
            self.requests.append(record)
            queue = self.queued[key]
            answer: Response | Handler | None = (
                queue.pop(0) if queue else self.handlers.get(key, Response("nothing here", 404))
            )
        response = answer if isinstance(answer, Response) else answer(request)  # type: ignore[misc]
        return response(environ, start_response)

    def on(self, method: str, path: str, answer: Handler | Response) -> None:
        """Answer every such request so."""
        self.handlers[method, path] = (
            answer if not isinstance(answer, Response) else (lambda _request: answer)
        )

    def queue(self, method: str, path: str, *answers: Response | Handler) -> None:
        """Answer the next such requests so, then as before."""
        self.queued[method, path].extend(answers)

    def seen(self, method: str, path: str) -> list[Recorded]:
        """What arrived there."""
        return [each for each in self.requests if (each.method, each.path) == (method, path)]

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """A server that answers every connection with these bytes, or never (``None``)."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if answer is None:
                held.append(connection)
                continue
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for connection in held:
            connection.close()


@dataclass
class World:
    """A platform, a registration with it, and our services."""

    stub: Stub
    registration: Registration
    database: Database
    clock: FixedClock
    tokens: AccessTokens
    client: ServiceClient
    grades: AssignmentGrades
    names_roles: NamesRoles
    waits: list[float] = field(default_factory=list)
    tokens_given: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The platform's address."""
        return self.stub.url

    @property
    def scopes_asked(self) -> list[str]:
        """The scopes of every token request, in order."""
        return [each.form["scope"] for each in self.stub.seen("POST", "/token")]


def add_registration(
    database: Database, clock: FixedClock, platform: str, **values: Any
) -> Registration:
    """Store a registration of the platform at this address."""
    registration = Registration(
        **{
            "name": "Test",
            "issuer": platform,
            "client_id": "tool-1",
            "platform_family": "generic",
            "auth_url": f"{platform}/auth",
            "token_url": f"{platform}/token",
            "jwks_url": f"{platform}/jwks",
            "standing": Standing.ACTIVE,
            "created_at": clock.now(),
            "updated_at": clock.now(),
            **values,
        }
    )
    with database.write() as session:
        session.add(registration)
    return registration


@contextmanager
def open_world(
    database: Database,
    clock: FixedClock,
    keyring: Keyring,
    *,
    family: str = "generic",
    timeout: float = 5,
    attempts: int = 3,
) -> Iterator[World]:
    """Start a platform and build our services for it."""
    stub = Stub()
    http = HttpClient(allow_private=True, allow_http=True, total_timeout=timeout)
    registration = add_registration(database, clock, stub.url, platform_family=family)
    tokens = AccessTokens(database, clock, keyring, http, TestSigner())
    waits: list[float] = []
    client = ServiceClient(
        http, tokens, attempts=attempts, timeout=timeout, sleep=waits.append, jitter=lambda: 1.0
    )
    world = World(
        stub,
        registration,
        database,
        clock,
        tokens,
        client,
        AssignmentGrades(client),
        NamesRoles(client),
        waits,
    )

    def give_token(request: Request) -> Response:
        token = f"token-{len(world.tokens_given) + 1}"
        world.tokens_given.append(token)
        return as_json(
            {
                "access_token": token,
                "token_type": "bearer",
                "expires_in": 3600,
                "scope": request.form["scope"],
            }
        )

    stub.on("POST", "/token", give_token)
    try:
        yield world
    finally:
        stub.close()


NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
