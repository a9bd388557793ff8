"""The one way from the tool to Moodle, which can be shut, slow, cut, or repeat itself."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import requests

from tests.drills.authority import Authority
from tests.ports import free_port

_KEPT = ("Content-Type", "Accept", "User-Agent")


@dataclass(frozen=True)
class Answer:
    """What came back from Moodle."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Call:
    """One call of the tool. ``function`` without its prefix; ``send`` brings it to Moodle."""

    function: str
    body: bytes
    send: Callable[[], Answer]


# What becomes of a call; ``None``: the connection is cut without an answer.
Fate = Callable[[Call], Answer | None]


def passes(call: Call) -> Answer | None:
    """Nothing happens to it."""
    return call.send()


class Door:
    """A server in Moodle's place that hands calls on; each call's fate is :attr:`fate`."""

    def __init__(self, url: str, ca: Path | None, authority: Authority) -> None:
        self.fate: Fate = passes
        self.calls: list[tuple[float, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca) if ca else True
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(authority.certificate, authority.key)
        self._server: _Server | None = None
        self.port = free_port()
        self.open()

    def open(self) -> None:
        """Listen, at the same port as before."""
        self._server = _Server(self, self.port, self._context)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections, and cut those that there are."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            server.cut()

    @contextmanager
    def doing(self, fate: Fate) -> Iterator[None]:
        """Give calls this fate for a while."""
        self.fate = fate
        try:
            yield
        finally:
            self.fate = passes

    def count(self, function: str) -> int:
        """How many calls of a function came so far."""
        return sum(name == function for _, name in self.calls)

    def handle(self, path: str, headers: dict[str, str], body: bytes | None) -> Answer | None:
        """Let one call have its fate; one without a body reads a page."""
        if body is None:
            return self._send("", path, headers, body)
        names = parse_qs(urlsplit(path).query).get("wsfunction", [""])
        function = names[0].removeprefix("local_nagasis_")
        with self._lock:
            self.calls.append((time.monotonic(), function))
        return self.fate(Call(function, body, lambda: self._send(function, path, headers, body)))

    def _send(
        self, function: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> Answer:
        changes = function == "apply"
        with self._lock:
            self._at_once += changes
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            got = self._session.request(
                "GET" if body is None else "POST",
                self._url + path,
                data=body,
                headers=headers,
                timeout=600,
            )
            return Answer(got.status_code, got.content, got.headers.get("Content-Type", ""))
        except requests.RequestException:
            # Moodle cut the connection; a server before it would say so with this.
            return Answer(502, b"<html><body>Bad gateway</body></html>", "text/html")
        finally:
            with self._lock:
                self._at_once -= changes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, door: Door, port: int, context: ssl.SSLContext) -> None:
        self.door = door
        self._context = context
        self._connected: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread."""
        with suppress(OSError), self._context.wrap_socket(request, server_side=True) as shaken:
            self._connected.add(shaken)
            super().finish_request(shaken, client_address)
            self._connected.discard(shaken)

    def cut(self) -> None:
        """End all connections at once."""
        for connection in list(self._connected):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A tool that was killed leaves broken connections: no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Hand on a page: Moodle's keys."""
        self._hand_on(None)

    def do_POST(self) -> None:
        """Hand on a call."""
        self._hand_on(self.rfile.read(int(self.headers["Content-Length"])))

    def _hand_on(self, body: bytes | None) -> None:
        headers = {name: self.headers[name] for name in _KEPT if name in self.headers}
        answer = cast(_Server, self.server).door.handle(self.path, headers, body)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""
