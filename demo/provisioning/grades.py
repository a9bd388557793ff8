"""Grades of a course by the SIS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from demo.grade_model import Grade, GradeCategory, LineItem
from demo.gradebook import TOTAL, CourseGrades, Item, in_range
from demo.model import Course, Person
from demo.provisioning.grade_documents import GradePart, GradesDocument
from demo.provisioning.plan import Plan, Site
from demo.provisioning.refusal import RefusedError


class GradesPlanner:
    """Plans the grades of one course."""

    def __init__(self, site: Site, document: GradesDocument) -> None:
        self.site = site
        self.document = document
        self.course = self._course()
        self.grades = CourseGrades(site.state, self.course)
        self.steps: list[Callable[[], None]] = []

    def _course(self) -> Course:
        course = self.site.course(self.document.course, "/course")
        if course is None:
            raise RefusedError(
                "course_missing", "/course", f"There is no course {self.document.course!r}."
            )
        if course.gradebook is None or not course.gradebook.built:
            raise RefusedError("gradebook_missing", "/course", "Send the course's gradebook first.")
        return course

    def plan(self) -> Plan:
        """Return the plan; refuses the whole document, or single grades."""
        results = []
        for number, part in enumerate(self.document.grades):
            try:
                changes = self._grade(part, f"/grades/{number}")
                result = "updated" if changes else "unchanged"
                results.append(_result(part, result, changes))
            except RefusedError as error:
                results.append({**_result(part, "refused"), **error.result()})
        outcome = "updated" if self.steps else "unchanged"
        return Plan(outcome, self._execute, members=results)

    def _execute(self) -> int:
        for step in self.steps:
            step()
        return self.course.id

    def _grade(self, part: GradePart, where: str) -> list[dict[str, Any]]:
        person = self._person(part, f"{where}/user")
        item = self._item(part, where)
        item_id = self.grades.book.total_id if item is None else item.id
        cell = self.grades.cell(item_id, person.id)
        before = (
            self.grades.total(person.id) if item is None else self.grades.percent(item, person.id)
        )
        # What a teacher wrote instead is the teacher's.
        text = cell.text if cell and cell.comment == cell.text else ""
        same = (before, text) == (part.value, part.text)
        ours = item is None or (isinstance(item, GradeCategory) and item.stood is None)
        if ours:
            # A total stands only if nothing can compute it anew.
            stands = cell is not None and cell.overridden
            none = part.value is None and not part.text
            same = not stands if none else stands and same
        if same:
            return []
        self._require_unlocked(item, cell, where)
        changes = [_change("value", before, part.value)]
        if text != part.text:
            changes = changes if before != part.value else []
            changes.append(_change("text", text, part.text))
        if not ours and before not in (part.value, part.expected):
            raise _ChangedError(f"{where}/expected", changes)
        self.steps.append(lambda: self._write(part, item, item_id, person, ours))
        return changes

    def _item(self, part: GradePart, where: str) -> Item | None:
        if part.item == TOTAL:
            return None
        item = self.grades.keyed(part.item)
        if item is None:
            raise RefusedError(
                "item_missing", f"{where}/item", f"The gradebook has no {part.item!r} (any more)."
            )
        if isinstance(item, LineItem) and not item.numeric:
            raise RefusedError(
                "source_not_numeric", f"{where}/item", f"{item.label!r} has no grades in numbers."
            )
        return item

    def _person(self, part: GradePart, field: str) -> Person:
        person = self.site.person(part.user, field)
        if person is None:
            raise RefusedError("user_missing", field, f"There is no account {part.user!r}.")
        held = self.course.enrolment(person.id)
        if held is None or held.status != "active":
            raise RefusedError(
                "not_enrolled", field, f"{person.username!r} has no active enrolment in the course."
            )
        if held.role != "student":
            raise RefusedError(
                "no_gradebook_role", field, f"{person.username!r} has no role that gets grades."
            )
        return person

    def _require_unlocked(self, item: Item | None, cell: Grade | None, where: str) -> None:
        if self.grades.book.locked or (item is not None and self.grades.is_locked(item)):
            raise RefusedError(
                "item_locked", f"{where}/item", "The item, its category or the total is locked."
            )
        if cell is not None and cell.locked:
            raise RefusedError("grade_locked", where, "This grade is locked.")

    def _write(
        self, part: GradePart, item: Item | None, item_id: int, person: Person, ours: bool
    ) -> None:
        column = self.site.state.grades.setdefault(item_id, {})
        cell = column.setdefault(person.id, Grade(None, 0.0))
        if isinstance(item, LineItem):
            cell.final = None if part.value is None else in_range(part.value, item)
            cell.overridden = item.coupled
        else:
            # What is computed comes back where a total is taken back; a teacher's own stays away.
            cell.final = None if part.value is None else part.value / 100
            cell.overridden = part.value is not None or bool(part.text) or not ours
        if part.text or (cell.text and cell.comment == cell.text):
            cell.comment = part.text or None
        cell.text, cell.source, cell.grader = part.text, part.note, None
        cell.modified = self.site.now


class _ChangedError(RefusedError):
    """Somebody graded in Moodle; says what stands there."""

    def __init__(self, field: str, changes: list[dict[str, Any]]) -> None:
        words = "Somebody graded here meanwhile: something else stands there than expected."
        super().__init__("changed_in_moodle", field, words)
        self.changes = changes

    def result(self) -> dict[str, Any]:
        return {**super().result(), "changes": self.changes}


def _change(field: str, before: object, after: object) -> dict[str, Any]:
    return {"field": field, "before": before, "after": after}


def _result(
    part: GradePart, result: str, changes: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "user": part.user,
        "item": part.item,
        "result": result,
        "changes": changes or [],
        "code": None,
        "field": None,
        "message": None,
    }


def plan_grades(site: Site, document: GradesDocument) -> Plan:
    """Plan the grades of one course."""
    return GradesPlanner(site, document).plan()
