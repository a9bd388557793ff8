"""Brings back what a run changed, from its journal."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, NagaError, NotFoundError
from lti_tool.moodle.documents import KINDS, Document, Kind, Result, key_of
from lti_tool.moodle.models import Site
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.former import former_document
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.marks import Mark
from lti_tool.sync.provisioning.models import (
    MoodleIntegrationRecord,
    RunState,
    RunTrigger,
    SyncRun,
)
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.rendered import Former, Nothing, Unfit
from lti_tool.sync.rendering import Rendering

_journal = cast(sa.Table, MoodleIntegrationRecord.__table__)
_CALL = 100
# The run that is under way stops at its next call, since the site is on hold.
_WAIT_SECONDS = 60


@dataclass(slots=True)
class Undone:
    """What an undoing would do, or did; ``left``: what cannot be brought back, and why."""

    documents: list[Document] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    left: list[tuple[str, str, str]] = field(default_factory=list)
    run: SyncRun | None = None


class Undo:
    """Turns a run's journal into documents of what was before.

    People and courses that the run made are not deleted: accounts are suspended, courses hidden,
    places taken away. The site is put on hold, or the next run would bring everything back.
    Killed in between, it is simply asked for again: what is back already is found unchanged.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        client: MoodleAPIClient,
        gates: Gates,
        rendering: Rendering,
        ledger: Ledger,
        runs: Runs,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._client = client
        self._gates = gates
        self._rendering = rendering
        self._ledger = ledger
        self._runs = runs
        self._sleep = sleep

    def undo(
        self,
        site: Site,
        run_id: int,
        *,
        actor: str,
        plan: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> Undone:
        """Bring back what ``run_id`` changed; with ``plan`` nothing happens but the dry run.

        Raises:
            NotFoundError: this site has no such run.
            ConflictError: the run has not ended, or another will not stop.
            PluginError: Moodle failed; what was done until then stands, and is in the journal.
        """
        self._check(site, run_id)
        undone = Undone()
        entries = self._entries(run_id)
        # Places are taken away before accounts, the reverse of how they came.
        for kind in reversed(KINDS):
            self._former(site, kind, entries.get(kind, {}), undone)
        if plan:
            for batch in batches(undone.documents, most=_CALL):
                undone.results += self._client.apply(site, batch, dryrun=True).results
                progress(len(undone.results), len(undone.documents))
        elif undone.documents:
            self._runs.hold(site.id, actor=actor, reason=f"undo of run {run_id}")
            with self._lease(site) as holder:
                undone.run = self._runs.begin(
                    site.id,
                    trigger=RunTrigger.UNDO,
                    actor=actor,
                    total=len(undone.documents),
                    holder=holder,
                    anew=True,
                )
                self._apply(site, undone.run, undone, progress)
        return undone

    def _check(self, site: Site, run_id: int) -> None:
        run = self._runs.get(run_id)
        if run.site_id != site.id:
            raise NotFoundError("This site has no such run.", run=run_id)
        if run.state in (RunState.RUNNING, RunState.WAITING) and run.counts == {}:
            raise ConflictError("This run has changed nothing yet.", run=run_id)

    @contextmanager
    def _lease(self, site: Site) -> Iterator[str]:
        holder = self._gates.take(site.id)
        for _ in range(_WAIT_SECONDS):
            if holder is not None:
                break
            self._sleep(1.0)
            holder = self._gates.take(site.id)
        if holder is None:
            raise ConflictError(
                "Another run of this site is under way.",
                remedy="It stops by itself, since changes are held now. Try again in a minute.",
                site=site.id,
            )
        try:
            with self._gates.alive(site.id, holder):
                yield holder
        finally:
            self._gates.give_back(site.id, holder)

    def _apply(
        self,
        site: Site,
        run: SyncRun,
        undone: Undone,
        progress: Callable[[int, int], None],
    ) -> None:
        try:
            for batch in batches(undone.documents, most=_CALL):
                results = self._client.apply(site, batch).results
                undone.results += results
                self._store(run, batch, results)
                progress(len(undone.results), len(undone.documents))
        except BaseException as error:
            code = error.code if isinstance(error, NagaError) else type(error).__name__
            self._runs.end(run, RunState.FAILED, error=code)
            raise
        self._runs.end(run, RunState.DONE)

    def _entries(self, run_id: int) -> dict[Kind, dict[str, list[dict[str, Any]]]]:
        """What the run did, by kind and key, the latest first."""
        query = (
            sa.select(_journal.c.kind, _journal.c.key, _journal.c.outcome, _journal.c.detail_sealed)
            .where(
                _journal.c.run_id == run_id,
                _journal.c.outcome != "refused",
                # An account that stayed as it was: its entry is about the address that it lacks.
                ~sa.and_(_journal.c.kind == "account", _journal.c.outcome == "unchanged"),
            )
            .order_by(_journal.c.id.desc())
        )
        found: dict[Kind, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        with self._database.reading() as connection:
            for kind, key, outcome, sealed in connection.execute(query):
                found[kind][key].append({"outcome": outcome, **self._journal.detail(sealed)})
        return found

    def _former(
        self,
        site: Site,
        kind: Kind,
        entries: Mapping[str, Sequence[Mapping[str, Any]]],
        undone: Undone,
    ) -> None:
        rendered = self._rendering.render(
            kind, list(entries), now=self._clock.now(), site_id=site.id
        )
        for key, done in entries.items():
            found = rendered[key]
            document = found.document if isinstance(found, Former) else found
            if isinstance(document, Nothing | Unfit):
                undone.left.append((kind, key, "the SIS has no document for it any more"))
                continue
            document, left = former_document(document, done)
            undone.documents.append(document)
            undone.left += [(kind, key, why) for why in left]

    def _store(
        self, run: SyncRun, documents: Sequence[Document], results: Sequence[Result]
    ) -> None:
        now = self._clock.now()
        for kind in KINDS:
            chosen = [
                (document, result)
                for document, result in zip(documents, results, strict=True)
                if document.kind == kind
            ]
            if chosen:
                # No marks: what the SIS wants meanwhile waits for the end of the hold.
                marks = {key_of(each): Mark(key_of(each), now, now, 0) for each, _ in chosen}
                self._ledger.applied(
                    run,
                    kind,
                    marks,
                    [document for document, _ in chosen],
                    [result for _, result in chosen],
                )
