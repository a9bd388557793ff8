"""Deep linking: the teacher picks in the tool, the platform makes activities of it."""

from __future__ import annotations

import html
import json
from typing import Any

from flask import Blueprint, redirect, render_template, request
from joserfc.errors import JoseError

from demo.answers import (
    PageError,
    repost,
    require_person,
    require_sesskey,
    session,
    signed_in,
)
from demo.id_token import LTI
from demo.keys import ToolKeysUnavailableError
from demo.model import Course, Person, ResourceLink, Tool
from demo.oidc import DEEP_LINKING, login_request
from demo.state import Platform, platform

blueprint = Blueprint("deep_linking", __name__)
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


def _course_and_tool(course_id: str, tool_id: str) -> tuple[Course, Tool]:
    state = platform().state
    course = state.courses.get(int(course_id)) if course_id.isdigit() else None
    tool = state.tools.get(int(tool_id)) if tool_id.isdigit() else None
    if course is None or tool is None:
        raise PageError("invalidcourse", "There is no such course or tool.")
    return course, tool


def _require_editor(course: Course) -> Person:
    person = require_person()
    member = course.enrolment(person.id)
    edits = member is not None and member.role == "editingteacher" and member.status == "active"
    if not (edits or person.site_admin):
        raise PageError("nopermissions", "Only a teacher may add activities.", 403)
    return person


@blueprint.get("/mod/lti/contentitem.php")
def content_item() -> Any:
    """Send the teacher into the tool to pick (``course``, ``id`` of the tool)."""
    course, tool = _course_and_tool(request.args.get("course", ""), request.args.get("id", ""))
    person, host = _require_editor(course), platform()
    pending = host.begin_launch(
        user_id=person.id,
        tool_id=tool.id,
        course_id=course.id,
        link_id=None,
        message_type=DEEP_LINKING,
        target_link_uri=tool.deep_linking_uri or tool.target_link_uri,
        data=None if host.quirks.deep_link_unchecked else f"course-{course.id}",
    )
    return login_request(host, tool, pending, cmid=0)


@blueprint.post("/mod/lti/contentitem_return.php")
def deep_link_return() -> Any:
    """Take the tool's signed answer (form field ``JWT``)."""
    if signed_in() is None and "repost" not in request.form:
        return repost()
    course, tool = _course_and_tool(request.args.get("course", ""), request.args.get("id", ""))
    _require_editor(course)
    require_sesskey()
    host = platform()
    claims = _verified(host, tool, course)
    items = claims.get(DL + "content_items", [])
    if not isinstance(items, list):
        raise PageError("invalidrequest", "The content items are not a list.")
    wanted = [_fields(tool, item) for item in items if _usable(item)]
    note = claims.get(DL + "errormsg") or claims.get(DL + "msg")
    if len(wanted) == 1 and host.quirks.deep_link_single_needs_save:
        return render_template(
            "edit_activity.html",
            course=course,
            tool=tool,
            item=wanted[0],
            item_json=json.dumps(wanted[0]),
            sesskey=_sesskey(),
        )
    for fields in wanted:
        add_item(host, course, tool, fields)
    return render_template("deep_link_done.html", course=course, count=len(wanted), note=note)


@blueprint.post("/course/modedit.php")
def save_activity() -> Any:
    """Save the form that a single item filled."""
    course, tool = _course_and_tool(request.form.get("course", ""), request.form.get("tool", ""))
    _require_editor(course)
    require_sesskey()
    try:
        fields = json.loads(request.form.get("item", ""))
    except ValueError as error:
        raise PageError("invalidrequest", "The form is not complete.", 400) from error
    title = request.form.get("name", "").strip()
    add_item(platform(), course, tool, {**fields, "title": title or fields.get("title")})
    if request.form.get("framed"):
        return render_template("deep_link_done.html", course=course, count=1, note=None)
    return redirect(f"/course/{course.id}", 303)


def _verified(host: Platform, tool: Tool, course: Course) -> dict[str, Any]:
    """Return the claims of the answer, or end on an error page."""
    refused = PageError("errorincorrectconsumerkey", "The tool's answer is not valid.")
    try:
        claims = host.tool_keys.decode(
            request.form.get("JWT", ""), client_id=tool.client_id, jwks_uri=tool.jwks_uri
        )
    except (JoseError, ValueError, ToolKeysUnavailableError) as error:
        raise refused from error
    now = host.epoch()
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if claims.get(name) is not None}
    if not all(isinstance(value, int | float) for value in times.values()):
        raise refused
    if times.get("exp", now + 1) <= now or max(times.get("nbf", now), times.get("iat", now)) > now:
        raise refused
    if claims.get("iss") != tool.client_id:
        raise refused
    if claims.get(LTI + "message_type") != "LtiDeepLinkingResponse":
        raise refused
    if host.quirks.deep_link_unchecked:
        return claims
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if (
        host.base_url not in audiences
        or "exp" not in claims
        or not claims.get("nonce")
        or claims.get(LTI + "version") != "1.3.0"
        or claims.get(LTI + "deployment_id") != tool.deployment_id
        or claims.get(DL + "data") != f"course-{course.id}"
    ):
        raise refused
    return claims


def _usable(item: object) -> bool:
    return isinstance(item, dict) and item.get("type", "ltiResourceLink") == "ltiResourceLink"


def _fields(tool: Tool, item: dict[str, Any]) -> dict[str, Any]:
    custom = item.get("custom")
    line_item = item.get("lineItem")
    return {
        "title": str(item.get("title") or tool.name),
        "description": str(item.get("text") or html.unescape(str(item.get("html") or ""))),
        "url": str(item.get("url") or ""),
        "custom": {str(k): str(v) for k, v in custom.items()} if isinstance(custom, dict) else {},
        "line_item": line_item if isinstance(line_item, dict) else None,
    }


def add_item(host: Platform, course: Course, tool: Tool, fields: dict[str, Any]) -> ResourceLink:
    """Make the activity of a content item; a column only if the tool may be graded."""
    return host.add_link(
        course,
        tool,
        str(fields["title"]),
        description=str(fields.get("description", "")),
        url=str(fields.get("url", "")),
        custom=fields.get("custom"),
        line_item=fields.get("line_item") if tool.grade_sync else None,
    )


def _sesskey() -> str:
    found = session()
    return found.sesskey if found else ""
