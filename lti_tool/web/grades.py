"""The teacher's gradebook: the SIS's grades, what would change on the platform, push, receipts."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ForbiddenError, NotFoundError
from lti_tool.sis.entities import PartView
from lti_tool.sync.models import GradePush, GradePushItem, ItemState, PushState
from lti_tool.sync.push_views import PushProgress
from lti_tool.web import grades_moodle, push_words, student
from lti_tool.web.grades_course import graded_course
from lti_tool.web.i18n import gettext
from lti_tool.web.paging import PAGE, offset, slice_of
from lti_tool.web.viewer import SharingOffError, Viewer, in_course, require_teacher
from lti_tool.wiring import services

blueprint = in_course(Blueprint("grades", __name__, url_prefix="/l/<reference>"))


@blueprint.get("/grades")
def gradebook() -> str:
    """Students by the parts whose grades this teacher may see; with ``part`` only that one."""
    who = require_teacher()
    wanted = request.args.get("part")
    parts = _parts(who, wanted)
    course = graded_course(who)
    if course is not None:
        return grades_moodle.page(course, wanted or None)
    keys = {part.part_key for part in parts}
    class_keys = [
        class_.class_key
        for class_ in who.classes
        if any(part.part_key in keys for part in class_.parts)
    ]
    table = services().gradebook.table(class_keys, offset=offset(), limit=PAGE)
    return render_template(
        "grades/gradebook.html",
        who=who,
        table=table,
        columns=[column for column in table.columns if column.part.part_key in keys],
        part=parts[0] if wanted and parts else None,
        whole=who.sees_all_parts and not wanted,
        combined=len(who.classes) > 1,
        slice=slice_of(table.total, "grades.gradebook", part=wanted),
        pushes=_open_pushes(who),
        can_push=bool(who.launch.services.get("ags")),
    )


@blueprint.get("/grades/of/<subject>")
def review(subject: str) -> str:
    """One student's grades, as far as this teacher may see them."""
    who = require_teacher()
    person_key = _person_key(who, subject)
    keys = {part.part_key for part in _parts(who, None)}
    for class_ in who.classes:
        entry = services().sis.enrollment(person_key, class_.class_key) if person_key else None
        if entry is not None:
            report = student.report(class_, entry.person.person_key, is_audit=entry.is_audit)
            return render_template(
                "grades/review.html",
                who=who,
                person=entry.person,
                report=student.only_parts(report, keys, whole=who.sees_all_parts),
            )
    raise NotFoundError(
        "This student is not in the class, or their Moodle account is not connected.",
        remedy="Look at the roster: it says what is missing.",
    )


def _person_key(who: Viewer, subject: str) -> str | None:
    """Whose account this is; a student may be reviewed who never opened the tool."""
    with services().database.read() as session:
        links = services().people.links(session, who.registration.id, [subject])
    if subject in links:
        return links[subject]
    for_user = who.launch.services.get("for_user") or {}
    if who.registration.sourcedid_trusted and for_user.get("user_id") == subject:
        found: str | None = for_user.get("person_sourcedid")
        return found
    return None


@blueprint.post("/grades/preview")
def preview() -> Response:
    """Compare with the platform; nothing changes there."""
    who = require_teacher()
    parts = _parts(who, request.form.get("part"))
    if not parts:
        raise ForbiddenError("The SIS names other teachers for all parts of this class.")
    keys = {part.part_key for part in parts}
    _require_no_plugin(who)
    ags = who.launch.services.get("ags")
    if not ags:
        raise SharingOffError(
            "Moodle does not let this tool write grades.",
            reference=who.launch.reference,
        )
    push = services().pushes.preview(
        who.registration,
        context_id=who.context_id,
        class_keys=[
            class_.class_key
            for class_ in who.classes
            if any(part.part_key in keys for part in class_.parts)
        ],
        ags=ags,
        nrps=who.launch.services.get("nrps"),
        actor=who.person.person_key,
        part_keys=keys,
    )
    return redirect(url_for("grades.push", push_id=push.id))


