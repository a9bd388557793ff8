"""What became of documents: mappings, journal and dead letters, a transaction per batch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Document, Kind, MemberResult, Result, Roster, User, key_of
from lti_tool.sis.bulk import chunks
from lti_tool.sync.provisioning.letters import DeadLetters, Letter
from lti_tool.sync.provisioning.marks import Mark, Marks
from lti_tool.sync.provisioning.models import (
    DeadLetter,
    MoodleIntegrationRecord,
    SyncedDocument,
    SyncRun,
)
from lti_tool.sync.rendering import Unfit

_synced = cast(sa.Table, SyncedDocument.__table__)
_letters = cast(sa.Table, DeadLetter.__table__)
_journal = cast(sa.Table, MoodleIntegrationRecord.__table__)
_runs = cast(sa.Table, SyncRun.__table__)

DETAIL = "moodle_integration_record.detail"
# What is not there yet is waited for: the code of a refusal, and the kind of what must come first.
_AWAITED: dict[str, Kind] = {
    "category_missing": "category",
    "course_missing": "course",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What a site was last made equal to, of one thing."""

    moodle_id: int | None
    fingerprint: str | None
    active: int


@dataclass(slots=True)
class _Outcome:
    """What one batch leaves behind."""

    synced: list[dict[str, Any]] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    # Dead letters that are answered by this batch: of these keys all, except those written anew.
    answered: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    settled: list[Mark] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class Ledger:
    """Stores results, and answers what is known of a site."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        marks: Marks,
        letters: DeadLetters,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._marks = marks
        self._letters = letters

    def known(self, site_id: int, kind: Kind, keys: Collection[str]) -> dict[str, Known]:
        """What the site was last made equal to, by key."""
        query = sa.select(
            _synced.c.key, _synced.c.moodle_id, _synced.c.fingerprint, _synced.c.active
        ).where(_synced.c.site_id == site_id, _synced.c.kind == kind)
        found: dict[str, Known] = {}
        with self._database.reading() as connection:
            for some in chunks(sorted(keys), 1000):
                for row in connection.execute(query.where(_synced.c.key.in_(some))):
                    found[row[0]] = Known(*row[1:])
        return found

    def total_active(self, site_id: int, kind: Kind) -> int:
        """How many people all documents of a kind let in: the measure of a mass change."""
        query = sa.select(sa.func.coalesce(sa.func.sum(_synced.c.active), 0)).where(
            _synced.c.site_id == site_id, _synced.c.kind == kind
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def unchanged(
        self, run: SyncRun, kind: Kind, marks: Sequence[Mark], *, nothing: bool = False
    ) -> None:
        """Settle marks of things that are as they were last sent, or that have no document."""
        with self._database.writing() as connection:
            self._marks.settle(connection, run.site_id, kind, marks)
            if nothing:
                self._letters.replace(connection, run, kind, {mark.key for mark in marks}, ())
            self._progress(connection, run, kind, {"skipped": len(marks)}, len(marks))

    def unfit(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], problems: Mapping[str, Unfit]
    ) -> None:
        """Settle marks of things that fit no document: dead letters, with field and words."""
        outcome = _Outcome(settled=list(marks.values()))
        for mark in marks.values():
            problem = problems[mark.key]
            outcome.letters.append(Letter(mark.key, "", "unfit", problem.field, problem.message))
            outcome.answered.add(mark.key)
            outcome.journal.append(self._entry(run, kind, mark.key, "refused", code="unfit"))
            outcome.counts["refused"] += 1
        self._store(run, kind, marks, outcome)

    def applied(
        self,
        run: SyncRun,
        kind: Kind,
        marks: Mapping[str, Mark],
        documents: Sequence[Document],
        results: Sequence[Result],
    ) -> None:
        """Store what a call brought back: one transaction, after which it never happened twice."""
        outcome = _Outcome()
        for document, result in zip(documents, results, strict=True):
            key = key_of(document)
            mark = marks[key]
            outcome.counts[result.result] += 1
            for member in result.members:
                outcome.counts[f"people_{member.result}"] += 1
            if result.result != "unchanged" or any(
                member.result != "unchanged" for member in result.members
            ):
                outcome.journal.append(
                    self._entry(
                        run,
                        kind,
                        key,
                        result.result,
                        code=result.code,
                        moodle_id=result.id,
                        detail=_told(result),
                    )
                )
            if result.result == "refused":
                self._refused(run, kind, document, result, mark, outcome)
            else:
                self._done(run, document, result, mark, outcome)
        self._store(run, kind, marks, outcome)

    def failed(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], keys: Sequence[str], reason: str
    ) -> None:
        """A call failed for a passing reason: its documents are tried again later."""
        with self._database.writing() as connection:
            self._marks.postpone(connection, run.site_id, kind, marks, dict.fromkeys(keys, reason))

    def retry(self, site_id: int, *, kind: str | None = None, key: str | None = None) -> int:
        """Send again what was refused: everything, a kind, or one thing; returns how many."""
        with self._database.writing() as connection:
            query = (
                sa.select(_letters.c.kind, _letters.c.key)
                .where(_letters.c.site_id == site_id)
                .distinct()
            )
            if kind is not None:
                query = query.where(_letters.c.kind == kind)
            if key is not None:
                query = query.where(_letters.c.key == key)
            wanted: dict[Kind, list[str]] = defaultdict(list)
            for found_kind, found_key in connection.execute(query):
                wanted[found_kind].append(found_key)
            for found_kind, keys in wanted.items():
                self.send_again(connection, site_id, found_kind, keys)
        return sum(map(len, wanted.values()))

    def send_again(
        self, connection: sa.Connection, site_id: int, kind: Kind, keys: Collection[str]
    ) -> None:
        """Forget what was sent last of these things, so that their documents travel again."""
        for some in chunks(sorted(keys), 1000):
            connection.execute(
                sa.update(_synced)
                .where(
                    _synced.c.site_id == site_id,
                    _synced.c.kind == kind,
                    _synced.c.key.in_(some),
                )
                .values(fingerprint=None)
            )
        self._marks.put(connection, site_id, kind, keys)

    def give_up(self, run: SyncRun, kind: Kind, mark: Mark, *, code: str, message: str) -> None:
        """A document that fails alone, again and again, although the site answers."""
        outcome = _Outcome(settled=[mark])
        outcome.letters.append(Letter(mark.key, "", code, None, message))
        outcome.answered.add(mark.key)
        outcome.journal.append(self._entry(run, kind, mark.key, "refused", code=code))
        outcome.counts["refused"] += 1
        self._store(run, kind, {mark.key: mark}, outcome)

    def _done(
        self, run: SyncRun, document: Document, result: Result, mark: Mark, outcome: _Outcome
    ) -> None:
        now = self._clock.now()
        refused = {member.user: member for member in result.members if member.result == "refused"}
        outcome.synced.append(
            {
                "site_id": run.site_id,
                "kind": document.kind,
                "key": mark.key,
                "moodle_id": result.id,
                "fingerprint": fingerprint(document),
                "outcome": result.result,
                "active": active_people(document),
                "created_at": now,
                "created_by": run.actor,
                "updated_at": now,
                "updated_by": run.actor,
            }
        )
        outcome.settled.append(mark)
        outcome.answered.add(mark.key)
        for user, member in refused.items():
            outcome.letters.append(
                Letter(mark.key, user, member.code or "refused", member.field, member.message or "")
            )

    def _refused(
        self,
        run: SyncRun,
        kind: Kind,
        document: Document,
        result: Result,
        mark: Mark,
        outcome: _Outcome,
    ) -> None:
        awaited = _awaited(document, result)
        if awaited is not None:
            outcome.waiting[mark.key] = awaited
            return
        outcome.settled.append(mark)
        outcome.answered.add(mark.key)
        outcome.letters.append(
            Letter(mark.key, "", result.code or "refused", result.field, result.message or "")
        )

    def _store(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], outcome: _Outcome
    ) -> None:
        site_id = run.site_id
        with self._database.writing() as connection:
            if outcome.synced:
                self._upsert_synced(connection, outcome.synced)
            if outcome.journal:
                connection.execute(sa.insert(_journal), outcome.journal)
            self._letters.replace(connection, run, kind, outcome.answered, outcome.letters)
            self._marks.settle(connection, site_id, kind, outcome.settled)
            self._marks.postpone(connection, site_id, kind, marks, outcome.waiting)
            done = [row["key"] for row in outcome.synced]
            self._marks.release(connection, site_id, [f"{kind}:{key}" for key in done])
            if kind == "user":
                self._revive_rosters(connection, site_id, done)
            self._progress(connection, run, kind, outcome.counts, len(outcome.settled))

    def _upsert_synced(self, connection: sa.Connection, rows: list[dict[str, Any]]) -> None:
        for some in chunks(rows, 500):
            insert = self._database.upsert(_synced).values(some)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["site_id", "kind", "key"],
                    set_={
                        name: getattr(insert.excluded, name)
                        for name in (
                            "fingerprint",
                            "outcome",
                            "active",
                            "updated_at",
                            "updated_by",
                        )
                    }
                    | {
                        "moodle_id": sa.func.coalesce(
                            insert.excluded.moodle_id, _synced.c.moodle_id
                        )
                    },
                )
            )

    def _revive_rosters(
        self, connection: sa.Connection, site_id: int, people: Sequence[str]
    ) -> None:
        """People who could not be placed for want of an account have one now."""
        for some in chunks(people, 1000):
            courses = connection.scalars(
                sa.select(_letters.c.key)
                .where(
                    _letters.c.site_id == site_id,
                    _letters.c.kind == "roster",
                    _letters.c.item.in_(some),
                )
                .distinct()
            ).all()
            if courses:
                self.send_again(connection, site_id, "roster", courses)

    def _progress(
        self,
        connection: sa.Connection,
        run: SyncRun,
        kind: Kind,
        counts: Mapping[str, int],
        done: int,
    ) -> None:
        of_kind = run.counts.setdefault(kind, {})
        for outcome, number in counts.items():
            of_kind[outcome] = of_kind.get(outcome, 0) + number
        run.done += done
        connection.execute(
            sa.update(_runs)
            .where(_runs.c.id == run.id)
            .values(counts=run.counts, done=run.done, heartbeat_at=self._clock.now())
        )

    def _entry(
        self,
        run: SyncRun,
        kind: Kind,
        key: str,
        outcome: str,
        *,
        code: str | None = None,
        moodle_id: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        sealed = None
        if detail:
            text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
            sealed = self._keyring.seal(text.encode(), purpose=DETAIL)
        return {
            "run_id": run.id,
            "site_id": run.site_id,
            "kind": kind,
            "key": key,
            "outcome": outcome,
            "moodle_id": moodle_id,
            "code": code,
            "at": self._clock.now(),
            "detail_sealed": sealed,
        }


def active_people(document: Document) -> int:
    """How many people a document lets in."""
    match document:
        case User():
            return 0 if document.suspended else 1
        case Roster():
            return sum(member.status == "active" for member in document.members)
        case _:
            return 0


def _awaited(document: Document, result: Result) -> str | None:
    kind = _AWAITED.get(result.code or "")
    if kind is None:
        return None
    key = getattr(document, "category", None) or getattr(document, "parent", None)
    return f"{kind}:{key if kind == 'category' else key_of(document)}"


def _told(result: Result) -> dict[str, Any]:
    """What the journal keeps of a result: who was left as they were says nothing."""
    told = result.model_dump(
        mode="json", include={"changes", "code", "field", "message"}, exclude_defaults=True
    )
    members = [
        member.model_dump(mode="json", exclude_defaults=True)
        for member in result.members
        if _noteworthy(member)
    ]
    return told | ({"members": members} if members else {})


def _noteworthy(member: MemberResult) -> bool:
    return member.result != "unchanged"
