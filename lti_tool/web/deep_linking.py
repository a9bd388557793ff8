"""Deep Linking: the teacher picks roster, gradebook or one class part, and gets a link to it."""

from __future__ import annotations

from decimal import Decimal

from flask import Blueprint, render_template, request

from lti_tool.core.errors import ConflictError, ForbiddenError, InvalidInputError
from lti_tool.lti import roles
from lti_tool.lti.deep_linking import ContentItem, DeepLinkingSettings, ItemLine
from lti_tool.lti.registrations import origin_of
from lti_tool.web import security
from lti_tool.web.i18n import gettext as _
from lti_tool.web.viewer import Viewer, in_course, viewer
from lti_tool.wiring import services

blueprint = in_course(Blueprint("deep_linking", __name__, url_prefix="/l/<reference>"))


class AlreadyAnsweredError(ConflictError):
    """The platform takes one answer; it was given."""

    code = "deep_link_answered"
    title = "The link was placed already"


@blueprint.get("/deep-link")
def choose() -> str:
    """What a link can lead to."""
    who, settings = _request()
    return render_template("deep_linking/choose.html", who=who, settings=settings)


@blueprint.post("/deep-link")
def answer() -> str:
    """Sign the answer and hand it to the platform through the browser."""
    who, settings = _request()
    cancelled = request.form.get("cancel") == "yes"
    items = [] if cancelled else [_item(who, request.form.get("choice", ""))]
    response = services().deep_linking.response(
        who.registration,
        who.launch.deployment_id or "",
        settings,
        items,
        message=None if cancelled else _("The link is placed."),
    )
    with services().database.write() as session:
        first = services().launches.answer_deep_link(session, who.launch.reference)
    if not first:
        raise AlreadyAnsweredError(
            "This choice was answered already.",
            remedy="Go back to your course. To place another link, begin there again.",
        )
    # The answer goes to an address that the platform itself signed for.
    security.allow_form_target(origin_of(response.return_url))
    return render_template("deep_linking/answer.html", who=who, answer=response)


def _request() -> tuple[Viewer, DeepLinkingSettings]:
    who = viewer()
    claim = who.launch.services.get("deep_linking")
    if who.launch.message_type != "LtiDeepLinkingRequest" or not claim:
        raise ForbiddenError(
            "This page works only when you choose content for a course.",
            remedy="In the course, add an external tool and press “Select content”.",
        )
    may = who.is_teacher or who.is_site_administrator
    if not may and roles.CONTENT_DEVELOPER not in who.launch.roles:
        raise ForbiddenError(
            "Only teachers place links in a course.", reference=who.launch.reference
        )
    return who, services().deep_linking.settings(claim)


def _item(who: Viewer, choice: str) -> ContentItem:
    url = f"{services().settings.public_url}/lti/launch"
    if choice == "roster":
        return ContentItem(_("Roster"), url, custom={"naga_page": "roster"})
    if choice == "gradebook":
        return ContentItem(_("Gradebook"), url, custom={"naga_page": "gradebook"})
    for class_ in who.found_classes:
        for part in class_.parts:
            if choice == f"part:{part.part_key}":
                label = class_.part_label(part, alone=len(who.found_classes) == 1)
                return ContentItem(
                    label,
                    url,
                    custom={"naga_page": "part", "naga_part": part.part_key},
                    line_item=ItemLine(
                        label=label,
                        maximum=Decimal(100),
                        resource_id=part.part_key,
                        tag="naga-part",
                    ),
                )
    raise InvalidInputError("Nothing was chosen.", field="choice", remedy="Choose one of the list.")
