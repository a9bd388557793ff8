"""Which classes are taught together, and in whose course: by the SIS, or as somebody decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.sis.models import ClassHeader
from lti_tool.sis.placement_models import ClassPlacement, Placing

_headers = cast(sa.Table, ClassHeader.__table__)
_placements = cast(sa.Table, ClassPlacement.__table__)
_COMBINED: sa.Select[*tuple[Any, ...]] = (
    sa.select(_headers.c.combined_class_id, _headers.c.sourced_id)
    .where(
        _headers.c.combined_class_id.in_(sa.bindparam("groups", expanding=True)),
        _headers.c.active,
    )
    .order_by(_headers.c.sourced_id)
)
_PLACED: sa.Select[*tuple[Any, ...]] = sa.select(
    _placements.c.class_key, _placements.c.placing, _placements.c.with_key
)
# A column that says whether anything was decided at all.
ANY_PLACED = sa.exists(sa.select(sa.literal(1)).select_from(_placements))
_THERE: sa.Select[*tuple[Any, ...]] = sa.select(
    _headers.c.sourced_id, _headers.c.combined_class_id
).where(_headers.c.sourced_id.in_(sa.bindparam("keys", expanding=True)), _headers.c.active)

# A course: of one class by its key, or of a group of the SIS by its id.
Unit = tuple[str, str | int]


@dataclass(frozen=True, slots=True)
class Together:
    """The other classes in a class's course, sorted, and the class whose course it is."""

    others: tuple[str, ...]
    host: str


def together(
    connection: sa.Connection, classes: Mapping[str, int | None], *, any_placed: bool
) -> dict[str, Together]:
    """For these classes, by key, with the SIS's group of each: at most three statements.

    Decisions are few: they are read as a whole, where there are any.
    """
    decided: dict[str, tuple[Placing, str | None]] = {
        row[0]: (row[1], row[2]) for row in (connection.execute(_PLACED) if any_placed else ())
    }
    groups = dict(classes)
    active: set[str] = set()
    if decided:
        named = {*decided, *(other for _, other in decided.values() if other)}
        there = {row[0]: row[1] for row in connection.execute(_THERE, {"keys": sorted(named)})}
        groups |= there
        active |= there.keys()
        decided = {
            key: (placing, other)
            for key, (placing, other) in decided.items()
            # With a class that is gone nobody can be taught: as the SIS says.
            if key in there and (other is None or other in there)
        }
    for group, key in _of_sis(connection, {each for each in groups.values() if each is not None}):
        groups[key] = group
        active.add(key)
    units: dict[str, Unit] = {key: _unit(key, groups, decided) for key in groups}
    members: dict[Unit, set[str]] = defaultdict(set)
    for key in active:
        members[units[key]].add(key)
    return {key: _together(key, {key, *members[units[key]]}, decided) for key in classes}


def _of_sis(connection: sa.Connection, groups: Collection[int]) -> list[tuple[int, str]]:
    if not groups:
        return []
    return [(row[0], row[1]) for row in connection.execute(_COMBINED, {"groups": sorted(groups)})]


def _unit(
    key: str,
    groups: Mapping[str, int | None],
    decided: Mapping[str, tuple[Placing, str | None]],
) -> Unit:
    placing, other = decided.get(key, (None, None))
    if other is not None:
        # The other one is placed with nobody: see sync/placements.py.
        key = other
        placing = decided.get(key, (None, None))[0]
    group = groups.get(key)
    return ("class", key) if group is None or placing is Placing.ALONE else ("group", group)


def _together(
    key: str, members: Collection[str], decided: Mapping[str, tuple[Placing, str | None]]
) -> Together:
    how = {each: decided.get(each, (None, None))[0] for each in members}
    # A guest is never the host.
    own = sorted(each for each in members if how[each] is not Placing.WITH) or sorted(members)
    chosen = [each for each in own if how[each] is Placing.HOST]
    others = tuple(each for each in sorted(members) if each != key)
    return Together(others, (chosen or own)[0])
