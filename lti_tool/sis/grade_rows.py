"""Rows of part grades: read whole classes at a time, checked, and noted in their history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.sis.bulk import chunks
from lti_tool.sis.embedded import PART_GRADE_COLUMNS
from lti_tool.sis.entities import EnrollmentStatus, PartGradeView
from lti_tool.sis.grade_models import ChangeKind, ClassPartGrade
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    Course,
    Enrollment,
    Person,
)
from lti_tool.sis.rules import (
    SPECIAL_LETTERS,
    Scale,
    checked_score,
    choose_scale,
    graded,
)
from lti_tool.sis.scales import stored_scales

_GRADED = frozenset(status for status in EnrollmentStatus if status.attends or status.ended) - {
    EnrollmentStatus.AUDIT
}


@dataclass(frozen=True, slots=True)
class GradeEntry:
    """One grade to enter: a score, or a letter alone, or neither (no grade).

    ``actor``: who gave it, where that is another than who enters it; ``graded_at``: when, where
    that was elsewhere and before.
    """

    person_key: str
    part_key: str
    score: Decimal | None = None
    letter: str | None = None
    actor: str | None = None
    graded_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class GradeOutcome:
    """What became of an entry: ``entered``, ``unchanged`` or ``refused`` with a stable reason."""

    entry: GradeEntry
    state: str
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part in the database, with its class and the scale of its letters."""

    id: int
    header_id: int
    scale: Scale


def refusal_of(part: Part | None, enrollment: Any) -> tuple[str, str] | None:
    if part is None:
        return ("unknown_part", "The SIS has no such class part.")
    if enrollment is None:
        return ("not_enrolled", "This person is not enrolled in the class.")
    if enrollment.is_audit or enrollment.status is EnrollmentStatus.AUDIT:
        return ("audit", "This student audits the class and gets no grade.")
    if enrollment.status not in _GRADED:
        return ("not_attending", f"This student's enrolment is {enrollment.status}.")
    return None


def values_of(entry: GradeEntry, scale: Scale) -> dict[str, Any]:
    score = checked_score(entry.score)
    letter = entry.letter.strip().upper() if entry.letter else None
    if score is None and letter in SPECIAL_LETTERS:
        return {"score": None, "letter": letter, "points": None}
    if score is None and letter:
        score = scale.midpoint(letter)
    total = graded(scale, score)
    return {"score": total.score, "letter": total.letter, "points": total.points}


def same_grade(grade: ClassPartGrade, values: dict[str, Any]) -> bool:
    return (
        grade.score == values["score"]
        and grade.letter == values["letter"]
        and grade.status is values["status"]
    )


def change_row(
    grade: ClassPartGrade | None,
    values: dict[str, Any],
    key: tuple[int, int],
    *,
    kind: ChangeKind,
    actor: str,
    now: dt.datetime,
    reason: str | None = None,
) -> dict[str, Any]:
    return {
        "enrollment_id": key[0],
        "part_id": key[1],
        "kind": kind,
        "old_score": grade.score if grade else None,
        "new_score": values["score"],
        "old_letter": grade.letter if grade else None,
        "new_letter": values["letter"],
        "old_status": grade.status if grade else None,
        "new_status": values["status"],
        "reason": reason,
        "changed_by": actor,
        "updated_at": now,
    }


def find_parts(session: Session, part_keys: Collection[str]) -> dict[str, Part]:
    scales = stored_scales(session)
    found: dict[str, Part] = {}
    for some in chunks(set(part_keys)):
        rows = session.execute(
            sa.select(
                ClassPart.sourced_id,
                ClassPart.id,
                ClassSession.header_id,
                Course.code,
                Course.cycle,
            )
            .join(ClassSession, ClassSession.id == ClassPart.session_id)
            .join(ClassHeader, ClassHeader.id == ClassSession.header_id)
            .join(Course, Course.id == ClassHeader.course_id)
            .where(ClassPart.sourced_id.in_(some), ClassPart.active)
        )
        for key, part_id, header_id, code, cycle in rows:
            scale = choose_scale(scales, cycle=cycle, course_code=code)
            found[key] = Part(part_id, header_id, scale)
    return found


def find_enrolled(
    session: Session, header_ids: Collection[int], person_keys: Collection[str]
) -> dict[tuple[str, int], Any]:
    wanted = set(person_keys)
    found: dict[tuple[str, int], Any] = {}
    for some in chunks(header_ids):
        rows = session.execute(
            sa.select(Person.sourced_id, Enrollment)
            .join(Enrollment, Enrollment.person_id == Person.id)
            .where(Enrollment.header_id.in_(some))
        )
        for person_key, enrollment in rows:
            if person_key in wanted:
                found[person_key, enrollment.header_id] = enrollment
    return found


def find_grades(
    session: Session, part_ids: Collection[int]
) -> dict[tuple[int, int], ClassPartGrade]:
    found: dict[tuple[int, int], ClassPartGrade] = {}
    for some in chunks(part_ids):
        for grade in session.scalars(
            sa.select(ClassPartGrade).where(ClassPartGrade.part_id.in_(some))
        ):
            # Detached: the bulk updates below must not refresh what the history compares with.
            session.expunge(grade)
            found[grade.enrollment_id, grade.part_id] = grade
    return found


_STANDING: sa.Select[*tuple[Any, ...]] = (
    sa.select(Person.sourced_id, *PART_GRADE_COLUMNS)
    .select_from(ClassPartGrade)
    .join(Enrollment, Enrollment.id == ClassPartGrade.enrollment_id)
    .join(Person, Person.id == Enrollment.person_id)
    .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
)


def standing_grades(
    session: Session,
    part_keys: Collection[str],
    *,
    person_keys: Collection[str] | None = None,
) -> dict[tuple[str, str], PartGradeView]:
    """The grades of these parts (of these people) by person and part, drafts too, locked until the
    transaction ends: for whoever decides by them."""
    query = _STANDING.with_for_update(of=ClassPartGrade)
    if person_keys is not None:
        query = query.where(Person.sourced_id.in_(person_keys))
    found: dict[tuple[str, str], PartGradeView] = {}
    for some in chunks(sorted(set(part_keys)), 1000):
        for row in session.execute(query.where(ClassPart.sourced_id.in_(some))):
            found[row[0], row[1]] = PartGradeView(*row)
    return found
