"""Builds class views from rows: headers, then sessions with parts, then what is combined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from lti_tool.sis.entities import ClassStatus, ClassView, PartView, SessionView
from lti_tool.sis.models import ClassHeader, ClassPart, ClassSession, Course, Person, Term
from lti_tool.sis.rules import normalised

HeaderQuery = sa.Select[ClassHeader, Course, Term]


def header_query() -> HeaderQuery:
    """Class headers with their course and term, to be narrowed by the caller."""
    return (
        sa.select(ClassHeader, Course, Term)
        .join(Course, Course.id == ClassHeader.course_id)
        .join(Term, Term.id == ClassHeader.term_id)
    )


def newest_first(query: HeaderQuery) -> HeaderQuery:
    """Order classes by term, the newest first, then by course and section."""
    return query.order_by(
        Term.start_date.desc(), Course.code, ClassHeader.section, ClassHeader.sourced_id
    )


def class_views(session: Session, query: HeaderQuery) -> list[ClassView]:
    """The classes of ``query`` (made by :func:`header_query`) in its order: three statements."""
    rows = session.execute(query).all()
    if not rows:
        return []
    sessions = _sessions(session, [header.id for header, _, _ in rows])
    combined = _combined(session, [header for header, _, _ in rows])
    return [
        ClassView(
            class_key=header.sourced_id,
            course_code=course.code,
            course_title=course.title,
            term_code=term.code,
            term_start=term.start_date,
            term_end=term.end_date,
            section=header.section,
            time_of_day=header.time_of_day,
            class_type=header.class_type,
            status=header.status if header.active else ClassStatus.CANCELLED,
            sessions=sessions.get(header.id, ()),
            combined_with=tuple(
                key
                for key in combined.get(header.combined_class_id, ())
                if key != header.sourced_id
            ),
        )
        for header, course, term in rows
    ]


def _sessions(session: Session, header_ids: list[int]) -> dict[int, tuple[SessionView, ...]]:
    teacher = aliased(Person)
    rows = session.execute(
        sa.select(ClassSession, ClassPart, teacher)
        .outerjoin(ClassPart, sa.and_(ClassPart.session_id == ClassSession.id, ClassPart.active))
        .outerjoin(teacher, teacher.id == ClassPart.teacher_id)
        .where(ClassSession.header_id.in_(header_ids))
        .order_by(ClassSession.header_id, ClassSession.number, ClassPart.code)
    ).all()
    by_header: dict[int, dict[ClassSession, list[tuple[ClassPart, Person | None]]]] = {}
    for half, part, person in rows:
        parts = by_header.setdefault(half.header_id, {}).setdefault(half, [])
        if part is not None:
            parts.append((part, person))
    return {header_id: _views(halves) for header_id, halves in by_header.items()}


def _views(
    halves: dict[ClassSession, list[tuple[ClassPart, Person | None]]],
) -> tuple[SessionView, ...]:
    # A session without parts can hold no grade, so it has no share.
    full = [half for half, parts in halves.items() if parts]
    weights = dict(zip(full, normalised([half.weight for half in full]), strict=True))
    return tuple(
        SessionView(
            number=half.number,
            name=half.name,
            weight=weights.get(half, Decimal(0)),
            parts=_parts(half.number, parts),
        )
        for half, parts in halves.items()
    )


def _parts(number: int, parts: Sequence[tuple[ClassPart, Person | None]]) -> tuple[PartView, ...]:
    weights = normalised([part.weight for part, _ in parts])
    return tuple(
        PartView(
            part_key=part.sourced_id,
            session_number=number,
            code=part.code,
            name=part.name,
            part_type=part.part_type,
            weight=weight,
            teacher_key=teacher.sourced_id if teacher else None,
            teacher_name=(
                " ".join(name for name in (teacher.family_name, teacher.personal_name) if name)
                if teacher
                else None
            ),
            room=part.room,
            meeting_days=tuple(day for day in part.meeting_days.split(",") if day),
            start_time=part.start_time,
            end_time=part.end_time,
        )
        for (part, teacher), weight in zip(parts, weights, strict=True)
    )


def _combined(session: Session, headers: Sequence[ClassHeader]) -> dict[int | None, list[str]]:
    groups = {header.combined_class_id for header in headers} - {None}
    found: dict[int | None, list[str]] = defaultdict(list)
    if not groups:
        return found
    rows = session.execute(
        sa.select(ClassHeader.combined_class_id, ClassHeader.sourced_id)
        .where(ClassHeader.combined_class_id.in_(groups), ClassHeader.active)
        .order_by(ClassHeader.sourced_id)
    )
    for group, key in rows:
        found[group].append(key)
    return found
