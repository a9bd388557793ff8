"""The mass-change guard: too many people suspended at once wait for somebody's yes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lti_tool.core.clock import Clock
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Account, Document, Kind, MemberResult, Result, Roster, User
from lti_tool.moodle.models import Site
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.mappings import Known
from lti_tool.sync.provisioning.marks import Mark
from lti_tool.sync.provisioning.models import SyncRun
from lti_tool.sync.provisioning.people import active_people, people_lost, suspends
from lti_tool.sync.provisioning.runs import Runs

_BATCH = 200
_DIGESTED = 1000
_SUSPENDING: tuple[Kind, ...] = ("user", "roster", "account")
# What is suspended within so long was suspended at once: many small runs are a large one too.
_AT_ONCE = dt.timedelta(minutes=10)


@dataclass(slots=True)
class Work:
    """What one kind has to send: documents that differ from what was last applied."""

    kind: Kind
    marks: dict[str, Mark]
    documents: dict[str, Document]
    known: dict[str, Known]


class WaitingError(Exception):
    """The mass change waits; ``facts`` say what it would be."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__("a mass change waits for approval")
        self.facts = facts


class Guard:
    """Stops a run before its first change if it would suspend too many people.

    Args:
        share: of the site's people in that kind of document, 0 to 1; who lets all of them be
            suspended has no guard, whatever the number.
        count: the same as a number; the lower of the two holds.
    """

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        runs: Runs,
        client: MoodleAPIClient,
        *,
        share: float = 0.05,
        count: int = 200,
    ) -> None:
        self._clock = clock
        self._ledger = ledger
        self._runs = runs
        self._client = client
        self._share = share
        self._count = count

    def watch(self, site: Site, run: SyncRun) -> Watch:
        """Watch over one run."""
        if self._share >= 1:
            return Watch(site, self._client, limits={}, before={}, allowed={})
        recently = self._clock.now() - _AT_ONCE
        kinds = [kind for kind in _SUSPENDING if site.takes(kind)]
        return Watch(
            site,
            self._client,
            limits={kind: self.limit(site.id, kind) for kind in kinds},
            before={kind: self._runs.suspended_since(site.id, kind, recently) for kind in kinds},
            allowed=run.guard.get("allowed", {}),
        )

    def limit(self, site_id: int, kind: Kind) -> int:
        """How many people may be suspended at once without asking. One always may."""
        total = self._ledger.total_active(site_id, kind)
        return min(self._count, max(1, int(self._share * total)))


class Watch:
    """Counts the suspensions of one run: all before its first change, and again as they go, for
    the SIS may have changed in between."""

    def __init__(
        self,
        site: Site,
        client: MoodleAPIClient,
        *,
        limits: dict[Kind, int],
        before: dict[str, int],
        allowed: dict[str, int],
    ) -> None:
        self._site = site
        self._client = client
        self._limits = limits
        self._before = before
        self._allowed = allowed
        self._gone: dict[str, int] = dict.fromkeys(limits, 0)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds that can suspend somebody."""
        return list(self._limits)

    def harmless(self, kind: Kind, known: dict[str, Known], marks: Iterable[Mark]) -> bool:
        """Whether these marks cannot be a mass change, whatever their documents say."""
        at_stake = self._before[kind]
        for mark in marks:
            last = known.get(mark.key)
            if last is None or last.fingerprint is None or last.people is None:
                return False
            at_stake += last.active
        return at_stake <= self._limits[kind]

    def foresee(self, kind: Kind, works: Iterable[Work]) -> None:
        """Count what a kind would suspend; raises WaitingError if it is too much.

        Where nobody knows what stands there (never sent, or to be sent again), Moodle is asked.
        """
        suspended = documents = 0
        for work in works:
            unknown: dict[str, Document] = {}
            for key, document in work.documents.items():
                last = work.known.get(key)
                if last is None or last.fingerprint is None or last.people is None:
                    if _may_suspend(document):
                        unknown[key] = document
                    continue
                lost = people_lost(last.people, active_people(document))
                suspended += lost
                documents += bool(lost)
            asked = self._asked(kind, unknown)
            suspended += asked
            documents += bool(asked)
        self._check(kind, suspended, documents)

    def count(self, work: Work) -> None:
        """Count what is about to be sent; raises WaitingError as soon as it is too much."""
        if work.kind not in self._limits:
            return
        lost = sum(
            people_lost(last.people, active_people(document))
            for key, document in work.documents.items()
            if (last := work.known.get(key)) is not None
            and last.people is not None
            and last.fingerprint is not None
        )
        self._gone[work.kind] += lost
        if lost:
            self._check(work.kind, self._gone[work.kind], len(work.documents))

    def _check(self, kind: Kind, suspended: int, documents: int) -> None:
        limit = self._limits[kind]
        too_many = suspended and suspended + self._before[kind] > limit
        if too_many and suspended > int(self._allowed.get(kind, 0)):
            raise WaitingError(
                {
                    "kind": kind,
                    "suspended": suspended,
                    "limit": limit,
                    "documents": documents,
                    # What small runs have suspended just now counts with it.
                    "before": self._before[kind],
                }
            )

    def _asked(self, kind: Kind, documents: dict[str, Document]) -> int:
        keys = sorted(documents)
        there: dict[str, str] = {}
        for start in range(0, len(keys), _DIGESTED):
            some = keys[start : start + _DIGESTED]
            there |= {
                item.key: item.fingerprint for item in self._client.digests(self._site, kind, some)
            }
        wanted = [
            document
            for key, document in documents.items()
            if key in there and there[key] not in (fingerprint(document), _empty(key))
        ]
        count = 0
        for batch in batches(wanted, most=_BATCH):
            for result in self._client.apply(self._site, batch, dryrun=True).results:
                # Of a roster its people count; an account may have a line beside itself.
                found: list[Result | MemberResult] = (
                    [*result.members] if result.kind == "roster" else [result]
                )
                count += sum(map(suspends, found))
        return count


def _may_suspend(document: Document) -> bool:
    match document:
        case User():
            return document.suspended
        case Account():
            return not document.enabled
        case Roster():
            return True
        case _:
            return False


def _empty(key: str) -> str:
    return fingerprint(Roster(course=key, count=0, members=[]))
