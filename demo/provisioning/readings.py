"""What the tool reads back: activity, rosters, grade items and grades."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from demo.model import Course, State

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
    for course in _courses(state, scope):
        for item in state.line_items.values():
            if item.course_id == course.id:
                coupled = item.link_id is not None and item.coupled
                yield {
                    "course": course.idnumber,
                    "id": item.id,
                    "type": "mod" if coupled else "manual",
                    "module": "lti" if coupled else None,
                    "instance": item.link_id if coupled else None,
                    "name": item.label,
                    "idnumber": item.resource_id,
                    "category": None,
                    "min": 0,
                    "max": item.maximum,
                    "scale": None,
                    "weight": None,
                    "hidden": False,
                    "locked": False,
                    "needsupdate": False,
                }


def _grades(state: State, scope: dict[str, Any]) -> Iterator[Item]:
    courses = {course.id for course in _courses(state, scope)}
    wanted, since = scope.get("items"), scope.get("since", 0)
    for item_id, column in state.grades.items():
        item = state.line_items.get(item_id)
        if item is None or item.course_id not in courses or (wanted and item_id not in wanted):
            continue
        for user_id, grade in column.items():
            if grade.modified >= since:
                yield {
                    "item": item_id,
                    "id": user_id,
                    "user": state.people[user_id].idnumber,
                    "final": grade.final,
                    "raw": None if grade.overridden else grade.final,
                    "overridden": grade.overridden,
                    "locked": grade.locked,
                    "hidden": False,
                    "excluded": False,
                    "by": None,
                    "at": int(grade.modified),
                }


READS: dict[str, Callable[[State, dict[str, Any]], Iterator[Item]]] = {
    "activity": _activity,
    "access": _access,
    "roster": _roster,
    "items": _items,
    "grades": _grades,
}
