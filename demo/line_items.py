"""Assignment and Grade Services: the line items."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from demo.answers import ServiceError, authorise, whole_number
from demo.model import LINEITEM, LINEITEM_READONLY, Course, LineItem, Tool
from demo.service_urls import line_item_url, line_items_url
from demo.state import Platform, platform

blueprint = Blueprint("line_items", __name__)
CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"


def open_course(course_id: int) -> Course:
    """Return the course or end with 404."""
    course = platform().state.courses.get(course_id)
    if course is None:
        raise ServiceError(404, f"Not Found: Course {course_id} doesn't exist")
    return course


def open_item(course_id: int, item_id: int, tool: Tool) -> LineItem:
    """Return a line item of this course and tool, or end with 404."""
    open_course(course_id)
    item = platform().state.line_items.get(item_id)
    if item is None:
        raise ServiceError(404, f"Not Found: Grade item {item_id} doesn't exist")
    if item.course_id != course_id or item.tool_id != tool.id:
        raise ServiceError(404, "Line item does not exist")
    return item


def media_type(header: str) -> str:
    """Return a media type without its parameters."""
    return request.headers.get(header, "").split(";")[0].strip()


def line_item_json(host: Platform, item: LineItem, tool: Tool) -> dict[str, Any]:
    """Return a line item as the service writes it."""
    entry: dict[str, Any] = {
        "id": line_item_url(host, item, tool),
        "label": item.label,
        "scoreMaximum": item.maximum,
        "resourceId": item.resource_id,
        "tag": item.tag,
    }
    if item.link_id is not None:
        entry["resourceLinkId"] = str(item.link_id)
    return entry


def page_links(host: Platform, base: str, query: dict[str, Any], total: int) -> str:
    """Return the value of a Link header for ``from`` and ``limit`` in ``query``."""
    start, limit = int(query["from"]), int(query["limit"])
    pages = {"first": 0, "canonical": start}
    if 0 < start < total:
        pages["prev"] = max(0, start - limit)
    if start + limit <= total - 1:
        pages["next"] = start + limit
    pages["last"] = max(0, total - limit + 1)
    left, right = ("“", "”") if host.quirks.ags_curly_links else ('"', '"')
    links = []
    for relation, offset in pages.items():
        separator = "&" if "?" in base else "?"
        target = base + separator + urlencode({**query, "from": offset})
        if host.quirks.ags_curly_links:
            target = target.replace("&", "&amp;")
        links.append(f"<{target}>; rel={left}{relation}{right}")
    # Header bytes are what Moodle sends: UTF-8, which WSGI carries as Latin-1 characters.
    return ", ".join(links).encode().decode("latin-1")


@blueprint.route("/mod/lti/services.php/<int:course_id>/lineitems", methods=["GET", "POST"])
def lineitems(course_id: int) -> Response:
    """List (``resource_id``, ``resource_link_id``, ``tag``, ``limit``, ``from``) or make items."""
    host = platform()
    if request.method == "POST":
        tool = authorise(LINEITEM)
        if media_type("Content-Type") != ITEM:
            raise ServiceError(400, "No context or unsupported content type")
        return _create(host, tool, open_course(course_id))
    tool = authorise(LINEITEM, LINEITEM_READONLY)
    accept = request.headers.get("Accept", "")
    lenient = not host.quirks.ags_strict_accept and "*/*" in accept
    if accept not in ("", CONTAINER) and not lenient:
        raise ServiceError(400, "No context or unsupported content type")
    open_course(course_id)
    wanted = request.args.get("resource_link_id", request.args.get("lti_link_id"))
    found = [
        item
        for item in host.line_items_of(course_id, tool.id)
        if request.args.get("resource_id") in (None, item.resource_id)
        and request.args.get("tag") in (None, item.tag)
        and wanted in (None, str(item.link_id))
    ]
    limit, start = whole_number("limit"), max(0, whole_number("from"))
    page = found[start : start + limit] if limit > 0 else found
    body = json.dumps([line_item_json(host, item, tool) for item in page], ensure_ascii=False)
    response = Response(body, content_type=CONTAINER)
    if limit > 0:
        names = ("resource_id", "resource_link_id", "tag")
        query = {name: request.args[name] for name in names if name in request.args}
        query |= {"limit": str(limit), "from": str(start)}
        base = line_items_url(host, course_id, tool)
        response.headers["Link"] = page_links(host, base, query, len(found))
    return response


def _body() -> dict[str, Any]:
    try:
        document = json.loads(request.get_data())
    except ValueError as error:
        raise ServiceError(400, "No label or Score Maximum") from error
    if not isinstance(document, dict) or not document.get("label"):
        raise ServiceError(400, "No label or Score Maximum")
    if number(document.get("scoreMaximum")) is None:
        raise ServiceError(400, "No label or Score Maximum")
    return document


def number(value: object) -> float | None:
    """Return what PHP calls numeric as a float, else ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _link_id(host: Platform, document: dict[str, Any], course_id: int, tool: Tool) -> int | None:
    raw = document.get("resourceLinkId", document.get("ltiLinkId"))
    if raw is None or raw == "":
        return None
    if not str(raw).isdigit():
        raise ServiceError(400, "The resource link is not a number")
    link = host.state.links.get(int(raw))
    if link is None or link.course_id != course_id or link.tool_id != tool.id:
        raise ServiceError(403, "Not a resource link of this tool")
    return link.id


