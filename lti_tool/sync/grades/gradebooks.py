"""How the grades of a course add up: its classes' sessions and parts as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lti_tool.moodle.documents import (
    NAME_LENGTH,
    Gradebook,
    GradeCategory,
    GradeItem,
    GradeLetter,
)
from lti_tool.sis.entities import ClassView, ScaleLetter
from lti_tool.sync.grades.cells import session_key
from lti_tool.sync.grades.values import hundredths, percent
from lti_tool.sync.rendered import Rendered, fit, short


def gradebook(
    key: str,
    shown: Sequence[ClassView],
    letters: Mapping[str, tuple[ScaleLetter, ...]],
    sources: Mapping[str, int],
) -> Rendered:
    """The gradebook of one course; ``sources``: Moodle's items from which parts take their
    grades."""
    together = len(shown) > 1
    scales = {letters.get(view.class_key, ()) for view in shown}
    return fit(
        Gradebook,
        course=key,
        categories=[each for view in shown for each in _categories(view, together=together)],
        items=[each for view in shown for each in _items(view, sources, together=together)],
        # Letters are the course's: where its classes have different ones, it has none.
        letters=[
            GradeLetter(letter=each.letter, minimum=hundredths(each.minimum) or 0)
            for each in (scales.pop() if len(scales) == 1 else ())
        ],
    )


def _categories(view: ClassView, *, together: bool) -> list[GradeCategory]:
    before = f"{view.course_code} {view.section}: " if together else ""
    return [
        GradeCategory(
            key=session_key(view.class_key, session.number),
            name=short(before + (session.name or f"Session {session.number}"), NAME_LENGTH),
            weight=percent(session.weight),
        )
        for session in view.sessions
        # One without parts has no total.
        if session.parts
    ]


def _items(view: ClassView, sources: Mapping[str, int], *, together: bool) -> list[GradeItem]:
    return [
        GradeItem(
            key=part.part_key,
            name=short(view.part_label(part, alone=not together), NAME_LENGTH),
            category=session_key(view.class_key, part.session_number),
            weight=percent(part.weight),
            source=sources.get(part.part_key),
        )
        for part in view.parts
    ]
