"""Line items and results as platforms write them, read tolerantly."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from lti_tool.core.http import HttpResponse
from lti_tool.lti.links import same_origin
from lti_tool.lti.scores import LineItem, Result
from lti_tool.lti.service_client import malformed
from lti_tool.lti.service_errors import AGS, AgsForeignHostError

_LONGEST_URL = 1000


def read_line_item(entry: Any, response: HttpResponse, origin: str) -> LineItem:
    """Read one line item of ``response``; its address must be on the host of ``origin``."""
    url = entry.get("id") if isinstance(entry, dict) else None
    maximum = _decimal(entry.get("scoreMaximum")) if isinstance(entry, dict) else None
    if not isinstance(url, str) or not 0 < len(url) <= _LONGEST_URL or maximum is None:
        raise malformed(response, AGS)
    if not same_origin(url, origin):
        raise AgsForeignHostError(
            "The platform named a column on another host; nothing is sent there.",
            remedy="Tell the platform's administrator.",
        )
    return LineItem(
        url=url,
        label=_text(entry.get("label")) or "",
        maximum=maximum,
        resource_id=_text(entry.get("resourceId")),
        tag=_text(entry.get("tag")),
        resource_link_id=_text(entry.get("resourceLinkId")),
        document=entry,
    )


def read_result(entry: Any) -> Result | None:
    """Read one result; ``None`` if it names no user."""
    user_id = _text(entry.get("userId")) if isinstance(entry, dict) else None
    if user_id is None:
        return None
    score = _decimal(entry.get("resultScore"))
    maximum = _decimal(entry.get("resultMaximum"))
    if maximum is None or maximum <= 0:
        # The specification's default.
        maximum = None if score is None else Decimal(1)
    comment = entry.get("comment")
    return Result(user_id, score, maximum, comment if isinstance(comment, str) else None)


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None
