"""Moodle, as it really behaves (4.5 and 5.x). Nothing of this is known elsewhere in the room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from urllib.parse import parse_qs, urlsplit

from lti_tool.core.http import HttpResponse
from lti_tool.lti.links import find_link, has_parameter, with_query, without_parameters
from lti_tool.lti.platforms.base import LINE_ITEM_READ, Explanation, Platform
from lti_tool.lti.scores import Result, Score


class Moodle(Platform):
    """Moodle's differences from the specifications, and what its refusals mean."""

    family = "moodle"
    # Every page loads every enrolled user on Moodle's side: fewer, larger pages.
    members_page_size = 1000
    line_items_page_size: int = 500
    # `limit` beside `type_id` on results is a fatal error in Moodle; without it all come at once.
    results_page_size = None
    # Moodle compares whole seconds and refuses an equal one.
    timestamp_step = dt.timedelta(seconds=1)

    def line_item_read_scope(self, offered: Collection[str]) -> str:
        """Always the read-only one: Moodle grants it whenever it grants any."""
        return LINE_ITEM_READ

    def next_line_items(self, response: HttpResponse, count: int) -> str | None:
        """Count on: Moodle's own link has typographic quotes and an HTML-escaped address."""
        size = self.line_items_page_size
        if count < size:
            return None
        start = _number(response.url, "from") + size
        return with_query(without_parameters(response.url, "from"), {"from": str(start)})

    def next_results(self, response: HttpResponse) -> str | None:
        """All results come in one page, because no ``limit`` is sent."""
        return None

    def next_members(self, response: HttpResponse, *, role: str | None) -> str | None:
        """Moodle forgets the role filter in its next link."""
        url = find_link(response.link_headers, "next", base=response.url)
        if url is None or role is None or has_parameter(url, "role"):
            return url
        return with_query(url, {"role": role})

    def must_look_first(self, score: Score) -> bool:
        """A score that is not fully graded makes Moodle wipe a grade that is there."""
        return score.progress_only

    def holds_back(self, score: Score, results: Sequence[Result]) -> bool:
        """Progress is told only before the first grade. A row without a value may still be one."""
        return score.progress_only and bool(results)

    def explain(self, service: str, status: int, body: str) -> Explanation | None:
        """Moodle's refusals in plain words."""
        html = body.lstrip()[:1] == "<"
        if service == "token":
            if html and status in (404, 500):
                return Explanation(
                    "Moodle could not fetch this tool's keys.",
                    remedy="In Moodle, look at Site administration → Security → HTTP security: the "
                    "tool's host and port must not be blocked.",
                )
            if "invalid_scope" in body:
                return Explanation(
                    "Moodle does not let this tool use the service.",
                    remedy="In Moodle's settings of the tool, switch on grade synchronisation and "
                    "Names and Roles.",
                )
            if "invalid_client" in body:
                return Explanation(
                    "Moodle does not know this client id, or did not accept this tool's signature.",
                    remedy="Compare the client id, and the address of the key set, with Moodle's "
                    "settings of the tool.",
                )
        elif service == "registration" and html:
            return Explanation(
                "Moodle did not accept the registration token; it is valid for one hour.",
                remedy="Start the registration again from Moodle's Manage tools page.",
            )
        elif service == "score" and (status == 400 or (status == 404 and html)):
            return Explanation(
                "Moodle did not take the score. Most often the person is not enrolled in the "
                "course with a role that is graded.",
                remedy="Check the person's enrolment and role in the course.",
            )
        elif service == "score" and status == 409:
            return Explanation(
                "Moodle holds a grade that is newer: someone changed it there, or Moodle's clock "
                "is behind.",
                remedy="Look at the grade in Moodle before it is sent again.",
            )
        elif service in ("score", "grades") and status == 403:
            return Explanation(
                "Moodle does not let this tool write to this column.",
                remedy="In Moodle's settings of the tool, allow grade synchronisation and column "
                "management.",
            )
        elif service == "members" and status in (401, 403):
            return Explanation(
                "Moodle does not let this tool read the members.",
                remedy="In Moodle's settings of the tool, switch on Names and Roles.",
            )
        elif status == 401:
            return Explanation(
                "Moodle did not accept the access token.",
                remedy="If it stays, Moodle's web server may strip the Authorization header.",
            )
        elif status >= 500:
            return Explanation("Moodle failed inside.", remedy="Moodle's own log says why.")
        return None


def _number(url: str, name: str) -> int:
    text = parse_qs(urlsplit(url).query).get(name, ["0"])[0]
    return int(text) if text.isdecimal() else 0
