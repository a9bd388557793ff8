"""What has changed in the SIS and nobody has looked at yet: its transactional outbox.

Every way of writing leaves its rows here, in its own transaction: whoever keeps another system
equal to the SIS takes them from here, and loses nothing whatever dies. A hundred changes to one
thing are one row. The SIS does not know who reads them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lti_tool.core.database import UtcDateTime
from lti_tool.sis.bulk import chunks
from lti_tool.sis.change_models import ChangeKind, SisChange
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Course,
    Enrollment,
    Person,
    Teaching,
    Term,
)


def record(session: Session, kind: ChangeKind, keys: Collection[str], *, at: dt.datetime) -> None:
    """Note that these things changed, within the transaction that changes them."""
    for some in chunks(sorted(set(keys)), 1000):
        rows = [{"kind": kind, "key": key, "at": at} for key in some]
        session.execute(_settled(_insert(session).values(rows)))


def record_classes(
    session: Session, kind: ChangeKind, header_ids: Collection[int], *, at: dt.datetime
) -> None:
    """As :func:`record`, for classes by their database ids."""
    for some in chunks(sorted(set(header_ids))):
        _record_found(
            session, kind, sa.select(ClassHeader.sourced_id).where(ClassHeader.id.in_(some)), at
        )


def record_since(session: Session, since: dt.datetime) -> None:
    """Note everything whose row was written at or after ``since``: for imports of any size.

    ``since`` is taken before the first write of the transaction. What others wrote in the same
    moment may be noted once more, which only makes somebody compare and find nothing.
    """
    session.flush()
    enrolled = sa.select(Enrollment.header_id).where(Enrollment.updated_at >= since)
    roster = sa.select(ClassHeader.sourced_id).where(ClassHeader.id.in_(enrolled))
    for kind, query in (
        (ChangeKind.TERM, sa.select(Term.sourced_id).where(Term.updated_at >= since)),
        (ChangeKind.PERSON, sa.select(Person.sourced_id).where(Person.updated_at >= since)),
        (ChangeKind.CLASS, _classes(since)),
        (ChangeKind.ROSTER, roster),
    ):
        _record_found(session, kind, query, since)


def _classes(since: dt.datetime) -> sa.Select[Any]:
    """Classes that were written, or anything that they are shown with."""
    session_of_part = sa.select(ClassPart.session_id).where(ClassPart.updated_at >= since)
    return sa.select(ClassHeader.sourced_id).where(
        sa.or_(
            ClassHeader.updated_at >= since,
            ClassHeader.id.in_(
                sa.select(ClassSession.header_id).where(
                    sa.or_(ClassSession.updated_at >= since, ClassSession.id.in_(session_of_part))
                )
            ),
            ClassHeader.id.in_(sa.select(Teaching.header_id).where(Teaching.updated_at >= since)),
            ClassHeader.course_id.in_(sa.select(Course.id).where(Course.updated_at >= since)),
            ClassHeader.combined_class_id.in_(
                sa.select(CombinedClass.id).where(CombinedClass.updated_at >= since)
            ),
        )
    )


def _record_found(
    session: Session, kind: ChangeKind, query: sa.Select[Any], at: dt.datetime
) -> None:
    key = query.subquery().c[0]
    rows = (
        sa.select(sa.literal(kind, SisChange.kind.type), key, sa.literal(at, UtcDateTime()))
        .where(sa.true())
        .order_by(key)
    )
    session.execute(_settled(_insert(session).from_select(["kind", "key", "at"], rows)))


def _insert(session: Session) -> Any:
    dialect = session.get_bind().dialect.name
    return (sqlite if dialect == "sqlite" else postgresql).insert(SisChange)


def _settled(insert: Any) -> Any:
    # Not "do nothing": that would pass by a row which somebody is taking at this moment, and the
    # change would be lost with it. An update waits, finds the row gone, and inserts.
    return insert.on_conflict_do_update(
        index_elements=["kind", "key"], set_={"at": insert.excluded.at}
    )
