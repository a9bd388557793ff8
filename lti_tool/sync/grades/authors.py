"""Who answers for a grade; Moodle's history of grades names them."""

from __future__ import annotations

from collections.abc import Mapping

from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import ClassView, PartGradeView
from lti_tool.sync.grades.cells import session_key
from lti_tool.sync.rendered import short

_NOTE_LENGTH = 200


def authors_of(view: ClassView, parts: Mapping[str, PartGradeView]) -> dict[str, tuple[str, str]]:
    """Who answers for each grade of a student; for totals, who approved last."""
    found = {
        key: ("approved", grade.approved_by)
        if grade.status.locked and grade.approved_by
        else ("entered", grade.entered_by)
        for key, grade in parts.items()
    }
    approved = sorted(
        (
            grade
            for grade in parts.values()
            if grade.status.locked and grade.approved_by is not None
        ),
        key=lambda grade: (grade.updated_at, grade.part_key),
    )
    if approved:
        found[TOTAL] = ("approved", approved[-1].approved_by or "")
    for session in view.sessions:
        keys = {part.part_key for part in session.parts}
        of_session = [grade for grade in approved if grade.part_key in keys]
        if of_session:
            last = ("approved", of_session[-1].approved_by or "")
            found[session_key(view.class_key, session.number)] = last
    return found


def note_of(author: tuple[str, str] | None, names: Mapping[str, str]) -> str:
    """What Moodle's history says of a grade; ``names``: what actors are called."""
    how, actor = author or ("", "")
    name = "".join(filter(str.isprintable, names.get(actor, "")))
    return short(f"Naga SIS, {how} by {name}", _NOTE_LENGTH) if name else "Naga SIS"
