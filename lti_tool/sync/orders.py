"""What administrators ask of the engine: kept in the database, done by the worker, audited.

A closed browser, a lost message or a killed worker loses nothing: whatever was asked is found
again, and every act may be done twice.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, NagaError, NotFoundError
from lti_tool.moodle.models import Site, SiteStanding
from lti_tool.moodle.sites import Sites
from lti_tool.sync.order_models import Act, OrderState, SyncOrder
from lti_tool.sync.order_results import Found, of_comparison, of_preview, of_undo
from lti_tool.sync.provisioning.assembly import Provisioning
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun

log = structlog.get_logger(__name__)

_RESULT = "sync_order.result"
_BEAT_SECONDS = 15.0
_STALE = dt.timedelta(seconds=90)
_ACTIVE = (OrderState.QUEUED, OrderState.RUNNING)


class _BusyError(Exception):
    """Somebody else runs this site; the order waits."""


class Orders:
    """The orders of all sites."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        audit: AuditLog,
        sites: Sites,
        parts: Provisioning,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._audit = audit
        self._sites = sites
        self._parts = parts

    # -- asking

    def ask(
        self, site_id: int, act: Act, *, actor: str, arguments: Mapping[str, Any] | None = None
    ) -> SyncOrder:
        """Ask for an act; the same that is still to be done is not asked for twice."""
        site = self._sites.get(site_id)
        if site.standing is not SiteStanding.ACTIVE:
            raise ConflictError(
                "This site is not called at the moment.",
                remedy="Look at its page, and connect or resume it first.",
                site=site_id,
            )
        wanted = dict(arguments or {})
        if act in (Act.UNDO, Act.UNDO_PREVIEW):
            self._check_undo(site_id, wanted["run"])
        with self._database.write() as session:
            asked = session.scalars(
                sa.select(SyncOrder).where(
                    SyncOrder.site_id == site_id,
                    SyncOrder.act == act,
                    SyncOrder.state.in_(_ACTIVE),
                )
            )
            same = next((order for order in asked if order.arguments == wanted), None)
            if same is not None:
                return same
            order = SyncOrder(
                site_id=site_id,
                act=act,
                arguments=wanted,
                actor=actor[:200],
                asked_at=self._clock.now(),
            )
            session.add(order)
            session.flush()
            self._audit.record(
                session,
                actor=actor,
                action=f"sync.{act.value}_asked",
                target=f"site:{site_id}",
                order=order.id,
                **wanted,
            )
        return order

    def get(self, site_id: int, order_id: int) -> SyncOrder:
        """Return an order of this site; raises NotFoundError."""
        with self._database.read() as session:
            order = session.get(SyncOrder, order_id)
        if order is None or order.site_id != site_id:
            raise NotFoundError("There is no such order.", order=order_id)
        return order

    def recent(self, site_id: int, *, limit: int = 5) -> list[SyncOrder]:
        """The last orders of a site, the newest first."""
        query = (
            sa.select(SyncOrder)
            .where(SyncOrder.site_id == site_id)
            .order_by(SyncOrder.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return list(session.scalars(query))

    def found(self, order: SyncOrder) -> Found:
        """What an order found; empty while it is not done."""
        if order.result_sealed is None:
            return {}
        found: Found = json.loads(self._keyring.open(order.result_sealed, purpose=_RESULT))
        return found

    def resync_person(self, site_id: int, person_key: str, *, actor: str) -> None:
        """Send one person's account, and places in a Moodle, again, whatever was sent before."""
        site = self._sites.get(site_id)
        self._parts.people_sync(site).resync(site, person_key)
        self._record(site_id, "sync.resynced", actor, person=person_key)

    def resync_course(self, site_id: int, class_key: str, *, actor: str) -> None:
        """Send one class's term, course and roster again, whatever was sent before."""
        self._parts.course_sync.resync(self._sites.get(site_id), class_key)
        self._record(site_id, "sync.resynced", actor, class_key=class_key)

    def retry(self, site_id: int, *, kind: str | None, key: str | None, actor: str) -> int:
        """Try again what was refused or waits: all, a kind, or one thing; returns how many."""
        number = self._parts.ledger.retry(site_id, kind=kind, key=key)
        self._record(site_id, "sync.retried", actor, kind=kind, key=key)
        return number

    def _record(self, site_id: int, action: str, actor: str, **detail: str | None) -> None:
        with self._database.write() as session:
            self._audit.record(
                session, actor=actor, action=action, target=f"site:{site_id}", **detail
            )

    def _check_undo(self, site_id: int, run_id: int) -> None:
        run = self._parts.runs.get(run_id)
        if run.site_id != site_id:
            raise NotFoundError("There is no such run.", run=run_id)
        if run.state in (RunState.RUNNING, RunState.WAITING):
            raise ConflictError("This run has not ended yet.", run=run_id)

    # -- doing (the worker)

    def resume(self) -> None:
        """Do what was asked and not done, or was left by a worker that died."""
        with self._database.reading() as connection:
            orders = connection.scalars(
                sa.select(SyncOrder.id).where(self._claimable()).order_by(SyncOrder.id)
            ).all()
        for order_id in orders:
            self.run(order_id)

    def run(self, order_id: int) -> None:
        """Do one order, unless somebody else does."""
        order = self._claim(order_id)
        if order is None:
            return
        try:
            with self._alive(order_id):
                found = self._do(self._sites.get(order.site_id), order)
        except _BusyError:
            self._set(order_id, state=OrderState.QUEUED, heartbeat_at=None)
        except NagaError as error:
            words = " ".join(filter(None, (error.detail, error.remedy)))
            log.warning("sync.order_failed", order=order_id, code=error.code)
            self._finish(order_id, OrderState.FAILED, error=words[:500])
        except Exception as error:
            self._finish(order_id, OrderState.FAILED, error=type(error).__name__)
            raise
        else:
            text = json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str)
            sealed = self._keyring.seal(text.encode(), purpose=_RESULT)
            self._finish(order_id, OrderState.DONE, result_sealed=sealed)

    def _do(self, site: Site, order: SyncOrder) -> Found:
        arguments = order.arguments
        match order.act:
            case Act.PREVIEW:
                preview = self._parts.previews.preview(
                    site,
                    everything=arguments.get("scope") == "everything",
                    progress=lambda done, total: self._set(order.id, done=done, total=total),
                )
                return of_preview(preview)
            case Act.APPLY:
                return self._apply(site, order)
            case Act.COMPARE | Act.REPAIR:
                courses = arguments.get("courses")
                repair = order.act is Act.REPAIR
                if repair:
                    self._wait_for_turn(site)
                compared = self._parts.reconciler.reconcile(
                    site, courses=courses, repair=repair, actor=order.actor
                )
                self._ran(order, compared.run)
                return of_comparison(compared)
            case Act.UNDO | Act.UNDO_PREVIEW:
                undone = self._parts.undo.undo(
                    site,
                    arguments["run"],
                    actor=order.actor,
                    plan=order.act is Act.UNDO_PREVIEW,
                    progress=lambda done, total: self._set(order.id, done=done, total=total),
                )
                self._ran(order, undone.run)
                return of_undo(undone)

    def _apply(self, site: Site, order: SyncOrder) -> Found:
        self._wait_for_turn(site)
        match order.arguments.get("scope"):
            case "everything":
                self._parts.marks.mark_all(site)
            case "again":
                for kind in site.kinds:
                    keys = self._parts.rendering.all_keys(kind)
                    with self._database.writing() as connection:
                        self._parts.ledger.send_again(connection, site.id, kind, keys)
        run = self._parts.engine.run(
            site,
            trigger=RunTrigger.MANUAL,
            actor=order.actor,
            progress=lambda run: self._ran(order, run),
        )
        self._ran(order, run)
        return {"counts": run.counts} if run is not None else {}

    def _wait_for_turn(self, site: Site) -> None:
        gate = self._parts.gates.state(site.id)
        if gate is not None and gate.lease_until and gate.lease_until > self._clock.now():
            raise _BusyError

    def _ran(self, order: SyncOrder, run: SyncRun | None) -> None:
        if run is not None:
            self._set(order.id, run_id=run.id, done=run.done, total=run.total)

    # -- the row

    def _claimable(self) -> sa.ColumnElement[bool]:
        return (SyncOrder.state == OrderState.QUEUED) | (
            (SyncOrder.state == OrderState.RUNNING)
            & (SyncOrder.heartbeat_at < self._clock.now() - _STALE)
        )

    def _claim(self, order_id: int) -> SyncOrder | None:
        with self._database.write() as session:
            taken = session.scalar(
                sa.update(SyncOrder)
                .where(SyncOrder.id == order_id, self._claimable())
                .values(state=OrderState.RUNNING, heartbeat_at=self._clock.now())
                .returning(SyncOrder.id),
                execution_options={"synchronize_session": False},
            )
            return None if taken is None else session.get_one(SyncOrder, order_id)

    @contextmanager
    def _alive(self, order_id: int) -> Iterator[None]:
        """Give signs of life meanwhile: a dry run of a large campus says nothing for long."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(_BEAT_SECONDS):
                try:
                    self._set(order_id, heartbeat_at=self._clock.now())
                except SQLAlchemyError:
                    continue

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _finish(self, order_id: int, state: OrderState, **values: Any) -> None:
        self._set(order_id, state=state, finished_at=self._clock.now(), **values)

    def _set(self, order_id: int, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(
                sa.update(SyncOrder).where(SyncOrder.id == order_id).values(**values)
            )

    def purge(self, *, older_than_days: int) -> int:
        """Delete orders that are older; their runs and journals stay."""
        before = self._clock.now() - dt.timedelta(days=older_than_days)
        with self._database.writing() as connection:
            done = connection.execute(
                sa.delete(SyncOrder).where(
                    SyncOrder.asked_at < before, SyncOrder.state.not_in(_ACTIVE)
                )
            )
        return done.rowcount
