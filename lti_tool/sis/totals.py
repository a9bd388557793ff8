"""Session totals and final grades, recomputed for whole classes in a handful of statements."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.sis.bulk import Written, chunks, write_rows
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record_classes
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import ClassPartGrade, ClassSessionGrade, FinalGrade
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    Course,
    Enrollment,
    SessionExemption,
)
from lti_tool.sis.rules import (
    Scale,
    Total,
    choose_scale,
    counts,
    final_status,
    graded,
    session_score,
    weighted_mean,
)
from lti_tool.sis.scales import stored_scales

_Grades = dict[int, tuple[Decimal | None, GradeStatus]]


@dataclass(slots=True)
class _Half:
    weight: Decimal
    parts: dict[int, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class _Class:
    scale: Scale
    sessions: dict[int, _Half] = field(default_factory=dict)


def recompute_totals(session: Session, header_ids: Collection[int], *, now: dt.datetime) -> Written:
    """Bring the totals of these classes up to their part grades; rows that agree are not touched.

    Students without any part grade get no rows, unless a special letter stands for them. Totals of
    sessions that have no part any more go.
    """
    written = Written()
    scales = stored_scales(session)
    record_classes(session, ChangeKind.GRADES, header_ids, at=now)
    for some in chunks(set(header_ids), 1000):
        classes = _classes(session, some, scales)
        _forget_empty_sessions(session, some)
        grades = _grades(session, some)
        exempt = _exemptions(session, some)
        totals: list[dict[str, Any]] = []
        finals: list[dict[str, Any]] = []
        for enrollment in _enrollments(session, some):
            own = grades.get(enrollment.id, {})
            if not own and enrollment.special is None:
                continue
            class_ = classes[enrollment.header_id]
            excused = exempt.get(enrollment.id, set())
            scores = {
                number: session_score(half.parts, own) for number, half in class_.sessions.items()
            }
            for number, score in scores.items():
                total = graded(class_.scale, score)
                totals.append(
                    {
                        "enrollment_id": enrollment.id,
                        "session_id": number,
                        "score": total.score,
                        "letter": total.letter,
                        "points": total.points,
                    }
                )
            finals.append(_final(enrollment, class_, scores, own, excused))
        for model, rows, key in (
            (ClassSessionGrade, totals, ("enrollment_id", "session_id")),
            (FinalGrade, finals, ("enrollment_id",)),
        ):
            part = write_rows(session, model, rows, key=key, now=now)
            written.created += part.created
            written.updated += part.updated
            written.unchanged += part.unchanged
    return written


def _final(
    enrollment: Any,
    class_: _Class,
    scores: dict[int, Decimal | None],
    own: _Grades,
    excused: set[int],
) -> dict[str, Any]:
    halves = {key: half for key, half in class_.sessions.items() if key not in excused}
    total = graded(
        class_.scale, weighted_mean((scores[key], half.weight) for key, half in halves.items())
    )
    needed = {part for half in halves.values() for part in half.parts}
    counted = {
        part: status
        for part, (score, status) in own.items()
        if part in needed and score is not None and counts(status)
    }
    status = final_status(counted.values(), complete=counted.keys() == needed)
    special = enrollment.special or _letter_by_status(enrollment)
    if special is not None:
        total = Total(letter=special)
        # A letter that was decided is no draft, even before the first grade.
        if not counts(status):
            status = GradeStatus.SUBMITTED
    return {
        "enrollment_id": enrollment.id,
        "score": total.score,
        "letter": total.letter,
        "points": total.points,
        "status": status,
    }


def _letter_by_status(enrollment: Any) -> str | None:
    if enrollment.is_audit or enrollment.status is EnrollmentStatus.AUDIT:
        return "AU"
    return "W" if enrollment.status is EnrollmentStatus.WITHDRAWN else None


def _classes(
    session: Session, header_ids: list[int], scales: tuple[Scale, ...]
) -> dict[int, _Class]:
    found: dict[int, _Class] = {}
    courses = session.execute(
        sa.select(ClassHeader.id, Course.code, Course.cycle)
        .join(Course, Course.id == ClassHeader.course_id)
        .where(ClassHeader.id.in_(header_ids))
    )
    for header_id, code, cycle in courses:
        found[header_id] = _Class(choose_scale(scales, cycle=cycle, course_code=code))
    parts = session.execute(
        sa.select(
            ClassSession.header_id,
            ClassSession.id,
            ClassSession.weight,
            ClassPart.id,
            ClassPart.weight,
        )
        # An inner join: a session without parts takes no share in any total.
        .join(ClassPart, ClassPart.session_id == ClassSession.id)
        .where(ClassSession.header_id.in_(header_ids), ClassPart.active)
    )
    for header_id, session_id, session_weight, part_id, part_weight in parts:
        half = found[header_id].sessions.setdefault(session_id, _Half(session_weight))
        half.parts[part_id] = part_weight
    return found


def _forget_empty_sessions(session: Session, header_ids: list[int]) -> None:
    """A session without parts has no total; what it had must not be shown for ever."""
    empty = session.scalars(
        sa.select(ClassSession.id).where(
            ClassSession.header_id.in_(header_ids),
            ~sa.exists().where(ClassPart.session_id == ClassSession.id, ClassPart.active),
        )
    ).all()
    if empty:
        enrolled = sa.select(Enrollment.id).where(Enrollment.header_id.in_(header_ids))
        session.execute(
            sa.delete(ClassSessionGrade)
            .where(
                ClassSessionGrade.enrollment_id.in_(enrolled),
                ClassSessionGrade.session_id.in_(empty),
            )
            .execution_options(synchronize_session=False)
        )


def _enrollments(session: Session, header_ids: list[int]) -> Any:
    return session.execute(
        sa.select(
            Enrollment.id,
            Enrollment.header_id,
            Enrollment.status,
            Enrollment.is_audit,
            FinalGrade.special,
        )
        .outerjoin(FinalGrade, FinalGrade.enrollment_id == Enrollment.id)
        .where(Enrollment.header_id.in_(header_ids))
    ).all()


def _grades(session: Session, header_ids: list[int]) -> dict[int, _Grades]:
    found: dict[int, _Grades] = defaultdict(dict)
    rows = session.execute(
        sa.select(
            ClassPartGrade.enrollment_id,
            ClassPartGrade.part_id,
            ClassPartGrade.score,
            ClassPartGrade.status,
        )
        .join(Enrollment, Enrollment.id == ClassPartGrade.enrollment_id)
        .where(Enrollment.header_id.in_(header_ids))
    )
    for enrollment_id, part_id, score, status in rows:
        found[enrollment_id][part_id] = (score, status)
    return found


def _exemptions(session: Session, header_ids: list[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    rows = session.execute(
        sa.select(SessionExemption.enrollment_id, SessionExemption.session_id)
        .join(Enrollment, Enrollment.id == SessionExemption.enrollment_id)
        .where(Enrollment.header_id.in_(header_ids))
    )
    for enrollment_id, session_id in rows:
        found[enrollment_id].add(session_id)
    return found
