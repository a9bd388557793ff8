"""Enrolling, dropping and coming back: one row per student and class, for ever."""

from __future__ import annotations

import uuid
from typing import cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.models import ClassHeader, Enrollment, Person
from lti_tool.sis.totals import recompute_totals


class Enrolling:
    """Write operations on enrolments. Capacity never stops one: it is advisory."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enroll(self, person_key: str, class_key: str, *, audit: bool = False) -> None:
        """Enrol a person; one who left before comes back on the same row, with its grades.

        Raises:
            NotFoundError: the person or the class is unknown.
        """
        status = EnrollmentStatus.AUDIT if audit else EnrollmentStatus.ENROLLED
        self._put(person_key, class_key, status, audit=audit, create=True)

    def drop(self, person_key: str, class_key: str) -> None:
        """Set an enrolment DROPPED; the row and its grades stay.

        Raises:
            NotFoundError: there is no such enrolment.
        """
        self._put(person_key, class_key, EnrollmentStatus.DROPPED, audit=None, create=False)

    def set_status(self, person_key: str, class_key: str, status: EnrollmentStatus) -> None:
        """Give an enrolment any status; raises :class:`NotFoundError`."""
        self._put(person_key, class_key, status, audit=None, create=False)

    def _put(
        self,
        person_key: str,
        class_key: str,
        status: EnrollmentStatus,
        *,
        audit: bool | None,
        create: bool,
    ) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            row = session.execute(
                sa.select(Person.id, ClassHeader.id, Enrollment)
                .select_from(Person)
                .join(ClassHeader, sa.true())
                .outerjoin(
                    Enrollment,
                    sa.and_(
                        Enrollment.person_id == Person.id, Enrollment.header_id == ClassHeader.id
                    ),
                )
                .where(Person.sourced_id == person_key, ClassHeader.sourced_id == class_key)
            ).first()
            # An outer join: the library's types do not say that it may be missing.
            enrollment = cast("Enrollment | None", row[2]) if row else None
            if row is None or (enrollment is None and not create):
                raise NotFoundError(
                    "The SIS has no such person, class or enrolment.",
                    remedy="Check both keys.",
                    person_key=person_key,
                    class_key=class_key,
                )
            person_id, header_id = row[0], row[1]
            if enrollment is None:
                session.add(
                    Enrollment(
                        sourced_id=str(uuid.uuid4()),
                        person_id=person_id,
                        header_id=header_id,
                        status=status,
                        is_audit=bool(audit),
                        status_since=now,
                        updated_at=now,
                    )
                )
                record(session, ChangeKind.ROSTER, [class_key], at=now)
                return
            changed = enrollment.status is not status or not enrollment.active
            if audit is not None and enrollment.is_audit is not audit:
                enrollment.is_audit, changed = audit, True
            if enrollment.status is not status:
                enrollment.status, enrollment.status_since = status, now
            enrollment.active = True
            if changed:
                enrollment.updated_at = now
                # Who withdraws or audits has a letter for it.
                session.flush()
                recompute_totals(session, [header_id], now=now)
                # Last, as imports do: who notes changes in one order never waits in a circle.
                record(session, ChangeKind.ROSTER, [class_key], at=now)
