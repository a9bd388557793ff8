"""Entering grades and taking them from draft to final, whole classes at a time.

Rules are in :mod:`lti_tool.sis.rules`; totals follow every change that counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import EnrollmentStatus, GradeSource, GradeStatus
from lti_tool.sis.grade_models import ChangeKind, ClassPartGrade, GradeChange
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
    GradeLockedError,
    Scale,
    check_change,
    checked_reason,
    checked_score,
    choose_scale,
    graded,
    previous_status,
)
from lti_tool.sis.scales import install_scales, stored_scales
from lti_tool.sis.totals import recompute_totals

_GRADED = frozenset(status for status in EnrollmentStatus if status.attends or status.ended) - {
    EnrollmentStatus.AUDIT
}


@dataclass(frozen=True, slots=True)
class GradeEntry:
    """One grade to enter: a score, or a letter alone, or neither (no grade)."""

    person_key: str
    part_key: str
    score: Decimal | None = None
    letter: str | None = None


@dataclass(frozen=True, slots=True)
class GradeOutcome:
    """What became of an entry: ``entered``, ``unchanged`` or ``refused`` with a stable reason."""

    entry: GradeEntry
    state: str
    reason: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    id: int
    header_id: int
    scale: Scale


class Grading:
    """Write operations on grades. Each is one transaction with a flat number of statements."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enter(
        self,
        entries: Sequence[GradeEntry],
        *,
        actor: str,
        source: GradeSource = GradeSource.MANUAL_TEACHER,
        submitted: bool = False,
    ) -> list[GradeOutcome]:
        """Enter many grades. Good entries land, the others are refused, in the order given.

        ``submitted``: they land as SUBMITTED instead of DRAFT. A grade never goes a step back.
        """
        with self._database.write() as session:
            return self.enter_within(
                session, entries, actor=actor, source=source, submitted=submitted
            )

    def enter_within(
        self,
        session: Session,
        entries: Sequence[GradeEntry],
        *,
        actor: str,
        source: GradeSource,
        submitted: bool,
    ) -> list[GradeOutcome]:
        """As :meth:`enter`, within the caller's transaction."""
        now = self._clock.now()
        install_scales(session, now=now)
        parts = _parts(session, {entry.part_key for entry in entries})
        enrolled = _enrolled(
            session,
            {part.header_id for part in parts.values()},
            {entry.person_key for entry in entries},
        )
        stored = _grades(session, {part.id for part in parts.values()})
        outcomes: list[GradeOutcome] = []
        new: dict[tuple[int, int], dict[str, Any]] = {}
        changed: dict[int, dict[str, Any]] = {}
        history: list[dict[str, Any]] = []
        touched: set[int] = set()
        for entry in entries:
            part = parts.get(entry.part_key)
            enrollment = enrolled.get((entry.person_key, part.header_id)) if part else None
            refusal = _refusal(part, enrollment)
            if refusal or part is None or enrollment is None:
                outcomes.append(GradeOutcome(entry, "refused", *(refusal or ("unknown", None))))
                continue
            grade = stored.get((enrollment.id, part.id))
            try:
                if grade is not None:
                    check_change(grade.status)
                values = _values(entry, part.scale)
            except (InvalidInputError, GradeLockedError) as error:
                outcomes.append(GradeOutcome(entry, "refused", error.code, error.detail))
                continue
            status = GradeStatus.SUBMITTED if submitted else GradeStatus.DRAFT
            if grade is not None and grade.status is GradeStatus.SUBMITTED:
                status = GradeStatus.SUBMITTED
            values["status"] = status
            if grade is not None and _same(grade, values):
                outcomes.append(GradeOutcome(entry, "unchanged"))
                continue
            values |= {"source": source, "entered_by": actor, "updated_at": now}
            if grade is None:
                # The last of several entries for one grade wins.
                key = (enrollment.id, part.id)
                new[key] = {"enrollment_id": key[0], "part_id": key[1], **values}
            else:
                changed[grade.id] = {"id": grade.id, **values}
            history.append(
                _change(
                    grade,
                    values,
                    (enrollment.id, part.id),
                    kind=ChangeKind.CHANGE if grade else ChangeKind.INITIAL_ENTRY,
                    actor=actor,
                    now=now,
                )
            )
            touched.add(part.header_id)
            outcomes.append(GradeOutcome(entry, "entered"))
        if new:
            session.execute(sa.insert(ClassPartGrade), list(new.values()))
        if changed:
            session.execute(sa.update(ClassPartGrade), list(changed.values()))
        if history:
            session.execute(sa.insert(GradeChange), history)
            recompute_totals(session, touched, now=now)
        return outcomes

    def submit(
        self, part_keys: Collection[str], *, actor: str, person_keys: Collection[str] | None = None
    ) -> int:
        """DRAFT → SUBMITTED for these parts' grades (of these people); returns how many moved."""
        return self._advance(part_keys, GradeStatus.SUBMITTED, actor, person_keys)

    def approve(
        self, part_keys: Collection[str], *, actor: str, person_keys: Collection[str] | None = None
    ) -> int:
        """SUBMITTED → APPROVED; from here on a change needs a correction."""
        return self._advance(part_keys, GradeStatus.APPROVED, actor, person_keys)

    def finalize(
        self, part_keys: Collection[str], *, actor: str, person_keys: Collection[str] | None = None
    ) -> int:
        """APPROVED → FINALIZED."""
        return self._advance(part_keys, GradeStatus.FINALIZED, actor, person_keys)

    def correct(self, entry: GradeEntry, *, actor: str, reason: str) -> None:
        """Change a grade whatever its status, which stays; the reason is kept for ever.

        Raises:
            InvalidInputError: no reason, or the score or letter is wrong.
            NotFoundError: there is no such grade.
        """
        reason = checked_reason(reason)
        now = self._clock.now()
        with self._database.write() as session:
            part = _parts(session, {entry.part_key}).get(entry.part_key)
            enrollment = (
                _enrolled(session, {part.header_id}, {entry.person_key}).get(
                    (entry.person_key, part.header_id)
                )
                if part
                else None
            )
            grade = (
                _grades(session, {part.id}).get((enrollment.id, part.id))
                if part and enrollment
                else None
            )
            if part is None or enrollment is None or grade is None:
                raise NotFoundError(
                    "There is no such grade to correct.", remedy="Enter the grade first."
                )
            values = _values(entry, part.scale) | {"status": grade.status, "updated_at": now}
            session.execute(
                sa.insert(GradeChange),
                [
                    _change(
                        grade,
                        values,
                        (enrollment.id, part.id),
                        kind=ChangeKind.CORRECTION,
                        actor=actor,
                        now=now,
                        reason=reason,
                    )
                ],
            )
            session.execute(sa.update(ClassPartGrade), [{"id": grade.id, **values}])
            recompute_totals(session, {part.header_id}, now=now)

    def _advance(
        self,
        part_keys: Collection[str],
        to: GradeStatus,
        actor: str,
        person_keys: Collection[str] | None,
    ) -> int:
        now = self._clock.now()
        with self._database.write() as session:
            parts = _parts(session, part_keys)
            grades = _grades(session, {part.id for part in parts.values()})
            moving = [grade for grade in grades.values() if grade.status is previous_status(to)]
            if person_keys is not None:
                wanted = {
                    row.id
                    for row in _enrolled(
                        session, {part.header_id for part in parts.values()}, person_keys
                    ).values()
                }
                moving = [grade for grade in moving if grade.enrollment_id in wanted]
            if not moving:
                return 0
            values: dict[str, Any] = {"status": to, "updated_at": now}
            if to is GradeStatus.APPROVED:
                values["approved_by"] = actor
            session.execute(
                sa.update(ClassPartGrade), [{"id": grade.id, **values} for grade in moving]
            )
            session.execute(
                sa.insert(GradeChange),
                [
                    _change(
                        grade,
                        {"score": grade.score, "letter": grade.letter, "status": to},
                        (grade.enrollment_id, grade.part_id),
                        kind=ChangeKind.STATUS_CHANGE,
                        actor=actor,
                        now=now,
                    )
                    for grade in moving
                ],
            )
            recompute_totals(session, {part.header_id for part in parts.values()}, now=now)
            return len(moving)


