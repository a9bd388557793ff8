"""A course of 10,000 laid beside the SIS: statements, seconds, and memory against pages.

A stub platform in a process of its own serves members page by page; the tool reads them through
its real HTTP client, token and Names and Roles, and compares them with the embedded SIS on SQLite.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa
from werkzeug import Request, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import SystemClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Base, Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.models import PersonLink
from lti_tool.identity.people import People
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.lti.registrations import Registrations
from lti_tool.lti.service_client import ServiceClient
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import TimeOfDay
from lti_tool.sis.models import ClassHeader, Course, Cycle, Enrollment, Person, Term
from lti_tool.sync.models import RosterState
from lti_tool.sync.rosters import Rosters

MEMBERS = 10_000
PAGE = 500
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the terminal."""


def serve() -> None:
    """The stub platform: tokens, and members ``0…count`` in pages of 500."""

    @Request.application
    def app(request: Request) -> Response:
        if request.path == "/token":
            scope = request.form["scope"]
            token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
            return Response(json.dumps(token | {"scope": scope}), mimetype="application/json")
        query = parse_qs(urlsplit(request.url).query)
        count, start = int(query["count"][0]), int(query.get("from", ["0"])[0])
        members = [
            {"user_id": f"u{number}", "roles": [LEARNER], "name": f"Student {number}"}
            for number in range(start, min(start + PAGE, count))
        ]
        response = Response(json.dumps({"id": request.base_url, "members": members}))
        response.content_type = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
        if start + PAGE < count:
            url = f"{request.base_url}?count={count}&from={start + PAGE}"
            response.headers["Link"] = f'<{url}>; rel="next"'
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def platform() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


class Bench:
    """The tool with a class of ``count`` students, all but one in a hundred linked."""

    def __init__(self, directory: Path, url: str, count: int) -> None:
        self.database = Database(f"sqlite:///{directory}/{count}.db")
        Base.metadata.create_all(self.database.engine)
        clock = SystemClock()
        keyring = Keyring({"benchkey": b"k" * 32})
        audit = AuditLog(clock)
        http = HttpClient(allow_private=True, allow_http=True)
        keys = ToolKeys(self.database, clock, keyring, audit)
        keys.ensure()
        self.registration = Registrations(self.database, clock, audit, allow_http=True).create(
            actor="benchmark",
            name="Stub",
            issuer=url,
            client_id="c",
            auth_url=f"{url}/auth",
            token_url=f"{url}/token",
            jwks_url=f"{url}/jwks",
        )
        sis = EmbeddedSis(self.database, clock)
        tokens = AccessTokens(self.database, clock, keyring, http, keys)
        self.rosters = Rosters(
            self.database,
            clock,
            sis,
            People(self.database, clock, sis, audit),
            NamesRoles(ServiceClient(http, tokens)),
            keyring,
        )
        self.nrps = {"context_memberships_url": f"{url}/members?count={count}"}
        self._fill(count, clock.now())

    def _fill(self, count: int, now: dt.datetime) -> None:
        with self.database.write() as session:
            term = Term(
                sourced_id="t",
                code="T1",
                start_date=now.date(),
                end_date=now.date(),
                updated_at=now,
            )
            course = Course(sourced_id="k", code="K", title="K", cycle=Cycle.LANG, updated_at=now)
            session.add_all([term, course])
            session.flush()
            header = ClassHeader(
                sourced_id="C",
                course_id=course.id,
                term_id=term.id,
                section="A",
                time_of_day=TimeOfDay.EVE,
                updated_at=now,
            )
            session.add(header)
            session.flush()
            people: list[dict[str, Any]] = [
                {
                    "id": number,
                    "sourced_id": f"p{number}",
                    "student_id": f"{number:05}",
                    "family_name": f"FAMILY{number % 977}",
                    "personal_name": f"Personal {number}",
                    "is_student": True,
                    "updated_at": now,
                }
                for number in range(1, count + 1)
            ]
            session.execute(sa.insert(Person), people)
            session.execute(
                sa.insert(Enrollment),
                [
                    {
                        "sourced_id": f"e{person['id']}",
                        "person_id": person["id"],
                        "header_id": header.id,
                        "status_since": now,
                        "updated_at": now,
                    }
                    for person in people
                ],
            )
            session.execute(
                sa.insert(PersonLink),
                [
                    {
                        "registration_id": self.registration.id,
                        "subject": f"u{number}",
                        "person_key": f"p{number}",
                        "method": "administrator",
                        "linked_by": "benchmark",
                        "created_at": now,
                    }
                    for number in range(1, count)
                    if number % 100
                ],
            )

    def compare(self) -> int:
        """One comparison; returns how many are in both."""
        comparison = self.rosters.compare(
            self.registration, context_id="course", nrps=self.nrps, class_keys=["C"]
        )
        return self.rosters.counts(comparison.id)[RosterState.PRESENT]


def measure_peak(directory: Path, url: str, pages: int) -> int:
    bench = Bench(directory, url, pages * PAGE)
    # The first comparison fills caches that stay: compiled statements, the token.
    bench.compare()
    tracemalloc.start()
    bench.compare()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    bench.database.dispose()
    return peak


def main() -> None:
    with tempfile.TemporaryDirectory() as name, platform() as url:
        directory = Path(name)
        bench = Bench(directory, url, MEMBERS)
        statements: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        sa.event.listen(bench.database.engine, "before_cursor_execute", note)
        began = time.perf_counter()
        present = bench.compare()
        seconds = time.perf_counter() - began
        # The count that checks the result is not the comparison's.
        count = len(statements) - 1
        bench.database.dispose()
        assert present == MEMBERS - MEMBERS // 100, present
        few, many = measure_peak(directory, url, 10), measure_peak(directory, url, 40)
    ratio = many / few
    print(f"{MEMBERS} members in {MEMBERS // PAGE} pages: {count} statements, {seconds:.2f} s")
    print(f"peak of 10 pages {few / 1e6:.1f} MB, of 40 pages {many / 1e6:.1f} MB")
    figures = [
        {
            "what": "SQL statements for 10,000 members",
            "value": count,
            "goal": "<= 40",
            "met": count <= 40,
        },
        {
            "what": "seconds for 10,000 members",
            "value": round(seconds, 2),
            "goal": "< 5",
            "met": seconds < 5,
        },
        {
            "what": "peak memory of 40 pages over that of 10 pages",
            "value": round(ratio, 2),
            "goal": "<= 1.25",
            "met": ratio <= 1.25,
        },
    ]
    print(json.dumps({"name": "roster", "figures": figures}))


if __name__ == "__main__":
    serve() if "--serve" in sys.argv else main()