@blueprint.get("/pushes/<push_id>")
def push(push_id: str) -> str:
    """A push: its preview, its progress or its receipts. Closing the browser loses nothing."""
    who = require_teacher()
    return render_template("grades/push.html", who=who, **_body(_progress(who, push_id)))


@blueprint.get("/pushes/<push_id>/body")
def push_body(push_id: str) -> str:
    """The part of that page that changes while grades are sent."""
    who = require_teacher()
    return render_template("grades/push_body.html", who=who, **_body(_progress(who, push_id)))


@blueprint.post("/pushes/<push_id>/send")
def send(push_id: str) -> Response:
    """Hand the preview to the workers."""
    who = require_teacher()
    _require_no_plugin(who)
    _progress(who, push_id)
    services().pushes.queue(push_id, actor=who.person.person_key)
    return _started(push_id)


@blueprint.post("/pushes/<push_id>/retry")
def retry(push_id: str) -> Response:
    """Send again what failed."""
    who = require_teacher()
    _require_no_plugin(who)
    _progress(who, push_id)
    services().pushes.retry(push_id, actor=who.person.person_key)
    return _started(push_id)


def _require_no_plugin(who: Viewer) -> None:
    """One way for each grade: two would undo each other's work."""
    if graded_course(who) is not None:
        raise ForbiddenError(
            "The grades of this course go to Moodle through the plugin.",
            remedy="Open the gradebook again.",
        )


def _started(push_id: str) -> Response:
    # A lost message only costs time: workers also look for queued pushes by themselves.
    services().broker.announce_push(push_id)
    return redirect(url_for("grades.push", push_id=push_id))


def _parts(who: Viewer, wanted: str | None) -> list[PartView]:
    """The parts that this teacher may see; with ``wanted`` that one, if it is among them."""
    parts = [part for part in who.gradable_parts if wanted in (None, "", part.part_key)]
    if wanted and not parts:
        raise ForbiddenError(
            "You do not teach this part of the class.",
            remedy="The SIS names another teacher for it. If that is wrong, ask the registrar.",
        )
    return parts


def _progress(who: Viewer, push_id: str) -> PushProgress:
    """The push, if it is of this course and of parts that this teacher may see."""
    progress = services().pushes.progress(push_id)
    of_course = (
        progress.push.registration_id == who.registration.id
        and progress.push.context_id == who.context_id
    )
    if not of_course or not _visible(who, [push_id]):
        raise NotFoundError("There is no such push.")
    return progress


def _open_pushes(who: Viewer) -> list[GradePush]:
    """The course's newest pushes that this teacher may see."""
    recent = services().pushes.recent(who.registration.id, who.context_id)
    visible = _visible(who, [each.id for each in recent])
    return [each for each in recent if each.id in visible]


def _visible(who: Viewer, push_ids: Collection[str]) -> set[str]:
    mine = {part.part_key for part in who.gradable_parts}
    with services().database.read() as session:
        rows = session.execute(
            sa.select(GradePushItem.push_id, GradePushItem.part_key)
            .where(GradePushItem.push_id.in_(push_ids))
            .distinct()
        ).all()
    foreign = {push_id for push_id, part_key in rows if part_key not in mine}
    return set(push_ids) - foreign if mine else set()


def _body(progress: PushProgress) -> dict[str, object]:
    wanted = request.args.get("state", "")
    state = ItemState(wanted) if wanted in list(ItemState) else None
    total = progress.counts[state] if state else progress.total
    page = slice_of(total, "grades.push", push_id=progress.push.id, state=wanted)
    lines = (
        []
        if progress.active
        else services().pushes.items(
            progress.push.id, state=state, offset=page.offset, limit=page.size
        )
    )
    return {
        "progress": progress,
        "push": progress.push,
        "lines": lines,
        "state": state,
        "slice": page,
        "why": push_words.why,
        "what_to_do": push_words.what_to_do,
        # As text: the platform's own words may be in it, and a page's `_` takes words for its own.
        "said": gettext,
        "ItemState": ItemState,
        "PushState": PushState,
    }
