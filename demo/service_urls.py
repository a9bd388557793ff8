"""Addresses of the services, with Moodle's paths."""

from __future__ import annotations

from demo.model import LineItem, Tool
from demo.state import Platform

SERVICES = "/mod/lti/services.php"


def _with_type(platform: Platform, path: str, tool: Tool) -> str:
    suffix = f"?type_id={tool.id}" if platform.quirks.ags_type_id else ""
    return platform.url(SERVICES + path + suffix)


def line_items_url(platform: Platform, course_id: int, tool: Tool) -> str:
    """Return the address of a course's line items."""
    return _with_type(platform, f"/{course_id}/lineitems", tool)


def line_item_url(platform: Platform, item: LineItem, tool: Tool) -> str:
    """Return the address of a line item."""
    return _with_type(platform, f"/{item.course_id}/lineitems/{item.id}/lineitem", tool)


def memberships_url(platform: Platform, course_id: int, tool: Tool) -> str:
    """Return the address of a course's memberships."""
    return platform.url(f"{SERVICES}/CourseSection/{course_id}/bindings/{tool.id}/memberships")
