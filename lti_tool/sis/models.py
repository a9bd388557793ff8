"""Tables of the embedded SIS: people, terms, courses, classes and enrolments.

Grades are in ``grade_models.py``. There is no column for birth dates, phones or the like: many of
the people here are minors, and no course needs them.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

# Whoever loads this room's tables needs all its files: the grades' foreign keys point here.
import lti_tool.sis.activity
import lti_tool.sis.change_models
import lti_tool.sis.grade_models
import lti_tool.sis.placement_models  # noqa: F401
from lti_tool.core.database import Base
from lti_tool.sis.entities import (
    ClassStatus,
    ClassType,
    EnrollmentStatus,
    PersonStatus,
    TimeOfDay,
)

WEIGHT = sa.Numeric(6, 3)


class Cycle(enum.StrEnum):
    """The programme that a term or course belongs to; it chooses the grade scale."""

    LANG = "LANG"
    BA = "BA"
    MASTERS = "MASTERS"


class TermType(enum.StrEnum):
    """Kind of a term. Several kinds run at once; the values hold a space as in the SIS."""

    ENG_A = "ENG A"
    ENG_B = "ENG B"
    BA = "BA"
    MA = "MA"
    SPECIAL = "X"


class Sourced:
    """What has a key that survives a rebuild of the SIS.

    ``source_modified_at`` is the ``dateLastModified`` of the row that was imported last: an older
    one must not win. ``active`` is false for what the source no longer has; rows are kept.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    sourced_id: Mapped[str] = mapped_column(sa.String(255), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    source_modified_at: Mapped[dt.datetime | None]
    updated_at: Mapped[dt.datetime]


class Organisation(Sourced, Base):
    """A school or department, kept so that imported references can be checked."""

    __tablename__ = "sis_organisation"

    name: Mapped[str] = mapped_column(sa.String(255))
    kind: Mapped[str] = mapped_column(sa.String(30))


class Person(Sourced, Base):
    """A person; one person may study and teach.

    Names are kept as they were written; one-name people have an empty ``personal_name`` or
    ``family_name``. ``school_email`` may be missing or shared, so nobody is matched by it alone.
    ``search`` is folded text (:mod:`lti_tool.sis.search`).
    """

    __tablename__ = "sis_person"

    student_id: Mapped[str | None] = mapped_column(sa.String(30), unique=True)
    family_name: Mapped[str] = mapped_column(sa.String(255), default="")
    personal_name: Mapped[str] = mapped_column(sa.String(255), default="")
    khmer_name: Mapped[str | None] = mapped_column(sa.String(255))
    school_email: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    status: Mapped[PersonStatus] = mapped_column(default=PersonStatus.ACTIVE)
    is_student: Mapped[bool] = mapped_column(default=False)
    is_teacher: Mapped[bool] = mapped_column(default=False)
    search: Mapped[str] = mapped_column(sa.Text, default="")


class PersonRole(Sourced, Base):
    """A role that an import gave to a person; ``is_student`` and ``is_teacher`` follow from it."""

    __tablename__ = "sis_person_role"

    person_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_person.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(sa.String(30))


class Term(Sourced, Base):
    """A term. ``start_date`` and ``end_date`` are inclusive; several terms run at once."""

    __tablename__ = "sis_term"

    code: Mapped[str] = mapped_column(sa.String(100), index=True)
    title: Mapped[str] = mapped_column(sa.String(255), default="")
    cycle: Mapped[Cycle | None]
    term_type: Mapped[TermType] = mapped_column(default=TermType.SPECIAL)
    start_date: Mapped[dt.date]
    end_date: Mapped[dt.date] = mapped_column(index=True)
    search: Mapped[str] = mapped_column(sa.Text, default="")


class Course(Sourced, Base):
    """A course. Its code is not unique: courses are versioned."""

    __tablename__ = "sis_course"

    code: Mapped[str] = mapped_column(sa.String(50), index=True)
    title: Mapped[str] = mapped_column(sa.String(255))
    cycle: Mapped[Cycle]
    credits: Mapped[int] = mapped_column(default=0)
    search: Mapped[str] = mapped_column(sa.Text, default="")


class CombinedClass(Base):
    """Several classes of one term that are taught together; each keeps its students and grades."""

    __tablename__ = "sis_combined_class"
    __table_args__ = (sa.UniqueConstraint("term_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_term.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.String(255))
    updated_at: Mapped[dt.datetime]


class ClassHeader(Sourced, Base):
    """One offering of a course in a term. ``max_enrollment`` is advisory and often exceeded."""

    __tablename__ = "sis_class_header"
    __table_args__ = (sa.UniqueConstraint("course_id", "term_id", "section", "time_of_day"),)

    course_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_course.id"))
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_term.id"), index=True)
    section: Mapped[str] = mapped_column(sa.String(255))
    time_of_day: Mapped[TimeOfDay]
    class_type: Mapped[ClassType] = mapped_column(default=ClassType.STANDARD)
    status: Mapped[ClassStatus] = mapped_column(default=ClassStatus.DRAFT)
    max_enrollment: Mapped[int] = mapped_column(default=30)
    combined_class_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("sis_combined_class.id", ondelete="SET NULL"), index=True
    )
    search: Mapped[str] = mapped_column(sa.Text, default="")


class ClassSession(Base):
    """A grade half of a class, not a meeting: IEAP has two, every other class one.

    ``weight`` as entered; :mod:`lti_tool.sis.rules` normalises.
    """

    __tablename__ = "sis_class_session"
    __table_args__ = (sa.UniqueConstraint("header_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    header_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_class_header.id", ondelete="CASCADE"))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(255), default="")
    weight: Mapped[Decimal] = mapped_column(WEIGHT, default=Decimal(1))
    updated_at: Mapped[dt.datetime]


class ClassPart(Sourced, Base):
    """The component that meets. Its teacher may be missing.

    ``teacher_named``: the source named this part's teacher; else it follows the class's primary
    teacher. ``meeting_days`` as in ``MON,WED,FRI``; times are local to the school, without a date.
    """

    __tablename__ = "sis_class_part"
    __table_args__ = (sa.UniqueConstraint("session_id", "code"),)

    session_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_class_session.id", ondelete="CASCADE")
    )
    code: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(255), default="")
    part_type: Mapped[str] = mapped_column(sa.String(30), default="MAIN")
    weight: Mapped[Decimal] = mapped_column(WEIGHT, default=Decimal(1))
    teacher_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("sis_person.id", ondelete="SET NULL"), index=True
    )
    teacher_named: Mapped[bool] = mapped_column(default=False)
    room: Mapped[str | None] = mapped_column(sa.String(100))
    meeting_days: Mapped[str] = mapped_column(sa.String(60), default="")
    start_time: Mapped[dt.time | None]
    end_time: Mapped[dt.time | None]


