"""The plan's services by their names: one person, one course, one roster, or everything.

Thin on purpose: the mechanism is the engine's, and is the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.moodle.documents import Document, Kind, Result
from lti_tool.moodle.models import Site
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.explain import Explanations, Step
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.letters import DeadLetters, DeadLetterView
from lti_tool.sync.provisioning.mappings import Known
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.rendered import Former, Nothing, Unfit
from lti_tool.sync.rendering import Rendering

_CALL = 200
Things = Mapping[Kind, Collection[str]]


@dataclass(frozen=True, slots=True)
class ThingStatus:
    """Where one thing of a site stands. ``waits``: a change of it is not yet in Moodle."""

    kind: Kind
    key: str
    known: Known | None
    waits: bool
    letters: list[DeadLetterView]


class SyncService(ABC):
    """What the services share: send again, ask what would change, say how it stands."""

    kind: ClassVar[Kind]

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        client: MoodleAPIClient,
        rendering: Rendering,
        marks: Marks,
        ledger: Ledger,
        letters: DeadLetters,
        explanations: Explanations,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._client = client
        self._rendering = rendering
        self._marks = marks
        self._ledger = ledger
        self._letters = letters
        self._explanations = explanations

    def resync(self, site: Site, key: str) -> Things:
        """Have one thing, and what hangs on it, sent again whatever was sent before; the next run
        does it. Returns what was marked.

        Raises:
            NotFoundError: the SIS has no such thing.
        """
        things = self._things(key)
        with self._database.writing() as connection:
            for kind, keys in things.items():
                self._ledger.send_again(connection, site.id, kind, keys)
        return things

    def resync_all(self, site: Site) -> int:
        """The same for everything of this kind; returns how many."""
        keys = self._rendering.all_keys(self.kind)
        with self._database.writing() as connection:
            self._ledger.send_again(connection, site.id, self.kind, keys)
        return len(keys)

    def dry_run(self, site: Site, key: str) -> list[Result]:
        """What sending it again would change; nothing is."""
        documents: list[Document] = []
        results: list[Result] = []
        for kind, keys in self._things(key).items():
            rendered = self._rendering.render(
                kind, sorted(keys), now=self._clock.now(), site_id=site.id
            )
            for each, document in rendered.items():
                if isinstance(document, Unfit):
                    results.append(document.as_result(kind, each))
                elif not isinstance(document, Nothing | Former):
                    documents.append(document)
        for batch in batches(documents, most=_CALL):
            results += self._client.apply(site, batch, dryrun=True).results
        return results

    def status(self, site: Site, key: str) -> ThingStatus:
        """How one thing stands at a site, by what the tool knows."""
        return ThingStatus(
            kind=self.kind,
            key=key,
            known=self._ledger.known(site.id, self.kind, [key]).get(key),
            waits=bool(self._marks.waiting(site.id, self.kind, [key])),
            letters=self._letters.list(site.id, kind=self.kind, key=key),
        )

    @abstractmethod
    def _things(self, key: str) -> Things:
        """What one thing is, with what hangs on it; raises NotFoundError."""


class MoodleUserSyncService(SyncService):
    """People: their accounts, and their places in courses."""

    kind = "user"

    def _things(self, key: str) -> Things:
        if key not in self._sis.people([key]):
            raise NotFoundError("The SIS has no person with this key.", person_key=key)
        classes = self._sis.classes_of_people([key])
        return {"user": [key], "roster": self._rendering.hosts(classes)}


class KeycloakAccountSyncService(SyncService):
    """People: their accounts in a realm."""

    kind = "account"

    def _things(self, key: str) -> Things:
        if key not in self._sis.people([key]):
            raise NotFoundError("The SIS has no person with this key.", person_key=key)
        return {"account": [key]}


class MoodleCourseSyncService(SyncService):
    """Classes: their terms, courses and rosters."""

    kind = "course"

    def _things(self, key: str) -> Things:
        view = self._sis.classes([key]).get(key)
        if view is None:
            raise NotFoundError("The SIS has no class with this key.", class_key=key)
        hosts = self._rendering.hosts([key])
        return {"category": [view.term_key], "course": hosts, "roster": hosts}


class MoodleEnrollmentSyncService(SyncService):
    """Rosters: who is in a course."""

    kind = "roster"

    def explain(self, site: Site, person_key: str, class_key: str) -> list[Step]:
        """Why a person is, or is not, in the course of a class."""
        return self._explanations.explain(site, person_key, class_key)

    def _things(self, key: str) -> Things:
        if key not in self._sis.classes([key]):
            raise NotFoundError("The SIS has no class with this key.", class_key=key)
        return {"roster": self._rendering.hosts([key])}
