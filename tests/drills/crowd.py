"""A crowd in the SIS, and a great many changes of it at once, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Database
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import ClassStatus, EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import ClassHeader, Course, Enrollment, Person, Term
from lti_tool.sis.totals import recompute_totals

PREFIX = "drill-"
PEOPLE = 300
_PLACES = 2


def add_people(database: Database, count: int, *, prefix: str = PREFIX) -> list[str]:
    """Put so many people into the SIS; returns their keys."""
    now = SystemClock().now()
    keys = [f"{prefix}{number:04}" for number in range(count)]
    with database.write() as session:
        session.add_all(
            Person(
                sourced_id=key,
                student_id=key,
                family_name="Sok",
                personal_name=f"Dara {key}",
                school_email=f"{key}@example.edu",
                is_student=True,
                updated_at=now,
            )
            for key in keys
        )
        record(session, ChangeKind.PERSON, keys, at=now)
    return keys


def place(database: Database, people: Sequence[str]) -> None:
    """Enrol each of these people in some classes."""
    now = SystemClock().now()
    with database.write() as session:
        headers = list(
            session.execute(
                sa.select(ClassHeader.id, ClassHeader.sourced_id)
                .where(ClassHeader.status.in_([ClassStatus.ACTIVE, ClassStatus.SCHEDULED]))
                .order_by(ClassHeader.sourced_id)
            )
        )
        ids = session.scalars(
            sa.select(Person.id).where(Person.sourced_id.in_(people)).order_by(Person.sourced_id)
        )
        for number, person_id in enumerate(ids):
            for header_id, key in [headers[(number + n) % len(headers)] for n in range(_PLACES)]:
                session.add(
                    Enrollment(
                        sourced_id=f"{PREFIX}{person_id}-{key}",
                        person_id=person_id,
                        header_id=header_id,
                        status_since=now,
                        updated_at=now,
                    )
                )
        record(session, ChangeKind.ROSTER, [key for _, key in headers], at=now)


def shake(database: Database, seed: int) -> None:
    """Change everything: names, terms, classes, who is where, and grades. One transaction."""
    chance = random.Random(seed)
    now = SystemClock().now()
    with database.write() as session:
        for person in session.scalars(sa.select(Person).order_by(Person.id)):
            person.personal_name = f"{person.personal_name.split(' ~')[0][:240]} ~{seed}"
            person.updated_at = now
        for term in session.scalars(sa.select(Term)):
            term.title = f"{term.title.split(' ~')[0]} ~{seed}"
            term.updated_at = now
        for course in session.scalars(sa.select(Course)):
            course.title = f"{course.title.split(' ~')[0][:240]} ~{seed}"
            course.updated_at = now
        for enrollment in session.scalars(sa.select(Enrollment).order_by(Enrollment.id)):
            if chance.random() < 0.5:
                enrollment.status = chance.choice(
                    [EnrollmentStatus.ENROLLED, EnrollmentStatus.DROPPED]
                )
                enrollment.updated_at = enrollment.status_since = now
        _grade(session, chance, now)
        for kind, model in (
            (ChangeKind.PERSON, Person),
            (ChangeKind.TERM, Term),
            (ChangeKind.CLASS, ClassHeader),
            (ChangeKind.ROSTER, ClassHeader),
        ):
            record(session, kind, session.scalars(sa.select(model.sourced_id)).all(), at=now)


def _grade(session: Session, chance: random.Random, now: dt.datetime) -> None:
    """Give every third grade another value, and approve what was submitted of half of them."""
    for grade in session.scalars(sa.select(ClassPartGrade).order_by(ClassPartGrade.id)):
        if chance.random() > 0.33 or grade.score is None:
            continue
        grade.score = Decimal(chance.randint(0, 10_000)) / 100
        grade.letter = None
        if grade.status is GradeStatus.SUBMITTED and chance.random() < 0.5:
            grade.status = GradeStatus.APPROVED
        grade.updated_at = now
    session.flush()
    recompute_totals(session, session.scalars(sa.select(ClassHeader.id)).all(), now=now)
