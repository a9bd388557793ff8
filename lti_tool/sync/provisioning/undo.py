"""Brings back what a run changed, from its journal."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from pydantic import ValidationError

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.moodle.documents import (
    KINDS,
    AnyDocument,
    Category,
    Course,
    Document,
    Kind,
    Member,
    Result,
    Roster,
    User,
)
from lti_tool.moodle.models import MoodleSite
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import DETAIL, Ledger
from lti_tool.sync.provisioning.marks import Mark
from lti_tool.sync.provisioning.models import (
    MoodleIntegrationRecord,
    RunState,
    RunTrigger,
    SyncRun,
)
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.rendering import Nothing, Rendering, Unfit

_journal = cast(sa.Table, MoodleIntegrationRecord.__table__)
_CALL = 100


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
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        client: MoodleAPIClient,
        rendering: Rendering,
        ledger: Ledger,
        runs: Runs,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._client = client
        self._rendering = rendering
        self._ledger = ledger
        self._runs = runs

    def undo(self, site: MoodleSite, run_id: int, *, actor: str, plan: bool = False) -> Undone:
        """Bring back what ``run_id`` changed; with ``plan`` nothing happens but the dry run."""
        undone = Undone()
        entries = self._entries(run_id)
        # Places are taken away before accounts, the reverse of how they came.
        for kind in reversed(KINDS):
            self._former(kind, entries.get(kind, {}), undone)
        if not plan and undone.documents:
            self._runs.hold(site.id, actor=actor, reason=f"undo of run {run_id}")
            undone.run = self._runs.begin(
                site.id, trigger=RunTrigger.UNDO, actor=actor, total=len(undone.documents)
            )
        for start in range(0, len(undone.documents), _CALL):
            batch = undone.documents[start : start + _CALL]
            results = self._client.apply(site, batch, dryrun=plan).results
            undone.results += results
            if undone.run is not None:
                self._store(undone.run, batch, results)
        if undone.run is not None:
            self._runs.end(undone.run, RunState.DONE)
        return undone

    def _entries(self, run_id: int) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """What the run did, by kind and key, the latest first."""
        query = (
            sa.select(_journal.c.kind, _journal.c.key, _journal.c.outcome, _journal.c.detail_sealed)
            .where(_journal.c.run_id == run_id, _journal.c.outcome != "refused")
            .order_by(_journal.c.id.desc())
        )
        found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
        with self._database.reading() as connection:
            for kind, key, outcome, sealed in connection.execute(query):
                detail = json.loads(self._keyring.open(sealed, purpose=DETAIL)) if sealed else {}
                found[kind][key].append({"outcome": outcome, **detail})
        return found

    def _former(
        self, kind: Kind, entries: Mapping[str, Sequence[Mapping[str, Any]]], undone: Undone
    ) -> None:
        rendered = self._rendering.render(kind, list(entries), now=self._clock.now())
        for key, done in entries.items():
            document = rendered[key]
            if isinstance(document, Nothing | Unfit):
                undone.left.append((kind, key, "the SIS has no document for it any more"))
                continue
            for entry in done:
                document = _before(document, entry)
            try:
                undone.documents.append(AnyDocument.validate_python(document.model_dump()))
            except ValidationError:
                undone.left.append((kind, key, "what was before fits no document"))

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
                marks = {result.key: Mark(result.key, now, now, 0) for _, result in chosen}
                self._ledger.applied(
                    run,
                    kind,
                    marks,
                    [document for document, _ in chosen],
                    [result for _, result in chosen],
                )


def _before(document: Document, entry: Mapping[str, Any]) -> Document:
    """The document as it was before one entry of the journal."""
    created = entry["outcome"] == "created"
    match document:
        case User() if created:
            return document.model_copy(update={"suspended": True})
        case Course() | Category() if created:
            return document.model_copy(update={"visible": False})
        case Roster():
            return _roster_before(document, entry.get("members", []))
    fields = type(document).model_fields
    changes = {
        change["field"]: change.get("before")
        for change in entry.get("changes", [])
        if change["field"] in fields and change.get("before") is not None
    }
    return document.model_copy(update=changes)


def _roster_before(document: Roster, done: Sequence[Mapping[str, Any]]) -> Roster:
    members = {member.user: member for member in document.members}
    for entry in done:
        user, result = entry["user"], entry["result"]
        member = members.get(user) or Member(user=user)
        before = {
            change["field"]: change.get("before")
            for change in entry.get("changes", [])
            if change.get("before") is not None
        }
        if result == "created":
            member = member.model_copy(update={"status": "suspended"})
        elif result == "suspended":
            member = member.model_copy(update={"status": "active", **before})
        elif result == "updated":
            member = member.model_copy(update=before)
        else:
            continue
        members[user] = member
    ordered = [members[user] for user in sorted(members)]
    return document.model_copy(update={"members": ordered, "count": len(ordered)})
