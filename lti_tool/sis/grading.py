"""Entering grades and taking them from draft to final, whole classes at a time.

Rules are in :mod:`lti_tool.sis.rules`; totals follow every change that counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.entities import GradeSource, GradeStatus
from lti_tool.sis.grade_models import ChangeKind, ClassPartGrade, GradeChange
from lti_tool.sis.grade_rows import (
    GradeEntry,
    GradeOutcome,
    Part,
    change_row,
    find_enrolled,
    find_grades,
    find_parts,
    refusal_of,
    same_grade,
    values_of,
)
from lti_tool.sis.models import Enrollment
from lti_tool.sis.rules import (
    GradeHeldError,
    GradeLockedError,
    GradeRefusedError,
    check_change,
    check_free,
    checked_reason,
    previous_status,
)
from lti_tool.sis.scales import install_scales
from lti_tool.sis.totals import recompute_totals

__all__ = ["GradeEntry", "GradeOutcome", "Grading"]


class Grading:
    """Write operations on grades. Each is one transaction with a flat number of statements."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._audit = AuditLog(clock)

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
        parts = find_parts(session, {entry.part_key for entry in entries})
        enrolled = find_enrolled(
            session,
            {part.header_id for part in parts.values()},
            {entry.person_key for entry in entries},
        )
        stored = find_grades(session, {part.id for part in parts.values()})
        outcomes: list[GradeOutcome] = []
        new: dict[tuple[int, int], dict[str, Any]] = {}
        changed: dict[int, dict[str, Any]] = {}
        history: list[dict[str, Any]] = []
        touched: set[int] = set()
        for entry in entries:
            part = parts.get(entry.part_key)
            enrollment = enrolled.get((entry.person_key, part.header_id)) if part else None
            refusal = refusal_of(part, enrollment)
            if refusal or part is None or enrollment is None:
                outcomes.append(GradeOutcome(entry, "refused", *(refusal or ("unknown", None))))
                continue
            grade = stored.get((enrollment.id, part.id))
            try:
                if grade is not None:
                    check_change(grade.status)
                    check_free(grade.held_by)
                values = values_of(entry, part.scale)
            except (InvalidInputError, GradeLockedError, GradeHeldError) as error:
                outcomes.append(GradeOutcome(entry, "refused", error.code, error.detail))
                continue
            status = GradeStatus.SUBMITTED if submitted else GradeStatus.DRAFT
            if grade is not None and grade.status is GradeStatus.SUBMITTED:
                status = GradeStatus.SUBMITTED
            values["status"] = status
            if grade is not None and same_grade(grade, values):
                outcomes.append(GradeOutcome(entry, "unchanged"))
                continue
            values |= {
                "source": source,
                "entered_by": entry.actor or actor,
                "graded_at": entry.graded_at,
                "updated_at": now,
            }
            if grade is None:
                # The last of several entries for one grade wins.
                key = (enrollment.id, part.id)
                new[key] = {"enrollment_id": key[0], "part_id": key[1], **values}
            else:
                changed[grade.id] = {"id": grade.id, **values}
            history.append(
                change_row(
                    grade,
                    values,
                    (enrollment.id, part.id),
                    kind=ChangeKind.CHANGE if grade else ChangeKind.INITIAL_ENTRY,
                    actor=entry.actor or actor,
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
        with self._database.write() as session:
            self.correct_within(session, entry, actor=actor, reason=reason)

    def correct_within(
        self, session: Session, entry: GradeEntry, *, actor: str, reason: str
    ) -> None:
        """As :meth:`correct`, within the caller's transaction."""
        reason = checked_reason(reason)
        now = self._clock.now()
        part, _, grade = _one(session, entry.person_key, entry.part_key)
        if part is None or grade is None:
            raise NotFoundError(
                "There is no such grade to correct.", remedy="Enter the grade first."
            )
        values = values_of(entry, part.scale) | {
            "status": grade.status,
            "graded_at": entry.graded_at,
            "updated_at": now,
        }
        change = change_row(
            grade,
            values,
            (grade.enrollment_id, grade.part_id),
            kind=ChangeKind.CORRECTION,
            actor=actor,
            now=now,
            reason=reason,
        )
        session.execute(sa.insert(GradeChange), [change])
        session.execute(sa.update(ClassPartGrade), [{"id": grade.id, **values}])
        recompute_totals(session, {part.header_id}, now=now)

    def hold(self, entry: GradeEntry, *, actor: str, reason: str) -> None:
        """Hold a grade: until :meth:`lift` nothing changes it but a correction.

        Without score and letter it is held as it stands; else it becomes that, whatever its status,
        which stays. Holding a held grade again gives it the new reason.

        Raises:
            InvalidInputError: no reason, or the score or letter is wrong.
            NotFoundError: there is no such grade, and none is given.
            GradeRefusedError: the student gets no grade in this class.
        """
        reason = checked_reason(reason)
        now = self._clock.now()
        with self._database.write() as session:
            install_scales(session, now=now)
            part, enrollment, grade = _one(session, entry.person_key, entry.part_key)
            given = entry.score is not None or bool(entry.letter)
            if part is None or (grade is None and not given):
                raise NotFoundError(
                    "There is no such grade to hold.", remedy="Give the grade that is to stand."
                )
            held = {"held_by": actor, "held_at": now, "held_reason": reason, "updated_at": now}
            if given:
                held |= values_of(entry, part.scale) | {"graded_at": entry.graded_at}
            if grade is not None:
                key = (grade.enrollment_id, grade.part_id)
                values = _as_is(grade) | held
                session.execute(sa.update(ClassPartGrade), [{"id": grade.id, **values}])
            else:
                refusal = refusal_of(part, enrollment)
                if refusal is not None or enrollment is None:
                    raise _refused(*(refusal or ("not_enrolled", "")))
                key = (enrollment.id, part.id)
                values = held | {"status": GradeStatus.SUBMITTED}
                new = {
                    "enrollment_id": key[0],
                    "part_id": key[1],
                    "source": GradeSource.MANUAL_CLERK,
                    "entered_by": actor,
                }
                session.execute(sa.insert(ClassPartGrade), [new | values])
            change = change_row(
                grade, values, key, kind=ChangeKind.HELD, actor=actor, now=now, reason=reason
            )
            session.execute(sa.insert(GradeChange), [change])
            recompute_totals(session, {part.header_id}, now=now)
            self._privileged(session, "grade.held", entry.person_key, entry.part_key, actor)

    def lift(self, person_key: str, part_key: str, *, actor: str, reason: str) -> None:
        """Hold a grade no longer; it stays as it is until something changes it.

        Raises:
            InvalidInputError: no reason.
            NotFoundError: there is no such grade, or it is not held.
        """
        reason = checked_reason(reason)
        now = self._clock.now()
        with self._database.write() as session:
            part, _, grade = _one(session, person_key, part_key)
            if part is None or grade is None or grade.held_by is None:
                raise NotFoundError("This grade is not held.")
            values = _as_is(grade)
            free = {"held_by": None, "held_at": None, "held_reason": None}
            session.execute(sa.update(ClassPartGrade), [{"id": grade.id, **free}])
            change = change_row(
                grade,
                values,
                (grade.enrollment_id, grade.part_id),
                kind=ChangeKind.LIFTED,
                actor=actor,
                now=now,
                reason=reason,
            )
            session.execute(sa.insert(GradeChange), [change])
            recompute_totals(session, {part.header_id}, now=now)
            self._privileged(session, "grade.lifted", person_key, part_key, actor)

    def _privileged(
        self, session: Session, action: str, person_key: str, part_key: str, actor: str
    ) -> None:
        # Why, and what it was, stand in the grade's own history.
        self._audit.record(
            session,
            actor=actor,
            action=action,
            target=f"grade:{part_key}"[:300],
            person=person_key,
        )

    def _advance(
        self,
        part_keys: Collection[str],
        to: GradeStatus,
        actor: str,
        person_keys: Collection[str] | None,
    ) -> int:
        now = self._clock.now()
        with self._database.write() as session:
            parts = find_parts(session, part_keys)
            grades = find_grades(session, {part.id for part in parts.values()})
            moving = [grade for grade in grades.values() if grade.status is previous_status(to)]
            if person_keys is not None:
                wanted = {
                    row.id
                    for row in find_enrolled(
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
                    change_row(
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


def _one(
    session: Session, person_key: str, part_key: str
) -> tuple[Part | None, Enrollment | None, ClassPartGrade | None]:
    """A part, a student's enrolment in its class, and the grade; what is not there is ``None``."""
    part = find_parts(session, {part_key}).get(part_key)
    if part is None:
        return None, None, None
    enrollment = find_enrolled(session, {part.header_id}, {person_key}).get(
        (person_key, part.header_id)
    )
    if enrollment is None:
        return part, None, None
    return part, enrollment, find_grades(session, {part.id}).get((enrollment.id, part.id))


def _as_is(grade: ClassPartGrade) -> dict[str, Any]:
    return {"score": grade.score, "letter": grade.letter, "status": grade.status}


def _refused(reason: str, detail: str | None) -> GradeRefusedError:
    return GradeRefusedError(detail or "The SIS does not take this grade.", reason=reason)
