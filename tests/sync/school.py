"""A small school in the embedded SIS, written row by row as a test needs it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import (
    EnrollmentStatus,
    GradeSource,
    GradeStatus,
    PersonStatus,
    TimeOfDay,
)
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Course,
    Cycle,
    Enrollment,
    Person,
    Term,
)
from lti_tool.sis.totals import recompute_totals


class School:
    """Builds people, classes, enrolments and grades; keys are their names."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.sis = EmbeddedSis(database, clock)
        with database.write() as session:
            term = Term(
                sourced_id="term",
                code="250701E-T3AE",
                start_date=dt.date(2026, 1, 5),
                end_date=dt.date(2026, 4, 30),
                updated_at=clock.now(),
            )
            session.add(term)
            session.flush()
            self._term = term.id

    def person(
        self,
        key: str,
        *,
        family_name: str | None = None,
        personal_name: str = "Dara",
        khmer_name: str | None = None,
        student_id: str | None = None,
        school_email: str | None = None,
        status: PersonStatus = PersonStatus.ACTIVE,
        teacher: bool = False,
    ) -> str:
        """Add a person; returns the key."""
        with self._database.write() as session:
            session.add(
                Person(
                    sourced_id=key,
                    student_id=student_id,
                    family_name=key.upper() if family_name is None else family_name,
                    personal_name=personal_name,
                    khmer_name=khmer_name,
                    school_email=school_email,
                    status=status,
                    is_student=not teacher,
                    is_teacher=teacher,
                    updated_at=self._clock.now(),
                )
            )
        return key

    def class_(
        self,
        key: str,
        *,
        parts: Sequence[str] = ("part",),
        teacher: str | None = None,
        combined: str | None = None,
        sessions: int = 1,
        weights: Sequence[Decimal] = (),
    ) -> str:
        """Add a class; its parts' keys are ``<class>/<part>``, spread over its sessions.

        Parts weigh the same unless ``weights`` has one for each.
        """
        now = self._clock.now()
        with self._database.write() as session:
            course = Course(
                sourced_id=f"course-{key}", code=key, title=key, cycle=Cycle.LANG, updated_at=now
            )
            session.add(course)
            group = None
            if combined is not None:
                group = session.scalar(sa.select(CombinedClass).filter_by(name=combined))
                group = group or CombinedClass(term_id=self._term, name=combined, updated_at=now)
                session.add(group)
            session.flush()
            header = ClassHeader(
                sourced_id=key,
                course_id=course.id,
                term_id=self._term,
                section="A",
                time_of_day=TimeOfDay.EVE,
                combined_class_id=group.id if group else None,
                updated_at=now,
            )
            session.add(header)
            session.flush()
            halves = [
                ClassSession(header_id=header.id, number=number, weight=Decimal(1), updated_at=now)
                for number in range(1, sessions + 1)
            ]
            session.add_all(halves)
            session.flush()
            teacher_id = session.scalar(sa.select(Person.id).filter_by(sourced_id=teacher or ""))
            for index, part in enumerate(parts):
                session.add(
                    ClassPart(
                        sourced_id=f"{key}/{part}",
                        session_id=halves[index % sessions].id,
                        code=index + 1,
                        name=part.title(),
                        weight=weights[index] if weights else Decimal(1),
                        teacher_id=teacher_id,
                        updated_at=now,
                    )
                )
        return key

    def enrol(
        self,
        person_key: str,
        class_key: str,
        status: EnrollmentStatus = EnrollmentStatus.ENROLLED,
        *,
        audit: bool = False,
    ) -> None:
        """Enrol a person, or change their enrolment."""
        now = self._clock.now()
        with self._database.write() as session:
            person_id = session.scalars(sa.select(Person.id).filter_by(sourced_id=person_key)).one()
            header_id = session.scalars(
                sa.select(ClassHeader.id).filter_by(sourced_id=class_key)
            ).one()
            row = session.scalar(
                sa.select(Enrollment).filter_by(person_id=person_id, header_id=header_id)
            ) or Enrollment(
                sourced_id=f"{person_key}@{class_key}", person_id=person_id, header_id=header_id
            )
            row.status, row.is_audit = status, audit
            row.status_since = row.updated_at = now
            session.add(row)

    def student(self, key: str, class_key: str) -> str:
        """Add a person and enrol them."""
        self.person(key)
        self.enrol(key, class_key)
        return key

    def grade(
        self,
        person_key: str,
        part_key: str,
        score: str | None,
        status: GradeStatus = GradeStatus.SUBMITTED,
    ) -> None:
        """Set a grade, whatever it was."""
        class_key = part_key.split("/")[0]
        with self._database.write() as session:
            enrollment_id = session.scalars(
                sa.select(Enrollment.id).filter_by(sourced_id=f"{person_key}@{class_key}")
            ).one()
            part_id = session.scalars(sa.select(ClassPart.id).filter_by(sourced_id=part_key)).one()
            row = session.scalar(
                sa.select(ClassPartGrade).filter_by(enrollment_id=enrollment_id, part_id=part_id)
            ) or ClassPartGrade(enrollment_id=enrollment_id, part_id=part_id)
            row.score = None if score is None else Decimal(score)
            row.status = status
            row.source = GradeSource.MANUAL_TEACHER
            row.entered_by = "teacher"
            row.updated_at = self._clock.now()
            session.add(row)
            session.flush()
            header_id = session.scalars(sa.select(ClassHeader.id).filter_by(sourced_id=class_key))
            recompute_totals(session, header_id.all(), now=self._clock.now())
