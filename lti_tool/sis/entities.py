"""What the SIS hands out: immutable views of its people, classes, enrolments and grades.

Keys are strings that survive a rebuild of the SIS: ``person_key`` is ``Person.sourced_id``,
``class_key`` is ``ClassHeader.sourced_id``, ``part_key`` is ``ClassPart.sourced_id``. In Moodle
they stand in ``user.idnumber`` and ``course.idnumber``; in LTI they arrive as the ``lis`` claim's
``person_sourcedid`` and ``course_section_sourcedid``.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


class EnrollmentStatus(enum.StrEnum):
    """Status of a student's enrolment in a class."""

    ENROLLED = "ENROLLED"
    ACTIVE = "ACTIVE"
    DROPPED = "DROPPED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    INCOMPLETE = "INCOMPLETE"
    WITHDRAWN = "WITHDRAWN"
    AUDIT = "AUDIT"
    NO_SHOW_ACADEMIC = "NO_SHOW_ACADEMIC"
    NO_SHOW_LANGUAGE = "NO_SHOW_LANGUAGE"

    @property
    def attends(self) -> bool:
        """Whether this student should be in the running course now."""
        return self in (self.ENROLLED, self.ACTIVE, self.AUDIT)

    @property
    def ended(self) -> bool:
        """Whether the student finished the class and may still read it."""
        return self in (self.COMPLETED, self.FAILED, self.INCOMPLETE)


class ClassStatus(enum.StrEnum):
    """Status of a class (ClassHeader)."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    SUSPENDED = "SUSPENDED"


class ClassType(enum.StrEnum):
    """Kind of a class (ClassHeader)."""

    STANDARD = "STANDARD"
    COMBINED = "COMBINED"
    READING = "READING"
    INTENSIVE = "INTENSIVE"
    WORKSHOP = "WORKSHOP"


class TimeOfDay(enum.StrEnum):
    """When a class meets; part of its natural key."""

    MORN = "MORN"
    AFT = "AFT"
    EVE = "EVE"
    NIGHT = "NIGHT"
    ALL = "ALL"


class PersonStatus(enum.StrEnum):
    """Whether a person takes part at all."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    GRADUATED = "GRADUATED"
    DROPPED = "DROPPED"
    SUSPENDED = "SUSPENDED"
    TRANSFERRED = "TRANSFERRED"
    FROZEN = "FROZEN"
    DECEASED = "DECEASED"
    UNKNOWN = "UNKNOWN"

    @property
    def may_sign_in(self) -> bool:
        """Whether accounts of this person are open. A graduate keeps theirs, and reads what was
        theirs; a status that nobody knows takes nothing away."""
        return self in (self.ACTIVE, self.GRADUATED, self.UNKNOWN)


class GradeStatus(enum.StrEnum):
    """Life of a part grade; ``APPROVED`` and ``FINALIZED`` are locked."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    APPROVED = "APPROVED"
    FINALIZED = "FINALIZED"

    @property
    def locked(self) -> bool:
        """Whether a change needs a correction with a reason."""
        return self in (self.APPROVED, self.FINALIZED)


class GradeSource(enum.StrEnum):
    """Where a grade came from."""

    MANUAL_TEACHER = "MANUAL_TEACHER"
    MANUAL_CLERK = "MANUAL_CLERK"
    MOODLE_IMPORT = "MOODLE_IMPORT"
    CALCULATED = "CALCULATED"
    MIGRATED = "MIGRATED"


@dataclass(frozen=True, slots=True)
class TermView:
    """A term; its dates are inclusive. ``active`` is false for one that the source took back."""

    term_key: str
    code: str
    title: str
    start: dt.date
    end: dt.date
    active: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person, with no more than a course needs: no birth date, no phone, no private address."""

    person_key: str
    student_id: str | None
    family_name: str
    personal_name: str
    khmer_name: str | None
    school_email: str | None
    status: PersonStatus
    is_student: bool
    is_teacher: bool

    @property
    def full_name(self) -> str:
        """``FAMILY PERSONAL``; one-name people have only one of them."""
        return " ".join(name for name in (self.family_name, self.personal_name) if name)


