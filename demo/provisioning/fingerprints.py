"""Fingerprints of what is there, and their pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from demo.gradebook import CourseGrades
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
    found = sorted(DIGESTS[kind](state), key=lambda item: (item[0].encode(), item[1]))
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
            seen = [held.visible, held.readonly and state.context_locking]
            yield _item(held, ["course", held.idnumber, *fields, *seen, sections, groups])


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


def _gradebooks(state: State) -> Iterator[Fingerprint]:
    for held in state.courses.values():
        book = held.gradebook
        if not held.idnumber or book is None or not book.built:
            continue
        grades = CourseGrades(state, held)
        sessions = [each for each in book.categories if each.key and each.stood is None]
        weighted = book.weighted and all(each.weighted for each in sessions)
        categories = _by_key([each.key, each.label, each.weight] for each in sessions)
        items = _by_key(
            [
                each.key,
                each.label if each.stood is None else "",
                next((around.key for around in grades.around(each)), ""),
                each.weight,
                None if each.stood is None else each.id,
            ]
            for each in grades.everything()
            if each.key and each not in sessions
        )
        letters = _by_key([letter, minimum] for letter, minimum in book.letters)
        yield _item(
            held, ["gradebook", held.idnumber, categories if weighted else "", items, letters]
        )


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


DIGESTS: dict[str, Callable[[State], Iterator[Fingerprint]]] = {
    "category": _categories,
    "user": _users,
    "course": _courses,
    "roster": _rosters,
    "gradebook": _gradebooks,
}
