"""One run of a push: batches of scores sent side by side, each batch's receipts committed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, UtcDateTime
from lti_tool.core.errors import OutboundError
from lti_tool.lti.assignment_grades import AgsGoneError, AssignmentGrades
from lti_tool.lti.models import Registration, Standing
from lti_tool.lti.platforms import platform_for
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.models import (
    GradePush,
    GradePushItem,
    ItemState,
    PushState,
    ScoreClock,
)
from lti_tool.sync.push_columns import PushColumns, unconfirmed
from lti_tool.sync.push_reasons import PushReason
from lti_tool.sync.push_send import Receipt, Sender, changed, failure

log = structlog.get_logger(__name__)

_BEAT_SECONDS = 15
_STALE = dt.timedelta(seconds=120)


class _ClaimLostError(Exception):
    """Another worker holds the push: this one was taken for dead."""


class _StopError(Exception):
    """The platform is down or shut to us: what is left waits for a retry."""


def claimable(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Pushes that wait for a worker, or whose worker gives no sign of life."""
    return (GradePush.state == PushState.QUEUED) | (
        (GradePush.state == PushState.RUNNING)
        & (GradePush.heartbeat_at.is_(None) | (GradePush.heartbeat_at < now - _STALE))
    )


def claim(database: Database, clock: Clock, push_id: str, runner: str) -> GradePush | None:
    """Take the push for this run; ``None`` if it is another's or there is nothing to do."""
    now = clock.now()
    with database.write() as session:
        taken = session.scalar(
            sa.update(GradePush)
            .where(GradePush.id == push_id)
            .where(claimable(now))
            .values(
                state=PushState.RUNNING,
                runner=runner,
                heartbeat_at=now,
                started_at=sa.func.coalesce(GradePush.started_at, sa.literal(now, UtcDateTime())),
            )
            .returning(GradePush.id),
            execution_options={"synchronize_session": False},
        )
        return None if taken is None else session.get_one(GradePush, push_id)


