"""The one way to a site: its calls behind its gate, and the plan's operations of a Moodle."""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from lti_tool.core.clock import Clock
from lti_tool.moodle.documents import Applied, Course, Document, Kind, Result, User
from lti_tool.moodle.messages import SiteStatus
from lti_tool.moodle.models import Site, System
from lti_tool.moodle.pages import DigestItem, DigestPage, ReadPage, all_pages
from lti_tool.moodle.plugin_errors import PluginError, TransientError
from lti_tool.sync.provisioning.gate import Gates

_T = TypeVar("_T")
# A caller waits so long for the next minute's calls; the lease of a run outlasts it.
_LONGEST_WAIT = 61.0
_FIRST_RETRY = 0.5


class Target(Protocol):
    """What a site is asked by: the plugin in a Moodle, or a realm's directory of people.

    Raises :class:`~lti_tool.moodle.plugin_errors.PluginError`; the family says what helps.
    """

    def status(self, site: Any) -> SiteStatus:
        """How the site is."""
        ...

    def apply(self, site: Any, documents: Sequence[Any], *, dryrun: bool = False) -> Applied:
        """Make the site equal to the documents; one result per document, in their order."""
        ...

    def digest(
        self, site: Any, kind: Kind, keys: Sequence[str] = (), *, after: str | int | None = None
    ) -> DigestPage:
        """One page of the fingerprints of what is there; of these ``keys`` alone, if any."""
        ...

    def read(
        self,
        site: Any,
        what: str,
        scope: Mapping[str, Any] | None = None,
        *,
        after: str | int | None = None,
    ) -> ReadPage:
        """One page of what is there."""
        ...


class SiteClosedError(TransientError):
    """The site is not called at this moment: it did not answer, or has had its calls."""

    code = "site_closed"
    title = "This site is left alone for a while"


class MoodleAPIClient:
    """Calls a site with its token; rate limit and breaker are shared with all other workers.

    Readings are tried again; writings once, for whoever asks knows whether to ask again. The
    token is renewed by the plugin before it ends (``docs/contract.md``).

    Args:
        targets: what is asked, by what a site is.
        attempts: tries at a reading that fails for a passing reason.
        cache_seconds: how long :meth:`cached` answers without asking.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        targets: Mapping[System, Target],
        gates: Gates,
        clock: Clock,
        *,
        attempts: int = 3,
        cache_seconds: float = 60,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._targets = targets
        self._gates = gates
        self._clock = clock
        self._attempts = attempts
        self._cache_for = dt.timedelta(seconds=cache_seconds)
        self._sleep = sleep
        self._cache: dict[tuple[int, str, str], tuple[dt.datetime, ReadPage]] = {}

    # -- the plugin's calls

    def status(self, site: Site) -> SiteStatus:
        """How the site is."""
        return self._reading(site, lambda: self._of(site).status(site))

    def apply(self, site: Site, documents: Sequence[Document], *, dryrun: bool = False) -> Applied:
        """Make the site equal to the documents, or say what would change."""
        return self._once(site, lambda: self._of(site).apply(site, documents, dryrun=dryrun))

    def digests(self, site: Site, kind: Kind, keys: Sequence[str] = ()) -> Iterator[DigestItem]:
        """Fingerprints of what is there, page by page."""
        for page in all_pages(
            lambda after: self._reading(
                site, lambda: self._of(site).digest(site, kind, keys, after=after)
            ),
            url=site.url,
        ):
            yield from page.items

    def read(
        self,
        site: Site,
        what: str,
        scope: Mapping[str, Any] | None = None,
        *,
        after: str | int | None = None,
    ) -> ReadPage:
        """One page of what is there (``docs/contract.md``)."""
        return self._reading(site, lambda: self._of(site).read(site, what, scope, after=after))

    def pages(
        self, site: Site, what: str, scope: Mapping[str, Any] | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """The items of all pages, a page at a time."""
        for page in all_pages(
            lambda after: self.read(site, what, scope, after=after), url=site.url
        ):
            yield page.items

    def cached(self, site: Site, what: str, scope: Mapping[str, Any] | None = None) -> ReadPage:
        """As :meth:`read`, for pages that people look at: a minute old is new enough."""
        key = (site.id, what, json.dumps(scope or {}, sort_keys=True))
        now = self._clock.now()
        held = self._cache.get(key)
        if held is None or now - held[0] >= self._cache_for:
            self._cache = {
                other: kept
                for other, kept in self._cache.items()
                if now - kept[0] < self._cache_for
            }
            page = self.read(site, what, scope)
            # As old as its answer, not as the wait for it.
            held = self._cache[key] = (self._clock.now(), page)
        return held[1]

    # -- one thing at a time

    def create_user(self, site: Site, user_data: Mapping[str, Any]) -> Result:
        """Make one account, or adopt the one that has this idnumber."""
        return self._one(site, User.model_validate({**user_data, "kind": "user"}))

    def update_user(self, site: Site, user_data: Mapping[str, Any]) -> Result:
        """Bring one account up to these fields; the document is complete, as always."""
        return self.create_user(site, user_data)

    def create_course(self, site: Site, course_data: Mapping[str, Any]) -> Result:
        """Make one course, or bring it up to these fields."""
        return self._one(site, Course.model_validate({**course_data, "kind": "course"}))

    def get_course_grades(self, site: Site, course_key: str) -> list[dict[str, Any]]:
        """All grades of one course, by its idnumber."""
        scope = {"courses": [course_key]}
        return [item for page in self.pages(site, "grades", scope) for item in page]

    def _one(self, site: Site, document: Document) -> Result:
        return self.apply(site, [document]).results[0]

    def _of(self, site: Site) -> Target:
        return self._targets[System(site.system)]

    # -- the gate

    def _reading(self, site: Site, call: Callable[[], _T]) -> _T:
        for attempt in range(1, self._attempts + 1):
            try:
                return self._once(site, call)
            except SiteClosedError:
                raise
            except TransientError:
                if attempt == self._attempts:
                    raise
                pause = _FIRST_RETRY * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311
                self._sleep(pause)
        raise AssertionError("unreachable")

    def _once(self, site: Site, call: Callable[[], _T]) -> _T:
        self._enter(site)
        try:
            answer = call()
        except TransientError as error:
            self._gates.failed(site.id, error.detail, wait=error.retry_after)
            raise
        except PluginError:
            # An answer all the same: the site is there.
            self._gates.succeeded(site.id)
            raise
        self._gates.succeeded(site.id)
        return answer

    def _enter(self, site: Site) -> None:
        closed = self._gates.enter(site.id)
        if closed is not None and closed.reason == "rate_limit":
            left = (closed.until - self._clock.now()).total_seconds()
            self._sleep(max(0.0, min(left, _LONGEST_WAIT)))
            closed = self._gates.enter(site.id)
        if closed is not None:
            raise SiteClosedError(
                f"{site.name} is left alone until {closed.until:%H:%M:%S} UTC: {closed.reason}",
                remedy="It is tried again by itself.",
                until=closed.until.isoformat(),
            )
