"""Teachers' own items in gradebooks before a step of a case, and what the gradebooks are after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from demo import Platform
from demo.grade_model import GradeCategory, LineItem
from demo.gradebook import CourseGrades, Item
from demo.model import State

Json = dict[str, Any]


def give_own_category(platform: Platform, fields: Json) -> None:
    """Make a teacher's own category: ``course``, ``name``."""
    made = GradeCategory(platform.next_id(), fields["name"], weighted=False)
    _grades(platform.state, fields["course"]).book.categories.append(made)


def give_own_item(platform: Platform, fields: Json) -> None:
    """Make a teacher's own item: ``course``, ``name``; ``max``, ``category``, ``weight``."""
    grades, number = _grades(platform.state, fields["course"]), platform.next_id()
    made = LineItem(number, grades.course.id, 0, fields["name"], float(fields.get("max", 100)))
    made.weight, made.numeric = fields.get("weight", 0), fields.get("numeric", True)
    around = [each.id for each in grades.categories() if each.label == fields.get("category")]
    made.parent_id = around[0] if around else None
    platform.state.line_items[number] = made


def named(state: State | None, json: Any) -> Any:
    """Put ids in the place of names: ``@Name`` is the item, or the category's total.

    Without a state any number will do.
    """
    match json:
        case dict():
            return {key: named(state, value) for key, value in json.items()}
        case list():
            return [named(state, value) for value in json]
        case str() if json.startswith("@"):
            if state is None:
                return 1 + sum(json.encode())
            return next(
                each.id
                for course in state.courses.values()
                for each in CourseGrades(state, course).everything()
                if each.label == json[1:]
            )
        case _:
            return json


def snapshot_gradebooks(state: State) -> list[Json]:
    """All gradebooks of the SIS."""
    found = []
    for grades in _all(state):
        if grades.built:
            items = [(each, _item(grades, each)) for each in grades.everything() if each.key]
            sessions = [
                fields
                for each, fields in items
                if isinstance(each, GradeCategory) and not fields["source"]
            ]
            found.append(
                {
                    "course": grades.course.idnumber,
                    "letters": [list(each) for each in grades.book.letters],
                    "categories": sessions,
                    "items": [fields for _, fields in items if fields not in sessions],
                }
            )
    return found


def snapshot_foreign(state: State) -> list[Json]:
    """All that is not the SIS's."""
    return [
        {"course": grades.course.idnumber} | _item(grades, each)
        for grades in _all(state)
        for each in grades.everything()
        if not each.key
    ]


def _item(grades: CourseGrades, item: Item) -> Json:
    around = next(iter(grades.around(item)), None)
    return {
        "key": item.key or None,
        "name": item.label,
        "category": (around.key or around.label) if around else "",
        "weight": item.weight,
        "source": item.stood is not None,
    }


def _all(state: State) -> Iterator[CourseGrades]:
    for course in state.courses.values():
        yield CourseGrades(state, course)


def _grades(state: State, idnumber: str) -> CourseGrades:
    course = next(c for c in state.courses.values() if c.idnumber == idnumber)
    return CourseGrades(state, course)
