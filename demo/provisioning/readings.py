"""What the tool reads back: activity, rosters, grade items and grades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from demo.model import Course, State
from demo.provisioning.grade_readings import grades, items

Item = dict[str, Any]


def read(
    state: State, what: str, scope: dict[str, Any], *, after: int, limit: int
) -> dict[str, Any]:
    """Return a page: ``{"items": […], "next": cursor or null}``."""
    found = list(READS[what](state, scope))
    page = found[after : after + limit]
    more = after + limit < len(found)
    return {"items": page, "next": str(after + limit) if more else None}


def _courses(state: State, scope: dict[str, Any]) -> list[Course]:
    wanted = scope.get("courses")
    return [
        course
        for course in state.courses.values()
        if course.idnumber and (not wanted or course.idnumber in wanted)
    ]


def _activity(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    since = scope.get("since", 0)
    for person in state.people.values():
        if person.idnumber and max(person.last_login, person.last_access) >= since:
            yield {
                "id": person.id,
                "user": person.idnumber,
                "lastlogin": person.last_login,
                "lastaccess": person.last_access,
            }


def _access(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    since = scope.get("since", 0)
    for course in _courses(state, scope):
        for user_id, at in course.last_access.items():
            person = state.people.get(user_id)
            if person is not None and person.idnumber and at >= since:
                yield {
                    "course": course.idnumber,
                    "id": person.id,
                    "user": person.idnumber,
                    "at": at,
                }


def _roster(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    for course in _courses(state, scope):
        for method, held in (("manual", course.members), ("nagasis", course.roster or {})):
            for member in held.values():
                person = state.people[member.user_id]
                item: Item = {
                    "course": course.idnumber,
                    "id": person.id,
                    "user": person.idnumber,
                    "method": method,
                    "status": member.status,
                    "roles": [member.role],
                    "ours": method == "nagasis",
                }
                yield item if person.idnumber else item | {"name": person.name}


def _items(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    return items(state, _courses(state, scope))


def _grades(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    return grades(state, _courses(state, scope), scope)


READS: dict[str, Callable[[State, dict[str, Any]], Iterator[Item]]] = {
    "activity": _activity,
    "access": _access,
    "roster": _roster,
    "items": _items,
    "grades": _grades,
}
