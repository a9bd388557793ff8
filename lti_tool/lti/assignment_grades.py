"""Assignment and Grade Services: columns of the platform's gradebook, scores, results."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from lti_tool.core.http import HttpResponse
from lti_tool.lti.ags_documents import read_line_item, read_result
from lti_tool.lti.links import with_path_suffix, with_query
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import platform_for
from lti_tool.lti.platforms.base import LINE_ITEM, RESULT_READ, SCORE
from lti_tool.lti.scores import InvalidScoreError, LineItem, Result, Score
from lti_tool.lti.service_client import ServiceClient, malformed, read_json
from lti_tool.lti.service_errors import (
    AGS,
    AgsConflictError,
    AgsError,
    AgsForeignHostError,
    AgsForeignNextLinkError,
    AgsGoneError,
    AgsMalformedError,
    AgsNextLinkLoopError,
    AgsNotOfferedError,
    AgsRefusedError,
    AgsUnavailableError,
)

__all__ = [
    "AgsConflictError",
    "AgsError",
    "AgsForeignHostError",
    "AgsForeignNextLinkError",
    "AgsGoneError",
    "AgsMalformedError",
    "AgsNextLinkLoopError",
    "AgsNotOfferedError",
    "AgsRefusedError",
    "AgsUnavailableError",
    "AssignmentGrades",
    "InvalidScoreError",
    "LineItem",
    "Result",
    "Score",
]

_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_SCORE = "application/vnd.ims.lis.v1.score+json"
_RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
_CLOSE = Decimal("0.0001")


class AssignmentGrades:
    """Line items, scores and results of a platform. Thread-safe; asks the smallest scope."""

    def __init__(self, service_client: ServiceClient) -> None:
        self._client = service_client
        # Two threads that ensure the same column go one after the other; a few columns share one.
        self._creating = tuple(threading.Lock() for _ in range(64))

    def line_items(
        self,
        registration: Registration,
        ags: Mapping[str, Any],
        *,
        resource_id: str | None = None,
        tag: str | None = None,
        resource_link_id: str | None = None,
    ) -> list[LineItem]:
        """Return the course's line items, all pages, that have all of what is asked for.

        ``ags`` is the launch's ``endpoint`` claim. Raises AgsError.
        """
        container = _container(ags)
        platform = platform_for(registration.platform_family)
        filters = {"resource_id": resource_id, "tag": tag, "resource_link_id": resource_link_id}
        wanted = {name: value for name, value in filters.items() if value is not None}
        start = platform.first_page(with_query(container, wanted), platform.line_items_page_size)

        def following(response: HttpResponse, document: Any) -> str | None:
            return platform.next_line_items(
                response, len(document) if isinstance(document, list) else 0
            )

        found: dict[str, LineItem] = {}
        for response, document in self._client.pages(
            registration,
            start,
            scope=platform.line_item_read_scope(_offered(ags)),
            errors=AGS,
            accept=_LINE_ITEMS,
            following=following,
        ):
            if not isinstance(document, list):
                raise malformed(response, AGS)
            for entry in document:
                item = read_line_item(entry, response, container)
                # A platform may ignore a filter that it does not know.
                if all(getattr(item, name) == value for name, value in wanted.items()):
                    found.setdefault(item.url, item)
        return list(found.values())

    def line_item(self, registration: Registration, url: str) -> LineItem:
        """Return one line item. Raises AgsError."""
        response = self._client.call(
            registration,
            "GET",
            url,
            scope=platform_for(registration.platform_family).line_item_read_scope(()),
            errors=AGS,
            accept=_LINE_ITEM,
        )
        return read_line_item(read_json(response, AGS), response, url)

    def ensure_line_item(
        self,
        registration: Registration,
        ags: Mapping[str, Any],
        *,
        label: str,
        maximum: Decimal,
        resource_id: str,
        tag: str,
        resource_link_id: str | None = None,
    ) -> LineItem:
        """Return the line item for ``resource_id`` and ``tag``, created if there is none.

        One that is there is returned as it is: its maximum and label are the teacher's. Of two
        workers that create at once, the later one finds the other's, takes its own back and
        returns the elder. Raises AgsError.
        """
        lock = self._creating[hash((registration.id, _container(ags), resource_id, tag)) % 64]
        with lock:
            found = self._elder(registration, ags, resource_id, tag, resource_link_id)
            if found is not None:
                return found
            document: dict[str, Any] = {
                "label": label,
                "scoreMaximum": maximum,
                "resourceId": resource_id,
                "tag": tag,
            }
            if resource_link_id is not None:
                document["resourceLinkId"] = resource_link_id
            try:
                created = self._create(registration, ags, document)
            except AgsUnavailableError as error:
                # It may have been created before the answer was lost: never a second column.
                found = (
                    self._elder(registration, ags, resource_id, tag, resource_link_id)
                    if error.uncertain
                    else None
                )
                if found is None:
                    raise
                return found
            elder = self._elder(registration, ags, resource_id, tag, resource_link_id)
            if elder is None or elder.url == created.url:
                return created
            try:
                self.delete_line_item(registration, created.url)
            except AgsError:
                # An empty column more is a blemish; failing here would stop the grades.
                return elder
            return elder

    def update_line_item(
        self,
        registration: Registration,
        url: str,
        *,
        label: str | None = None,
        maximum: Decimal | None = None,
        resource_id: str | None = None,
        tag: str | None = None,
        resource_link_id: str | None = None,
    ) -> LineItem:
        """Change what is given and keep the rest: it is read, merged and written whole.

        Platforms blank what a ``PUT`` leaves out. Raises AgsError.
        """
        changes = {
            "label": label,
            "scoreMaximum": maximum,
            "resourceId": resource_id,
            "tag": tag,
            "resourceLinkId": resource_link_id,
        }
        present = self.line_item(registration, url)
        merged = present.document | {
            name: value for name, value in changes.items() if value is not None
        }
        response = self._client.call(
            registration,
            "PUT",
            url,
            scope=LINE_ITEM,
            errors=AGS,
            accept=_LINE_ITEM,
            body=merged,
            content_type=_LINE_ITEM,
        )
        return read_line_item(merged, response, url)

    def delete_line_item(self, registration: Registration, url: str) -> None:
        """Delete a line item with its grades; one that is gone already is no error."""
        try:
            self._client.call(
                registration, "DELETE", url, scope=LINE_ITEM, errors=AGS, accept=_LINE_ITEM
            )
        except AgsGoneError:
            return

    def results(
        self, registration: Registration, line_item_url: str, *, user_id: str | None = None
    ) -> list[Result]:
        """Return the grades that the platform holds, all pages. Raises AgsError.

        Each is on its own scale: compare with :meth:`Result.scaled_to`.
        """
        platform = platform_for(registration.platform_family)
        url = with_path_suffix(line_item_url, "/results")
        if user_id is not None:
            url = with_query(url, {"user_id": user_id})

        def following(response: HttpResponse, _document: Any) -> str | None:
            return platform.next_results(response)

        found: dict[str, Result] = {}
        for response, document in self._client.pages(
            registration,
            platform.first_page(url, platform.results_page_size),
            scope=RESULT_READ,
            errors=AGS,
            accept=_RESULTS,
            following=following,
        ):
            if not isinstance(document, list):
                raise malformed(response, AGS)
            for entry in document:
                result = read_result(entry)
                if result is not None and user_id in (None, result.user_id):
                    found[result.user_id] = result
        return list(found.values())

    def post_score(self, registration: Registration, line_item_url: str, score: Score) -> bool:
        """Send a score. Returns whether it was sent: a platform may have reason to hold it back.

        Raises:
            AgsError: ``ags_conflict`` (the platform holds a newer grade), ``ags_refused``,
                ``ags_gone``, ``ags_unavailable`` (after all attempts).
        """
        platform = platform_for(registration.platform_family)
        if platform.must_look_first(score) and platform.holds_back(
            score, self.results(registration, line_item_url, user_id=score.user_id)
        ):
            return False
        try:
            self._client.call(
                registration,
                "POST",
                with_path_suffix(line_item_url, "/scores"),
                scope=SCORE,
                errors=AGS,
                accept="application/json, */*;q=0.1",
                body=score.document(),
                content_type=_SCORE,
                operation="score",
            )
        except AgsConflictError as error:
            # The answer to an earlier attempt was lost: the newer grade may be this very one.
            if not (error.uncertain and self._arrived(registration, line_item_url, score)):
                raise
        return True

    def _arrived(self, registration: Registration, line_item_url: str, score: Score) -> bool:
        try:
            results = self.results(registration, line_item_url, user_id=score.user_id)
        except AgsError:
            return False
        held = results[0].scaled_to(score.score_maximum) if results else None
        if held is None or score.score_given is None:
            return held is score.score_given
        return abs(held - score.score_given) <= _CLOSE * score.score_maximum

    def _elder(
        self,
        registration: Registration,
        ags: Mapping[str, Any],
        resource_id: str,
        tag: str,
        resource_link_id: str | None,
    ) -> LineItem | None:
        """The one line item that every worker agrees on: the link's own, then the eldest."""
        found = self.line_items(registration, ags, resource_id=resource_id, tag=tag)
        return min(
            found,
            key=lambda item: (
                resource_link_id is not None and item.resource_link_id != resource_link_id,
                _natural(item.url),
            ),
            default=None,
        )

    def _create(
        self, registration: Registration, ags: Mapping[str, Any], document: dict[str, Any]
    ) -> LineItem:
        offered = _offered(ags)
        if offered and LINE_ITEM not in offered:
            raise AgsNotOfferedError(
                "The platform does not let this tool make columns in its gradebook.",
                remedy="Allow column management in the platform's settings of this tool.",
            )
        container = _container(ags)
        response = self._client.call(
            registration,
            "POST",
            container,
            scope=LINE_ITEM,
            errors=AGS,
            accept=_LINE_ITEM,
            body=document,
            content_type=_LINE_ITEM,
            repeatable=False,
        )
        return read_line_item(read_json(response, AGS), response, container)


def _container(ags: Mapping[str, Any]) -> str:
    url = ags.get("lineitems")
    if not isinstance(url, str) or not url:
        raise AgsNotOfferedError(
            "The platform does not let this tool see the columns of its gradebook.",
            remedy="Switch on grade synchronisation in the platform's settings of this tool.",
        )
    return url


def _offered(ags: Mapping[str, Any]) -> list[str]:
    scopes = ags.get("scope")
    return [scope for scope in scopes if isinstance(scope, str)] if isinstance(scopes, list) else []


def _natural(url: str) -> list[tuple[int, str]]:
    """Order by the numbers in an address: what a platform made first has the smaller id."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", url)]
