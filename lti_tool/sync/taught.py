"""Which classes are taught together."""

from __future__ import annotations

from collections.abc import Collection

from lti_tool.sis.entities import ClassView
from lti_tool.sis.interfaces import SisExtracts


def taught_with(sis: SisExtracts, class_keys: Collection[str]) -> dict[str, list[ClassView]]:
    """Each of these classes, followed by those that are taught together with it; unknown keys are
    absent. Of the host this is everything that is taught in its course."""
    found = dict(sis.classes(class_keys))
    others = {key for view in found.values() for key in view.combined_with} - found.keys()
    found |= sis.classes(others)
    return {
        # One that is gone in this very moment leaves a mark of its own.
        key: [found[key], *(found[each] for each in found[key].combined_with if each in found)]
        for key in class_keys
        if key in found
    }
