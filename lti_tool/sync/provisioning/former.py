"""What a document was before the changes that a journal tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from lti_tool.moodle.documents import (
    Account,
    AnyDocument,
    Category,
    Course,
    Document,
    Gradebook,
    Grades,
    Member,
    Roster,
    User,
)
from lti_tool.sync.provisioning.former_grades import former_gradebook, former_grades

# The lists of a course whose parts stand in changes as ``sections/KEY``, and their keys' names.
_PARTS = {"sections": "key", "groups": "idnumber"}


def former_document(
    document: Document, entries: Sequence[Mapping[str, Any]]
) -> tuple[Document, list[str]]:
    """The document as it was before these entries, the latest first; and what cannot be as it was.

    An entry is ``{"outcome", "changes", "members"}``.
    """
    left: list[str] = []
    if isinstance(document, Grades):
        # Of grades only those are named that the entries tell of.
        document = document.model_copy(update={"grades": []})
    for entry in entries:
        if isinstance(document, Roster):
            document = _roster(document, entry.get("members", []), left)
        elif isinstance(document, Grades):
            document = former_grades(document, entry.get("members", []))
        elif isinstance(document, Gradebook):
            document = former_gradebook(document, entry, left)
        elif entry["outcome"] == "created":
            document = _unmade(document)
        else:
            for change in entry.get("changes", []):
                document = _field(document, change["field"], change.get("before"), left)
    return document, list(dict.fromkeys(left))


def _unmade(document: Document) -> Document:
    """Nothing is deleted: what was made is taken out of sight."""
    match document:
        case User():
            return document.model_copy(update={"suspended": True})
        case Account():
            return document.model_copy(update={"enabled": False})
        case Course() | Category():
            return document.model_copy(update={"visible": False})
        case _:
            return document


def _field(document: Document, name: str, before: Any, left: list[str]) -> Document:
    part, _, key = name.partition("/")
    values = document.model_dump()
    if key and part in values:
        found = [each for each in values[part] if each[_PARTS[part]] == key]
        if before is None or not found:
            # It was made by the run; a section or group is never deleted.
            left.append(f"{name} stays")
            return document
        found[0]["name"] = before
    elif name in values and (before is not None or name == "parent"):
        values[name] = before
    else:
        left.append(f"{name} stays")
        return document
    try:
        return AnyDocument.validate_python(values)
    except ValidationError:
        # As a course that stood in a category which nobody knows by a key.
        left.append(f"{name} stays: what it was fits no document")
        return document


def _roster(document: Roster, done: Sequence[Mapping[str, Any]], left: list[str]) -> Roster:
    members = {member.user: member for member in document.members}
    for entry in done:
        user, result = entry["user"], entry["result"]
        if result == "refused":
            continue
        before: dict[str, Any] = {"status": "suspended"}
        if result != "created":
            before = {
                change["field"]: change["before"]
                for change in entry.get("changes", [])
                if change.get("before") is not None
            }
        member = members.get(user)
        # Who is no longer in the SIS's list was suspended for it.
        values = member.model_dump() if member else {"user": user}
        if result == "suspended":
            values["status"] = "active"
        try:
            members[user] = Member.model_validate(values | before)
        except ValidationError:
            left.append(f"{user} stays: what was before fits no document")
    ordered = [members[user] for user in sorted(members)]
    return Roster(course=document.course, count=len(ordered), members=ordered)
