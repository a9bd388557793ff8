"""What the administrator's pages offer to choose from."""

from __future__ import annotations

from lti_tool.sis.entities import ClassView
from lti_tool.wiring import services

# Who was here for many years has many classes.
_CLASSES = 30


def newest_classes_of(person_key: str) -> list[ClassView]:
    """The classes in which somebody has a place, the newest terms first; 30 at most."""
    extracts = services().sis_extracts
    found = extracts.classes(extracts.classes_of_people([person_key]))
    newest = sorted(found.values(), key=lambda each: (each.term_start, each.label), reverse=True)
    return newest[:_CLASSES]
