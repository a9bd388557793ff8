"""Each request has an id: in its answer, and on every line that is logged meanwhile."""

from __future__ import annotations

import re
import secrets
import time

import structlog
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
# One that a proxy gave is kept, so that its log and ours can be laid side by side.
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Asked every few seconds by machines, and nobody ever looks for these.
_QUIET = frozenset({"web.static", "health.healthz", "health.readyz"})


def init_app(app: Flask) -> None:
    """Give every request its id, and log it when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
    g.request_began = time.perf_counter()
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if "request_id" not in g:
        return response
    response.headers[HEADER] = g.request_id
    if request.endpoint not in _QUIET:
        # The route, not the address: addresses hold references and single-use tokens.
        log.info(
            "request",
            method=request.method,
            route=request.endpoint,
            status=response.status_code,
            milliseconds=round((time.perf_counter() - g.request_began) * 1000, 1),
        )
    return response
