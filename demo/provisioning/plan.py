"""What a document would change, and how the kinds find what it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from demo.model import Category, Course, Person, State
from demo.provisioning.refusal import RefusedError


class _Numbered(Protocol):
    id: int
    idnumber: str


Thing = TypeVar("Thing", bound=_Numbered)


class Site:
    """A state at a time (seconds since 1970), and who does not belong to the school in it."""

    def __init__(self, state: State, *, enrolments: bool = True, now: int = 0) -> None:
        self.state = state
        self.enrolments = enrolments
        self.now = now

    def next_id(self) -> int:
        """Return an id that no record has."""
        self.state.last_id += 1
        return self.state.last_id

    def category(self, idnumber: str, field: str) -> Category | None:
        """Return the category with this idnumber."""
        return one(self.state.categories.values(), idnumber, field, lambda found: found.name)

    def person(self, idnumber: str, field: str) -> Person | None:
        """Return the account with this idnumber."""
        return one(self.state.people.values(), idnumber, field, lambda found: found.username)

    def course(self, idnumber: str, field: str) -> Course | None:
        """Return the course with this idnumber."""
        return one(self.state.courses.values(), idnumber, field, lambda found: found.shortname)


def one(
    things: Iterable[Thing], idnumber: str, field: str, name: Callable[[Thing], str]
) -> Thing | None:
    """Return the one thing with this idnumber; refuses two with the names of both."""
    found = [thing for thing in things if thing.idnumber == idnumber]
    if len(found) > 1:
        names = " and ".join(repr(name(thing)) for thing in found)
        raise RefusedError(
            "ambiguous_idnumber", field, f"{names} have the idnumber {idnumber!r}. Change one."
        )
    return found[0] if found else None


@dataclass
class Plan:
    """What a document would change. ``execute`` makes it so and returns the thing's id."""

    result: str
    execute: Callable[[], int | None]
    changes: list[dict[str, Any]] = field(default_factory=list)
    members: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, str]] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """Return the result without what every result has."""
        return {
            "result": self.result,
            "changes": self.changes,
            "code": None,
            "field": None,
            "message": None,
            "members": self.members,
            "notes": self.notes,
        }


def differences(fields: Iterator[tuple[str, Any, Any]]) -> list[dict[str, Any]]:
    """Return the changes among (field, before, after)."""
    return [
        {"field": name, "before": before, "after": after}
        for name, before, after in fields
        if before != after
    ]
