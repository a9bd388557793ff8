"""Tables of the engine that keeps Moodle equal to the SIS."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


def _site() -> Mapped[int]:
    return mapped_column(sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True)


class SyncMark(Base):
    """One thing of one site that may differ from the SIS. A hundred changes are one mark.

    ``changed_at``: the latest change; a mark is settled only if nothing came after what was read.
    ``waiting_for`` says why it is not taken yet: ``kind:key`` of what must be there first, or the
    code of a passing error. After each of the ``attempts`` it travels in smaller company, so that
    one bad document ends up alone.
    """

    __tablename__ = "sync_mark"
    __table_args__ = (sa.Index("ix_sync_mark_due", "site_id", "kind", "not_before"),)

    site_id: Mapped[int] = _site()
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    since: Mapped[dt.datetime]
    changed_at: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[dt.datetime | None]
    waiting_for: Mapped[str | None] = mapped_column(sa.String(300))


class SyncedDocument(Base):
    """What a site was last made equal to: the mapping of the SIS's thing to Moodle's.

    ``fingerprint`` of the document that was applied; ``None``: it must be sent again. ``active``:
    how many people it lets in (a user's 1 or 0, a roster's active members); ``people``: which ones
    (``people.py``). By these a mass change is seen before it happens.
    """

    __tablename__ = "synced_document"
    __table_args__ = (sa.Index("ix_synced_document_moodle", "site_id", "kind", "moodle_id"),)
    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012 - SQLAlchemy reads this name

    site_id: Mapped[int] = _site()
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    moodle_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    fingerprint: Mapped[str | None] = mapped_column(sa.String(32))
    outcome: Mapped[str] = mapped_column(sa.String(20))
    active: Mapped[int] = mapped_column(default=0)
    people: Mapped[bytes | None]
    created_at: Mapped[dt.datetime]
    created_by: Mapped[str] = mapped_column(sa.String(200))
    updated_at: Mapped[dt.datetime]
    updated_by: Mapped[str] = mapped_column(sa.String(200))


class MoodleCategoryMapping(SyncedDocument):
    """Which category of a Moodle is which term."""

    __mapper_args__ = {"polymorphic_identity": "category"}  # noqa: RUF012


class MoodleUserMapping(SyncedDocument):
    """Which account of a Moodle is which person."""

    __mapper_args__ = {"polymorphic_identity": "user"}  # noqa: RUF012


class MoodleCourseMapping(SyncedDocument):
    """Which course of a Moodle is which class; classes taught together share their host's."""

    __mapper_args__ = {"polymorphic_identity": "course"}  # noqa: RUF012


class MoodleRosterMapping(SyncedDocument):
    """Whose members a course of a Moodle has."""

    __mapper_args__ = {"polymorphic_identity": "roster"}  # noqa: RUF012


class MoodleGradebookMapping(SyncedDocument):
    """How the grades of a course of a Moodle add up."""

    __mapper_args__ = {"polymorphic_identity": "gradebook"}  # noqa: RUF012


class MoodleGradesMapping(SyncedDocument):
    """Which grades of a course of a Moodle are the SIS's."""

    __mapper_args__ = {"polymorphic_identity": "grades"}  # noqa: RUF012


class KeycloakAccountMapping(SyncedDocument):
    """Whose account stands in a realm. Keycloak knows it by the person's key, as we do."""

    __mapper_args__ = {"polymorphic_identity": "account"}  # noqa: RUF012


class TaughtIn(Base):
    """In whose course a class was last taught together with others: when it leaves them, or they
    leave it, all their courses change."""

    __tablename__ = "sync_taught_in"

    site_id: Mapped[int] = _site()
    class_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    host: Mapped[str] = mapped_column(sa.String(255), index=True)


class RunState(enum.StrEnum):
    """Life of a run. ``WAITING``: a mass change waits for an administrator's yes."""

    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class RunTrigger(enum.StrEnum):
    """Why a run began."""

    CHANGES = "changes"
    MANUAL = "manual"
    RECONCILE = "reconcile"
    UNDO = "undo"


