"""A platform that does what the specifications say. Others differ by overriding."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lti_tool.core.http import HttpResponse
from lti_tool.lti.links import find_link, with_query
from lti_tool.lti.scores import Result, Score

LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
LINE_ITEM_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
RESULT_READ = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MEMBERS_READ = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a refusal means and what to do about it, in plain words."""

    detail: str
    remedy: str | None = None


class Platform:
    """The hooks, each with the specification's behaviour. Has no state."""

    family = "generic"
    #: Members asked for per page. A platform may send fewer.
    members_page_size = 500
    #: Line items and results asked for per page; ``None`` sends no ``limit``.
    line_items_page_size: int | None = 200
    results_page_size: int | None = 200
    #: The smallest difference between two timestamps that the platform can tell.
    timestamp_step = dt.timedelta(milliseconds=1)

    def line_item_read_scope(self, offered: Collection[str]) -> str:
        """The smallest scope that reads line items; ``offered`` is the claim's ``scope``."""
        if LINE_ITEM in offered and LINE_ITEM_READ not in offered:
            return LINE_ITEM
        return LINE_ITEM_READ

    def first_page(self, url: str, size: int | None) -> str:
        """The address of the first page of line items or results."""
        return url if size is None else with_query(url, {"limit": str(size)})

    def next_line_items(self, response: HttpResponse, count: int) -> str | None:
        """The address of the page after ``response``, which held ``count`` line items."""
        return find_link(response.link_headers, "next", base=response.url)

    def next_results(self, response: HttpResponse) -> str | None:
        """The address of the page of results after ``response``."""
        return find_link(response.link_headers, "next", base=response.url)

    def next_members(self, response: HttpResponse, *, role: str | None) -> str | None:
        """The address of the page of members after ``response``, asked for with ``role``."""
        return find_link(response.link_headers, "next", base=response.url)

    def next_timestamp(self, now: dt.datetime, last_sent: dt.datetime | None) -> dt.datetime:
        """A timestamp for a score: now, yet always later than the last one that was sent."""
        step = self.timestamp_step
        units = (now - dt.datetime.min.replace(tzinfo=dt.UTC)) // step
        moment = dt.datetime.min.replace(tzinfo=dt.UTC) + units * step
        return moment if last_sent is None else max(moment, last_sent + step)

    def must_look_first(self, score: Score) -> bool:
        """Whether the present result must be known before ``score`` may be sent."""
        return False

    def holds_back(self, score: Score, results: Sequence[Result]) -> bool:
        """Whether ``score`` would do harm beside the present ``results`` and is not sent."""
        return False

    def explain(self, service: str, status: int, body: str) -> Explanation | None:
        """What a refusal means, and what to do, in plain words; ``None`` if nothing is known.

        ``service``: ``"token"``, ``"grades"``, ``"score"``, ``"members"`` or ``"registration"``.
        """
        return None
