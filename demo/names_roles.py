"""Names and Role Provisioning Services, as Moodle answers them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from demo.answers import ServiceError, authorise, whole_number
from demo.id_token import MEMBERSHIP
from demo.model import MEMBERSHIPS, Membership, Person, Tool
from demo.service_urls import memberships_url
from demo.state import Platform, platform

blueprint = Blueprint("names_roles", __name__)
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
PAGE_SIZE = 50
_ADMINISTRATOR = "http://purl.imsglobal.org/vocab/lis/v2/person#Administrator"


@blueprint.get(
    "/mod/lti/services.php/CourseSection/<int:course_id>/bindings/<int:tool_id>/memberships"
)
def memberships(course_id: int, tool_id: int) -> Response:
    """Return a page of members (``role``, ``limit``, ``from``, ``rlid``)."""
    host = platform()
    accept = request.headers.get("Accept", "")
    if host.quirks.nrps_strict_accept and accept not in ("", "*/*", MEDIA_TYPE):
        raise ServiceError(400, "Unsupported media type")
    tool = authorise(MEMBERSHIPS)
    if tool.id != tool_id:
        raise ServiceError(403, "Not allowed in context")
    course = host.state.courses.get(course_id)
    if course is None:
        raise ServiceError(404, "Not Found: Course doesn't exist")
    link_id = request.args.get("rlid", "")
    if link_id:
        link = host.state.links.get(int(link_id)) if link_id.isdigit() else None
        if link is None or link.course_id != course.id:
            raise ServiceError(404, "Not Found: Resource link doesn't exist")
    role = request.args.get("role", "").rsplit("#", 1)[-1]
    listed = [
        (person, member)
        for person, member in host.members(course)
        if (member.status == "active" or not host.quirks.nrps_active_only)
        and (role not in ("Instructor", "Learner") or _role(host, member) == role)
    ]
    limit = whole_number("limit")
    if limit <= 0 and not host.quirks.nrps_one_page:
        limit = PAGE_SIZE
    start = max(0, whole_number("from"))
    page = listed[start : start + limit] if limit > 0 else listed[start:]
    body = {
        "id": memberships_url(host, course.id, tool),
        "context": {
            "id": str(course.id),
            "label": course.shortname,
            "title": course.fullname,
        },
        "members": [_member(host, tool, person, member) for person, member in page],
    }
    response = Response(json.dumps(body, ensure_ascii=False), content_type=MEDIA_TYPE)
    if limit > 0 and start + limit < len(listed):
        query: dict[str, Any] = {"limit": limit, "from": start + limit}
        if role and not host.quirks.nrps_next_drops_role:
            query["role"] = request.args["role"]
        if link_id:
            query["rlid"] = link_id
        target = f"{memberships_url(host, course.id, tool)}?{urlencode(query)}"
        response.headers["Link"] = f'<{target}>; rel="next"'
    return response


def _role(host: Platform, member: Membership) -> str:
    assists = member.role == "teacher" and not host.quirks.nrps_assistant_is_learner
    return "Instructor" if member.role == "editingteacher" or assists else "Learner"


def _member(host: Platform, tool: Tool, person: Person, member: Membership) -> dict[str, Any]:
    short = _role(host, member)
    roles = [short if host.quirks.nrps_short_roles else MEMBERSHIP + short]
    if person.site_admin:
        roles.append(_ADMINISTRATOR)
    entry: dict[str, Any] = {
        "status": "Active" if member.status == "active" else "Inactive",
        "roles": roles,
        "user_id": str(person.id),
    }
    if host.quirks.always_sends_sourcedid or (person.idnumber and tool.send_name):
        entry["lis_person_sourcedid"] = person.idnumber
    if tool.send_name:
        entry["name"] = person.name
        entry["given_name"] = person.given_name
        entry["family_name"] = person.family_name
        entry["ext_user_username"] = person.username
    if tool.send_email:
        entry["email"] = person.email
    return entry
