"""Failure injection: what a platform may do wrong, on demand."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, g, request

ENDPOINTS = frozenset(
    {
        "launch",
        "auth",
        "certs",
        "openid_configuration",
        "token",
        "register",
        "memberships",
        "lineitems",
        "lineitem",
        "scores",
        "results",
        "deep_link_return",
    }
)
_CHUNK = b"A" * 65536


@dataclass
class Fault:
    """What to do to the next ``times`` requests of an endpoint (``None``: until cleared).

    Without ``after`` the request has no effect; with it the platform does its work first and only
    the answer is replaced, as when a connection breaks. ``half`` breaks the real answer off in the
    middle; ``short`` sends its first half as if it were all. ``size`` is in bytes, ``hang`` in
    seconds. ``next_link`` replaces the Link header; ``scopes`` narrows a granted token.
    """

    endpoint: str
    status: int | None = None
    times: int | None = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    html: bool = False
    half: bool = False
    short: bool = False
    hang: float = 0.0
    size: int = 0
    redirect: str | None = None
    content_type: str | None = None
    next_link: str | None = None
    scopes: list[str] | None = None
    after: bool = False

    def __post_init__(self) -> None:
        if self.endpoint not in ENDPOINTS:
            raise ValueError(f"Unknown endpoint {self.endpoint!r}; one of {sorted(ENDPOINTS)}.")

    @property
    def replaces(self) -> bool:
        """Whether the answer is the fault's own and not a damaged real one."""
        plain = self.status is not None or self.body is not None or self.redirect is not None
        return plain or self.html or bool(self.size)

    def answer(self) -> Response:
        """Return the fault's own answer."""
        status = self.status or 200
        if self.redirect is not None:
            response = Response("", self.status or 302)
            response.headers["Location"] = self.redirect
        elif self.size:
            response = Response(_filler(self.size), status, content_type="application/json")
        elif self.html:
            page = "<!DOCTYPE html><html><body><h1>Error</h1><p>Try again later.</p></body></html>"
            response = Response(page, status, content_type="text/html; charset=utf-8")
        else:
            text = self.body if self.body is not None else '{"error":"injected"}'
            response = Response(text, status, content_type="application/json")
        return response

    def dress(self, response: Response) -> Response:
        """Put the fault's headers on an answer and damage its body."""
        if self.half or self.short:
            whole = response.get_data()
            response.set_data(whole[: len(whole) // 2])
            if self.half:
                response.headers["Content-Length"] = str(len(whole))
        if self.content_type is not None:
            response.headers["Content-Type"] = self.content_type
        if self.next_link is not None:
            response.headers["Link"] = f'<{self.next_link}>; rel="next"'
        response.headers.update(self.headers)
        return response


def _filler(size: int) -> Iterator[bytes]:
    start = b'{"keys":[{"kty":"RSA","kid":"'
    yield start
    left = size - len(start)
    while left > 0:
        part = _CHUNK[:left]
        left -= len(part)
        yield part


class Faults:
    """The faults that wait for a request, and how often each endpoint was called."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []
        self._released = threading.Event()
        self.calls: Counter[str] = Counter()

    def add(self, fault: Fault) -> Fault:
        """Arm a fault; those of one endpoint strike in the order in which they were added."""
        with self._lock:
            self._released.clear()
            self._waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm all and let hanging requests go."""
        with self._lock:
            self._waiting.clear()
            self._released.set()

    def take(self, endpoint: str) -> Fault | None:
        """Count a call and return the fault that strikes it."""
        with self._lock:
            self.calls[endpoint] += 1
            for fault in self._waiting:
                if fault.endpoint == endpoint:
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._waiting.remove(fault)
                    return fault
        return None

    def wait(self, seconds: float) -> None:
        """Hang, at most until :meth:`clear`."""
        self._released.wait(seconds)

    def install(self, app: Flask) -> None:
        """Let the faults strike the requests of ``app``."""

        @app.before_request
        def strike() -> Response | None:
            name = (request.endpoint or "").rsplit(".", 1)[-1]
            if name not in ENDPOINTS:
                return None
            fault = self.take(name)
            g.fault = fault
            if fault is None:
                return None
            if fault.hang:
                self.wait(fault.hang)
            return fault.answer() if fault.replaces and not fault.after else None

        @app.after_request
        def damage(response: Response) -> Response:
            fault: Fault | None = g.get("fault")
            if fault is None:
                return response
            if fault.after and fault.replaces:
                response = fault.answer()
            return fault.dress(response)


def fault_from_json(document: dict[str, Any]) -> Fault:
    """Make a fault of a JSON object; raises ``ValueError`` for unknown members."""
    try:
        return Fault(**document)
    except TypeError as error:
        raise ValueError(str(error)) from error
