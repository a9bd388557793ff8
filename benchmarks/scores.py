"""How close 1,000 scores come to the ideal for their concurrency.

The platform is another process that takes 30 ms for each score; ours is the real client with its
database, tokens and retries. The ideal is ``scores x latency / concurrency``. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import SystemClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Base, Database
from lti_tool.core.http import HttpClient
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.assignment_grades import AssignmentGrades, Score
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.models import Registration, Standing
from lti_tool.lti.service_client import ServiceClient

SCORES = 1000
LATENCY = 0.030
GOAL = 1.3


class _Platform(BaseHTTPRequestHandler):
    """Gives tokens, takes scores slowly, and counts both."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    counts: Counter[str] = Counter()  # noqa: RUF012 - one server, one count
    lock = threading.Lock()

    def do_GET(self) -> None:
        """Tell what was counted since the last time."""
        with self.lock:
            counts = dict(self.counts)
            self.counts.clear()
        self._answer(counts)

    def do_POST(self) -> None:
        """Take a token request or a score."""
        kind = "tokens" if self.path == "/token" else "scores"
        self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self.counts[kind] += 1
        if kind == "scores":
            time.sleep(LATENCY)
            self._answer(None)
        else:
            self._answer({"access_token": "t", "token_type": "Bearer", "expires_in": 3600})

    def _answer(self, document: Any) -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def _serve() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Platform)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def _platform() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--platform"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.communicate()


def _grades(folder: str, concurrency: int) -> tuple[AssignmentGrades, Database]:
    database = Database(f"sqlite:///{folder}/scores.db")
    Base.metadata.drop_all(database.engine)
    Base.metadata.create_all(database.engine)
    clock = SystemClock()
    keyring = Keyring({"benchkey": b"k" * 32})
    keys = ToolKeys(database, clock, keyring, AuditLog(clock))
    keys.ensure()
    http = HttpClient(allow_private=True, allow_http=True, pool_size=concurrency * 2)
    tokens = AccessTokens(database, clock, keyring, http, keys)
    return AssignmentGrades(ServiceClient(http, tokens)), database


def _registration(database: Database, url: str) -> Registration:
    now = dt.datetime.now(dt.UTC)
    registration = Registration(
        name="Benchmark",
        issuer=url,
        client_id="benchmark",
        platform_family="moodle",
        auth_url=f"{url}/auth",
        token_url=f"{url}/token",
        jwks_url=f"{url}/jwks",
        standing=Standing.ACTIVE,
        created_at=now,
        updated_at=now,
    )
    with database.write() as session:
        session.add(registration)
    return registration


def _measure(url: str, concurrency: int) -> tuple[float, dict[str, int]]:
    """Send all scores; returns the ratio to the ideal and what the platform counted."""
    with tempfile.TemporaryDirectory() as folder:
        grades, database = _grades(folder, concurrency)
        registration = _registration(database, url)
        line_item = f"{url}/2/lineitems/9/lineitem?type_id=3"
        now = dt.datetime.now(dt.UTC)
        scores = [
            Score(str(number), Decimal(number % 101), Decimal(100), now) for number in range(SCORES)
        ]
        began = time.perf_counter()
        with ThreadPoolExecutor(concurrency) as pool:
            sent = sum(
                pool.map(lambda score: grades.post_score(registration, line_item, score), scores)
            )
        took = time.perf_counter() - began
        database.dispose()
    assert sent == SCORES
    with urllib.request.urlopen(f"{url}/counts") as answer:
        counts: dict[str, int] = json.load(answer)
    return took / (SCORES * LATENCY / concurrency), counts


def main() -> None:
    """Measure with 4 and 8 at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", action="store_true", help=argparse.SUPPRESS)
    if parser.parse_args().platform:
        _serve()
        return
    figures: list[dict[str, Any]] = []
    with _platform() as url:
        for concurrency in (4, 8):
            ratio, counts = _measure(url, concurrency)
            print(f"{concurrency} at a time: {ratio:.2f} of the ideal, {counts}")
            assert counts["scores"] == SCORES
            figures += [
                {
                    "what": f"time as a multiple of the ideal, {concurrency} at a time",
                    "value": round(ratio, 3),
                    "goal": GOAL,
                    "met": ratio <= GOAL,
                },
                {
                    "what": f"token requests, {concurrency} at a time",
                    "value": counts["tokens"],
                    "goal": 1,
                    "met": counts["tokens"] == 1,
                },
            ]
    print(json.dumps({"name": "scores", "figures": figures}))


if __name__ == "__main__":
    main()
