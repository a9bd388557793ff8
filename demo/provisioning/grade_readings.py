"""What the tool reads back of grades: the items, and what people have in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from demo.grade_model import Grade, GradeCategory, LineItem
from demo.gradebook import TOTAL, CourseGrades
from demo.model import Course, State

Item = dict[str, Any]


def items(state: State, courses: Sequence[Course]) -> Iterator[Item]:
    """The grade items of some courses, totals too."""
    for course in courses:
        grades = CourseGrades(state, course)
        book = course.gradebook
        if book is not None:
            yield _item(course, book.total_id, "course", TOTAL if book.built else None) | {
                "instance": book.total_id,
                "locked": book.locked,
            }
        for category in grades.categories():
            yield _item(course, category.id, "category", category.key or None) | {
                "instance": category.id,
                "name": category.label,
                "source": category.stood is not None,
                "category": category.parent_id or _top(course),
                "weight": category.weight / 100,
                "locked": category.locked,
            }
        for item in grades.items():
            yield _line_item(course, item)


def _line_item(course: Course, item: LineItem) -> Item:
    coupled = item.link_id is not None and item.coupled
    return _item(course, item.id, "mod" if coupled else "manual", item.key or None) | {
        "source": item.stood is not None,
        "module": "lti" if coupled else None,
        "instance": item.link_id if coupled else None,
        "name": item.label,
        "idnumber": item.resource_id,
        "category": item.parent_id or _top(course),
        "min": item.minimum,
        "max": item.maximum,
        "weight": item.weight / 100,
        "locked": item.locked,
    }


def _top(course: Course) -> int | None:
    return course.gradebook.total_id if course.gradebook else None


def _item(course: Course, item_id: int, kind: str, key: str | None) -> Item:
    return {
        "course": course.idnumber,
        "id": item_id,
        "key": key,
        "source": False,
        "type": kind,
        "module": None,
        "instance": None,
        "name": None,
        "idnumber": "",
        "category": None,
        "min": 0.0,
        "max": 100.0,
        "scale": None,
        "weight": None,
        "hidden": False,
        "locked": False,
        "needsupdate": False,
    }


def grades(state: State, courses: Sequence[Course], scope: dict[str, Any]) -> Iterator[Item]:
    """What people have: ``items``, ``since`` and ``keyed`` of the scope bound it."""
    wanted, since = scope.get("items"), scope.get("since", 0)
    for course in courses:
        for found in _of_course(state, course):
            outside = wanted and found["item"] not in wanted
            if not outside and found["at"] >= since and (found["key"] or not scope.get("keyed")):
                yield found


def _of_course(state: State, course: Course) -> Iterator[Item]:
    held = CourseGrades(state, course)
    for item in held.items():
        for user_id, cell in state.grades.get(item.id, {}).items():
            yield _grade(state, course, item.id, item.key or None, user_id, cell) | {
                "percent": held.percent(item, user_id) if item.numeric else None,
                "final": cell.final,
                "raw": None if cell.overridden else cell.final,
            }
    if course.gradebook is None:
        return
    for user_id in _graded(held):
        for category in held.categories():
            yield from _total(held, category, category.id, category.key or None, user_id)
        key = TOTAL if held.built else None
        yield from _total(held, None, course.gradebook.total_id, key, user_id)


def _graded(held: CourseGrades) -> list[int]:
    numbers = [each.id for each in held.everything()]
    numbers += [held.course.gradebook.total_id] if held.course.gradebook else []
    return sorted({user for number in numbers for user in held.state.grades.get(number, {})})


def _total(
    held: CourseGrades, category: GradeCategory | None, item_id: int, key: str | None, user_id: int
) -> Iterator[Item]:
    cell = held.cell(item_id, user_id)
    percent = held.total(user_id) if category is None else held.percent(category, user_id)
    if cell is None and percent is None:
        return
    cell = cell or Grade(None, 0.0)
    yield _grade(held.state, held.course, item_id, key, user_id, cell) | {
        "percent": percent,
        "final": None if percent is None else percent / 100,
    }


def _grade(
    state: State, course: Course, item_id: int, key: str | None, user_id: int, cell: Grade
) -> Item:
    return {
        "course": course.idnumber,
        "item": item_id,
        "key": key,
        "id": user_id,
        "user": state.people[user_id].idnumber or None,
        "percent": None,
        "final": None,
        "raw": None,
        "overridden": cell.overridden,
        "locked": cell.locked,
        "hidden": False,
        "excluded": False,
        "by": cell.grader,
        "at": int(cell.modified),
    }