class Teaching(Sourced, Base):
    """A person teaches a class, as an import said it; the primary one is its parts' default."""

    __tablename__ = "sis_teaching"
    __table_args__ = (sa.UniqueConstraint("person_id", "header_id"),)

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_person.id", ondelete="CASCADE"))
    header_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_class_header.id", ondelete="CASCADE"), index=True
    )
    is_primary: Mapped[bool] = mapped_column(default=False)


class Enrollment(Sourced, Base):
    """A student in a class, one row for ever: a student who comes back flips the same row.

    ``status_since`` is when this status was first observed; the SIS keeps no date of a drop.
    """

    __tablename__ = "sis_enrollment"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "header_id"),
        sa.Index("ix_sis_enrollment_header", "header_id", "person_id"),
    )

    person_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_person.id"))
    header_id: Mapped[int] = mapped_column(sa.ForeignKey("sis_class_header.id"))
    status: Mapped[EnrollmentStatus] = mapped_column(default=EnrollmentStatus.ENROLLED)
    is_audit: Mapped[bool] = mapped_column(default=False)
    status_since: Mapped[dt.datetime]


class SessionExemption(Base):
    """A student is excused from one session of a class (an IEAP repeater)."""

    __tablename__ = "sis_session_exemption"

    enrollment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_enrollment.id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sis_class_session.id", ondelete="CASCADE"), primary_key=True
    )
    reason: Mapped[str] = mapped_column(sa.String(500))
    updated_at: Mapped[dt.datetime]


class ImportRun(Base):
    """One import that landed, or one generated campus: what it was, what it did, its errors.

    ``source`` is a file's name without its folder; ``issues`` holds file, line, field, problem and
    remedy, never a value of a row.
    """

    __tablename__ = "sis_import_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(30), index=True)
    source: Mapped[str] = mapped_column(sa.String(255))
    actor: Mapped[str] = mapped_column(sa.String(200))
    started_at: Mapped[dt.datetime]
    finished_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    counts: Mapped[dict[str, Any]]
    error_count: Mapped[int] = mapped_column(default=0)
    issues: Mapped[list[Any]]