class PushRun:
    """Carries one claimed push to its end."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: StudentInformationSystem,
        assignment_grades: AssignmentGrades,
        audit: AuditLog,
        push: GradePush,
        runner: str,
        *,
        concurrency: int,
        batch_size: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._grades = assignment_grades
        self._audit = audit
        self._push = push
        self._runner = runner
        self._concurrency = concurrency
        self._batch_size = batch_size
        with database.read() as session:
            self._registration = session.get_one(Registration, push.registration_id)
        self._sender = Sender(assignment_grades, self._registration)
        self._columns = PushColumns(
            database, sis, assignment_grades, self._registration, push, self._beat
        )
        self._platform = platform_for(self._registration.platform_family)

    def go(self) -> None:
        """Send everything, then close the push; errors that everyone shares end it as failed."""
        error: str | None = None
        try:
            if self._registration.standing is not Standing.ACTIVE:
                raise _StopError("This platform has been switched off.")
            with ThreadPoolExecutor(self._concurrency, thread_name_prefix="push") as pool:
                for class_key, part_key in self._parts():
                    try:
                        self._send_part(pool, class_key, part_key)
                    except _StopError:
                        # What went through before has a receipt, and it must be right too.
                        self._confirm_part(part_key)
                        raise
                    self._confirm_part(part_key)
        except _ClaimLostError:
            log.warning("push.claim_lost", push_id=self._push.id)
            return
        except _StopError as stop:
            error = str(stop)
        except Exception:
            self._close("Something went wrong inside the tool; its log says what.")
            raise
        self._close(error)

    def _parts(self) -> list[tuple[str, str]]:
        with self._database.read() as session:
            rows = session.execute(
                sa.select(GradePushItem.class_key, GradePushItem.part_key)
                .where(GradePushItem.push_id == self._push.id)
                # Sent by a run that died before it could look what became of it: look now.
                .where(
                    (GradePushItem.state == ItemState.SEND)
                    | (
                        (GradePushItem.state == ItemState.SENT)
                        & GradePushItem.confirmed_at.is_(None)
                    )
                )
                .distinct()
                .order_by(GradePushItem.class_key, GradePushItem.part_key)
            )
            return [(row.class_key, row.part_key) for row in rows]

    def _send_part(self, pool: ThreadPoolExecutor, class_key: str, part_key: str) -> None:
        # Read now: what was previewed may have been corrected since.
        grades = {grade.person_key: grade for grade in self._sis.part_grades(class_key, [part_key])}
        url: str | None = None
        while items := self._next(part_key):
            receipts: dict[str, Receipt] = {}
            sending: list[GradePushItem] = []
            for item in items:
                receipt = changed(item, grades.get(item.person_key))
                if receipt is None:
                    sending.append(item)
                else:
                    receipts[item.person_key] = receipt
            if sending:
                try:
                    url = url or self._columns.ensure(class_key, part_key)
                except OutboundError as error:
                    failed = failure(error, sent_at=None)
                    receipts |= {item.person_key: failed for item in sending}
                    self._record(part_key, None, items, receipts)
                    if failed.fatal:
                        raise _StopError(error.detail) from error
                    continue
                receipts |= self._send(pool, url, sending)
            self._record(part_key, url, items, receipts)
            if any(receipt.gone for receipt in receipts.values()):
                self._columns.forget(part_key)
                url = None
            self._stop_if_hopeless(receipts.values())

    def _stop_if_hopeless(self, receipts: Collection[Receipt]) -> None:
        fatal = [receipt for receipt in receipts if receipt.fatal]
        if fatal and not any(
            receipt.state in (ItemState.SENT, ItemState.UNCHANGED) for receipt in receipts
        ):
            raise _StopError(fatal[0].detail or "The platform did not answer as it should.")

    def _next(self, part_key: str) -> Sequence[GradePushItem]:
        with self._database.read() as session:
            return session.scalars(
                sa.select(GradePushItem)
                .where(GradePushItem.push_id == self._push.id)
                .where(GradePushItem.part_key == part_key)
                .where(GradePushItem.state == ItemState.SEND)
                .order_by(GradePushItem.person_key)
                .limit(self._batch_size)
            ).all()

    # -- what the platform made of it ----------------------------------------------------------

    def _confirm_part(self, part_key: str) -> None:
        """Read back what was sent, once for all students: no receipt says what is not so."""
        with self._database.read() as session:
            sent = session.scalars(
                sa.select(GradePushItem).where(unconfirmed(self._push.id, part_key))
            ).all()
        if not sent:
            return
        url = self._columns.known(part_key)
        detail: str | None = None
        try:
            if url is None:
                raise AgsGoneError("The column is not there any more.")
            receipts = self._sender.read_back(url, sent)
        except AgsGoneError as error:
            gone = Receipt(ItemState.FAILED, PushReason.COLUMN_GONE, error.detail)
            receipts = {item.person_key: gone for item in sent}
        except OutboundError as error:
            log.warning("push.not_read_back", push_id=self._push.id, code=error.code)
            detail = f"The platform took it, but could not be asked what it holds: {error.detail}"
            receipts = {}
        if receipts:
            self._record(part_key, None, sent, receipts)
        with self._database.write() as session:
            self._beat(session)
            session.execute(
                sa.update(GradePushItem)
                .where(unconfirmed(self._push.id, part_key))
                .values(
                    detail=detail and detail[:500],
                    confirmed_at=None if detail else self._clock.now(),
                )
                .execution_options(synchronize_session=False)
            )

    # -- one batch -----------------------------------------------------------------------------

    def _send(
        self, pool: ThreadPoolExecutor, url: str, items: Sequence[GradePushItem]
    ) -> dict[str, Receipt]:
        times = self._timestamps(url, items)
        recreated = self._columns.was_lost(items[0].part_key)
        futures: dict[Future[Receipt], str] = {
            pool.submit(
                self._sender.send, url, item, times[item.user_id or ""], recreated
            ): item.person_key
            for item in items
        }
        waiting = set(futures)
        while waiting:
            waiting = wait(waiting, timeout=_BEAT_SECONDS).not_done
            if waiting:
                with self._database.write() as session:
                    self._beat(session)
        return {person_key: future.result() for future, person_key in futures.items()}

    def _timestamps(self, url: str, items: Sequence[GradePushItem]) -> dict[str, dt.datetime]:
        """Later than any sent before, and stored before they are sent: a crash cannot reuse one."""
        users = sorted({item.user_id for item in items if item.user_id})
        of_these = (
            sa.select(ScoreClock.user_id, ScoreClock.sent_at)
            .where(ScoreClock.registration_id == self._push.registration_id)
            .where(ScoreClock.line_item == url)
            .where(ScoreClock.user_id.in_(users))
            .with_for_update()
        )
        now = self._clock.now()
        with self._database.write() as session:
            self._beat(session)
            last = {row.user_id: row.sent_at for row in session.execute(of_these)}
            times = {user: self._platform.next_timestamp(now, last.get(user)) for user in users}
            self._wind(session, url, {user: {"sent_at": at} for user, at in times.items()})
        return times

    def _wind(self, session: Session, url: str, values: dict[str, dict[str, Any]]) -> None:
        statement = self._database.upsert(ScoreClock)
        columns = next(iter(values.values())).keys()
        session.execute(
            statement.on_conflict_do_update(
                index_elements=["registration_id", "line_item", "user_id"],
                set_={column: statement.excluded[column] for column in columns},
            ),
            [
                {
                    "registration_id": self._push.registration_id,
                    "line_item": url,
                    "user_id": user,
                    **value,
                }
                for user, value in values.items()
            ],
        )

    def _record(
        self,
        part_key: str,
        url: str | None,
        items: Sequence[GradePushItem],
        receipts: dict[str, Receipt],
    ) -> None:
        rows = []
        sent: dict[str, dict[str, Any]] = {}
        for item in items:
            receipt = receipts.get(item.person_key)
            if receipt is None or receipt.state is ItemState.SEND:
                continue
            rows.append(
                {
                    "push_id": self._push.id,
                    "part_key": part_key,
                    "person_key": item.person_key,
                    "state": receipt.state,
                    "reason": receipt.reason,
                    "detail": receipt.detail[:500] if receipt.detail else None,
                    "previous": item.previous if receipt.previous is None else receipt.previous,
                    "sent_at": receipt.sent_at or item.sent_at,
                }
            )
            if receipt.state is ItemState.SENT and item.user_id and receipt.sent_at:
                sent[item.user_id] = {"sent_at": receipt.sent_at, "score": item.score}
        with self._database.write() as session:
            self._beat(session)
            if rows:
                session.execute(sa.update(GradePushItem), rows)
            if sent and url is not None:
                self._wind(session, url, sent)

    # -- the claim -----------------------------------------------------------------------------

    def _beat(self, session: Session) -> None:
        """Say that this run is alive; raises if the push has been given to another."""
        alive = session.scalar(
            sa.update(GradePush)
            .where(GradePush.id == self._push.id)
            .where(GradePush.runner == self._runner)
            .where(GradePush.state == PushState.RUNNING)
            .values(heartbeat_at=self._clock.now())
            .returning(GradePush.id),
            execution_options={"synchronize_session": False},
        )
        if alive is None:
            raise _ClaimLostError

    def _close(self, error: str | None) -> None:
        state = PushState.DONE if error is None else PushState.FAILED
        with self._database.write() as session:
            closed = session.scalar(
                sa.update(GradePush)
                .where(GradePush.id == self._push.id)
                .where(GradePush.runner == self._runner)
                .where(GradePush.state == PushState.RUNNING)
                .values(state=state, finished_at=self._clock.now(), error=error and error[:500])
                .returning(GradePush.id),
                execution_options={"synchronize_session": False},
            )
            if closed is None:
                return
            counts = session.execute(
                sa.select(GradePushItem.state, sa.func.count())
                .where(GradePushItem.push_id == self._push.id)
                .group_by(GradePushItem.state)
            )
            self._audit.record(
                session,
                actor="worker",
                action=f"grades.{state.value}",
                target=f"push:{self._push.id}",
                **{row[0].value: row[1] for row in counts},
            )
