"""Fingerprints of what is there, and their pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from demo.model import Category, Course, Person, State

Fingerprint = tuple[str, int, str]


def digest(
    state: State,
    kind: str,
    *,
    keys: Sequence[str] = (),
    after: str | None = None,
    limit: int = 1000,
) -> dict[str, Any]:
    """Return a page of fingerprints: ``{"items": [{"key", "id", "fingerprint"}], "next"}``."""
    found = sorted(_KINDS[kind](state), key=lambda item: (item[0].encode(), item[1]))
    wanted = [
        item
        for item in found
        if (not keys or item[0] in keys) and (after is None or item[0].encode() > after.encode())
    ]
    page = wanted[:limit]
    return {
        "items": [{"key": key, "id": held, "fingerprint": half} for key, held, half in page],
        "next": page[-1][0] if len(wanted) > limit else None,
    }


def _categories(state: State) -> Iterator[Fingerprint]:
    for held in state.categories.values():
        if held.idnumber:
            parent = _idnumber(state.categories.get(held.parent_id or 0))
            yield _item(held, ["category", held.idnumber, held.name, parent, held.visible])


def _users(state: State) -> Iterator[Fingerprint]:
    for held in state.people.values():
        if held.idnumber:
            names = [held.username, held.given_name, held.family_name, held.email]
            rest = [held.alternatename, held.suspended]
            yield _item(held, ["user", held.idnumber, *names, *rest])


def _courses(state: State) -> Iterator[Fingerprint]:
    for held in state.courses.values():
        if held.idnumber:
            category = _idnumber(state.categories.get(held.category_id or 0))
            sections = _by_key([each.key, each.name] for each in held.sections if each.key)
            groups = _by_key([each.idnumber, each.name] for each in held.groups if each.idnumber)
            fields = [held.shortname, held.fullname, category, held.startdate, held.enddate]
            yield _item(held, ["course", held.idnumber, *fields, held.visible, sections, groups])


def _rosters(state: State) -> Iterator[Fingerprint]:
    for held in state.courses.values():
        # A course into which the school never enrolled anybody has an empty roster.
        if held.idnumber:
            members = _by_key(
                [state.people[user_id].idnumber, each.role, _groups(held, user_id)]
                for user_id, each in (held.roster or {}).items()
                if each.status == "active"
            )
            yield _item(held, ["roster", held.idnumber, members])


def _groups(course: Course, user_id: int) -> list[str]:
    found = [g.idnumber for g in course.groups if g.idnumber and g.members.get(user_id)]
    return sorted(found, key=str.encode)


def _by_key(items: Iterator[list[Any]]) -> list[list[Any]]:
    return sorted(items, key=lambda item: str(item[0]).encode())


def _idnumber(category: Category | None) -> str | None:
    # Below something that the school does not know is not the top: it has no idnumber, but is.
    return category.idnumber if category else None


def _item(held: Category | Person | Course, fields: list[Any]) -> Fingerprint:
    text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    return held.idnumber, held.id, hashlib.sha256(text.encode()).hexdigest()[:32]


_KINDS: dict[str, Callable[[State], Iterator[Fingerprint]]] = {
    "category": _categories,
    "user": _users,
    "course": _courses,
    "roster": _rosters,
}
