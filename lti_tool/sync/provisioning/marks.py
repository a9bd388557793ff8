"""What may differ at a site: marks, made from the SIS's changes, taken in order, settled once."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.documents import Kind
from lti_tool.moodle.models import KINDS_OF, Site, SiteStanding, System
from lti_tool.sis.bulk import chunks
from lti_tool.sis.change_models import ChangeKind, SisChange
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.provisioning.addresses import SharedAddresses
from lti_tool.sync.provisioning.mappings import Mappings
from lti_tool.sync.provisioning.models import SyncMark
from lti_tool.sync.rendering import Rendering

_marks = cast(sa.Table, SyncMark.__table__)
_changes = cast(sa.Table, SisChange.__table__)
_sites = cast(sa.Table, Site.__table__)
_TAKEN_AT_ONCE = 5000
_FIRST_RETRY = 2.0
_LONGEST_RETRY = 3600.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as it was read; it is settled only if nothing changed since."""

    key: str
    changed_at: dt.datetime
    since: dt.datetime
    attempts: int


class Marks:
    """The marks of all sites."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        rendering: Rendering,
        mappings: Mappings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._rendering = rendering
        self._mappings = mappings
        self._addresses = SharedAddresses(database, sis)

    def gather(self) -> int:
        """Turn what changed in the SIS into marks of every connected site; returns how many
        changes were taken.

        Taking a change and making its marks is one transaction. Which marks follow from a change
        is looked up before it: a change that comes in between is noted anew, and taken next time.
        """
        taken = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    sa.select(*_changes.c).order_by(_changes.c.at).limit(_TAKEN_AT_ONCE)
                ).all()
            if not rows:
                return taken
            wanted, sharing = self._wanted(rows)
            with self._database.writing() as connection:
                sites = connection.execute(
                    sa.select(_sites.c.id, _sites.c.system)
                    .where(_sites.c.standing != SiteStanding.DISCONNECTED)
                    .order_by(_sites.c.id)
                ).all()
                for site_id, system in sites:
                    for kind in KINDS_OF[System(system)]:
                        self.put(connection, site_id, kind, wanted[kind])
                self._addresses.keep(connection, wanted["user"], sharing)
                gone = sum(self._forget(connection, some) for some in chunks(rows, 1000))
            taken += gone
            if not gone or len(rows) < _TAKEN_AT_ONCE:
                return taken

    def _forget(self, connection: sa.Connection, rows: Sequence[Any]) -> int:
        """Delete changes as they were read: one that was noted again meanwhile stays."""
        read = sa.tuple_(_changes.c.kind, _changes.c.key, _changes.c.at).in_(
            [(row.kind, row.key, row.at) for row in rows]
        )
        # One that somebody is noting again at this moment is left too: whoever writes in the SIS
        # never waits for us while we wait for them.
        free = connection.execute(
            sa.select(_changes.c.kind, _changes.c.key).where(read).with_for_update(skip_locked=True)
        ).all()
        if free:
            thing = sa.tuple_(_changes.c.kind, _changes.c.key)
            connection.execute(
                sa.delete(_changes).where(thing.in_([(row.kind, row.key) for row in free]))
            )
        return len(free)

    def mark(self, site_id: int, kind: Kind, keys: Collection[str]) -> None:
        """Mark things of one site, to be compared now."""
        with self._database.writing() as connection:
            self.put(connection, site_id, kind, keys)

    def mark_all(self, site: Site) -> int:
        """Mark everything that the SIS has and that is for this site; returns how many things."""
        count = 0
        for kind in site.kinds:
            keys = self._rendering.all_keys(kind)
            self.mark(site.id, kind, keys)
            count += len(keys)
        return count

    def any_due(self, site: Site) -> bool:
        """Whether any mark may be taken now: of a kind that the site's plugin knows. Others wait
        until it is updated."""
        query = (
            sa.select(sa.literal(1))
            .where(
                _marks.c.site_id == site.id,
                _marks.c.kind.in_([kind for kind in site.kinds if site.takes(kind)]),
                sa.or_(_marks.c.not_before.is_(None), _marks.c.not_before <= self._clock.now()),
            )
            .limit(1)
        )
        with self._database.reading() as connection:
            return connection.scalar(query) is not None

    def due(self, site_id: int, kind: Kind) -> list[Mark]:
        """The marks of one kind that may be taken now: those that never failed first, the oldest
        before the others."""
        now = self._clock.now()
        query = (
            sa.select(_marks.c.key, _marks.c.changed_at, _marks.c.since, _marks.c.attempts)
            .where(
                _marks.c.site_id == site_id,
                _marks.c.kind == kind,
                sa.or_(_marks.c.not_before.is_(None), _marks.c.not_before <= now),
            )
            # What failed before travels last: it must not hold up the others again.
            .order_by(_marks.c.attempts, _marks.c.since, _marks.c.key)
        )
        with self._database.reading() as connection:
            return [Mark(*row) for row in connection.execute(query)]

    def settle(
        self, connection: sa.Connection, site_id: int, kind: Kind, marks: Iterable[Mark]
    ) -> None:
        """Forget marks that are done with, within the transaction that stores the result."""
        for some in chunks(list(marks), 1000):
            connection.execute(
                sa.delete(_marks).where(
                    _marks.c.site_id == site_id,
                    _marks.c.kind == kind,
                    sa.tuple_(_marks.c.key, _marks.c.changed_at).in_(
                        [(mark.key, mark.changed_at) for mark in some]
                    ),
                )
            )

    def postpone(
        self,
        connection: sa.Connection,
        site_id: int,
        kind: Kind,
        marks: Mapping[str, Mark],
        waiting_for: Mapping[str, str],
    ) -> None:
        """Try these marks (by key) again later: later each time, not all at the same moment."""
        now = self._clock.now()
        rows = []
        for key, reason in waiting_for.items():
            attempts = marks[key].attempts + 1
            pause = min(_LONGEST_RETRY, _FIRST_RETRY * 2**attempts)
            jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, protects nothing
            rows.append(
                {
                    "the_key": key,
                    "the_change": marks[key].changed_at,
                    "the_attempts": attempts,
                    "the_time": now + dt.timedelta(seconds=pause * jitter),
                    "the_reason": reason[:300],
                }
            )
        if rows:
            connection.execute(
                sa.update(_marks)
                .where(
                    _marks.c.site_id == site_id,
                    _marks.c.kind == kind,
                    _marks.c.key == sa.bindparam("the_key"),
                    # What changed meanwhile is new: it need not wait for what failed.
                    _marks.c.changed_at == sa.bindparam("the_change"),
                )
                .values(
                    attempts=sa.bindparam("the_attempts"),
                    not_before=sa.bindparam("the_time"),
                    waiting_for=sa.bindparam("the_reason"),
                ),
                rows,
            )

    def release(self, connection: sa.Connection, site_id: int, things: Collection[str]) -> None:
        """Let go at once what waited for these things (``kind:key``)."""
        for some in chunks(sorted(things), 1000):
            connection.execute(
                sa.update(_marks)
                .where(_marks.c.site_id == site_id, _marks.c.waiting_for.in_(some))
                # The attempts stay: what waits for the same again waits longer.
                .values(not_before=None, waiting_for=None)
            )

    def waiting(self, site_id: int, kind: Kind, keys: Collection[str]) -> set[str]:
        """Which of these things are marked."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for some in chunks(sorted(keys), 1000):
                found.update(
                    connection.scalars(
                        sa.select(_marks.c.key).where(
                            _marks.c.site_id == site_id,
                            _marks.c.kind == kind,
                            _marks.c.key.in_(some),
                        )
                    )
                )
        return found

    def hurry(
        self,
        connection: sa.Connection,
        site_id: int,
        *,
        kind: str | None = None,
        key: str | None = None,
    ) -> int:
        """Try now what waits to be tried again; returns how many marks."""
        query = sa.update(_marks).where(
            _marks.c.site_id == site_id, _marks.c.not_before.is_not(None)
        )
        if kind is not None:
            query = query.where(_marks.c.kind == kind)
        if key is not None:
            query = query.where(_marks.c.key == key)
        return connection.execute(query.values(not_before=None, attempts=0)).rowcount

    def counts(self, site_id: int) -> dict[str, int]:
        """How many marks of each kind wait."""
        query = (
            sa.select(_marks.c.kind, sa.func.count())
            .where(_marks.c.site_id == site_id)
            .group_by(_marks.c.kind)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _wanted(self, rows: Iterable[Any]) -> tuple[dict[Kind, set[str]], dict[str, str]]:
        """Which documents what changed in the SIS may change, and who shares an address now."""
        changed: dict[ChangeKind, set[str]] = defaultdict(set)
        for row in rows:
            changed[row.kind].add(row.key)
        terms, people = changed[ChangeKind.TERM], changed[ChangeKind.PERSON]
        classes = changed[ChangeKind.CLASS] | self._sis.classes_of_terms(terms)
        # Those from whom a class was taken away have not changed by themselves.
        classes |= self._mappings.companions(classes)
        # Whether someone may sign in decides on their places too.
        rosters = classes | changed[ChangeKind.ROSTER] | self._sis.classes_of_people(people)
        # Who comes back finds grades as they are now.
        grades = rosters | changed[ChangeKind.GRADES]
        # A class that left, or joined, others: they all change.
        courses = set(self._rendering.hosts(classes)) | classes
        touched, sharing = self._addresses.touched(people)
        wanted: dict[Kind, set[str]] = {
            "category": terms,
            "user": touched,
            "account": touched,
            "course": courses,
            "roster": set(self._rendering.hosts(rosters)) | rosters,
            "gradebook": courses,
            "grades": set(self._rendering.hosts(grades)) | grades,
        }
        return wanted, sharing

    def put(
        self, connection: sa.Connection, site_id: int, kind: Kind, keys: Collection[str]
    ) -> None:
        """As :meth:`mark`, within a caller's transaction."""
        now = self._clock.now()
        rows = [
            {
                "site_id": site_id,
                "kind": kind,
                "key": key,
                "since": now,
                "changed_at": now,
                "attempts": 0,
                "not_before": None,
                "waiting_for": None,
            }
            for key in sorted(keys)
        ]
        if not rows:
            return
        insert = self._database.upsert(_marks)
        # Row by row, in one go: one statement of all rows costs more to put together than to run.
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "kind", "key"],
                set_={
                    "changed_at": insert.excluded.changed_at,
                    "attempts": 0,
                    "not_before": None,
                    "waiting_for": None,
                },
            ),
            rows,
        )
