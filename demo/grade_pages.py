"""The gradebook as people see it: the grader report, and a student's own grades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request

from demo.answers import PageError, act_as, require_person, require_sesskey, signed_in
from demo.grade_model import Grade, GradeCategory, LineItem
from demo.gradebook import CourseGrades
from demo.model import Course, Person
from demo.pages import edits, open_course, sesskey
from demo.state import Platform, platform

blueprint = Blueprint("grade_pages", __name__)


@dataclass(frozen=True)
class Column:
    """A column of the report; ``item`` is ``None`` for totals, which nobody types."""

    label: str
    maximum: float | None
    item: LineItem | None = None
    category: GradeCategory | None = None
    weight: int | None = None


def columns(grades: CourseGrades) -> Iterator[Column]:
    """The report's columns: each category's items and then its total; the course's total last."""
    built = grades.built
    for category in grades.categories():
        if category.parent_id is None:
            yield from _inside(grades, category)
    for item in grades.items():
        if item.parent_id is None:
            yield Column(item.label, item.maximum, item, weight=item.weight if built else None)
    yield Column("Course total", 100.0 if built else None)


def _inside(grades: CourseGrades, category: GradeCategory) -> Iterator[Column]:
    for each in grades.inside(category.id):
        if isinstance(each, LineItem):
            yield Column(each.label, each.maximum, each, weight=each.weight)
        else:
            yield from _inside(grades, each)
    yield Column(f"{category.label} total", 100.0, category=category, weight=category.weight)


@dataclass(frozen=True)
class Cell:
    """What stands in a cell; ``name`` is its field's where it can be typed."""

    text: str
    comment: str = ""
    letter: str = ""
    mark: str = ""
    name: str = ""
    by: str = ""


def _cell(host: Platform, grades: CourseGrades, column: Column, person: Person) -> Cell:
    if column.item is not None:
        held = host.grade(column.item.id, person.id)
        final = held.final if held else None
        name = f"g-{column.item.id}-{person.id}"
        return Cell(_number(final), held.comment or "" if held else "", name=name, by=_by(held))
    if column.maximum is None:
        cells = [host.grade(item.id, person.id) for item in grades.items()]
        finals = [cell.final for cell in cells if cell is not None and cell.final is not None]
        return Cell(_number(sum(finals)) if finals else "")
    category = column.category
    total = grades.total(person.id) if category is None else grades.percent(category, person.id)
    held = host.grade(grades.book.total_id if category is None else category.id, person.id)
    stands = held if held is not None and held.overridden else None
    return Cell(
        _number(None if total is None else total / 100),
        comment=(stands.comment or "") if stands else "",
        letter=grades.letter(total),
        mark="Overridden" if stands else "",
        by=_by(stands),
    )


def _by(held: Grade | None) -> str:
    return held.source if held and held.final is not None else ""


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


@blueprint.get("/course/<int:course_id>/grades")
def gradebook(course_id: int) -> Any:
    """Show the grader report: students by columns. ``?edit=1``: cells can be typed."""
    changed = act_as()
    if changed is not None:
        return changed
    host, course = platform(), open_course(course_id)
    person = signed_in()
    member = course.enrolment(person.id) if person else None
    own_only = person is not None and member is not None and member.role == "student"
    grades = CourseGrades(host.state, course)
    with host.lock:
        shown = list(columns(grades))
        rows = [
            (student, [_cell(host, grades, column, student) for column in shown])
            for student, enrolment in host.members(course)
            if enrolment.role == "student" and (not own_only or student is person)
        ]
    may_edit = edits(course, person)
    return render_template(
        "gradebook.html",
        course=course,
        columns=shown,
        rows=rows,
        own_only=own_only,
        edits=may_edit,
        editing=may_edit and request.args.get("edit") == "1",
        sesskey=sesskey(),
    )


@blueprint.post("/course/<int:course_id>/grades")
def type_grades(course_id: int) -> Any:
    """Save what was typed: fields ``g-ITEM-PERSON``; empty takes a grade away."""
    host, course, person = platform(), *_teacher(course_id)
    with host.change():
        typed = list(_typed(host, course))
        for item, user_id, final in typed:
            _grade(host, item, user_id, final, person)
    return redirect(f"/course/{course.id}/grades?edit=1", 303)


@blueprint.post("/course/<int:course_id>/items")
def add_item(course_id: int) -> Any:
    """Add a grade item of the teacher's own (``name``, ``maximum``)."""
    host, course, _ = platform(), *_teacher(course_id)
    name = request.form.get("name", "").strip()
    maximum = _read_number(request.form.get("maximum", "") or "100")
    if not name or maximum is None or maximum <= 0:
        raise PageError("invaliddata", "A grade item has a name and a maximum above 0.", 400)
    with host.change() as state:
        item = LineItem(host.next_id(), course.id, 0, name, maximum, known_to_service=False)
        state.line_items[item.id] = item
        host.record(
            "grade_item.created", course=course.id, about=item.id, itemtype="manual", module=None
        )
    return redirect(f"/course/{course.id}/grades?edit=1", 303)


def _teacher(course_id: int) -> tuple[Course, Person]:
    course, person = open_course(course_id), require_person()
    require_sesskey()
    if not edits(course, person):
        raise PageError("nopermissions", "Only a teacher may grade here.", 403)
    return course, person


def _typed(host: Platform, course: Course) -> Iterator[tuple[LineItem, int, float | None]]:
    grades = CourseGrades(host.state, course)
    items = {item.id: item for item in grades.items()}
    for name, text in request.form.items():
        parts = name.split("-")
        if len(parts) != 3 or parts[0] != "g":
            continue
        item = items.get(int(parts[1])) if parts[1].isdigit() else None
        user_id = int(parts[2]) if parts[2].isdigit() else 0
        if item is None or course.enrolment(user_id) is None:
            raise PageError("invaliddata", "There is no such cell in the gradebook.", 400)
        held = host.grade(item.id, user_id)
        if text.strip() == _number(held.final if held else None):
            continue
        final = _read_number(text) if text.strip() else None
        if text.strip() and (final is None or not item.minimum <= final <= item.maximum):
            span = f"{item.minimum:g} and {item.maximum:g}"
            raise PageError("invalidgrade", f"{item.label}: a number between {span}.", 400)
        if grades.is_locked(item) or (held is not None and held.locked):
            raise PageError("gradelocked", f"{item.label} is locked.", 400)
        yield item, user_id, final


def _read_number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e9 else None


def _grade(
    host: Platform, item: LineItem, user_id: int, final: float | None, grader: Person
) -> None:
    cell = host.state.grades.setdefault(item.id, {}).setdefault(user_id, Grade(None, 0.0))
    cell.final, cell.modified, cell.grader, cell.source = final, host.epoch(), grader.id, ""
    # An activity's own grade comes back where a typed one is taken away.
    cell.overridden = item.coupled and final is not None
    host.record(
        "grade.changed",
        actor=grader.id,
        user=user_id,
        course=item.course_id,
        item=item.id,
        overridden=cell.overridden,
        final=final,
    )