def _refusal(part: _Part | None, enrollment: Any) -> tuple[str, str] | None:
    if part is None:
        return ("unknown_part", "The SIS has no such class part.")
    if enrollment is None:
        return ("not_enrolled", "This person is not enrolled in the class.")
    if enrollment.is_audit or enrollment.status is EnrollmentStatus.AUDIT:
        return ("audit", "This student audits the class and gets no grade.")
    if enrollment.status not in _GRADED:
        return ("not_attending", f"This student's enrolment is {enrollment.status}.")
    return None


def _values(entry: GradeEntry, scale: Scale) -> dict[str, Any]:
    score = checked_score(entry.score)
    letter = entry.letter.strip().upper() if entry.letter else None
    if score is None and letter in SPECIAL_LETTERS:
        return {"score": None, "letter": letter, "points": None}
    if score is None and letter:
        score = scale.midpoint(letter)
    total = graded(scale, score)
    return {"score": total.score, "letter": total.letter, "points": total.points}


def _same(grade: ClassPartGrade, values: dict[str, Any]) -> bool:
    return (
        grade.score == values["score"]
        and grade.letter == values["letter"]
        and grade.status is values["status"]
    )


def _change(
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


def _parts(session: Session, part_keys: Collection[str]) -> dict[str, _Part]:
    scales = stored_scales(session)
    found: dict[str, _Part] = {}
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
            found[key] = _Part(part_id, header_id, scale)
    return found


def _enrolled(
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


def _grades(session: Session, part_ids: Collection[int]) -> dict[tuple[int, int], ClassPartGrade]:
    found: dict[tuple[int, int], ClassPartGrade] = {}
    for some in chunks(part_ids):
        for grade in session.scalars(
            sa.select(ClassPartGrade).where(ClassPartGrade.part_id.in_(some))
        ):
            # Detached: the bulk updates below must not refresh what the history compares with.
            session.expunge(grade)
            found[grade.enrollment_id, grade.part_id] = grade
    return found
