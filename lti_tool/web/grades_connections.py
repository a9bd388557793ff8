"""Where the grades of each part come from: the SIS, or something that Moodle has."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.moodle.plugin_errors import PluginError
from lti_tool.sis.entities import PartView
from lti_tool.sync.grades.cells import CellState
from lti_tool.sync.grades.connections import GradeConnectionError
from lti_tool.sync.grades.decisions import Action
from lti_tool.sync.grades.models import GradeConnection
from lti_tool.web import display, grade_words
from lti_tool.web.grades_course import GradedCourse, automatic, names_of, require_graded_course
from lti_tool.web.i18n import gettext as _
from lti_tool.web.viewer import in_course
from lti_tool.wiring import services

blueprint = in_course(Blueprint("grades_connections", __name__, url_prefix="/l/<reference>"))


@blueprint.get("/grades/connections")
def index() -> str:
    """The parts that this teacher may grade, and from where each one's grades come."""
    course = require_graded_course()
    connected = services().grades.connections.of_classes(
        course.site.id, [view.class_key for view in course.who.classes]
    )
    parts = {part.part_key for part in course.parts()}
    return render_template(
        "grades/connections.html",
        who=course.who,
        lines=[
            (view, part, connected.get(part.part_key))
            for view in course.who.classes
            for part in view.parts
            if part.part_key in parts
        ],
        combined=len(course.who.classes) > 1,
        names=names_of([found.connected_by for found in connected.values()]),
        refused=course.state().refused,
        refusal=grade_words.refusal,
    )


@blueprint.get("/grades/connections/choose")
def choose() -> str | Response:
    """What the course has in Moodle at this moment, to choose from."""
    course = require_graded_course()
    part = course.part(request.args.get("part"))
    try:
        offers = services().grades.connections.offers(course.site, course.who.classes)
    except PluginError:
        return _no_answer()
    return render_template(
        "grades/connections_choose.html",
        who=course.who,
        part=part,
        offers=offers,
        own=[offer for offer in offers if offer.part_key == part.part_key],
        parts={each.part_key: each.name for view in course.who.classes for each in view.parts},
        kinds=grade_words.item_kinds(),
        refusal=grade_words.refusal,
    )


@blueprint.get("/grades/connections/preview")
def preview() -> str | Response:
    """What connecting would mean for each student; nothing changes."""
    course = require_graded_course()
    part = course.part(request.args.get("part"))
    item_id = request.args.get("item", type=int)
    if item_id is None:
        flash(_("Nothing was chosen."), "warning")
        return redirect(url_for("grades_connections.choose", part=part.part_key))
    try:
        offer, rows = services().grades.connections.preview(
            course.site, course.who.classes, part.part_key, item_id
        )
    except GradeConnectionError as error:
        return _refused(part, error)
    except PluginError:
        return _no_answer()
    return render_template(
        "grades/connections_preview.html",
        who=course.who,
        part=part,
        offer=offer,
        rows=rows,
        counts={
            action: sum(row.decision.action is action for row in rows) for action in list(Action)
        },
        outcomes=grade_words.outcomes()
        | ({} if automatic() else {Action.SEND: grade_words.states()[CellState.WAITS]}),
        automatic=automatic(),
        decided=grade_words.decided,
        statuses=display.grade_statuses(),
        Action=Action,
    )


@blueprint.post("/grades/connections/connect")
def connect() -> Response:
    """Connect the part with what was previewed."""
    course = require_graded_course()
    part = course.part(request.form.get("part"))
    try:
        services().grades.connections.connect(
            course.site,
            course.who.classes,
            part.part_key,
            request.form.get("item", 0, type=int),
            actor=course.who.person.person_key,
        )
    except GradeConnectionError as error:
        return _refused(part, error)
    except PluginError:
        return _no_answer()
    flash(
        _("%(part)s is connected. The grades come within a minute.", part=part.name),
        "good",
    )
    return redirect(url_for("grades_connections.index"))


@blueprint.get("/grades/connections/disconnect")
def confirm() -> str | Response:
    """What disconnecting means, before it is done."""
    course = require_graded_course()
    part = course.part(request.args.get("part"))
    found = _connected(course, part)
    if found is None:
        return redirect(url_for("grades_connections.index"))
    return render_template(
        "grades/connections_disconnect.html",
        who=course.who,
        part=part,
        found=found,
        automatic=automatic(),
    )


@blueprint.post("/grades/connections/disconnect")
def disconnect() -> Response:
    """Give the part an item of its own again."""
    course = require_graded_course()
    part = course.part(request.form.get("part"))
    services().grades.connections.disconnect(
        course.site, course.who.classes, part.part_key, actor=course.who.person.person_key
    )
    flash(_("%(part)s has an item of its own in Moodle again.", part=part.name), "good")
    return redirect(url_for("grades_connections.index"))


def _connected(course: GradedCourse, part: PartView) -> GradeConnection | None:
    keys = [view.class_key for view in course.who.classes]
    return services().grades.connections.of_classes(course.site.id, keys).get(part.part_key)


def _refused(part: PartView, error: GradeConnectionError) -> Response:
    why, remedy = grade_words.refusal(str(error.context.get("reason", "")))
    flash(f"{why} {remedy}", "bad")
    return redirect(url_for("grades_connections.choose", part=part.part_key))


def _no_answer() -> Response:
    flash(_("Moodle does not answer at this moment. Try again in a minute."), "bad")
    return redirect(url_for("grades_connections.index"))
