"""The intake of events: each stored once, and the plugin told up to where none is missing."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import sqlalchemy as sa
import structlog

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError, NagaError
from lti_tool.moodle.bodies import escaped, parse
from lti_tool.moodle.errors import SiteDisconnectedError, SiteUnknownError
from lti_tool.moodle.messages import HOLE, Event, EventBatch
from lti_tool.moodle.models import MoodleEvent, MoodleSite, SiteStanding

log = structlog.get_logger(__name__)

_LARGEST = 2**63 - 1
# The column is an ordinary integer; a backlog beyond it is as bad.
_LARGEST_BACKLOG = 2**31 - 1
_SITE = cast(sa.Table, MoodleSite.__table__)
_EVENT = cast(sa.Table, MoodleEvent.__table__)


class EventsInvalidError(NagaError):
    """An event of the batch is malformed; ``field`` names it, and nothing was stored."""

    code = "events_invalid"
    status = 422
    title = "An event is not valid"


class EpochOverError(ConflictError):
    """Moodle was restored: its numbers are no longer those that the tool holds."""

    code = "epoch_over"
    title = "The numbers of the events begin anew"


@dataclass(frozen=True, slots=True)
class Held:
    """The answer to a batch: the highest number held with none missing before it."""

    held: int
    epoch: str
    now: int


class _Position(NamedTuple):
    """How far a site's epoch is held. ``missed``: events were lost before this batch. ``restored``:
    they were, since Moodle is one from an older backup."""

    held: int
    held_id: str | None
    missed: bool
    restored: bool = False


def read_batch(body: bytes) -> EventBatch:
    """Return the batch that an unpacked body holds.

    Raises:
        EventsInvalidError: one of the events is at fault; without it, the others can be sent.
        InvalidInputError, ContractUnsupportedError: the message itself is at fault.
    """
    try:
        batch = parse(body, EventBatch)
    except InvalidInputError as error:
        if (error.field or "").startswith("/events/"):
            raise EventsInvalidError(error.detail, field=error.field) from error
        raise
    if batch.next < batch.first + len(batch.events) or batch.next > _LARGEST:
        raise InvalidInputError(
            "next must be the number after the last one that was given.", field="/next"
        )
    ids: set[str] = set()
    for index, event in enumerate(batch.events):
        if event.seq != batch.first + index:
            raise _invalid(index, "seq", f"must be {batch.first + index}: no gap, in order")
        if event.id in ids:
            raise _invalid(index, "id", "stands in this batch twice")
        ids.add(event.id)
        # What JSON can say and a database cannot hold.
        if event.actor is not None and abs(event.actor) > _LARGEST:
            raise _invalid(index, "actor", "is too large")
        for name, value in event.data.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise _invalid(index, f"data/{escaped(name)}", "is not a number")
    return batch


class EventIntake:
    """Stores what Moodle's outbox sends. The same batch again, or two at once, change nothing.

    Args:
        awaited: the types that somebody takes later; the others are kept to be looked at, and there
            is nothing left to do about them.
    """

    def __init__(self, database: Database, clock: Clock, *, awaited: Collection[str]) -> None:
        self._database = database
        self._clock = clock
        self._awaited = frozenset(awaited)
        # Built once: putting it together costs more than running it.
        self._insert = database.upsert(MoodleEvent).on_conflict_do_nothing().returning(_EVENT.c.seq)

    def accept(self, site_id: int, batch: EventBatch) -> Held:
        """Store a batch of :func:`read_batch` in one transaction, and say how far we hold.

        Raises:
            EpochOverError: the plugin must begin a new epoch; nothing was stored.
            SiteUnknownError, SiteDisconnectedError: the site went away meanwhile.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            # Locked: of two senders at once, the second sees what the first has stored.
            site = connection.execute(
                sa.select(_SITE).where(_SITE.c.id == site_id).with_for_update()
            ).one_or_none()
            if site is None:
                raise SiteUnknownError("The tool knows this Moodle no longer.")
            if site.standing is SiteStanding.DISCONNECTED:
                raise SiteDisconnectedError("The connection with this Moodle was ended.")
            position = self._position(connection, site, batch)
            values: dict[str, Any] = {}
            if position.missed and site.reconcile_since is None:
                values["reconcile_since"] = self._last_received(connection, site)
            if position.restored:
                values["restored_at"] = now
            self._store(connection, site_id, batch, now)
            last = batch.first + len(batch.events) - 1
            held, held_id = position.held, position.held_id
            if last > held:
                held = last
                held_id = batch.events[-1].id if batch.events else batch.after
            connection.execute(
                sa.update(_SITE)
                .where(_SITE.c.id == site_id)
                .values(
                    epoch=batch.epoch,
                    held=held,
                    held_id=held_id,
                    heard_at=now,
                    backlog=min(batch.backlog, _LARGEST_BACKLOG),
                    **values,
                )
            )
        if position.missed:
            log.warning("moodle.events_missed", site_id=site_id, first=batch.first, held=held)
        log.info("moodle.events", site_id=site_id, count=len(batch.events), held=held)
        return Held(held=held, epoch=batch.epoch, now=int(now.timestamp()))

    def purge(self, *, older_than_days: int) -> int:
        """Delete events that were dealt with long ago; returns how many.

        The last of each epoch stays: by it a request of an epoch that is over is known.
        """
        limit = self._clock.now() - dt.timedelta(days=older_than_days)
        later = _EVENT.alias("later")
        with self._database.writing() as connection:
            return connection.execute(
                sa.delete(_EVENT).where(
                    _EVENT.c.taken_at < limit,
                    sa.exists().where(
                        later.c.site_id == _EVENT.c.site_id,
                        later.c.epoch == _EVENT.c.epoch,
                        later.c.seq > _EVENT.c.seq,
                    ),
                )
            ).rowcount

    def _position(
        self, connection: sa.Connection, site: sa.Row[Any], batch: EventBatch
    ) -> _Position:
        if batch.epoch != site.epoch:
            known = sa.select(_EVENT.c.seq).where(
                _EVENT.c.site_id == site.id, _EVENT.c.epoch == batch.epoch
            )
            # A straggler of an older epoch must not bring it back.
            if connection.execute(known.limit(1)).first() is not None:
                raise _epoch_over("This epoch is over.", site, batch)
            restored = site.epoch is not None
            return _Position(0, None, missed=restored or batch.first > 1, restored=restored)
        held, held_id = site.held, site.held_id
        if held >= batch.next:
            raise _epoch_over("The tool holds more of this epoch than was sent.", site, batch)
        before = batch.first - 1
        if batch.after is not None and 0 < before <= held:
            stored = held_id if before == held else self._id_of(connection, site, before)
            if stored is not None and stored != batch.after:
                raise _epoch_over("The tool holds another event before these.", site, batch)
        return _Position(held, held_id, missed=before > held)

    def _id_of(self, connection: sa.Connection, site: sa.Row[Any], seq: int) -> str | None:
        return connection.execute(
            sa.select(_EVENT.c.event_id).where(
                _EVENT.c.site_id == site.id, _EVENT.c.epoch == site.epoch, _EVENT.c.seq == seq
            )
        ).scalar()

    def _last_received(self, connection: sa.Connection, site: sa.Row[Any]) -> dt.datetime:
        latest = sa.select(sa.func.max(_EVENT.c.received_at)).where(_EVENT.c.site_id == site.id)
        return cast(dt.datetime, connection.execute(latest).scalar() or site.paired_at)

    def _store(
        self, connection: sa.Connection, site_id: int, batch: EventBatch, now: dt.datetime
    ) -> None:
        if not batch.events:
            return
        rows = [self._row(site_id, batch.epoch, event, now) for event in batch.events]
        between = sa.select(sa.func.count()).where(
            _EVENT.c.site_id == site_id,
            _EVENT.c.epoch == batch.epoch,
            _EVENT.c.seq.between(batch.first, batch.events[-1].seq),
        )
        # Counted, since drivers do not agree on how many rows were inserted, and RETURNING makes
        # one statement of all rows, which costs several times as much.
        before = connection.execute(between).scalar()
        connection.execute(self._insert, rows)
        if before != 0 or connection.execute(between).scalar() != len(rows):
            self._meet_again(connection, site_id, batch, now)

    def _meet_again(
        self, connection: sa.Connection, site_id: int, batch: EventBatch, now: dt.datetime
    ) -> None:
        """Judge a batch of which some was stored before, under its number or under its id.

        Their id may stand under another number: what waits in a restored Moodle is numbered anew,
        and some of it we had before. What was a hole and comes as an event fills the hole.
        """
        found = connection.execute(
            sa.select(_EVENT.c.epoch, _EVENT.c.seq, _EVENT.c.event_id, _EVENT.c.type).where(
                _EVENT.c.site_id == site_id,
                sa.or_(
                    _EVENT.c.event_id.in_([event.id for event in batch.events]),
                    sa.and_(
                        _EVENT.c.epoch == batch.epoch,
                        _EVENT.c.seq.between(batch.first, batch.events[-1].seq),
                    ),
                ),
            )
        ).all()
        by_number = {row.seq: row.event_id for row in found if row.epoch == batch.epoch}
        by_id = {row.event_id: row for row in found}
        for event in batch.events:
            if by_number.get(event.seq, event.id) != event.id:
                raise EpochOverError(
                    f"The tool holds another event as number {event.seq}.",
                    remedy="Begin a new epoch.",
                    epoch=batch.epoch,
                )
            row = by_id[event.id]
            if row.type != HOLE or event.type == HOLE:
                continue
            filled = self._row(site_id, row.epoch, event, now) | {"seq": row.seq}
            connection.execute(
                sa.update(_EVENT)
                .where(
                    _EVENT.c.site_id == site_id,
                    _EVENT.c.epoch == row.epoch,
                    _EVENT.c.seq == row.seq,
                )
                .values(filled)
            )

    def _row(self, site_id: int, epoch: str, event: Event, now: dt.datetime) -> dict[str, Any]:
        return {
            "site_id": site_id,
            "epoch": epoch,
            "seq": event.seq,
            "event_id": event.id,
            "type": event.type,
            "at": dt.datetime.fromtimestamp(event.at, dt.UTC),
            "actor": event.actor,
            "user": event.user,
            "course": event.course,
            "object": event.object,
            "data": event.data,
            "received_at": now,
            "taken_at": None if event.type in self._awaited else now,
        }


def _invalid(index: int, name: str, problem: str) -> EventsInvalidError:
    return EventsInvalidError(
        f"/events/{index}/{name}: {problem}.", field=f"/events/{index}/{name}"
    )


def _epoch_over(detail: str, site: sa.Row[Any], batch: EventBatch) -> EpochOverError:
    log.warning("moodle.epoch_over", site_id=site.id, held=site.held, first=batch.first)
    return EpochOverError(
        detail, remedy="Begin a new epoch.", epoch=batch.epoch, held=int(site.held)
    )
