"""The claims of a message, as Moodle writes them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from demo.model import Course, PendingLaunch, Person, ResourceLink, Tool
from demo.service_urls import line_item_url, line_items_url, memberships_url
from demo.state import Platform

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
SYSTEM_ADMIN = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
INSTITUTION_ADMIN = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
SECTION = "http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"
_VARIABLE = re.compile(r"\$[A-Za-z]+(?:\.[A-Za-z]+)+")


def build_claims(
    platform: Platform,
    launch: PendingLaunch,
    person: Person,
    *,
    nonce: str,
    deep_link_return_url: str | None = None,
) -> dict[str, Any]:
    """Return the claims of the message that ``launch`` asked for."""
    state = platform.state
    tool, course = state.tools[launch.tool_id], state.courses[launch.course_id]
    link = state.links[launch.link_id] if launch.link_id is not None else None
    now = platform.epoch()
    claims: dict[str, Any] = {
        "iss": platform.base_url,
        "sub": str(person.id),
        "aud": tool.client_id,
        "iat": now,
        "exp": now + (60 if platform.quirks.short_id_token else 3600),
        "nonce": nonce,
        LTI + "deployment_id": tool.deployment_id,
        LTI + "message_type": launch.message_type,
        LTI + "version": "1.3.0",
        LTI + "target_link_uri": launch.target_link_uri,
        LTI + "roles": roles(platform, person, course),
        LTI + "context": _context(platform, course),
        LTI + "launch_presentation": {
            "locale": "en",
            "document_target": launch.document_target,
            "return_url": platform.url(f"/course/{course.id}"),
        },
        LTI + "tool_platform": {
            "guid": urlsplit(platform.base_url).netloc,
            "product_family_code": "moodle",
            "version": "2024100706",
            "name": state.site_name,
            "description": state.site_name,
        },
        LTI + "ext": {"lms": "moodle-2"},
    }
    _add_person(platform, claims, tool, person)
    lis = {"course_section_sourcedid": course.idnumber}
    if platform.quirks.always_sends_sourcedid or (person.idnumber and tool.send_name):
        lis = {"person_sourcedid": person.idnumber, **lis}
    claims[LTI + "lis"] = lis
    if link is not None:
        claims[LTI + "resource_link"] = {
            "id": str(link.id),
            "title": link.title,
            "description": link.description,
        }
        custom = _custom(platform, tool, link, course, person)
        if custom:
            claims[LTI + "custom"] = custom
    if launch.for_user_id is not None:
        claims[LTI + "for_user"] = {"user_id": str(launch.for_user_id)}
    if deep_link_return_url is not None:
        claims["https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"] = _settings(
            launch, deep_link_return_url
        )
    _add_services(platform, claims, tool, course, link)
    return claims


def roles(platform: Platform, person: Person, course: Course) -> list[str]:
    """Return the roles of a launch as full URIs."""
    member = platform.member(course.id, person.id)
    teaches = member is not None and member.role != "student" and member.status == "active"
    found = [MEMBERSHIP + ("Instructor" if teaches or person.site_admin else "Learner")]
    if person.site_admin:
        found += [SYSTEM_ADMIN, INSTITUTION_ADMIN]
    return found


def _context(platform: Platform, course: Course) -> dict[str, Any]:
    kind = "CourseSection" if platform.quirks.short_context_type else SECTION
    return {
        "id": str(course.id),
        "label": course.shortname,
        "title": course.fullname,
        "type": [kind],
    }


def _add_person(platform: Platform, claims: dict[str, Any], tool: Tool, person: Person) -> None:
    if tool.send_name:
        claims["given_name"] = person.given_name
        claims["family_name"] = person.family_name
        claims["name"] = person.name
        claims[LTI + "ext"]["user_username"] = person.username
    if tool.send_email:
        claims["email"] = person.email


def _settings(launch: PendingLaunch, return_url: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_multiple": True,
        "auto_create": False,
        "accept_copy_advice": False,
        "accept_unsigned": False,
        "can_confirm": False,
        "deep_link_return_url": return_url,
        "title": "",
        "text": "",
    }
    if launch.data is not None:
        settings["data"] = launch.data
    return settings


def _add_services(
    platform: Platform,
    claims: dict[str, Any],
    tool: Tool,
    course: Course,
    link: ResourceLink | None,
) -> None:
    scopes = [scope for scope in tool.permitted_scopes() if "/lti-ags/" in scope]
    if scopes:
        endpoint: dict[str, Any] = {
            "scope": scopes,
            "lineitems": line_items_url(platform, course.id, tool),
        }
        items = platform.line_items_of(course.id, tool.id)
        mine = [item for item in items if link is not None and item.link_id == link.id]
        if len(mine) == 1:
            endpoint["lineitem"] = line_item_url(platform, mine[0], tool)
        claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"] = endpoint
    known = any(other.tool_id == tool.id for other in platform.links_of(course.id))
    if tool.memberships and (known or not platform.quirks.nrps_claim_needs_link):
        claims["https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"] = {
            "context_memberships_url": memberships_url(platform, course.id, tool),
            "service_versions": ["1.0", "2.0"],
        }


def _custom(
    platform: Platform, tool: Tool, link: ResourceLink, course: Course, person: Person
) -> dict[str, str]:
    items = [i for i in platform.line_items_of(course.id, tool.id) if i.link_id == link.id]
    values = {
        "$User.id": str(person.id),
        "$User.username": person.username,
        "$Person.sourcedId": person.idnumber,
        "$Person.name.full": person.name if tool.send_name else "",
        "$Person.name.given": person.given_name if tool.send_name else "",
        "$Person.name.family": person.family_name if tool.send_name else "",
        "$Person.email.primary": person.email if tool.send_email else "",
        "$Context.id": str(course.id),
        "$Context.title": course.fullname,
        "$Context.label": course.shortname,
        "$Context.sourcedId": course.idnumber,
        "$CourseSection.title": course.fullname,
        "$CourseSection.label": course.shortname,
        "$CourseSection.sourcedId": course.idnumber,
        "$ResourceLink.id": str(link.id),
        "$ResourceLink.title": link.title,
        "$ResourceLink.description": link.description,
        "$Membership.role": "Instructor"
        if roles(platform, person, course)[0].endswith("Instructor")
        else "Learner",
        "$LineItems.url": line_items_url(platform, course.id, tool),
        "$LineItem.url": line_item_url(platform, items[0], tool) if len(items) == 1 else "",
        "$ToolProxyBinding.memberships.url": memberships_url(platform, course.id, tool),
    }
    # What the administrator wrote wins over what the teacher or the tool wrote; unknown
    # variables go out as they are.
    wanted = {**link.custom, **tool.custom}
    custom: dict[str, str] = {}
    for key, raw in wanted.items():
        value = _VARIABLE.sub(lambda match: values.get(match[0], match[0]), raw)
        custom[key] = value
        if platform.quirks.lowercases_custom_keys:
            custom[re.sub(r"[^a-z0-9]", "_", key.lower())] = value
    return custom
