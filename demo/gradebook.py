"""How a course's grades add up, and what a grade is in hundredths of a percent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from demo.grade_model import Grade, Gradebook, GradeCategory, LineItem
from demo.model import Course, State

TOTAL = "#total"
FULL = 10_000

Item = LineItem | GradeCategory


class CourseGrades:
    """The grade items of a course, and what people have in them."""

    def __init__(self, state: State, course: Course) -> None:
        self.state = state
        self.course = course

    @property
    def book(self) -> Gradebook:
        """How it adds up; made when it is first asked for."""
        if self.course.gradebook is None:
            self.state.last_id += 1
            self.course.gradebook = Gradebook(self.state.last_id)
        return self.course.gradebook

    @property
    def built(self) -> bool:
        """Whether the SIS has built it."""
        return self.course.gradebook is not None and self.course.gradebook.built

    def items(self) -> list[LineItem]:
        """The items that are no totals."""
        return [i for i in self.state.line_items.values() if i.course_id == self.course.id]

    def categories(self) -> list[GradeCategory]:
        """The categories below the course's."""
        return self.course.gradebook.categories if self.course.gradebook else []

    def everything(self) -> list[Item]:
        """Categories and items; not the course's total."""
        return [*self.categories(), *self.items()]

    def find(self, item_id: int) -> Item | None:
        """The item, or the category whose total it is."""
        return next((each for each in self.everything() if each.id == item_id), None)

    def keyed(self, key: str) -> Item | None:
        """What stands for a session or a part."""
        return next((each for each in self.everything() if each.key == key), None)

    def inside(self, parent_id: int | None) -> list[Item]:
        """What counts in a category; ``None``: in the course's."""
        return [each for each in self.everything() if each.parent_id == parent_id]

    def around(self, item: Item) -> Iterator[GradeCategory]:
        """The categories around an item, from the inside out."""
        above = {each.id: each for each in self.categories()}
        parent_id = item.parent_id
        while parent_id is not None:
            yield above[parent_id]
            parent_id = above[parent_id].parent_id

    def is_locked(self, item: Item) -> bool:
        """Whether it, a category around it, or the course's total is locked."""
        book = self.course.gradebook
        around = any(each.locked for each in self.around(item))
        return item.locked or around or bool(book and book.locked)

    def cell(self, item_id: int, user_id: int) -> Grade | None:
        """What is stored of one person in one item."""
        return self.state.grades.get(item_id, {}).get(user_id)

    def percent(self, item: Item, user_id: int) -> int | None:
        """A person's grade in an item or a category, in hundredths of a percent."""
        if isinstance(item, LineItem):
            cell = self.cell(item.id, user_id)
            return None if cell is None or cell.final is None else hundredths(cell.final, item)
        return self._total(item.id, item.id, item.weighted, user_id)

    def total(self, user_id: int) -> int | None:
        """A person's course total."""
        book = self.course.gradebook
        if book is None:
            return self._sum(user_id)
        return self._total(book.total_id, None, book.weighted, user_id)

    def _total(self, item_id: int, inside: int | None, weighted: bool, user: int) -> int | None:
        cell = self.cell(item_id, user)
        if cell is not None and cell.overridden:
            return None if cell.final is None else _round(Decimal(str(cell.final)) * 100)
        if inside is None and not weighted:
            return self._sum(user)
        graded = [
            (each.weight if weighted else 1, percent)
            for each in self.inside(inside)
            if (percent := self.percent(each, user)) is not None
        ]
        weights = sum(weight for weight, _ in graded)
        if not weights:
            return None
        return _round(Decimal(sum(weight * percent for weight, percent in graded)) / weights)

    def _sum(self, user_id: int) -> int | None:
        # What the platform does before anybody says how grades add up.
        cells = [(self.cell(item.id, user_id), item) for item in self.items()]
        graded = [(c.final, i.maximum) for c, i in cells if c is not None and c.final is not None]
        reached = sum(final for final, _ in graded)
        possible = sum(maximum for _, maximum in graded)
        return _round(Decimal(str(reached)) * FULL / Decimal(str(possible))) if possible else None

    def letter(self, percent: int | None) -> str:
        """The course's letter of a total, ``""`` where it has none."""
        book = self.course.gradebook
        letters = book.letters if book and percent is not None else []
        at_least = [(minimum, name) for name, minimum in letters if minimum <= (percent or 0)]
        return max(at_least)[1] if at_least else ""


def hundredths(final: float, item: LineItem) -> int:
    """A grade of an item in hundredths of a percent of its range, rounded half up."""
    low, high = Decimal(str(item.minimum)), Decimal(str(item.maximum))
    if high <= low:
        return 0
    return _round((Decimal(str(final)) - low) * FULL / (high - low))


def in_range(percent: int, item: LineItem) -> float:
    """What stands in an item for so many hundredths of a percent."""
    span = Decimal(str(item.maximum)) - Decimal(str(item.minimum))
    return float(Decimal(str(item.minimum)) + span * percent / FULL)


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))
