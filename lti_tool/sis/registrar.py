"""What the registrar decides about one student: exemptions, and final grades by letter alone.

Every decision has a reason and stays in the history for ever; totals follow at once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import FinalGrade, RecordChange, RecordChangeKind
from lti_tool.sis.models import ClassHeader, ClassSession, Enrollment, Person, SessionExemption
from lti_tool.sis.rules import checked_reason, checked_special
from lti_tool.sis.totals import recompute_totals


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the history. ``session_number`` is set for exemptions."""

    kind: RecordChangeKind
    session_number: int | None
    old_letter: str | None
    new_letter: str | None
    reason: str
    changed_by: str
    at: dt.datetime


class Registrar:
    """Exemptions from sessions and special final grades. Each method is one transaction.

    All raise :class:`NotFoundError` without such an enrolment and :class:`InvalidInputError`
    without a reason. What is decided already is not decided again.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def exempt(
        self, person_key: str, class_key: str, session_number: int, *, actor: str, reason: str
    ) -> None:
        """Leave a session out of this student's final grade (an IEAP repeater).

        Raises:
            InvalidInputError: it is the only session that counts.
        """
        reason = checked_reason(reason)
        with self._database.write() as session:
            enrollment = _enrollment(session, person_key, class_key)
            session_id, others = _half(session, enrollment, session_number)
            present = session.get(SessionExemption, (enrollment.id, session_id))
            if present is not None and present.reason == reason:
                return
            if not others:
                raise InvalidInputError(
                    "This is the only session that counts for this student.",
                    field="session_number",
                    remedy="Give a special final grade instead, or revoke another exemption.",
                )
            session.merge(
                SessionExemption(
                    enrollment_id=enrollment.id,
                    session_id=session_id,
                    reason=reason,
                    updated_at=self._clock.now(),
                )
            )
            self._settle(session, enrollment)
            self._note(
                session,
                enrollment,
                kind=RecordChangeKind.EXEMPTED,
                session_id=session_id,
                actor=actor,
                reason=reason,
            )

    def revoke_exemption(
        self, person_key: str, class_key: str, session_number: int, *, actor: str, reason: str
    ) -> None:
        """Let a session count again; raises :class:`NotFoundError` if it does."""
        reason = checked_reason(reason)
        with self._database.write() as session:
            enrollment = _enrollment(session, person_key, class_key)
            session_id, _ = _half(session, enrollment, session_number)
            present = session.get(SessionExemption, (enrollment.id, session_id))
            if present is None:
                raise NotFoundError("This student is not exempted from this session.")
            session.delete(present)
            self._settle(session, enrollment)
            self._note(
                session,
                enrollment,
                kind=RecordChangeKind.EXEMPTION_REVOKED,
                session_id=session_id,
                actor=actor,
                reason=reason,
            )

    def set_special(
        self, person_key: str, class_key: str, letter: str, *, actor: str, reason: str
    ) -> None:
        """Give a final grade by letter: I, IP, P, CR or NC. It stands until it is cleared.

        Raises:
            InvalidInputError: another letter, or the student audits or withdrew.
        """
        letter, reason = checked_special(letter), checked_reason(reason)
        with self._database.write() as session:
            enrollment = _enrollment(session, person_key, class_key)
            audits = enrollment.is_audit or enrollment.status is EnrollmentStatus.AUDIT
            if audits or enrollment.status is EnrollmentStatus.WITHDRAWN:
                raise InvalidInputError(
                    "The final grade of this student follows from the enrolment: "
                    f"{'AU' if audits else 'W'}.",
                    field="letter",
                    remedy="Change the status of the enrolment first.",
                )
            final = session.get(FinalGrade, enrollment.id)
            if final is None:
                final = FinalGrade(enrollment_id=enrollment.id)
                session.add(final)
            elif final.special == letter:
                return
            self._mark(session, enrollment, final, letter, actor=actor, reason=reason)

    def clear_special(self, person_key: str, class_key: str, *, actor: str, reason: str) -> None:
        """Let the grades speak again; raises :class:`NotFoundError` if they do."""
        reason = checked_reason(reason)
        with self._database.write() as session:
            enrollment = _enrollment(session, person_key, class_key)
            final = session.get(FinalGrade, enrollment.id)
            if final is None or final.special is None:
                raise NotFoundError("This student has no special final grade in this class.")
            self._mark(session, enrollment, final, None, actor=actor, reason=reason)

    def history(self, person_key: str, class_key: str) -> list[Decision]:
        """Everything that was decided about this student in this class, the oldest first."""
        query = (
            sa.select(
                RecordChange.kind,
                ClassSession.number,
                RecordChange.old_letter,
                RecordChange.new_letter,
                RecordChange.reason,
                RecordChange.changed_by,
                RecordChange.updated_at,
            )
            .join(Enrollment, Enrollment.id == RecordChange.enrollment_id)
            .join(Person, Person.id == Enrollment.person_id)
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .outerjoin(ClassSession, ClassSession.id == RecordChange.session_id)
            .where(Person.sourced_id == person_key, ClassHeader.sourced_id == class_key)
            .order_by(RecordChange.id)
        )
        with self._database.read() as session:
            return [Decision(*row) for row in session.execute(query)]

    def _mark(
        self,
        session: Session,
        enrollment: Enrollment,
        final: FinalGrade,
        letter: str | None,
        *,
        actor: str,
        reason: str,
    ) -> None:
        before = final.letter
        final.special = final.letter = letter
        # Where there is no part grade, nothing else computes this row anew.
        final.score = final.points = None
        final.status = GradeStatus.SUBMITTED if letter else GradeStatus.DRAFT
        final.updated_at = self._clock.now()
        self._settle(session, enrollment)
        session.refresh(final)
        self._note(
            session,
            enrollment,
            kind=RecordChangeKind.SPECIAL_SET if letter else RecordChangeKind.SPECIAL_CLEARED,
            old_letter=before,
            new_letter=final.letter,
            actor=actor,
            reason=reason,
        )

    def _settle(self, session: Session, enrollment: Enrollment) -> None:
        session.flush()
        recompute_totals(session, [enrollment.header_id], now=self._clock.now())

    def _note(
        self, session: Session, enrollment: Enrollment, *, actor: str, reason: str, **what: Any
    ) -> None:
        session.add(
            RecordChange(
                enrollment_id=enrollment.id,
                reason=reason,
                changed_by=actor,
                updated_at=self._clock.now(),
                **what,
            )
        )


def _enrollment(session: Session, person_key: str, class_key: str) -> Enrollment:
    """The enrolment, locked, so that two decisions come one after the other."""
    found = session.scalar(
        sa.select(Enrollment)
        .join(Person, Person.id == Enrollment.person_id)
        .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
        .where(Person.sourced_id == person_key, ClassHeader.sourced_id == class_key)
        .with_for_update(of=Enrollment)
    )
    if found is None:
        raise NotFoundError(
            "The SIS has no such enrolment.",
            remedy="Check both keys.",
            person_key=person_key,
            class_key=class_key,
        )
    return found


def _half(session: Session, enrollment: Enrollment, number: int) -> tuple[int, int]:
    """The session's id, and how many other sessions count for this student."""
    rows = session.execute(
        sa.select(ClassSession.id, ClassSession.number, SessionExemption.session_id)
        .outerjoin(
            SessionExemption,
            sa.and_(
                SessionExemption.session_id == ClassSession.id,
                SessionExemption.enrollment_id == enrollment.id,
            ),
        )
        .where(ClassSession.header_id == enrollment.header_id)
        .order_by(ClassSession.number)
    ).all()
    found = next((id_ for id_, each, _ in rows if each == number), None)
    if found is None:
        raise NotFoundError(
            "The class has no such session.",
            remedy="The sessions are " + ", ".join(str(each) for _, each, _ in rows) + ".",
        )
    return found, sum(id_ != found and exempted is None for id_, _, exempted in rows)
