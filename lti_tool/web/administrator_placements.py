"""Where a class is taught: as the SIS says, or as an administrator decided."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError
from lti_tool.sis.entities import ClassView
from lti_tool.web.administrator_scope import scope
from lti_tool.web.administrator_sync_lists import sent_when
from lti_tool.web.i18n import gettext as _
from lti_tool.wiring import services

# Classes of one term; nobody scrolls further.
_CHOICES = 500


def placement_of(class_: ClassView | None) -> dict[str, Any]:
    """What a page says about the place of a class, and the classes that it can be placed with."""
    if class_ is None:
        return {}
    named = services().sis_extracts.classes([class_.host_key, *class_.combined_with])
    return {
        "decided": services().placements.of([class_.class_key]).get(class_.class_key),
        "host": named.get(class_.host_key),
        "together": [named[key] for key in class_.combined_with if key in named],
        "choices": [
            each
            for each in services().sis.find_classes(class_.term_code, limit=_CHOICES)
            if each.term_key == class_.term_key and each.class_key != class_.class_key
        ],
    }


def sync_place(site_id: int) -> Response:
    """Decide where a class is taught; its courses change at all connected Moodles."""
    services().sites.moodle(site_id)
    placements, actor = services().placements, scope().actor
    class_key = request.form.get("class", "").strip()[:255]
    match request.form.get("how"):
        case "with":
            host = request.form.get("host", "").strip()[:255]
            if not host:
                raise InvalidInputError("Choose the other class first.", field="host")
            placements.place_with(class_key, host, actor=actor)
        case "alone":
            placements.place_alone(class_key, actor=actor)
        case "host":
            placements.make_host(class_key, actor=actor)
        case "sis":
            placements.as_sis(class_key, actor=actor)
        case _:
            raise InvalidInputError("This cannot be decided.", field="how")
    services().broker.announce_changes()
    flash(_("Decided. Nobody's work is lost.") + " " + sent_when(site_id), "good")
    chosen: dict[str, Any] = {"class": class_key}
    return redirect(url_for("admin.sync_things", site_id=site_id, **chosen))
