"""Many rows in few statements: load what is there, write only what differs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.core.database import Base

# Below the limit of bound values of every database (32,766 on SQLite).
_CHUNK = 5000

T = TypeVar("T")


@dataclass(slots=True)
class Written:
    """How many rows were created, changed, and found as they should be."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    @property
    def changed(self) -> int:
        """Rows that were written."""
        return self.created + self.updated


def chunks(values: Collection[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """Slices of ``values`` that fit one statement."""
    ordered = list(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def ids_by_key(
    session: Session, column: InstrumentedAttribute[str], keys: Collection[str]
) -> dict[str, int]:
    """Database ids of the rows of ``column``'s table with these keys, by key."""
    table = column.class_
    found: dict[str, int] = {}
    for some in chunks(set(keys)):
        rows = session.execute(sa.select(column, table.id).where(column.in_(some)))
        found.update((key, id_) for key, id_ in rows)
    return found


def write_rows(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: tuple[str, ...],
    now: dt.datetime,
) -> Written:
    """Insert the rows that are new by ``key`` and update those that differ; ``updated_at`` is set.

    All rows have the same columns and no two the same key.
    """
    written = Written()
    if not rows:
        return written
    names = list(rows[0])
    primary = [str(column.key) for column in sa.inspect(model).primary_key]
    stored = _stored(session, model, rows, key=key, names=names, primary=primary)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for row in rows:
        current = stored.get(tuple(row[name] for name in key))
        if current is None:
            new.append({**row, "updated_at": now})
        elif any(current[name] != row[name] for name in names):
            identity = {name: current[name] for name in primary}
            changed.append({**row, **identity, "updated_at": now})
        else:
            written.unchanged += 1
    if new:
        session.execute(sa.insert(model), new)
    if changed:
        session.execute(sa.update(model), changed)
    written.created, written.updated = len(new), len(changed)
    return written


def _stored(
    session: Session,
    model: type[Base],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: tuple[str, ...],
    names: list[str],
    primary: list[str],
) -> dict[tuple[Any, ...], dict[str, Any]]:
    wanted = [getattr(model, name) for name in dict.fromkeys([*primary, *names])]
    leading = getattr(model, key[0])
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for some in chunks({row[key[0]] for row in rows}):
        for mapping in session.execute(sa.select(*wanted).where(leading.in_(some))).mappings():
            current = {str(name): value for name, value in mapping.items()}
            found[tuple(current[name] for name in key)] = current
    return found
