"""What teachers have done in gradebooks before a step of a case, and what stands there after it."""

from __future__ import annotations

from typing import Any

from demo.grade_model import Grade, Gradebook, LineItem
from demo.gradebook import TOTAL, CourseGrades, Item, in_range
from demo.model import State

Json = dict[str, Any]


def give_item(state: State, fields: Json) -> None:
    """Do something to an item, named by its key: ``locked``, ``deleted``."""
    grades, item = _find(state, fields)
    if "locked" in fields:
        item.locked = bool(fields["locked"])
    if fields.get("deleted"):
        assert isinstance(item, LineItem)
        del grades.state.line_items[item.id]


def give_grade(state: State, fields: Json) -> None:
    """Give somebody a grade: ``percent``, ``feedback``, ``locked``."""
    _, item = _find(state, fields)
    person = next(p for p in state.people.values() if p.idnumber == fields["user"])
    item_id = item.total_id if isinstance(item, Gradebook) else item.id
    cell = state.grades.setdefault(item_id, {}).setdefault(person.id, Grade(None, 1.0))
    if "percent" in fields:
        percent = fields["percent"]
        whole = percent is not None and not isinstance(item, LineItem)
        cell.final = percent / 100 if whole else None
        if isinstance(item, LineItem):
            cell.final = None if percent is None else in_range(percent, item)
        cell.overridden = not isinstance(item, LineItem) or item.coupled
    if "feedback" in fields:
        cell.comment = fields["feedback"] or None
    if "locked" in fields:
        cell.locked = bool(fields["locked"])


def _find(state: State, fields: Json) -> tuple[CourseGrades, Item | Gradebook]:
    course = next(c for c in state.courses.values() if c.idnumber == fields["course"])
    grades = CourseGrades(state, course)
    if fields["item"] == TOTAL:
        return grades, grades.book
    item = grades.keyed(fields["item"])
    assert item is not None, f"a case names {fields['item']}, which is not there"
    return grades, item


def snapshot_grades(state: State) -> list[Json]:
    """All grades of items that have a key."""
    return [each for course in state.courses.values() for each in _of(CourseGrades(state, course))]


def _of(grades: CourseGrades) -> list[Json]:
    if not grades.built:
        return []
    keyed: list[tuple[str, Item | None]] = [(TOTAL, None)]
    keyed += [(each.key, each) for each in grades.everything() if each.key]
    found = []
    for key, item in keyed:
        for person in grades.state.people.values():
            item_id = grades.book.total_id if item is None else item.id
            cell = grades.cell(item_id, person.id) or Grade(None, 0.0)
            total = grades.total(person.id) if item is None else grades.percent(item, person.id)
            found.append(
                {
                    "course": grades.course.idnumber,
                    "user": person.idnumber,
                    "item": key,
                    "percent": total,
                    "overridden": cell.overridden,
                    "feedback": cell.comment or "",
                }
            )
    return found
