"""What the engine's tables say, as pages show it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.documents import KINDS
from lti_tool.sis.change_models import SisChange
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning.models import MoodleIntegrationRecord, SyncMark, SyncRun

_marks = cast(sa.Table, SyncMark.__table__)
_journal = cast(sa.Table, MoodleIntegrationRecord.__table__)
_REASONS = 5


@dataclass(slots=True)
class QueueLine:
    """What waits of one kind: how many things, since when, and what some of them wait for."""

    kind: str
    number: int = 0
    oldest: dt.datetime | None = None
    waiting: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One operation of a run; ``detail`` is the result as the plugin gave it."""

    kind: str
    key: str
    outcome: str
    code: str | None
    at: dt.datetime
    detail: dict[str, Any]


class ProvisioningViews:
    """Readings, a statement or two each."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def queue(self, site_id: int) -> list[QueueLine]:
        """What waits at a site, by kind, in the order in which it is taken."""
        number = sa.func.count()
        query = (
            sa.select(_marks.c.kind, _marks.c.waiting_for, number, sa.func.min(_marks.c.since))
            .where(_marks.c.site_id == site_id)
            .group_by(_marks.c.kind, _marks.c.waiting_for)
            .order_by(number.desc())
        )
        lines = {kind: QueueLine(kind) for kind in KINDS}
        with self._database.reading() as connection:
            for kind, reason, count, oldest in connection.execute(query):
                line = lines[kind]
                line.number += count
                line.oldest = min(filter(None, (line.oldest, oldest)))
                if reason and len(line.waiting) < _REASONS:
                    line.waiting.append((reason, count))
        return [line for line in lines.values() if line.number]

    def unseen_changes(self) -> int:
        """How many changes of the SIS no run has looked at yet."""
        with self._database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(SisChange)) or 0)

    def run_count(self, site_id: int) -> int:
        """How many runs a site has."""
        query = sa.select(sa.func.count()).select_from(SyncRun).where(SyncRun.site_id == site_id)
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def runs(self, site_id: int, *, offset: int, limit: int) -> list[SyncRun]:
        """A page of a site's runs, the newest first."""
        query = (
            sa.select(SyncRun)
            .where(SyncRun.site_id == site_id)
            .order_by(SyncRun.id.desc())
            .offset(offset)
            .limit(limit)
        )
        with self._database.read() as session:
            return list(session.scalars(query))

    def journal_counts(self, run_id: int) -> dict[str, int]:
        """How many entries of each outcome a run's journal has."""
        query = (
            sa.select(_journal.c.outcome, sa.func.count())
            .where(_journal.c.run_id == run_id)
            .group_by(_journal.c.outcome)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def journal(
        self, run_id: int, *, outcome: str | None, offset: int, limit: int
    ) -> list[JournalLine]:
        """A page of a run's journal, in the order in which things were done."""
        query = (
            sa.select(
                _journal.c.kind,
                _journal.c.key,
                _journal.c.outcome,
                _journal.c.code,
                _journal.c.at,
                _journal.c.detail_sealed,
            )
            .where(_journal.c.run_id == run_id)
            .order_by(_journal.c.id)
            .offset(offset)
            .limit(limit)
        )
        if outcome is not None:
            query = query.where(_journal.c.outcome == outcome)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [JournalLine(*row[:5], detail=self._journal.detail(row[5])) for row in rows]
