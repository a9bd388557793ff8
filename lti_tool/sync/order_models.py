"""Table of what administrators asked the engine for."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


class Act(enum.StrEnum):
    """What may be asked for. All but the two previews may change a Moodle."""

    PREVIEW = "preview"
    APPLY = "apply"
    COMPARE = "compare"
    REPAIR = "repair"
    UNDO_PREVIEW = "undo_preview"
    UNDO = "undo"


class OrderState(enum.StrEnum):
    """Life of an order."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class SyncOrder(Base):
    """One thing that an administrator asked of the engine, done by the worker.

    ``arguments``: of a preview or an apply ``{"scope": "changes" | "everything" | "again"}``, of a
    comparison ``{"courses": [keys]}`` or nothing, of an undo ``{"run": id}``. ``done`` of ``total``
    count documents. ``result_sealed``: what was found, for names of people are among it.
    """

    __tablename__ = "sync_order"
    __table_args__ = (sa.Index("ix_sync_order_site", "site_id", "asked_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("moodle_site.id", ondelete="CASCADE"))
    act: Mapped[Act]
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[OrderState] = mapped_column(default=OrderState.QUEUED, index=True)
    asked_at: Mapped[dt.datetime]
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sync_run.id", ondelete="SET NULL"))
    error: Mapped[str | None] = mapped_column(sa.String(500))
    result_sealed: Mapped[bytes | None]