class SyncRun(Base):
    """One run of the engine at one site. ``total`` and ``done`` count documents.

    ``counts``: ``{kind: {outcome: number}}``. ``holder``: by which lease it runs; what another
    one stores is refused. ``guard``: what the mass change would be
    (``{"suspended", "limit", "rosters", "users"}``) and, once somebody agreed, ``approved_by``.
    """

    __tablename__ = "sync_run"
    __table_args__ = (
        sa.Index("ix_sync_run_site", "site_id", "started_at"),
        # Asked every two seconds, among all the runs of months.
        sa.Index(
            "ix_sync_run_unfinished",
            "site_id",
            sqlite_where=sa.text("finished_at IS NULL"),
            postgresql_where=sa.text("finished_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("moodle_site.id", ondelete="CASCADE"))
    trigger: Mapped[RunTrigger]
    actor: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[RunState] = mapped_column(default=RunState.RUNNING)
    holder: Mapped[str | None] = mapped_column(sa.String(64))
    started_at: Mapped[dt.datetime]
    heartbeat_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime | None]
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    guard: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None] = mapped_column(sa.String(500))


class MoodleIntegrationRecord(Base):
    """One operation at a site and its result: the journal, append-only.

    ``detail_sealed`` is the result as the plugin gave it, with what each field was before: names
    of people are among it, so it is sealed.
    """

    __tablename__ = "moodle_integration_record"
    __table_args__ = (
        sa.Index("ix_moodle_integration_record_thing", "site_id", "kind", "key", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sync_run.id", ondelete="CASCADE"), index=True
    )
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("moodle_site.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    key: Mapped[str] = mapped_column(sa.String(255))
    outcome: Mapped[str] = mapped_column(sa.String(20))
    moodle_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    code: Mapped[str | None] = mapped_column(sa.String(60))
    at: Mapped[dt.datetime]
    detail_sealed: Mapped[bytes | None]


class DeadLetter(Base):
    """What cannot be done until somebody mends it: a document, or one person of a roster.

    ``item`` is the person's key within a roster, else empty. ``message_sealed``: the words, which
    may name people. A later good change removes it.
    """

    __tablename__ = "sync_dead_letter"

    site_id: Mapped[int] = _site()
    kind: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    item: Mapped[str] = mapped_column(sa.String(255), primary_key=True, default="")
    code: Mapped[str] = mapped_column(sa.String(60))
    field: Mapped[str | None] = mapped_column(sa.String(300))
    message_sealed: Mapped[bytes]
    since: Mapped[dt.datetime]
    last_at: Mapped[dt.datetime]
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sync_run.id", ondelete="SET NULL"))


class BreakerState(enum.StrEnum):
    """Whether a site is called: ``HALF_OPEN`` lets one call through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class SiteGate(Base):
    """What all workers share about calling a site: who runs it, whether it answers, how fast.

    ``lease_*``: one run at a time, given up by time if its process dies. ``calls`` since
    ``window_at`` hold the rate limit. ``pace``: documents per call, per kind, as the site's speed
    allows. ``held_by``, ``held_for``: an administrator stopped the changes that come by themselves.
    """

    __tablename__ = "sync_gate"

    site_id: Mapped[int] = _site()
    lease_holder: Mapped[str | None] = mapped_column(sa.String(64))
    lease_until: Mapped[dt.datetime | None]
    breaker: Mapped[BreakerState] = mapped_column(default=BreakerState.CLOSED)
    failures: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[dt.datetime | None]
    probe_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(300))
    window_at: Mapped[dt.datetime | None]
    calls: Mapped[int] = mapped_column(default=0)
    pace: Mapped[dict[str, Any]] = mapped_column(default=dict)
    held_by: Mapped[str | None] = mapped_column(sa.String(200))
    held_for: Mapped[str | None] = mapped_column(sa.String(300))
    held_at: Mapped[dt.datetime | None]


class SharedAddress(Base):
    """Somebody who had the same address as somebody else when they were last looked at.

    ``address`` is a digest, and tells only that two are equal.
    """

    __tablename__ = "shared_address"

    person_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    address: Mapped[str] = mapped_column(sa.String(32), index=True)
