"""Tables of the embedded SIS: grade scales, grades and the history of their changes."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lti_tool.core.database import Base
from lti_tool.sis.entities import GradeSource, GradeStatus

SCORE = sa.Numeric(5, 2)
POINTS = sa.Numeric(4, 2)


class ChangeKind(enum.StrEnum):
    """Why a row stands in the history of grades."""

    INITIAL_ENTRY = "INITIAL_ENTRY"
    CHANGE = "CHANGE"
    CORRECTION = "CORRECTION"
    STATUS_CHANGE = "STATUS_CHANGE"
    HELD = "HELD"
    LIFTED = "LIFTED"


class RecordChangeKind(enum.StrEnum):
    """What was decided about a student's record in a class."""

    EXEMPTED = "EXEMPTED"
    EXEMPTION_REVOKED = "EXEMPTION_REVOKED"
    SPECIAL_SET = "SPECIAL_SET"
    SPECIAL_CLEARED = "SPECIAL_CLEARED"


class GradeScale(Base):
    """A conversion table as configuration; ``cycles`` and ``course_prefixes`` say whose it is."""

    __tablename__ = "sis_grade_scale"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(50), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    cycles: Mapped[list[str]]
    course_prefixes: Mapped[list[str]]
    updated_at: Mapped[dt.datetime]

    conversions: Mapped[list[GradeConversion]] = relationship(
        cascade="all, delete-orphan", order_by="GradeConversion.minimum.desc()"
    )


class GradeConversion(Base):
    """One letter of a scale: from ``minimum`` to ``maximum``, both inclusive, 2 decimals."""

    __tablename__ = "sis_grade_conversion"
    __table_args__ = (sa.UniqueConstraint("scale_id", "minimum"),)

    scale_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_grade_scale.id", ondelete="CASCADE"), primary_key=True
    )
    letter: Mapped[str] = mapped_column(sa.String(5), primary_key=True)
    minimum: Mapped[Decimal] = mapped_column(SCORE)
    maximum: Mapped[Decimal] = mapped_column(SCORE)
    points: Mapped[Decimal] = mapped_column(POINTS)
    updated_at: Mapped[dt.datetime]


class ClassPartGrade(Base):
    """A student's grade for one part. ``score`` 0–100; ``None`` is no grade, and 0 is one.

    ``graded_at``: when it was given, if that was elsewhere and before it was entered here.
    ``held_by``: the registrar holds the grade; nothing from elsewhere changes it until that is
    lifted.
    """

    __tablename__ = "sis_class_part_grade"
    __table_args__ = (
        sa.UniqueConstraint("enrollment_id", "part_id"),
        sa.CheckConstraint("score >= 0 AND score <= 100", name="score_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE")
    )
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_class_part.id"), index=True)
    score: Mapped[Decimal | None] = mapped_column(SCORE)
    letter: Mapped[str | None] = mapped_column(sa.String(5))
    points: Mapped[Decimal | None] = mapped_column(POINTS)
    status: Mapped[GradeStatus] = mapped_column(default=GradeStatus.DRAFT)
    source: Mapped[GradeSource]
    entered_by: Mapped[str] = mapped_column(sa.String(255))
    approved_by: Mapped[str | None] = mapped_column(sa.String(255))
    graded_at: Mapped[dt.datetime | None]
    held_by: Mapped[str | None] = mapped_column(sa.String(255))
    held_at: Mapped[dt.datetime | None]
    held_reason: Mapped[str | None] = mapped_column(sa.String(500))
    updated_at: Mapped[dt.datetime]


class ClassSessionGrade(Base):
    """A session's total for one student, recomputed whenever a part grade that counts changes."""

    __tablename__ = "sis_class_session_grade"

    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_class_session.id", ondelete="CASCADE"), primary_key=True
    )
    score: Mapped[Decimal | None] = mapped_column(SCORE)
    letter: Mapped[str | None] = mapped_column(sa.String(5))
    points: Mapped[Decimal | None] = mapped_column(POINTS)
    updated_at: Mapped[dt.datetime]


class FinalGrade(Base):
    """A class's final grade for one student.

    ``special``: a letter without a percentage (I, W, AU…) that a person set; it stands until it is
    taken back, whatever the part grades say.
    """

    __tablename__ = "sis_final_grade"

    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE"), primary_key=True
    )
    score: Mapped[Decimal | None] = mapped_column(SCORE)
    letter: Mapped[str | None] = mapped_column(sa.String(5))
    points: Mapped[Decimal | None] = mapped_column(POINTS)
    special: Mapped[str | None] = mapped_column(sa.String(5))
    status: Mapped[GradeStatus]
    updated_at: Mapped[dt.datetime]


class GradeChange(Base):
    """One change of a part grade. Corrections of locked grades have a reason, always."""

    __tablename__ = "sis_grade_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE")
    )
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_class_part.id"))
    kind: Mapped[ChangeKind]
    old_score: Mapped[Decimal | None] = mapped_column(SCORE)
    new_score: Mapped[Decimal | None] = mapped_column(SCORE)
    old_letter: Mapped[str | None] = mapped_column(sa.String(5))
    new_letter: Mapped[str | None] = mapped_column(sa.String(5))
    old_status: Mapped[GradeStatus | None]
    new_status: Mapped[GradeStatus]
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    changed_by: Mapped[str] = mapped_column(sa.String(255))
    updated_at: Mapped[dt.datetime]

    __table_args__ = (sa.Index("ix_sis_grade_change_grade", "enrollment_id", "part_id"),)


class RecordChange(Base):
    """A decision about one student's record in a class: an exemption or a special final grade.

    ``session_id`` is set for exemptions; the letters are those of the final grade.
    """

    __tablename__ = "sis_record_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE"), index=True
    )
    session_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("sis_class_session.id", ondelete="SET NULL")
    )
    kind: Mapped[RecordChangeKind]
    old_letter: Mapped[str | None] = mapped_column(sa.String(5))
    new_letter: Mapped[str | None] = mapped_column(sa.String(5))
    reason: Mapped[str] = mapped_column(sa.String(500))
    changed_by: Mapped[str] = mapped_column(sa.String(255))
    updated_at: Mapped[dt.datetime]
