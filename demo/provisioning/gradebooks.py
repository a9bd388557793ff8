"""Gradebooks: sessions as grade categories, parts as grade items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.grade_model import Gradebook, GradeCategory, LineItem
from demo.gradebook import CourseGrades, Item
from demo.model import Course
from demo.provisioning.grade_documents import CategoryPart, GradebookDocument, ItemPart
from demo.provisioning.plan import Plan, Site, differences
from demo.provisioning.refusal import RefusedError

Change = tuple[str, Any, Any]


@dataclass(frozen=True)
class _Wanted:
    """A part, and what stands for it or is to; ``None``: it has to be made."""

    part: ItemPart
    held: Item | None

    @property
    def serves(self) -> bool:
        """Whether it stands for the part already."""
        connected = self.held is not None and self.held.stood is not None
        same = self.held is not None and self.held.key == self.part.key
        return same and connected == (self.part.source is not None)


class GradebookPlanner:
    """Plans one gradebook against one course."""

    def __init__(self, site: Site, document: GradebookDocument) -> None:
        self.site = site
        self.document = document
        self.course = self._course()
        self.grades = CourseGrades(site.state, self.course)
        self.items = [self._wanted(part, n) for n, part in enumerate(document.items)]

    def _course(self) -> Course:
        course = self.site.course(self.document.course, "/course")
        if course is None:
            raise RefusedError(
                "course_missing", "/course", f"There is no course {self.document.course!r}."
            )
        return course

    def _wanted(self, part: ItemPart, number: int) -> _Wanted:
        if part.source is None:
            held = self.grades.keyed(part.key)
            ours = isinstance(held, LineItem) and held.stood is None
            return _Wanted(part, held if ours else None)
        return _Wanted(part, self._source(part.source, f"/items/{number}/source"))

    def _source(self, number: int, field: str) -> Item:
        found = self.grades.find(number)
        book = self.course.gradebook
        if found is None and not (book and book.total_id == number):
            raise RefusedError(
                "source_missing", field, f"The course has no grade item {number} (any more)."
            )
        sources = {each.source for each in self.document.items}
        if (
            found is None
            or (found.key and found.stood is None)
            or any(each.id in sources for each in self.grades.around(found))
            or any(
                each.key and each.id not in sources and _is_in(each, self.grades, found.id)
                for each in self.grades.everything()
            )
        ):
            raise RefusedError(
                "source_taken", field, f"The grade item {number} is one of the school's own."
            )
        if isinstance(found, LineItem) and not found.numeric:
            raise RefusedError(
                "source_not_numeric", field, f"{found.label!r} has no grades that are numbers."
            )
        return found

    def plan(self) -> Plan:
        """Return the plan."""
        self._require_unlocked()
        changes = differences(self._changes())
        notes = list(self._notes())
        first = not self.grades.built
        result = "created" if first else "updated" if changes else "unchanged"
        execute = self._write if first or changes else self._nothing
        return Plan(result, execute, [] if first else changes, notes=notes)

    def _require_unlocked(self) -> None:
        """What is locked is not moved and weighs what it weighs; only its name may change."""
        for number, part in enumerate(self.document.categories):
            held = self._category(part)
            if held is None or held.weight != part.weight or held.parent_id is not None:
                self._check_lock(held, f"/categories/{number}")
        if not self._is_weighted():
            self._check_lock(None, None)
        for number, wanted in enumerate(self.items):
            field = f"/items/{number}"
            place = self.grades.keyed(wanted.part.category)
            if not wanted.serves:
                self._check_lock(place, field)
                if wanted.part.source is not None:
                    self._check_lock(wanted.held, f"{field}/source")
            elif wanted.held is not None and (
                wanted.held.weight != wanted.part.weight or wanted.held.parent_id != _id(place)
            ):
                self._check_lock(wanted.held, field)
                self._check_lock(place, field)
        for item in [*self._left(), *self._released()]:
            self._check_lock(item, None)

    def _check_lock(self, item: Item | None, field: str | None) -> None:
        book = self.course.gradebook
        if self.grades.is_locked(item) if item is not None else book is not None and book.locked:
            name = "The course's total" if item is None else repr(item.label)
            raise RefusedError("item_locked", field, f"{name} is locked, or what is around it.")

    def _nothing(self) -> int:
        return self.course.id

    def _changes(self) -> Iterator[Change]:
        book = self.course.gradebook
        for part in self.document.categories:
            held = self._category(part)
            before = None if held is None else _fields(held.label, held.weight)
            yield from _compare(f"categories/{part.key}", before, _fields(part.name, part.weight))
        for wanted in self.items:
            yield from self._compare_item(wanted)
        for each in self._left():
            yield f"{_list_of(each)}/{each.key}", self._standing(each), None
        standing = [list(each) for each in book.letters] if book else []
        yield "letters", standing, self._letters()
        if not self._is_weighted():
            yield "aggregation", "natural", "weighted_mean"

    def _compare_item(self, wanted: _Wanted) -> Iterator[Change]:
        part, held = wanted.part, wanted.held
        known = self.grades.keyed(part.key)
        before = None if known is None else self._standing(known)
        name = held.label if part.source and held else part.name
        after = _fields(name, part.weight) | {"place": part.category, "source": part.source}
        yield from _compare(f"items/{part.key}", before, after)

    def _standing(self, item: Item) -> dict[str, Any]:
        place = next((each.key for each in self.grades.around(item)), "")
        fields = _fields(item.label, item.weight)
        if isinstance(item, GradeCategory) and item.stood is None:
            return fields
        return fields | {"place": place, "source": item.id if item.stood is not None else None}

    def _category(self, part: CategoryPart) -> GradeCategory | None:
        found = self.grades.keyed(part.key)
        ours = isinstance(found, GradeCategory) and found.stood is None
        return found if ours and isinstance(found, GradeCategory) else None

    def _left(self) -> list[Item]:
        named = {each.key for each in self.document.categories}
        named |= {each.key for each in self.document.items}
        return [each for each in self.grades.everything() if each.key and each.key not in named]

    def _letters(self) -> list[list[Any]]:
        ordered = sorted(self.document.letters, key=lambda each: -each.minimum)
        return [[each.letter, each.minimum] for each in ordered]

    def _is_weighted(self) -> bool:
        book = self.course.gradebook
        ours = [self._category(part) for part in self.document.categories]
        return book is not None and book.weighted and all(c.weighted for c in ours if c)

    def _notes(self) -> Iterator[dict[str, str]]:
        book = self.course.gradebook
        for item in self._left():
            if item.stood is None and self._is_kept(item):
                yield _note(
                    "item_kept", f"{item.label!r} holds grades, and stays without a weight."
                )
        places: dict[int | None, bool] = {None: book is not None and book.weighted}
        for part in self.document.categories:
            if (category := self._category(part)) is not None:
                places[category.id] = category.weighted
        for each in self._foreign():
            if isinstance(each, LineItem) and not each.numeric:
                continue  # Words count nowhere.
            parent_id, weight = each.stood or (each.parent_id, each.weight)
            if parent_id in places and not places[parent_id]:
                yield _note("foreign_left_out", f"{each.label!r} counts in no total any more.")
            elif parent_id in places and weight:
                yield _note("foreign_weight", f"{each.label!r} counts beside the school's parts.")

    def _foreign(self) -> list[Item]:
        """The teachers' own that no part takes its grades from, once this is done."""
        wanted = {each.held.id for each in self.items if each.held is not None}
        return [
            each
            for each in self.grades.everything()
            if each.id not in wanted and (not each.key or each.stood is not None)
        ]

    def _released(self) -> list[Item]:
        return [each for each in self._foreign() if each.stood is not None]

    def _is_kept(self, item: Item) -> bool:
        """Whether it holds grades, or once did, or something of a teacher's."""
        foreign = [each for each in self.grades.inside(item.id) if not each.key]
        return bool(self.site.state.grades.get(item.id) or foreign)

    def _write(self) -> int:
        book = self.grades.book
        self._leave_out(book)
        book.weighted = book.built = True
        book.letters = [(each[0], each[1]) for each in self._letters()]
        for item in self._released():
            _send_back(book, item)
        places = {part.key: self._write_category(book, part) for part in self.document.categories}
        for wanted in self.items:
            self._write_item(wanted, places[wanted.part.category])
        for item in self._left():
            self._leave(book, item)
        return self.course.id

    def _leave_out(self, book: Gradebook) -> None:
        # Where totals come about in another way from now on, the teachers' own weigh nothing.
        places = [None] if not book.weighted else []
        ours = [self._category(part) for part in self.document.categories]
        odd = [*places, *(each.id for each in ours if each is not None and not each.weighted)]
        for item in self._foreign():
            if item.parent_id in odd and item.stood is None:
                item.weight = 0

    def _write_category(self, book: Gradebook, part: CategoryPart) -> int:
        held = self._category(part)
        if held is None:
            held = GradeCategory(self.site.next_id(), part.name, key=part.key)
            self._forget(part.key)
            book.categories.append(held)
        held.label, held.weight, held.weighted = part.name, part.weight, True
        return held.id

    def _write_item(self, wanted: _Wanted, place: int) -> None:
        part, held = wanted.part, wanted.held
        if held is None:
            self._forget(part.key)
            held = LineItem(self.site.next_id(), self.course.id, 0, part.name, 100.0, key=part.key)
            self.site.state.line_items[held.id] = held
        elif part.source is not None:
            if held.key != part.key:
                self._forget(part.key)
            held.stood = held.stood or (held.parent_id, held.weight)
            held.key = part.key
        else:
            held.label = part.name
        held.parent_id, held.weight = place, part.weight

    def _forget(self, key: str) -> None:
        """What had the key before is no longer named."""
        before = self.grades.keyed(key)
        if before is None:
            return
        if before.stood is not None:
            # A teacher's own, which serves another part now.
            before.key = ""
        else:
            self._leave(self.grades.book, before)

    def _leave(self, book: Gradebook, item: Item) -> None:
        item.key = ""
        if self._is_kept(item):
            item.parent_id, item.weight = None, 0
        elif isinstance(item, GradeCategory):
            for each in self.grades.inside(item.id):
                each.parent_id = item.parent_id
            book.categories.remove(item)
        else:
            del self.site.state.line_items[item.id]


def _send_back(book: Gradebook, item: Item) -> None:
    parent_id, weight = item.stood or (None, 0)
    there = parent_id is None or any(each.id == parent_id for each in book.categories)
    item.parent_id, item.weight = (parent_id, weight) if there else (None, 0)
    item.key, item.stood = "", None


def _is_in(item: Item, grades: CourseGrades, category_id: int) -> bool:
    return any(each.id == category_id for each in grades.around(item))


def _fields(name: str, weight: int) -> dict[str, Any]:
    return {"name": name, "weight": weight}


def _compare(field: str, before: dict[str, Any] | None, after: dict[str, Any]) -> Iterator[Change]:
    if before is None:
        yield field, None, after
        return
    changed = [name for name in after if before.get(name) != after[name]]
    yield field, {n: before.get(n) for n in changed}, {n: after[n] for n in changed}


def _id(item: Item | None) -> int | None:
    return None if item is None else item.id


def _note(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _list_of(item: Item) -> str:
    ours = isinstance(item, GradeCategory) and item.stood is None
    return "categories" if ours else "items"


def plan_gradebook(site: Site, document: GradebookDocument) -> Plan:
    """Plan one gradebook."""
    return GradebookPlanner(site, document).plan()
