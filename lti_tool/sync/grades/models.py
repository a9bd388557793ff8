"""Tables of the grades' way to Moodle and back.

Values are hundredths of a percent of the SIS's 0 to 100, as in the contract; ``None`` is no grade,
and 0 is one. ``item_key``: a part's key, a session's, or ``#total``. ``course_key`` is the class in
whose course it stands, ``class_key`` the class whose grade it is.
"""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


class GradeConnection(Base):
    """A part's grades come from a teacher's own item in Moodle: an activity, or a category's total.

    ``item_id`` is Moodle's grade item; one item serves one part.
    """

    __tablename__ = "grade_connection"
    __table_args__ = (sa.UniqueConstraint("site_id", "item_id"),)

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    part_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    class_key: Mapped[str] = mapped_column(sa.String(255), index=True)
    item_id: Mapped[int] = mapped_column(sa.BigInteger)
    item_type: Mapped[str] = mapped_column(sa.String(20))
    item_name: Mapped[str] = mapped_column(sa.String(300))
    connected_by: Mapped[str] = mapped_column(sa.String(255))
    connected_at: Mapped[dt.datetime]


class GradeReceipt(Base):
    """Where one grade stands on both sides, in one course: ``#total`` is an item of every course.

    ``base``: what both sides last agreed on, if they ever did (``agreed_at``). ``seen``: what
    Moodle held when it was last read or written, since ``seen_at`` (Moodle's clock), by Moodle's
    user ``seen_by``. ``sent``: what was last sent, with its result: ``code`` is ``None`` where it
    was taken. ``asked``: what a teacher last asked to be in Moodle; it is done when ``sent_at`` is
    not before ``asked_at``.
    """

    __tablename__ = "grade_receipt"

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    course_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    person_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    item_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    class_key: Mapped[str] = mapped_column(sa.String(255))
    base: Mapped[int | None]
    agreed_at: Mapped[dt.datetime | None]
    seen: Mapped[int | None]
    seen_at: Mapped[dt.datetime | None]
    seen_by: Mapped[int | None] = mapped_column(sa.BigInteger)
    sent: Mapped[int | None]
    sent_text: Mapped[str] = mapped_column(sa.String(20), default="")
    sent_at: Mapped[dt.datetime | None]
    sent_by: Mapped[str | None] = mapped_column(sa.String(255))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    asked: Mapped[int | None]
    asked_text: Mapped[str] = mapped_column(sa.String(20), default="")
    asked_by: Mapped[str | None] = mapped_column(sa.String(255))
    asked_at: Mapped[dt.datetime | None]


class Direction(enum.StrEnum):
    """Which way a grade moved."""

    TO_MOODLE = "to_moodle"
    FROM_MOODLE = "from_moodle"


class Movement(enum.StrEnum):
    """What became of a grade that moved, or would have."""

    SENT = "sent"
    IMPORTED = "imported"
    REFUSED = "refused"
    CONFLICT = "conflict"
    KEPT = "kept"
    TAKEN = "taken"


class MoodleGradeSyncLog(Base):
    """One movement of one grade. Append-only: rows are never changed."""

    __tablename__ = "moodle_grade_sync_log"
    __table_args__ = (
        sa.Index("ix_moodle_grade_sync_log_grade", "site_id", "person_key", "item_key", "id"),
        sa.Index("ix_moodle_grade_sync_log_course", "site_id", "course_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("moodle_site.id"))
    at: Mapped[dt.datetime]
    direction: Mapped[Direction]
    movement: Mapped[Movement]
    course_key: Mapped[str] = mapped_column(sa.String(255))
    class_key: Mapped[str] = mapped_column(sa.String(255))
    person_key: Mapped[str] = mapped_column(sa.String(255))
    item_key: Mapped[str] = mapped_column(sa.String(255))
    before: Mapped[int | None]
    after: Mapped[int | None]
    text: Mapped[str] = mapped_column(sa.String(20), default="")
    actor: Mapped[str] = mapped_column(sa.String(255))
    code: Mapped[str | None] = mapped_column(sa.String(60))
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sync_run.id", ondelete="SET NULL"))


class ConflictState(enum.StrEnum):
    """Life of a conflict. ``ASKED``: a teacher's word is awaited; ``CLOSED``: it went by itself."""

    OPEN = "open"
    ASKED = "asked"
    KEPT = "kept"
    TAKEN = "taken"
    CLOSED = "closed"


class GradeConflict(Base):
    """A change in Moodle that the SIS may not follow by itself; a person decides.

    ``reason``: ``locked`` (approved or final in the SIS), ``withdrawn`` (taken away in Moodle), or
    a code of the SIS's refusal (``docs/grades.md``). One at most is undecided for each grade.
    ``proposes_take``: what the teacher who was asked proposes.
    """

    __tablename__ = "grade_conflict"
    __table_args__ = (
        sa.Index(
            "uq_grade_conflict_undecided",
            "site_id",
            "person_key",
            "item_key",
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'asked')"),
            postgresql_where=sa.text("state IN ('open', 'asked')"),
        ),
        sa.Index("ix_grade_conflict_course", "site_id", "course_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("moodle_site.id", ondelete="CASCADE"))
    course_key: Mapped[str] = mapped_column(sa.String(255))
    class_key: Mapped[str] = mapped_column(sa.String(255))
    person_key: Mapped[str] = mapped_column(sa.String(255))
    item_key: Mapped[str] = mapped_column(sa.String(255))
    reason: Mapped[str] = mapped_column(sa.String(60))
    state: Mapped[ConflictState] = mapped_column(default=ConflictState.OPEN)
    sis_value: Mapped[int | None]
    sis_status: Mapped[str | None] = mapped_column(sa.String(20))
    sis_by: Mapped[str | None] = mapped_column(sa.String(255))
    sis_at: Mapped[dt.datetime | None]
    moodle_value: Mapped[int | None]
    moodle_by: Mapped[str | None] = mapped_column(sa.String(255))
    moodle_at: Mapped[dt.datetime | None]
    since: Mapped[dt.datetime]
    asked_by: Mapped[str | None] = mapped_column(sa.String(255))
    asked_at: Mapped[dt.datetime | None]
    question: Mapped[str | None] = mapped_column(sa.String(1000))
    answer: Mapped[str | None] = mapped_column(sa.String(1000))
    proposes_take: Mapped[bool | None]
    answered_at: Mapped[dt.datetime | None]
    decided_by: Mapped[str | None] = mapped_column(sa.String(255))
    decided_at: Mapped[dt.datetime | None]
    note: Mapped[str | None] = mapped_column(sa.String(1000))


class GradePull(Base):
    """A course whose grades in Moodle are to be read: something happened, or somebody asked.

    ``changed_at``: the latest reason; a pull is done only if nothing came after what was read.
    ``taken_*``: who reads it now, given up by time if that process dies.
    """

    __tablename__ = "grade_pull"

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    course_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    changed_at: Mapped[dt.datetime]
    requested_by: Mapped[str | None] = mapped_column(sa.String(255))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.String(60))
    taken_by: Mapped[str | None] = mapped_column(sa.String(32))
    taken_until: Mapped[dt.datetime | None]


class GradeReading(Base):
    """When a course's grades in Moodle were last read; what a student sees as "brought over"."""

    __tablename__ = "grade_reading"

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    course_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    read_at: Mapped[dt.datetime]
    compared: Mapped[int] = mapped_column(default=0)
