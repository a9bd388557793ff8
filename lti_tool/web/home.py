"""Where a launch arrives: the page for the person's role and for the link that they followed."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ForbiddenError
from lti_tool.web.grades_inbox import questions
from lti_tool.web.student import class_page
from lti_tool.web.viewer import Viewer, in_course, viewer
from lti_tool.wiring import services

blueprint = in_course(Blueprint("home", __name__, url_prefix="/l/<reference>"))


@blueprint.get("/")
def index() -> str | Response:
    """The page for this launch."""
    return page()


def page() -> str | Response:
    """The page for this launch, or where else it leads. Of several roles the higher decides."""
    with services().database.snapshot():
        return _page(viewer())


def _page(who: Viewer) -> str | Response:
    if who.launch.message_type == "LtiDeepLinkingRequest":
        return redirect(url_for("deep_linking.choose"))
    if who.launch.message_type == "LtiSubmissionReviewRequest":
        return _review(who)
    if who.is_teacher and (who.found_person or not who.is_site_administrator):
        return _teacher(who.require_person())
    if who.is_site_administrator:
        return redirect(url_for("site.registration"))
    if who.is_student:
        return class_page(who.require_person(), highlight=_custom(who)[1])
    raise ForbiddenError(
        "Your role in this course is neither student nor teacher.",
        remedy="Ask the course's teacher to enrol you as a student or as a teacher.",
        reference=who.launch.reference,
    )


def _teacher(who: Viewer) -> str | Response:
    if not who.found_classes:
        return redirect(url_for("instructor.choose_class"))
    page, part = _custom(who)
    if page == "roster":
        return redirect(url_for("instructor.roster"))
    if page == "gradebook":
        return redirect(url_for("grades.gradebook"))
    if page == "part" and part:
        return redirect(url_for("grades.gradebook", part=part))
    return render_template("instructor/home.html", who=who, questions=questions(who))


def _review(who: Viewer) -> str | Response:
    """Grades of the student whom a teacher came to review; a student sees their own."""
    if not who.is_teacher:
        return class_page(who.require_person())
    for_user = who.launch.services.get("for_user") or {}
    subject = for_user.get("user_id")
    if not subject:
        return redirect(url_for("grades.gradebook"))
    return redirect(url_for("grades.review", subject=subject))


def _custom(who: Viewer) -> tuple[str | None, str | None]:
    """What a link that a teacher placed (deep linking) leads to: page and part."""
    custom = who.launch.services.get("custom") or {}
    return custom.get("naga_page"), custom.get("naga_part")