@dataclass(frozen=True, slots=True)
class PartView:
    """The component of a class that meets: teacher, room, times, weight within its session.

    ``weight`` is normalised: the parts of one session sum to 1. ``share`` is the part's share of
    the final grade: all parts of a class sum to 1. Both are rounded to 4 decimals, to be shown.
    """

    part_key: str
    session_number: int
    code: int
    name: str
    part_type: str
    weight: Decimal
    share: Decimal
    teacher_key: str | None
    teacher_name: str | None
    room: str | None
    meeting_days: tuple[str, ...]
    start_time: dt.time | None
    end_time: dt.time | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A grade half of a class. ``weight`` is normalised: the sessions of a class sum to 1."""

    number: int
    name: str
    weight: Decimal
    parts: tuple[PartView, ...]


@dataclass(frozen=True, slots=True)
class ClassView:
    """One offering of a course in a term: the thing that becomes a Moodle course.

    ``combined_with`` holds the class keys that are taught together with this one; ``host`` is the
    one in whose course they are, if that is decided.
    """

    class_key: str
    course_code: str
    course_title: str
    term_code: str
    term_start: dt.date
    term_end: dt.date
    section: str
    time_of_day: TimeOfDay
    class_type: ClassType
    status: ClassStatus
    sessions: tuple[SessionView, ...]
    combined_with: tuple[str, ...] = ()
    term_key: str = ""
    host: str | None = None

    @property
    def host_key(self) -> str:
        """The class in whose course this one is taught: its own, unless it is combined."""
        return self.host or min((self.class_key, *self.combined_with))

    @property
    def parts(self) -> tuple[PartView, ...]:
        """All parts, in the order of their sessions."""
        return tuple(part for session in self.sessions for part in session.parts)

    def part_label(self, part: PartView, *, alone: bool) -> str:
        """What a part is called in a course: its name, after the class's where classes share it."""
        return part.name if alone else f"{self.course_code} {self.section}: {part.name}"

    @property
    def label(self) -> str:
        """What people call it: ``EHSS-07 A (EVE), 250701E-T3AE``."""
        return f"{self.course_code} {self.section} ({self.time_of_day}), {self.term_code}"


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One student's enrolment in a class. ``since`` is when this status was first observed."""

    person: PersonView
    status: EnrollmentStatus
    is_audit: bool
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class OwnEnrollment:
    """A class of one student, with their status in it and the final grade so far, if any counts."""

    class_: ClassView
    status: EnrollmentStatus
    is_audit: bool
    final: FinalGradeView | None


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in a class, as little as a roster needs: no names."""

    class_key: str
    person_key: str
    status: EnrollmentStatus
    is_audit: bool
    person_status: PersonStatus


@dataclass(frozen=True, slots=True)
class PartGradeView:
    """A student's grade for one part. ``score`` is 0–100 or ``None`` (no grade, which is not 0).

    ``graded_at``: when it was given elsewhere, before it was entered here. ``held_by``: the
    registrar holds it, whatever comes from elsewhere.
    """

    person_key: str
    part_key: str
    score: Decimal | None
    letter: str | None
    status: GradeStatus
    source: GradeSource
    entered_by: str
    updated_at: dt.datetime
    approved_by: str | None = None
    graded_at: dt.datetime | None = None
    held_by: str | None = None


@dataclass(frozen=True, slots=True)
class SessionGradeView:
    """A session's total: the weighted mean of the part grades present, 2 decimals, half up."""

    person_key: str
    session_number: int
    score: Decimal | None
    letter: str | None
    points: Decimal | None


@dataclass(frozen=True, slots=True)
class FinalGradeView:
    """A class's final grade. ``letter`` may be special (I, IP, P, W, AU, CR, NC): no percentage."""

    person_key: str
    score: Decimal | None
    letter: str | None
    points: Decimal | None
    status: GradeStatus


@dataclass(frozen=True, slots=True)
class ClassTotals:
    """One student's totals in one class, as the SIS keeps them; drafts do not count."""

    sessions: tuple[SessionGradeView, ...] = ()
    final: FinalGradeView | None = None


@dataclass(frozen=True, slots=True)
class ClassGrades:
    """All grades of a class: part grades, drafts too, and totals by person key."""

    parts: tuple[PartGradeView, ...] = ()
    totals: Mapping[str, ClassTotals] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScaleLetter:
    """A letter of a class's scale and the score from which it is given, 0–100, 2 decimals."""

    letter: str
    minimum: Decimal


@dataclass(frozen=True, slots=True)
class StudentGrades:
    """All grades of one student in one class."""

    parts: tuple[PartGradeView, ...]
    sessions: tuple[SessionGradeView, ...]
    final: FinalGradeView | None
