"""Documents of grades: how a course's add up, and those that the SIS gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from demo.gradebook import TOTAL
from demo.provisioning.refusal import RefusedError
from demo.provisioning.texts import Key, Name, Strict, plain, shown

Percent = Annotated[int, Field(ge=0, le=10_000)]
# Letters are compared as they are: a space in one is wrong, not untidy.
Letter = Annotated[str, Field(min_length=1, max_length=5), AfterValidator(plain)]
Text = Annotated[str, Field(max_length=20), AfterValidator(plain)]
Note = Annotated[str, Field(max_length=200), AfterValidator(shown)]


class CategoryPart(Strict):
    """A session: a grade category."""

    key: Key
    name: Name
    weight: Percent


class ItemPart(Strict):
    """A part: a grade item of ours, or a teacher's own (``source``)."""

    key: Key
    name: Name
    category: Key
    weight: Percent
    source: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None


class LetterPart(Strict):
    """A letter of the scale."""

    letter: Letter
    minimum: Percent


class GradebookDocument(Strict):
    """How a course's grades add up."""

    kind: Literal["gradebook"]
    course: Key
    categories: Annotated[list[CategoryPart], Field(max_length=50)]
    items: Annotated[list[ItemPart], Field(max_length=200)]
    letters: Annotated[list[LetterPart], Field(max_length=50)] = Field(default_factory=list)

    def check(self) -> None:
        """Refuse what contradicts itself."""
        named = [each.key for each in self.categories]
        keys = [(f"/categories/{n}/key", key) for n, key in enumerate(named)]
        keys += [(f"/items/{n}/key", each.key) for n, each in enumerate(self.items)]
        for field, key in keys:
            if key == TOTAL:
                raise _wrong(field, f"{TOTAL} is the course's total.")
        _check_once(keys)
        for number, item in enumerate(self.items):
            if item.category not in named:
                raise _wrong(f"/items/{number}/category", f"There is no {item.category!r} here.")
        _check_once(
            (f"/items/{number}/source", item.source)
            for number, item in enumerate(self.items)
            if item.source is not None
        )
        for number, key in enumerate(named):
            weights = [each.weight for each in self.items if each.category == key]
            if weights and not sum(weights):
                raise _wrong(f"/categories/{number}", "The weights of its items add up to nothing.")
        _check_once((f"/letters/{n}/letter", each.letter) for n, each in enumerate(self.letters))
        _check_once((f"/letters/{n}/minimum", each.minimum) for n, each in enumerate(self.letters))


class GradePart(Strict):
    """One grade of one person."""

    user: Key
    item: Key
    value: Percent | None
    text: Text = ""
    expected: Percent | None = None
    note: Note = ""


class GradesDocument(Strict):
    """Grades of a course by the SIS."""

    kind: Literal["grades"]
    course: Key
    grades: Annotated[list[GradePart], Field(max_length=50_000)]

    def check(self) -> None:
        """Refuse what contradicts itself."""
        _check_once((f"/grades/{n}", (each.user, each.item)) for n, each in enumerate(self.grades))


def _check_once(things: Iterable[tuple[str, object]]) -> None:
    seen = set[object]()
    for field, thing in things:
        if thing in seen:
            raise _wrong(field, f"{thing!r} stands there twice.")
        seen.add(thing)


def _wrong(field: str, problem: str) -> RefusedError:
    return RefusedError("schema", field, f"{field}: {problem}")
