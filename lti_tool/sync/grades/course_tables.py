"""What the tables say of one course's grades at one site: a statement each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from lti_tool.sync.grades.cells import Receipt
from lti_tool.sync.grades.models import (
    ConflictState,
    GradeConflict,
    GradeConnection,
    GradePull,
    GradeReading,
    GradeReceipt,
)
from lti_tool.sync.provisioning.models import DeadLetter, SyncMark

_receipts = cast(sa.Table, GradeReceipt.__table__)
_conflicts = cast(sa.Table, GradeConflict.__table__)
_connections = cast(sa.Table, GradeConnection.__table__)
_readings = cast(sa.Table, GradeReading.__table__)
_pulls = cast(sa.Table, GradePull.__table__)
_marks = cast(sa.Table, SyncMark.__table__)
_letters = cast(sa.Table, DeadLetter.__table__)
_KINDS = ("gradebook", "grades")
_RECEIPT = (
    _receipts.c.base,
    _receipts.c.agreed_at,
    _receipts.c.seen,
    _receipts.c.seen_at,
    _receipts.c.seen_by,
    _receipts.c.sent,
    _receipts.c.sent_text,
    _receipts.c.sent_at,
    _receipts.c.sent_by,
    _receipts.c.code,
    _receipts.c.asked_by,
    _receipts.c.asked_at,
)
_UNDECIDED = (ConflictState.OPEN, ConflictState.ASKED)


@dataclass(frozen=True, slots=True)
class CourseState:
    """How the course as a whole stands.

    ``waiting_for``: of what waits to be sent, why it waits (a code), if it is known; ``None`` and
    ``waits``: it is on its way. ``refused``: codes by which Moodle refused the whole gradebook, or
    all grades. ``read_at``: when the grades in Moodle were last read.
    """

    read_at: dt.datetime | None = None
    pulled: bool = False
    pull_error: str | None = None
    waits: bool = False
    waiting_for: str | None = None
    refused: tuple[str, ...] = ()


def read_receipts(
    connection: sa.Connection, site_id: int, course_key: str
) -> dict[tuple[str, str], Receipt]:
    """Receipts by person and item."""
    query = sa.select(_receipts.c.person_key, _receipts.c.item_key, *_RECEIPT).where(
        _receipts.c.site_id == site_id, _receipts.c.course_key == course_key
    )
    rows = connection.execute(query).all()
    return {(person, item): Receipt(*known) for person, item, *known in rows}


def read_conflicts(
    connection: sa.Connection, site_id: int, course_key: str
) -> dict[tuple[str, str], int]:
    """Numbers of what is to be decided, by person and item."""
    query = sa.select(_conflicts.c.person_key, _conflicts.c.item_key, _conflicts.c.id).where(
        _conflicts.c.site_id == site_id,
        _conflicts.c.course_key == course_key,
        _conflicts.c.state.in_(_UNDECIDED),
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def read_connections(
    connection: sa.Connection, site_id: int, class_keys: Collection[str]
) -> dict[str, str]:
    """Names of the items in Moodle that parts are connected with, by part."""
    query = sa.select(_connections.c.part_key, _connections.c.item_name).where(
        _connections.c.site_id == site_id,
        _connections.c.class_key.in_(class_keys),
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def course_state(connection: sa.Connection, site_id: int, course_key: str) -> CourseState:
    """How the course as a whole stands."""
    read_at, changed_at, pull_error = connection.execute(
        sa.select(
            sa.select(_readings.c.read_at)
            .where(_readings.c.site_id == site_id, _readings.c.course_key == course_key)
            .scalar_subquery(),
            *(
                sa.select(column)
                .where(_pulls.c.site_id == site_id, _pulls.c.course_key == course_key)
                .scalar_subquery()
                for column in (_pulls.c.changed_at, _pulls.c.last_error)
            ),
        )
    ).one()
    waits = connection.execute(
        sa.select(_marks.c.waiting_for)
        .where(
            _marks.c.site_id == site_id,
            _marks.c.kind.in_(_KINDS),
            _marks.c.key == course_key,
        )
        .order_by(_marks.c.kind)
    ).all()
    refused = connection.scalars(
        sa.select(_letters.c.code)
        .where(
            _letters.c.site_id == site_id,
            _letters.c.kind.in_(_KINDS),
            _letters.c.key == course_key,
            _letters.c.item == "",
        )
        .order_by(_letters.c.kind)
    ).all()
    return CourseState(
        read_at=read_at,
        pulled=changed_at is not None,
        pull_error=pull_error,
        waits=bool(waits),
        waiting_for=next((row[0] for row in waits if row[0]), None),
        refused=tuple(refused),
    )
