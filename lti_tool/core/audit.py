"""The audit log: append-only, each record holding the hash of the one before it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from lti_tool.core.clock import Clock
from lti_tool.core.database import Base

_GENESIS = "0" * 64
# Any constant: it names this chain among the database's advisory locks.
_LOCK = 0x6E616761


class AuditEvent(Base):
    """One privileged act: who did what to what, and when."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(sa.String(200))
    action: Mapped[str] = mapped_column(sa.String(100), index=True)
    target: Mapped[str] = mapped_column(sa.String(300), index=True)
    detail: Mapped[dict[str, Any]]
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64), unique=True)

    def digest(self) -> str:
        """The hash that this record must have, over its content and its predecessor's hash."""
        content = json.dumps(
            [
                self.previous_hash,
                self.at.astimezone(dt.UTC).isoformat(),
                self.actor,
                self.action,
                self.target,
                self.detail,
            ],
            sort_keys=True,
            separators=(",", ":"),
        )
        return hashlib.sha256(content.encode()).hexdigest()


class AuditLog:
    """Appends to the log inside the transaction of the act itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def record(
        self, session: Session, *, actor: str, action: str, target: str, **detail: Any
    ) -> None:
        """Append one record. ``detail`` holds ids and values, never names of people."""
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        previous = session.scalar(
            sa.select(AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1)
        )
        event = AuditEvent(
            at=self._clock.now(),
            actor=actor,
            action=action,
            target=target,
            detail=detail,
            previous_hash=previous or _GENESIS,
        )
        event.hash = event.digest()
        session.add(event)
        session.flush()

    @staticmethod
    def first_broken(session: Session) -> int | None:
        """Return the id of the first record that does not fit the chain, or ``None``."""
        previous = _GENESIS
        query = sa.select(AuditEvent).order_by(AuditEvent.id)
        with session.scalars(query.execution_options(yield_per=1000)) as events:
            for event in events:
                if event.previous_hash != previous or event.hash != event.digest():
                    return event.id
                previous = event.hash
        return None
