"""The teacher's roster, and the choice of the class that a course is."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError
from lti_tool.sis.entities import ClassView
from lti_tool.sync.models import RosterComparison, RosterState
from lti_tool.web.i18n import gettext as _
from lti_tool.web.paging import PAGE, offset, slice_of
from lti_tool.web.roster_words import explained
from lti_tool.web.viewer import SharingOffError, Viewer, in_course, require_teacher
from lti_tool.wiring import services

blueprint = in_course(Blueprint("instructor", __name__, url_prefix="/l/<reference>"))


@blueprint.get("/roster")
def roster() -> str:
    """The roster: what was read last at once, and a placeholder where nothing was read yet."""
    who = require_teacher()
    _members_service(who)
    comparison = services().rosters.latest(who.registration.id, who.context_id)
    return render_template(
        "instructor/roster.html",
        who=who,
        classes=who.classes,
        comparison=comparison,
        **(_table(comparison) if comparison else {}),
    )


@blueprint.post("/roster/read")
def roster_read() -> str | Response:
    """Read the members again, lay them beside the SIS, and show the result."""
    who = require_teacher()
    comparison = services().rosters.compare(
        who.registration,
        context_id=who.context_id,
        nrps=_members_service(who),
        class_keys=[class_.class_key for class_ in who.classes],
    )
    if "HX-Request" not in request.headers:
        return redirect(url_for("instructor.roster"))
    return render_template(
        "instructor/roster_table.html", comparison=comparison, **_table(comparison)
    )


def _table(comparison: RosterComparison) -> dict[str, object]:
    counts = services().rosters.counts(comparison.id)
    wanted = request.args.get("state", "")
    state = RosterState(wanted) if wanted in list(RosterState) else None
    text = request.args.get("q", "").strip()[:100]
    total = None if text else (counts[state] if state else sum(counts.values()))
    lines = services().rosters.rows(
        comparison.id, state=state, text=text or None, offset=offset(), limit=PAGE + 1
    )
    return {
        "counts": counts,
        "all_count": sum(counts.values()),
        "state": state,
        "text": text,
        "lines": [explained(line) for line in lines[:PAGE]],
        "slice": slice_of(total, "instructor.roster", shown=len(lines), state=wanted, q=text),
        "RosterState": RosterState,
    }


def _members_service(who: Viewer) -> dict[str, object]:
    nrps = who.launch.services.get("nrps")
    if not nrps:
        raise SharingOffError(
            "Moodle does not let this tool read who is in the course.",
            remedy="Ask the Moodle administrator to switch on Names and Roles for this tool.",
            reference=who.launch.reference,
        )
    return dict(nrps)


@blueprint.get("/class")
def choose_class() -> str | Response:
    """The classes that this teacher may connect the course to; with ``key``, one to confirm."""
    who = require_teacher()
    if who.found_classes:
        return redirect(url_for("home.index"))
    taught = services().sis.classes_taught_by(who.person.person_key)
    wanted = request.args.get("key")
    chosen = next((class_ for class_ in taught if class_.class_key == wanted), None)
    return render_template(
        "instructor/choose.html",
        who=who,
        taught=taught,
        chosen=chosen,
        combined=_combined(chosen) if chosen else [],
        students=_students(chosen) if chosen else 0,
    )


@blueprint.post("/class")
def confirm_class() -> Response:
    """Connect the course to the class that was previewed."""
    who = require_teacher()
    key = request.form.get("key", "")
    if not key:
        raise InvalidInputError(
            _("No class was chosen."), field="key", remedy=_("Choose one of the classes.")
        )
    services().courses.choose(
        who.registration.id, who.context_id, [key], person_key=who.person.person_key
    )
    flash(_("The course is connected to its class."), "good")
    return redirect(url_for("home.index"))


def _combined(class_: ClassView) -> list[ClassView]:
    found = (services().sis.class_(key) for key in class_.combined_with)
    return [other for other in found if other is not None]


def _students(class_: ClassView) -> int:
    """How many attend: a teacher recognises the right class by it."""
    return sum(
        entry.status.attends for chunk in services().sis.roster(class_.class_key) for entry in chunk
    )
