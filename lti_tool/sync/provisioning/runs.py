"""Runs of the engine: their beginning, their end, and the yes that a mass change waits for."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, NotFoundError
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SiteGate, SyncRun


class Runs:
    """The runs of all sites."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    def begin(
        self,
        site_id: int,
        *,
        trigger: RunTrigger,
        actor: str,
        total: int,
        holder: str | None = None,
        anew: bool = False,
    ) -> SyncRun:
        """Begin a run, by the one who holds the site's lease; or go on with the one that waits for
        a yes, under its number. What somebody allowed holds until it is done.

        ``anew``: a run of its own, whatever waits.
        """
        now = self._clock.now()
        with self._database.write() as session:
            # There is one lease: whoever is still said to run has died.
            running = sa.and_(SyncRun.site_id == site_id, SyncRun.state == RunState.RUNNING)
            session.execute(_interrupted(now).where(SyncRun.finished_at.is_(None), running))
            of_site = sa.select(SyncRun).where(SyncRun.site_id == site_id).limit(1)
            waiting = session.scalar(
                of_site.where(SyncRun.state == RunState.WAITING).order_by(SyncRun.id.desc())
            )
            if waiting is not None and not anew:
                waiting.state, waiting.holder, waiting.heartbeat_at = RunState.RUNNING, holder, now
                waiting.total = waiting.done + total
                return waiting
            last = session.scalar(of_site.order_by(SyncRun.heartbeat_at.desc(), SyncRun.id.desc()))
            unfinished = last is not None and last.error is not None and "allowed" in last.guard
            run = SyncRun(
                site_id=site_id,
                trigger=trigger,
                actor=actor[:200],
                holder=holder,
                started_at=now,
                heartbeat_at=now,
                total=total,
                done=0,
                counts={},
                guard={"allowed": last.guard["allowed"]} if last and unfinished else {},
            )
            session.add(run)
            session.flush()
            return run

    def end(self, run: SyncRun, state: RunState, *, error: str | None = None) -> None:
        """End a run."""
        self._update(
            run, state=state, finished_at=self._clock.now(), error=error[:500] if error else None
        )

    def end_interrupted(self) -> None:
        """End the runs whose worker has died: at their sites none may be due that would do it."""
        now = self._clock.now()
        lives = sa.exists().where(
            SiteGate.site_id == SyncRun.site_id,
            SiteGate.lease_holder == SyncRun.holder,
            SiteGate.lease_until > now,
        )
        dead = sa.and_(
            SyncRun.finished_at.is_(None), SyncRun.state == RunState.RUNNING, sa.not_(lives)
        )
        with self._database.reading() as connection:
            if not connection.scalar(sa.select(sa.exists().where(dead))):
                return
        with self._database.writing() as connection:
            connection.execute(_interrupted(now).where(dead))

    def suspended_since(self, site_id: int, kind: str, since: dt.datetime) -> int:
        """How many people runs have suspended since then without anybody's yes."""
        outcome = "people_suspended" if kind == "roster" else "suspended"
        query = sa.select(SyncRun.counts, SyncRun.guard).where(
            SyncRun.site_id == site_id,
            SyncRun.heartbeat_at >= since,
            SyncRun.trigger != RunTrigger.UNDO,
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return sum(
            int(counts.get(kind, {}).get(outcome, 0))
            for counts, guard in rows
            if kind not in guard.get("allowed", {})
        )

    def wait(self, run: SyncRun, facts: dict[str, Any]) -> None:
        """Stop a run before its mass change. A yes to a smaller one was no yes to this."""
        before = {name: value for name, value in run.guard.items() if name != "approved_by"}
        self._update(
            run,
            state=RunState.WAITING,
            guard={**before, **facts},
            heartbeat_at=self._clock.now(),
        )

    def approve(self, run_id: int, *, actor: str) -> SyncRun:
        """Say yes to a mass change, as it was counted; a larger one asks again.

        Raises:
            NotFoundError, ConflictError: there is no such run, or it waits for nothing.
        """
        with self._database.write() as session:
            run = session.get(SyncRun, run_id)
            if run is None:
                raise NotFoundError("There is no such run.", run=run_id)
            if run.state is not RunState.WAITING:
                raise ConflictError("This run waits for nothing.", run=run_id)
            kind = run.guard["kind"]
            allowed = {**run.guard.get("allowed", {}), kind: run.guard["suspended"]}
            run.guard = {**run.guard, "allowed": allowed, "approved_by": actor}
            self._audit.record(
                session,
                actor=actor,
                action="sync.mass_change_approved",
                target=f"site:{run.site_id}",
                run=run_id,
                kind=kind,
                suspended=run.guard["suspended"],
            )
        return run

    def get(self, run_id: int) -> SyncRun:
        """Return a run; raises NotFoundError."""
        with self._database.read() as session:
            run = session.get(SyncRun, run_id)
        if run is None:
            raise NotFoundError("There is no such run.", run=run_id)
        return run

    def recent(self, site_id: int, *, limit: int = 20) -> list[SyncRun]:
        """The last runs of a site, the newest first."""
        query = (
            sa.select(SyncRun)
            .where(SyncRun.site_id == site_id)
            .order_by(SyncRun.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return list(session.scalars(query))

    def waiting(self, site_id: int) -> SyncRun | None:
        """The run whose mass change waits for a yes, if there is one."""
        with self._database.read() as session:
            return session.scalar(
                sa.select(SyncRun)
                .where(SyncRun.site_id == site_id, SyncRun.finished_at.is_(None))
                .where(SyncRun.state == RunState.WAITING)
                .order_by(SyncRun.id.desc())
                .limit(1)
            )

    def hold(self, site_id: int, *, actor: str, reason: str) -> None:
        """Stop the changes that come by themselves, until somebody lets them go on."""
        self._set_hold(site_id, actor=actor, held_by=actor, reason=reason)

    def go_on(self, site_id: int, *, actor: str) -> None:
        """End a hold."""
        self._set_hold(site_id, actor=actor, held_by=None, reason=None)

    def held(self, site_id: int) -> bool:
        """Whether the site is on hold."""
        with self._database.reading() as connection:
            query = sa.select(SiteGate.held_by).where(SiteGate.site_id == site_id)
            return connection.scalar(query) is not None

    def _set_hold(
        self, site_id: int, *, actor: str, held_by: str | None, reason: str | None
    ) -> None:
        with self._database.write() as session:
            insert = self._database.upsert(SiteGate).values(site_id=site_id)
            session.execute(insert.on_conflict_do_nothing(index_elements=["site_id"]))
            gate = session.get_one(SiteGate, site_id)
            gate.held_by, gate.held_for = held_by, reason
            gate.held_at = self._clock.now() if held_by else None
            self._audit.record(
                session,
                actor=actor,
                action="sync.held" if held_by else "sync.resumed",
                target=f"site:{site_id}",
                reason=reason,
            )

    def purge(self, *, older_than_days: int) -> int:
        """Delete runs, and with them their journal, that are older."""
        before = self._clock.now() - dt.timedelta(days=older_than_days)
        with self._database.writing() as connection:
            result = connection.execute(
                sa.delete(SyncRun).where(
                    SyncRun.started_at < before, SyncRun.state != RunState.WAITING
                )
            )
        return result.rowcount

    def _update(self, run: SyncRun, **values: Any) -> None:
        for name, value in values.items():
            setattr(run, name, value)
        with self._database.writing() as connection:
            connection.execute(
                sa.update(SyncRun)
                # Not what was taken for dead, and is another's now.
                .where(SyncRun.id == run.id, SyncRun.holder.is_not_distinct_from(run.holder))
                .values(**values)
            )


def _interrupted(now: dt.datetime) -> sa.Update:
    return sa.update(SyncRun).values(state=RunState.FAILED, finished_at=now, error="interrupted")
