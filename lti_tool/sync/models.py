"""Tables of the sync room."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

import lti_tool.sync.activity

# Whoever loads this room's tables needs all its files.
import lti_tool.sync.grades.models
import lti_tool.sync.order_models
import lti_tool.sync.provisioning.models  # noqa: F401
from lti_tool.core.database import Base


class CourseLink(Base):
    """A platform's course (context) is this class of the SIS. Combined classes share a context."""

    __tablename__ = "course_link"

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), primary_key=True
    )
    context_id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    class_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    method: Mapped[str] = mapped_column(sa.String(20))
    linked_by: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]


class RosterState(enum.StrEnum):
    """Where a person stands when the platform's members are laid beside the SIS's enrolments."""

    PRESENT = "present"
    MISSING = "missing"
    MISSING_ACCOUNT = "missing_account"
    SUSPENDED = "suspended"
    LEFT = "left"
    NOT_IN_SIS = "not_in_sis"
    UNLINKED = "unlinked"
    TEACHER = "teacher"


class RosterComparison(Base):
    """One reading of a course's members beside the SIS; the newest complete one is shown."""

    __tablename__ = "roster_comparison"
    __table_args__ = (
        sa.Index("ix_roster_comparison_course", "registration_id", "context_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE")
    )
    context_id: Mapped[str] = mapped_column(sa.String(255))
    started_at: Mapped[dt.datetime]
    completed_at: Mapped[dt.datetime | None]
    members: Mapped[int] = mapped_column(default=0)


class RosterRow(Base):
    """One person of a comparison: from the SIS (``person_key``), the platform (``user_id``), both.

    ``name_sealed`` is the platform's name of a member that the SIS does not know.
    ``enrollment_status`` is ``AUDIT`` for either kind of audit. ``sort_name`` and ``search_text``
    come from the SIS; ``search_text`` is case-folded.
    """

    __tablename__ = "roster_row"
    __table_args__ = (
        sa.UniqueConstraint("comparison_id", "user_id"),
        sa.UniqueConstraint("comparison_id", "person_key"),
        sa.Index("ix_roster_row_state", "comparison_id", "state", "sort_name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(
        sa.ForeignKey("roster_comparison.id", ondelete="CASCADE")
    )
    person_key: Mapped[str | None] = mapped_column(sa.String(255))
    user_id: Mapped[str | None] = mapped_column(sa.String(255))
    sourced_id: Mapped[str | None] = mapped_column(sa.String(255))
    class_key: Mapped[str | None] = mapped_column(sa.String(255))
    state: Mapped[RosterState]
    person_status: Mapped[str | None] = mapped_column(sa.String(20))
    enrollment_status: Mapped[str | None] = mapped_column(sa.String(30))
    member_status: Mapped[str | None] = mapped_column(sa.String(20))
    since: Mapped[dt.datetime | None]
    roles: Mapped[list[str]] = mapped_column(default=list)
    instructor: Mapped[bool] = mapped_column(default=False)
    sort_name: Mapped[str] = mapped_column(sa.String(300), default="")
    search_text: Mapped[str] = mapped_column(sa.String(1000), default="")
    name_sealed: Mapped[bytes | None]


class PushState(enum.StrEnum):
    """Life of a grade push: previewed, then queued by the teacher, then done by a worker."""

    PREVIEW = "preview"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ItemState(enum.StrEnum):
    """One grade of a push. ``SEND`` is planned; the rest are results."""

    SEND = "send"
    SENT = "sent"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    FAILED = "failed"


class GradePush(Base):
    """One push of a course's part grades to the platform, from preview to receipts.

    ``runner`` is the run that holds the push; one that finds another's there stops.
    """

    __tablename__ = "grade_push"
    __table_args__ = (
        sa.Index("ix_grade_push_course", "registration_id", "context_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE")
    )
    context_id: Mapped[str] = mapped_column(sa.String(255))
    ags: Mapped[dict[str, Any]]
    state: Mapped[PushState] = mapped_column(default=PushState.PREVIEW, index=True)
    created_by: Mapped[str] = mapped_column(sa.String(255))
    created_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    runner: Mapped[str | None] = mapped_column(sa.String(32))
    heartbeat_at: Mapped[dt.datetime | None]
    finished_at: Mapped[dt.datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))


class GradePushItem(Base):
    """One student's grade for one part within a push; afterwards its receipt.

    ``score`` is the SIS's, 0–100; ``previous`` is what the platform held, scaled to 0–100.
    ``confirmed_at``: when the platform was seen to hold what was sent.
    """

    __tablename__ = "grade_push_item"
    __table_args__ = (sa.Index("ix_grade_push_item_state", "push_id", "state"),)

    push_id: Mapped[str] = mapped_column(
        sa.ForeignKey("grade_push.id", ondelete="CASCADE"), primary_key=True
    )
    part_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    person_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    class_key: Mapped[str] = mapped_column(sa.String(255))
    user_id: Mapped[str | None] = mapped_column(sa.String(255))
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
    previous: Mapped[Decimal | None] = mapped_column(sa.Numeric(12, 5))
    state: Mapped[ItemState]
    reason: Mapped[str | None] = mapped_column(sa.String(60))
    detail: Mapped[str | None] = mapped_column(sa.String(500))
    sort_name: Mapped[str] = mapped_column(sa.String(300), default="")
    sent_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]


class LineItemLink(Base):
    """The line item that holds a class part's grades on a platform."""

    __tablename__ = "line_item_link"

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), primary_key=True
    )
    context_id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    part_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    url: Mapped[str] = mapped_column(sa.String(1000))
    maximum: Mapped[Decimal] = mapped_column(sa.Numeric(12, 5))


class ScoreClock(Base):
    """The last timestamp sent per line item and user: AGS timestamps must strictly increase."""

    __tablename__ = "score_clock"

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), primary_key=True
    )
    line_item: Mapped[str] = mapped_column(sa.String(1000), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    sent_at: Mapped[dt.datetime]
    score: Mapped[Decimal | None] = mapped_column(sa.Numeric(8, 2))
