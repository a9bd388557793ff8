"""A campus in the SIS, a platform that keeps rosters as Moodle's plugin does, and the engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from werkzeug.serving import WSGIRequestHandler, make_server

from demo import Platform, PlatformConfig, create_platform
from demo.provisioning.apply import apply
from demo.provisioning.documents import KINDS as KINDS_THERE
from demo.provisioning.fingerprints import digest
from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Base, Database
from lti_tool.core.http import HttpClient
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import MOODLE_KINDS, Document, Kind
from lti_tool.moodle.models import MoodleSite, System
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.sites import Sites
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.changes import record_since
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.grading import Grading
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.pulls import GradePulls
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.provisioning.assembly import Limits, Provisioning, assemble
from lti_tool.sync.provisioning.models import SyncRun
from lti_tool.sync.rendered import Former, Nothing, Unfit
from tests.sync.connected import TOKEN, NoRegistrations, Tokens, connected_site


@dataclass
class Campus:
    """Everything that a test of the engine needs."""

    database: Database
    clock: FixedClock
    platform: Platform
    site: MoodleSite
    extracts: Extracts
    plugin: MoodlePlugin
    parts: Provisioning
    enrolling: Enrolling
    grading: Grading
    pulls: GradePulls

    def fingerprints(self, kind: Kind) -> dict[str, str]:
        """What stands at the platform."""
        found: dict[str, str] = {}
        after: str | None = None
        while True:
            page = digest(self.platform.state, kind, keys=[], after=after or "", limit=1000)
            found |= {item["key"]: item["fingerprint"] for item in page["items"]}
            after = page["next"]
            if after is None:
                return found

    def desired(self, kind: Kind) -> dict[str, str]:
        """What should stand there."""
        rendered = self.parts.rendering.render(
            kind, self.parts.rendering.all_keys(kind), now=self.clock.now(), site_id=self.site.id
        )
        return {
            key: fingerprint(document)
            for key, document in rendered.items()
            if not isinstance(document, Nothing | Unfit | Former)
        }

    def documents(self) -> list[Document]:
        """Everything that the SIS wants to stand there."""
        return [
            document
            for kind in MOODLE_KINDS
            for document in self.parts.rendering.render(
                kind,
                self.parts.rendering.all_keys(kind),
                now=self.clock.now(),
                site_id=self.site.id,
            ).values()
            if not isinstance(document, Nothing | Unfit | Former)
        ]

    def different(self) -> list[dict[str, Any]]:
        """What the platform itself says would have to change."""
        wanted = [document.model_dump(mode="json") for document in self.documents()]
        return [
            result
            for result in apply(self.platform.state, wanted, dryrun=True)
            if result["result"] != "unchanged"
            or any(member["result"] != "unchanged" for member in result["members"])
        ]

    def place(self) -> tuple[str, str]:
        """A course and an active student of it."""
        return next(
            (document.course, member.user)
            for document in self.documents()
            if document.kind == "roster"
            for member in document.members
            if member.status == "active" and member.role == "student" and not member.groups
        )

    def equal(self) -> bool:
        """Whether the platform is as the SIS wants it."""
        return not self.different()

    def run(self, **options: Any) -> SyncRun | None:
        """A second later, run the engine."""
        self.clock.advance(seconds=1)
        return self.parts.engine.run(self.site, **options)

    def settle(self) -> SyncRun | None:
        """Run, and say yes to what asks for it."""
        run = self.run()
        while (waiting := self.parts.runs.waiting(self.site.id)) is not None:
            self.parts.runs.approve(waiting.id, actor="tests")
            run = self.run()
        return run

    def change(self, model: type[Base], key: str, **values: Any) -> None:
        """Change something in the SIS, as an import does."""
        self.clock.advance(seconds=1)
        now = self.clock.now()
        with self.database.write() as session:
            session.execute(
                sa.update(model)
                .where(model.sourced_id == key)  # type: ignore[attr-defined]
                .values(updated_at=now, **values)
            )
            record_since(session, now)

    def codes(self) -> list[tuple[str, str, str]]:
        """Kind, key and code of the dead letters."""
        found = self.parts.letters.list(self.site.id)
        return sorted((letter.kind, letter.key, letter.code) for letter in found)

    def marks_left(self) -> dict[str, int]:
        """What waits to be looked at."""
        return self.parts.marks.counts(self.site.id)

    def count(self, table: str) -> int:
        """Rows of a table of the tool."""
        with self.database.read() as session:
            return int(session.scalar(sa.text(f"SELECT COUNT(*) FROM {table}")) or 0)  # noqa: S608


@contextmanager
def served_platform(clock: FixedClock) -> Iterator[Platform]:
    """A platform that can be called, with the token that the tests know."""
    app = create_platform(PlatformConfig(course_json={}, now=clock.now))
    found: Platform = app.extensions["platform"]
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    found.base_url = f"http://127.0.0.1:{server.server_port}"
    found.state.connection.token = TOKEN
    found.state.connection.token_expires = found.epoch() + 3000 * 86400
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Say nothing."""


def build_campus(
    database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient, platform: Platform
) -> Campus:
    """A campus of 50 students, of which nothing has been sent yet."""
    generate_campus(database, clock, size=50)
    site = connected_site(database, clock, platform.base_url, kinds=KINDS_THERE)
    extracts = Extracts(database)
    plugin = MoodlePlugin(http, Tokens())
    parts = assemble(
        database,
        clock,
        keyring,
        AuditLog(clock),
        extracts,
        {System.MOODLE: plugin},
        Sites(database, clock, AuditLog(clock), keyring, NoRegistrations()),
        Lifecycle(ZoneInfo("Asia/Phnom_Penh")),
        Limits(calls_per_minute=10_000),
        sleep=lambda _: None,
    )
    grading = Grading(database, clock)
    return Campus(
        database,
        clock,
        platform,
        site,
        extracts,
        plugin,
        parts,
        Enrolling(database, clock),
        grading,
        GradePulls(
            database,
            clock,
            parts.client,
            extracts,
            grading,
            parts.ledger,
            GradeLog(database, clock),
        ),
    )


@pytest.fixture
def platform(clock: FixedClock) -> Iterator[Platform]:
    with served_platform(clock) as found:
        yield found


@pytest.fixture
def campus(
    database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient, platform: Platform
) -> Campus:
    return build_campus(database, clock, keyring, http, platform)
