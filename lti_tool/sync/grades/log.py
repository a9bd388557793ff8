"""The log of every movement of a grade between the SIS and Moodle; append-only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, Executor
from lti_tool.moodle.models import MoodleSite
from lti_tool.sync.grades.models import Direction, MoodleGradeSyncLog, Movement

_log = cast(sa.Table, MoodleGradeSyncLog.__table__)
_PAGE = 200
_EXPORT = 2000


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement to be written. ``actor``: a person's key, ``moodle:ID`` of an account that is
    no person of the SIS, or the name of who else acts. ``code``: why, where it was refused."""

    site_id: int
    course_key: str
    class_key: str
    person_key: str
    item_key: str
    direction: Direction
    movement: Movement
    before: int | None
    after: int | None
    actor: str
    text: str = ""
    code: str | None = None
    run_id: int | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One movement as it was written."""

    id: int
    at: dt.datetime
    site_id: int
    course_key: str
    class_key: str
    person_key: str
    item_key: str
    direction: Direction
    movement: Movement
    before: int | None
    after: int | None
    actor: str
    text: str
    code: str | None
    run_id: int | None


_COLUMNS = tuple(_log.c[name] for name in LogEntry.__dataclass_fields__)


class GradeLog:
    """Writes and reads the movements of all sites."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def write(self, connection: Executor, rows: Sequence[Moved]) -> None:
        """Append movements, in the transaction of what moved."""
        if not rows:
            return
        now = self._clock.now()
        names = Moved.__dataclass_fields__
        connection.execute(
            sa.insert(_log),
            [{"at": now, **{name: getattr(row, name) for name in names}} for row in rows],
        )

    def of_grade(
        self, site_id: int, person_key: str, item_key: str, *, limit: int = _PAGE
    ) -> list[LogEntry]:
        """The movements of one grade, the newest first."""
        query = sa.select(*_COLUMNS).where(
            _log.c.site_id == site_id,
            _log.c.person_key == person_key,
            _log.c.item_key == item_key,
        )
        return self._read(query.order_by(_log.c.id.desc()).limit(limit))

    def of_course(
        self,
        site_id: int,
        course_key: str,
        *,
        before: int | None = None,
        limit: int = _PAGE,
    ) -> list[LogEntry]:
        """A page of the movements in a course, the newest first; ``before``: the last id of the
        page before."""
        query = sa.select(*_COLUMNS).where(
            _log.c.site_id == site_id, _log.c.course_key == course_key
        )
        if before is not None:
            query = query.where(_log.c.id < before)
        return self._read(query.order_by(_log.c.id.desc()).limit(limit))

    def of_person(
        self,
        person_key: str,
        class_key: str,
        *,
        before: int | None = None,
        limit: int = _PAGE,
    ) -> list[LogEntry]:
        """A page of the movements of a student's grades in a class, of all sites, the newest first;
        ``before``: the last id of the page before."""
        query = sa.select(*_COLUMNS).where(
            # The index begins with the site.
            _log.c.site_id.in_(sa.select(MoodleSite.id)),
            _log.c.person_key == person_key,
            _log.c.class_key == class_key,
        )
        if before is not None:
            query = query.where(_log.c.id < before)
        return self._read(query.order_by(_log.c.id.desc()).limit(limit))

    def every(
        self,
        site_id: int | None = None,
        course_key: str | None = None,
        *,
        person_key: str | None = None,
        class_key: str | None = None,
        since: dt.datetime | None = None,
    ) -> Iterator[LogEntry]:
        """All movements, the oldest first, read in chunks: for an export of any size."""
        last = 0
        while True:
            query = sa.select(*_COLUMNS).where(_log.c.id > last).order_by(_log.c.id).limit(_EXPORT)
            if site_id is not None:
                query = query.where(_log.c.site_id == site_id)
            if course_key is not None:
                query = query.where(_log.c.course_key == course_key)
            if person_key is not None:
                query = query.where(_log.c.person_key == person_key)
            if class_key is not None:
                query = query.where(_log.c.class_key == class_key)
            if since is not None:
                query = query.where(_log.c.at >= since)
            page = self._read(query)
            yield from page
            if len(page) < _EXPORT:
                return
            last = page[-1].id

    def counts(
        self, site_id: int, *, since: dt.datetime | None = None
    ) -> Mapping[tuple[Direction, Movement], int]:
        """How many movements of each sort."""
        query = (
            sa.select(_log.c.direction, _log.c.movement, sa.func.count())
            .where(_log.c.site_id == site_id)
            .group_by(_log.c.direction, _log.c.movement)
        )
        if since is not None:
            query = query.where(_log.c.at >= since)
        with self._database.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def _read(self, query: sa.Select[Any]) -> list[LogEntry]:
        with self._database.reading() as connection:
            return [LogEntry(*row) for row in connection.execute(query)]
