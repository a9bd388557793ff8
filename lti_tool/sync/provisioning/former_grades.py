"""What a course's grades, and how they add up, were before the changes that a journal tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from lti_tool.moodle.documents import Grade, Gradebook, Grades

_NOTE = "Naga SIS, undone"
# Fields of a change, and what they are called in a document.
_FIELDS = {"name": "name", "weight": "weight", "place": "category"}


def former_grades(document: Grades, done: Sequence[Mapping[str, Any]]) -> Grades:
    """With the grades that an entry changed as they were before, if nobody has changed them since.

    Entries come the latest first: what a later one found is what an earlier one left.
    """
    grades = {(grade.user, grade.item): grade for grade in document.grades}
    for entry in done:
        if entry["result"] == "refused" or not entry.get("changes"):
            continue
        changes = {change["field"]: change for change in entry["changes"]}
        cell = (entry["user"], entry["item"])
        later = grades.get(cell)
        value, text = changes.get("value"), changes.get("text")
        grades[cell] = Grade(
            user=entry["user"],
            item=entry["item"],
            value=value.get("before") if value else (later.value if later else None),
            text=(text.get("before") or "") if text else "",
            expected=(later.expected if later else (value or {}).get("after")),
            note=_NOTE,
        )
    return document.model_copy(update={"grades": [grades[cell] for cell in sorted(grades)]})


def former_gradebook(document: Gradebook, entry: Mapping[str, Any], left: list[str]) -> Gradebook:
    """With names, weights, places and letters as they were before.

    What was made stays, and a part goes on to take its grades from where it takes them now: that is
    a teacher's choice, and no part of a run.
    """
    if entry["outcome"] == "created":
        left.append("the gradebook stays")
        return document
    values = document.model_dump()
    for change in entry.get("changes", []):
        field, before = change["field"], change.get("before")
        part, _, key = field.partition("/")
        if field == "letters" and before is not None:
            values["letters"] = [{"letter": row[0], "minimum": row[1]} for row in before]
            continue
        found = [each for each in values.get(part, ()) if isinstance(each, dict)]
        found = [each for each in found if each.get("key") == key]
        if not found or not isinstance(before, dict):
            left.append(f"{field} stays")
            continue
        if "source" in before:
            left.append(f"{field}: it takes its grades from where it does now")
        for name, own in _FIELDS.items():
            if before.get(name) is not None and own in found[0]:
                found[0][own] = before[name]
    try:
        return Gradebook.model_validate(values)
    except ValidationError:
        left.append("the gradebook stays: what it was fits no document")
        return document
