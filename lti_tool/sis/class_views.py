"""Builds class views from rows: headers, then sessions with parts, then what is combined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.sis.entities import ClassStatus, ClassView, PartView, SessionView
from lti_tool.sis.models import ClassHeader, ClassPart, ClassSession, Course, Person, Term
from lti_tool.sis.rules import normalised
from lti_tool.sis.together import ANY_PLACED, together

# Columns, not entities: a class is shown at every launch, and building entities is most of it.
HeaderQuery = sa.Select[*tuple[Any, ...]]

_headers = cast(sa.Table, ClassHeader.__table__)
_halves = cast(sa.Table, ClassSession.__table__)
_class_parts = cast(sa.Table, ClassPart.__table__)
_courses = cast(sa.Table, Course.__table__)
_terms = cast(sa.Table, Term.__table__)
_teachers = cast(sa.Table, Person.__table__)
_SESSIONS: sa.Select[*tuple[Any, ...]] = (
    sa.select(
        _halves.c.header_id,
        _halves.c.number,
        _halves.c.name,
        _halves.c.weight,
        _class_parts.c.sourced_id,
        _class_parts.c.code,
        _class_parts.c.name,
        _class_parts.c.part_type,
        _class_parts.c.weight,
        _class_parts.c.room,
        _class_parts.c.meeting_days,
        _class_parts.c.start_time,
        _class_parts.c.end_time,
        _teachers.c.sourced_id,
        _teachers.c.family_name,
        _teachers.c.personal_name,
    )
    .select_from(_halves)
    .outerjoin(
        _class_parts, sa.and_(_class_parts.c.session_id == _halves.c.id, _class_parts.c.active)
    )
    .outerjoin(_teachers, _teachers.c.id == _class_parts.c.teacher_id)
    .where(_halves.c.header_id.in_(sa.bindparam("header_ids", expanding=True)))
    .order_by(_halves.c.header_id, _halves.c.number, _class_parts.c.code)
)


def header_query() -> HeaderQuery:
    """Class headers with their course and term, to be narrowed by the caller."""
    return (
        sa.select(
            _headers.c.id,
            _headers.c.combined_class_id,
            _headers.c.sourced_id,
            _courses.c.code,
            _courses.c.title,
            _terms.c.code,
            _terms.c.start_date,
            _terms.c.end_date,
            _headers.c.section,
            _headers.c.time_of_day,
            _headers.c.class_type,
            _headers.c.status,
            _headers.c.active,
            _terms.c.sourced_id,
            # Mostly nobody decided anything, and then there is nothing more to read.
            ANY_PLACED,
        )
        .select_from(_headers)
        .join(_courses, _courses.c.id == _headers.c.course_id)
        .join(_terms, _terms.c.id == _headers.c.term_id)
    )


def newest_first(query: HeaderQuery) -> HeaderQuery:
    """Order classes by term, the newest first, then by course and section."""
    return query.order_by(
        Term.start_date.desc(), Course.code, ClassHeader.section, ClassHeader.sourced_id
    )


def class_views(
    connection: sa.Connection, query: HeaderQuery, parameters: Mapping[str, Any] | None = None
) -> list[ClassView]:
    """The classes of ``query`` (made by :func:`header_query`) in its order: three statements; more
    where somebody decided where a class is taught."""
    rows = connection.execute(query, parameters).all()
    if not rows:
        return []
    sessions = _sessions(connection, [row[0] for row in rows])
    shared = together(connection, {row[2]: row[1] for row in rows}, any_placed=rows[0][-1])
    return [
        ClassView(
            class_key=class_key,
            course_code=course_code,
            course_title=title,
            term_code=term_code,
            term_start=term_start,
            term_end=term_end,
            section=section,
            time_of_day=time_of_day,
            class_type=class_type,
            status=status if active else ClassStatus.CANCELLED,
            sessions=sessions.get(header_id, ()),
            combined_with=shared[class_key].others,
            host=shared[class_key].host,
            term_key=term_key,
        )
        for (
            header_id,
            group,
            class_key,
            course_code,
            title,
            term_code,
            term_start,
            term_end,
            section,
            time_of_day,
            class_type,
            status,
            active,
            term_key,
            _any_placed,
        ) in rows
    ]


def _sessions(
    connection: sa.Connection, header_ids: list[int]
) -> dict[int, tuple[SessionView, ...]]:
    by_header: dict[int, dict[tuple[int, str, Decimal], list[Any]]] = {}
    for row in connection.execute(_SESSIONS, {"header_ids": header_ids}):
        header_id, number, name, weight, *part = row
        parts = by_header.setdefault(header_id, {}).setdefault((number, name, weight), [])
        if part[0] is not None:
            parts.append(part)
    return {header_id: _views(halves) for header_id, halves in by_header.items()}


def _views(halves: dict[tuple[int, str, Decimal], list[Any]]) -> tuple[SessionView, ...]:
    # A session without parts can hold no grade, so it has no share.
    full = [half for half, parts in halves.items() if parts]
    weights = dict(zip(full, normalised([weight for _, _, weight in full]), strict=True))
    return tuple(
        SessionView(
            number=half[0],
            name=half[1],
            weight=weights.get(half, Decimal(0)),
            parts=_parts(half[0], weights.get(half, Decimal(0)), parts),
        )
        for half, parts in halves.items()
    )


def _parts(number: int, session: Decimal, parts: Sequence[Any]) -> tuple[PartView, ...]:
    entered = [part[4] for part in parts]
    weights = normalised(entered)
    shares = normalised(entered, whole=session)
    return tuple(
        PartView(
            part_key=part_key,
            session_number=number,
            code=code,
            name=name,
            part_type=part_type,
            weight=weight,
            share=share,
            teacher_key=teacher_key,
            teacher_name=(
                " ".join(name for name in (family_name, personal_name) if name)
                if teacher_key
                else None
            ),
            room=room,
            meeting_days=tuple(day for day in meeting_days.split(",") if day),
            start_time=start_time,
            end_time=end_time,
        )
        for (
            part_key,
            code,
            name,
            part_type,
            _,
            room,
            meeting_days,
            start_time,
            end_time,
            teacher_key,
            family_name,
            personal_name,
        ), weight, share in zip(parts, weights, shares, strict=True)
    )
