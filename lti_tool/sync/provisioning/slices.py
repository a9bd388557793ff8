"""A document of many people in a dry run of few: each slice with those people alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from lti_tool.moodle.documents import Document, Grades, MemberResult, Result, Roster
from lti_tool.sync.provisioning.people import people_of


def slices(document: Document, *, people: int) -> Iterator[Document]:
    """The document, for so many of its people at a time; one of no people is itself."""
    named = sorted(people_of(document))
    if len(named) <= people:
        yield document
        return
    for start in range(0, len(named), people):
        yield only(document, set(named[start : start + people]))


def only(document: Document, people: Collection[str]) -> Document:
    """The document, as if it named these people alone."""
    match document:
        case Roster():
            members = [member for member in document.members if member.user in people]
            return document.model_copy(update={"members": members, "count": len(members)})
        case Grades():
            grades = [grade for grade in document.grades if grade.user in people]
            return document.model_copy(update={"grades": grades})
        case _:
            return document


def joined(document: Document, parts: Sequence[tuple[Document, Result]]) -> Result:
    """What the whole document would give, from the results of its slices.

    A slice suspends those who are in another one: of people whom it does not name, only those
    count whom the whole document does not name either, and they are the same in every slice.
    """
    refused = next((result for _, result in parts if result.result == "refused"), None)
    if refused is not None:
        return refused
    named = people_of(document)
    found: dict[tuple[str, str | None], MemberResult] = {}
    absent: list[MemberResult] = []
    for number, (part, result) in enumerate(parts):
        count = len(part.members) if isinstance(part, Roster) else len(result.members)
        for member in result.members[:count]:
            found[member.user, member.item] = member
        if number == 0:
            absent = [each for each in result.members[count:] if each.user not in named]
    ordered = [found[key] for key in _order(document) if key in found]
    members = [*ordered, *absent]
    changed = any(member.result not in ("unchanged", "refused") for member in members)
    first = parts[0][1]
    outcome = next((r.result for _, r in parts if r.result == "created"), "updated")
    return first.model_copy(
        update={"members": members, "result": outcome if changed else "unchanged"}
    )


def _order(document: Document) -> Iterator[tuple[str, str | None]]:
    match document:
        case Roster():
            for member in document.members:
                yield member.user, None
        case Grades():
            for grade in document.grades:
                yield grade.user, grade.item
