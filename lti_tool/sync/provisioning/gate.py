"""Calling a site: one run at a time, a circuit breaker, a rate limit; shared by all workers."""

from __future__ import annotations

import datetime as dt
import random
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sync.provisioning.models import BreakerState, SiteGate

# A run shows that it lives several times within its lease: one that died is missed for so long.
LEASE = dt.timedelta(seconds=60)
_BEAT_SECONDS = LEASE.total_seconds() / 4
# A probe of a site that was away: nobody else tries before it ended, or must have died.
_PROBE = dt.timedelta(seconds=120)
# Consecutive failures that open the breaker, and how long it stays open: doubling, to 5 minutes.
FAILURES = 3
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 300.0
# The longest that a site may ask us to stay away.
_LONGEST_WAIT = 3600.0
_WINDOW = dt.timedelta(seconds=60)
# A call should take about so long: long enough to be worth its journey, short enough to show
# progress and to lose little.
_TARGET_SECONDS = 3.0
_MOST = 500
_FIRST = {"category": 100, "user": 100, "course": 25, "roster": 25}

_gates = cast(sa.Table, SiteGate.__table__)


@dataclass(frozen=True, slots=True)
class Closed:
    """The site must not be called before ``until``."""

    until: dt.datetime
    reason: str


class Gates:
    """The gates of all sites. Every method is a transaction of its own.

    Args:
        per_minute: calls that a site gets in a minute, from all workers together.
    """

    def __init__(self, database: Database, clock: Clock, *, per_minute: int = 100) -> None:
        self._database = database
        self._clock = clock
        self._per_minute = per_minute

    def take(self, site_id: int) -> str | None:
        """Take the site's lease; returns its holder's name, or ``None`` if somebody runs."""
        holder = secrets.token_hex(16)
        now = self._clock.now()
        with self._database.writing() as connection:
            self._ensure(connection, site_id)
            taken = connection.execute(
                sa.update(_gates)
                .where(
                    _gates.c.site_id == site_id,
                    sa.or_(_gates.c.lease_until.is_(None), _gates.c.lease_until <= now),
                )
                .values(lease_holder=holder, lease_until=now + LEASE)
            )
        return holder if taken.rowcount else None

    def keep(self, site_id: int, holder: str) -> bool:
        """Prolong the lease; false if it was lost, and the run must stop at once."""
        now = self._clock.now()
        with self._database.writing() as connection:
            kept = connection.execute(
                sa.update(_gates)
                .where(_gates.c.site_id == site_id, _gates.c.lease_holder == holder)
                .values(lease_until=now + LEASE)
            )
        return bool(kept.rowcount)

    @contextmanager
    def alive(self, site_id: int, holder: str) -> Iterator[None]:
        """Prolong the lease meanwhile, however long a single call takes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(_BEAT_SECONDS):
                try:
                    self.keep(site_id, holder)
                except SQLAlchemyError:
                    # The next beat may work; if none does, the run finds its lease lost.
                    continue

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def give_back(self, site_id: int, holder: str) -> None:
        """End the lease."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(_gates)
                .where(_gates.c.site_id == site_id, _gates.c.lease_holder == holder)
                .values(lease_holder=None, lease_until=None)
            )

    def enter(self, site_id: int) -> Closed | None:
        """Ask to make one call; counts it. Returns until when there is none."""
        now = self._clock.now()
        with self._database.writing() as connection:
            self._ensure(connection, site_id)
            gate = connection.execute(
                sa.select(*_gates.c).where(_gates.c.site_id == site_id).with_for_update()
            ).one()
            closed = _closed(gate, now)
            if closed is not None:
                return closed
            values: dict[str, Any] = {}
            if gate.breaker is not BreakerState.CLOSED:
                # One call may see whether it is back; the others wait for what it finds.
                values = {"breaker": BreakerState.HALF_OPEN, "probe_at": now + _PROBE}
            since = now - gate.window_at if gate.window_at else _WINDOW
            # A window from the future: some worker's clock was wrong.
            if not dt.timedelta(0) <= since < _WINDOW:
                values |= {"window_at": now, "calls": 1}
            elif gate.calls >= self._per_minute:
                return Closed(gate.window_at + _WINDOW, "rate_limit")
            else:
                values |= {"calls": gate.calls + 1}
            connection.execute(
                sa.update(_gates).where(_gates.c.site_id == site_id).values(**values)
            )
        return None

    def closed(self, site_id: int) -> Closed | None:
        """Whether the breaker would let no call pass now; nothing is counted."""
        gate = self.state(site_id)
        return None if gate is None else _closed(gate, self._clock.now())

    def succeeded(self, site_id: int) -> None:
        """A call came back: the breaker closes."""
        with self._database.writing() as connection:
            connection.execute(
                sa.update(_gates)
                .where(
                    _gates.c.site_id == site_id,
                    sa.or_(
                        _gates.c.failures > 0,
                        _gates.c.breaker != BreakerState.CLOSED,
                        _gates.c.last_error.is_not(None),
                    ),
                )
                .values(
                    breaker=BreakerState.CLOSED,
                    failures=0,
                    opened_at=None,
                    probe_at=None,
                    last_error=None,
                )
            )

    def failed(
        self, site_id: int, reason: str, *, wait: float | None = None, open_: bool = False
    ) -> None:
        """A call failed for a passing reason; enough in a row open the breaker.

        ``wait``: seconds that the site asked for; it, and ``open_``, open the breaker at once.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            self._ensure(connection, site_id)
            gate = connection.execute(
                sa.select(*_gates.c).where(_gates.c.site_id == site_id).with_for_update()
            ).one()
            failures = gate.failures + 1
            if wait is not None or open_:
                failures = max(failures, FAILURES)
            values: dict[str, Any] = {"failures": failures, "last_error": reason[:300]}
            if failures >= FAILURES or gate.breaker is not BreakerState.CLOSED:
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** max(0, failures - FAILURES))
                values |= {
                    "breaker": BreakerState.OPEN,
                    "opened_at": gate.opened_at or now,
                    # Workers must not come back all at the same moment.
                    "probe_at": now
                    + dt.timedelta(
                        seconds=max(
                            pause * random.uniform(0.8, 1.2),  # noqa: S311
                            min(wait or 0.0, _LONGEST_WAIT),
                        )
                    ),
                }
            connection.execute(
                sa.update(_gates).where(_gates.c.site_id == site_id).values(**values)
            )

    def refused(self, site_id: int, reason: str) -> None:
        """The site answers, and lets us do nothing: why, for whoever looks, until it does."""
        with self._database.writing() as connection:
            self._ensure(connection, site_id)
            connection.execute(
                sa.update(_gates).where(_gates.c.site_id == site_id).values(last_error=reason[:300])
            )

    def state(self, site_id: int) -> SiteGate | None:
        """The gate as it stands, for pages and the command line."""
        with self._database.read() as session:
            return session.get(SiteGate, site_id)

    def pace(self, site_id: int, kind: str, *, most: int) -> int:
        """Documents to send in the next call."""
        with self._database.reading() as connection:
            paces = connection.scalar(sa.select(_gates.c.pace).where(_gates.c.site_id == site_id))
        return max(1, min(int((paces or {}).get(kind, _FIRST.get(kind, 50))), most, _MOST))

    def took(self, site_id: int, kind: str, documents: int, seconds: float) -> None:
        """Learn from a call that came back after ``seconds``."""
        wanted = documents * _TARGET_SECONDS / max(seconds, 0.01)
        with self._database.writing() as connection:
            paces = connection.scalar(
                sa.select(_gates.c.pace).where(_gates.c.site_id == site_id).with_for_update()
            )
            before = int((paces or {}).get(kind, _FIRST.get(kind, 50)))
            # By at most a half or a double: one slow call is no trend.
            pace = max(1, before // 2, min(before * 2, _MOST, round(wanted)))
            if pace != before:
                connection.execute(
                    sa.update(_gates)
                    .where(_gates.c.site_id == site_id)
                    .values(pace={**(paces or {}), kind: pace})
                )

    def _ensure(self, connection: sa.Connection, site_id: int) -> None:
        insert = self._database.upsert(_gates).values(site_id=site_id)
        connection.execute(insert.on_conflict_do_nothing(index_elements=["site_id"]))


def _closed(gate: Any, now: dt.datetime) -> Closed | None:
    if gate.breaker is BreakerState.CLOSED or gate.probe_at is None or now >= gate.probe_at:
        return None
    return Closed(gate.probe_at, gate.last_error or "unreachable")