def _create(host: Platform, tool: Tool, course: Course) -> Response:
    document = _body()
    link_id = _link_id(host, document, course.id, tool)
    with host.change() as state:
        item = LineItem(
            host.next_id(),
            course.id,
            tool.id,
            str(document["label"]),
            float(document["scoreMaximum"]),
            str(document.get("resourceId") or ""),
            str(document.get("tag") or ""),
            link_id,
        )
        state.line_items[item.id] = item
        _record(host, "created", item)
    # Moodle answers with what it was sent, and the id.
    body = {**document, "id": line_item_url(host, item, tool)}
    return Response(json.dumps(body, ensure_ascii=False), 201, content_type=ITEM)


@blueprint.route(
    "/mod/lti/services.php/<int:course_id>/lineitems/<int:item_id>/lineitem",
    methods=["GET", "PUT", "DELETE"],
)
def lineitem(course_id: int, item_id: int) -> Response:
    """Read, replace or delete one line item."""
    host = platform()
    if request.method == "GET":
        tool = authorise(LINEITEM, LINEITEM_READONLY)
        item = open_item(course_id, item_id, tool)
        return Response(json.dumps(line_item_json(host, item, tool)), content_type=ITEM)
    tool = authorise(LINEITEM)
    item = open_item(course_id, item_id, tool)
    if request.method == "DELETE":
        if not item.known_to_service:
            raise ServiceError(403, "The line item belongs to an activity")
        with host.change() as state:
            del state.line_items[item.id]
            state.grades.pop(item.id, None)
            _record(host, "deleted", item)
        return Response("", 204)
    return _replace(host, tool, item)


def _replace(host: Platform, tool: Tool, item: LineItem) -> Response:
    document = _body()
    link_id = _link_id(host, document, item.course_id, tool)
    maximum = float(document["scoreMaximum"])
    with host.change() as state:
        if maximum != item.maximum and item.maximum > 0:
            for grade in state.grades.get(item.id, {}).values():
                if grade.final is not None:
                    grade.final *= maximum / item.maximum
        item.label = str(document["label"])
        item.maximum = maximum
        item.resource_id = str(document.get("resourceId") or "")
        item.tag = str(document.get("tag") or "")
        if link_id is not None or host.quirks.ags_put_drops_link:
            item.link_id = link_id
        _record(host, "updated", item)
    body = {**document, "id": line_item_url(host, item, tool)}
    return Response(json.dumps(body, ensure_ascii=False), content_type=ITEM)


def _record(host: Platform, what: str, item: LineItem) -> None:
    host.record(
        f"grade_item.{what}",
        course=item.course_id,
        about=item.id,
        itemtype="mod" if item.coupled else "manual",
        module="lti" if item.coupled else None,
    )
