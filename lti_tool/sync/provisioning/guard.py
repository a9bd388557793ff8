"""The mass-change guard: too many people suspended at once wait for somebody's yes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lti_tool.moodle.documents import Document, Roster, User
from lti_tool.moodle.models import MoodleSite
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.models import SyncRun

if TYPE_CHECKING:
    from lti_tool.sync.provisioning.engine import Work

_BATCH = 200


class Guard:
    """Stops a run before its first change if it would suspend too many people.

    Args:
        share: of the site's people in that kind of document, 0 to 1.
        count: the same as a number; the lower of the two holds.
    """

    class WaitingError(Exception):
        """The mass change waits; ``facts`` say what it would be."""

        def __init__(self, facts: dict[str, Any]) -> None:
            super().__init__("a mass change waits for approval")
            self.facts = facts

    def __init__(self, ledger: Ledger, *, share: float = 0.05, count: int = 200) -> None:
        self._ledger = ledger
        self._share = share
        self._count = count

    def limit(self, site_id: int, kind: str) -> int:
        """How many people may be suspended at once without asking. One always may."""
        total = self._ledger.total_active(site_id, "user" if kind == "user" else "roster")
        return min(self._count, max(1, int(self._share * total)))

    def pass_(self, site: MoodleSite, run: SyncRun, work: Work, client: MoodleAPIClient) -> None:
        """Let a kind's work pass; raises WaitingError.

        What the documents let in is compared with what was let in before; only where so many could
        be meant at all is Moodle asked who exactly (a dry run).
        """
        if work.kind not in ("user", "roster"):
            return
        known = self._ledger.known(site.id, work.kind, work.documents)
        suspects = {
            key: document
            for key, document in work.documents.items()
            if key in known and known[key].active and _may_suspend(document)
        }
        limit = self.limit(site.id, work.kind)
        if sum(known[key].active for key in suspects) <= limit:
            return
        suspended = self._suspended(site, suspects, client)
        approved = int(run.guard.get("allowed", {}).get(work.kind, 0))
        if suspended > max(limit, approved):
            raise self.WaitingError(
                {
                    "kind": work.kind,
                    "suspended": suspended,
                    "limit": limit,
                    "documents": len(suspects),
                }
            )

    def _suspended(
        self, site: MoodleSite, documents: dict[str, Document], client: MoodleAPIClient
    ) -> int:
        waiting = list(documents.values())
        count = 0
        for start in range(0, len(waiting), _BATCH):
            for result in client.apply(site, waiting[start : start + _BATCH], dryrun=True).results:
                count += result.kind == "user" and result.result == "suspended"
                count += sum(member.result == "suspended" for member in result.members)
        return count


def _may_suspend(document: Document) -> bool:
    match document:
        case User():
            return document.suspended
        case Roster():
            return True
        case _:
            return False
