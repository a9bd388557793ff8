"""What became of documents: mappings, journal and dead letters, a transaction per batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Course, Document, Grades, Kind, MemberResult, Result, key_of
from lti_tool.sync.grades.receipts import CHANGED, Belonging, Receipts, as_it_stays
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning.letters import DeadLetters, Letter
from lti_tool.sync.provisioning.mappings import Known, Mappings
from lti_tool.sync.provisioning.marks import Mark, Marks
from lti_tool.sync.provisioning.models import MoodleIntegrationRecord, SiteGate, SyncRun
from lti_tool.sync.provisioning.people import active_people, count_people, outcome_of
from lti_tool.sync.rendered import Unfit

_journal = cast(sa.Table, MoodleIntegrationRecord.__table__)
_runs = cast(sa.Table, SyncRun.__table__)
_gates = cast(sa.Table, SiteGate.__table__)

# What is not there yet is waited for: the code of a refusal, and the kind of what must come first.
_AWAITED: dict[str, Kind] = {
    "category_missing": "category",
    "course_missing": "course",
    "gradebook_missing": "gradebook",
}
# What somebody deleted in Moodle, by who was refused for want of it: it is sent again, once.
_LOST: dict[str, Kind] = {
    "user_missing": "user",
    "item_missing": "gradebook",
    "not_enrolled": "roster",
    "no_gradebook_role": "roster",
}
# What somebody else had, until a document gave it free: the field, and who was refused for it.
_TAKEN: dict[str, str] = {
    "username": "username_taken",
    "email": "email_taken",
    "shortname": "shortname_taken",
}


class LeaseLostError(Exception):
    """Another worker has taken over: what this one brings may be old, and is not stored."""


@dataclass(slots=True)
class _Outcome:
    """What one batch leaves behind."""

    synced: list[dict[str, Any]] = field(default_factory=list)
    together: dict[str, list[str]] = field(default_factory=dict)
    journal: list[dict[str, Any]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    # Dead letters that are answered by this batch: of these keys all, except those written anew.
    answered: set[str] = field(default_factory=set)
    waiting: dict[str, str] = field(default_factory=dict)
    settled: list[Mark] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    grades: list[tuple[Grades, Result]] = field(default_factory=list)
    belonging: Belonging | None = None
    gradebooks: list[Result] = field(default_factory=list)
    # If they were there before, grades went with them.
    made: list[str] = field(default_factory=list)
    # Codes of refusals that may have been answered by what was set free.
    freed: set[str] = field(default_factory=set)


class Ledger:
    """Stores results, and answers what is known of a site.

    Whatever is stored for a run is refused with :class:`LeaseLostError` when the run's lease has
    become another's.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        journal: Journal,
        mappings: Mappings,
        marks: Marks,
        letters: DeadLetters,
        receipts: Receipts,
    ) -> None:
        self._database = database
        self._clock = clock
        self._journal = journal
        self._mappings = mappings
        self._marks = marks
        self._letters = letters
        self._receipts = receipts

    def known(self, site_id: int, kind: Kind, keys: Collection[str]) -> dict[str, Known]:
        """What the site was last made equal to, by key."""
        return self._mappings.known(site_id, kind, keys)

    def keys(self, site_id: int, kind: Kind) -> set[str]:
        """Keys of everything of a kind that the site was ever made equal to."""
        return self._mappings.keys(site_id, kind)

    def refused(self, site_id: int, kind: Kind, keys: Collection[str]) -> set[str]:
        """Which of these things have a dead letter, or a person in them has."""
        with self._database.reading() as connection:
            return {key for key, _ in self._letters.standing(connection, site_id, kind, keys)}

    def total_active(self, site_id: int, kind: Kind) -> int:
        """How many people all documents of a kind let in: the measure of a mass change."""
        return self._mappings.total_active(site_id, kind)

    def unchanged(
        self, run: SyncRun, kind: Kind, marks: Sequence[Mark], *, nothing: bool = False
    ) -> None:
        """Settle marks of things that are as they were last sent, or that have no document."""
        with self._database.writing() as connection:
            _check_lease(connection, run)
            self._marks.settle(connection, run.site_id, kind, marks)
            if nothing:
                self._letters.replace(connection, run, kind, {mark.key for mark in marks}, ())
            self._progress(connection, run, kind, {"skipped": len(marks)}, len(marks))

    def unfit(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], problems: Mapping[str, Unfit]
    ) -> None:
        """Settle marks of things that fit no document: dead letters, with field and words."""
        outcome = _Outcome()
        for mark in marks.values():
            problem = problems[mark.key]
            self._dead(run, kind, mark, outcome, "unfit", problem.message, problem.field)
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
        outcome = _Outcome(belonging=self._receipts.belonging(documents))
        of_what = "grades" if kind == "grades" else "people"
        for document, result in zip(documents, results, strict=True):
            mark = marks[key_of(document)]
            outcome.counts[outcome_of(result)] += 1
            for member in result.members:
                outcome.counts[f"{of_what}_{outcome_of(member)}"] += 1
            entry = self._journal.of_result(run, kind, result)
            if entry is not None:
                outcome.journal.append(entry)
            if result.result == "refused":
                self._refused(document, result, mark, outcome)
            else:
                self._done(run, document, result, mark, outcome)
        self._store(run, kind, marks, outcome)

    def failed(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], keys: Sequence[str], reason: str
    ) -> None:
        """A call failed for a passing reason: its documents are tried again later."""
        with self._database.writing() as connection:
            _check_lease(connection, run)
            self._marks.postpone(connection, run.site_id, kind, marks, dict.fromkeys(keys, reason))

    def give_up(self, run: SyncRun, kind: Kind, mark: Mark, *, code: str, message: str) -> None:
        """A document that fails alone, again and again, although the site answers."""
        outcome = _Outcome()
        self._dead(run, kind, mark, outcome, code, message, None)
        self._store(run, kind, {mark.key: mark}, outcome)

    def retry(self, site_id: int, *, kind: str | None = None, key: str | None = None) -> int:
        """Try again what was refused or waits: all, a kind, or one thing; returns how many."""
        with self._database.writing() as connection:
            hurried = self._marks.hurry(connection, site_id, kind=kind, key=key)
            wanted = self._letters.keys(connection, site_id, kind=kind, key=key)
            for found_kind, keys in wanted.items():
                self.send_again(connection, site_id, found_kind, keys)
        return hurried + sum(map(len, wanted.values()))

    def send_again(
        self, connection: sa.Connection, site_id: int, kind: Kind, keys: Collection[str]
    ) -> None:
        """Forget what was sent last of these things, so that their documents travel again."""
        self._mappings.forget(connection, site_id, kind, keys)
        self._marks.put(connection, site_id, kind, keys)

    def _done(
        self, run: SyncRun, document: Document, result: Result, mark: Mark, outcome: _Outcome
    ) -> None:
        now = self._clock.now()
        refused = [member for member in result.members if member.result == "refused"]
        people = active_people(document, without={member.user for member in refused})
        outcome.synced.append(
            {
                "site_id": run.site_id,
                "kind": document.kind,
                "key": mark.key,
                "moodle_id": result.id,
                "fingerprint": fingerprint(as_it_stays(document, result)),
                "outcome": result.result,
                "active": count_people(people),
                "people": people,
                "created_at": now,
                "created_by": run.actor,
                "updated_at": now,
                "updated_by": run.actor,
            }
        )
        if isinstance(document, Grades):
            outcome.grades.append((document, result))
        elif document.kind == "gradebook":
            outcome.gradebooks.append(result)
        elif isinstance(document, Course):
            outcome.together[mark.key] = [group.idnumber for group in document.groups]
        if result.result == "created":
            outcome.made.append(mark.key)
        outcome.freed |= {
            _TAKEN[change.field] for change in result.changes if change.field in _TAKEN
        }
        outcome.settled.append(mark)
        outcome.answered.add(mark.key)
        for member in refused:
            code, message = member.code or "refused", member.message or ""
            if code != CHANGED:
                outcome.letters.append(
                    Letter(mark.key, item_of(member), code, member.field, message)
                )

    def _refused(self, document: Document, result: Result, mark: Mark, outcome: _Outcome) -> None:
        kind = _AWAITED.get(result.code or "")
        if kind is not None:
            # A category without its parent, a course without its category: both name it.
            other = getattr(document, "category", None) or getattr(document, "parent", None)
            outcome.waiting[mark.key] = f"{kind}:{other if kind == 'category' else mark.key}"
            return
        outcome.settled.append(mark)
        outcome.answered.add(mark.key)
        code, message = result.code or "refused", result.message or ""
        outcome.letters.append(Letter(mark.key, "", code, result.field, message))

    def _dead(
        self,
        run: SyncRun,
        kind: Kind,
        mark: Mark,
        outcome: _Outcome,
        code: str,
        message: str,
        field_: str | None,
    ) -> None:
        outcome.settled.append(mark)
        outcome.letters.append(Letter(mark.key, "", code, field_, message))
        outcome.answered.add(mark.key)
        outcome.journal.append(self._journal.refusal(run, kind, mark.key, code=code))
        outcome.counts["refused"] += 1

    def _store(
        self, run: SyncRun, kind: Kind, marks: Mapping[str, Mark], outcome: _Outcome
    ) -> None:
        site_id = run.site_id
        with self._database.writing() as connection:
            _check_lease(connection, run)
            self._mappings.put(connection, outcome.synced)
            self._mappings.put_together(connection, site_id, outcome.together)
            if outcome.journal:
                connection.execute(sa.insert(_journal), outcome.journal)
            missing = self._missing(connection, run, kind, marks, outcome)
            self._letters.replace(connection, run, kind, outcome.answered, outcome.letters)
            self._marks.settle(connection, site_id, kind, outcome.settled)
            self._marks.postpone(connection, site_id, kind, marks, outcome.waiting)
            done = [row["key"] for row in outcome.synced]
            self._marks.release(connection, site_id, [f"{kind}:{key}" for key in done])
            for other, keys in missing.items():
                self.send_again(connection, site_id, other, keys)
            if kind == "user":
                # Who could not be placed for want of an account has one now.
                self.send_again(
                    connection, site_id, "roster", self._letters.rosters(connection, site_id, done)
                )
            self._store_grades(connection, run, kind, done, outcome)
            if outcome.freed:
                answered = self._letters.keys(
                    connection, site_id, kind=kind, codes=sorted(outcome.freed)
                )
                self.send_again(connection, site_id, kind, answered.get(kind, ()))
            self._progress(connection, run, kind, outcome.counts, len(outcome.settled))

    def _store_grades(
        self,
        connection: sa.Connection,
        run: SyncRun,
        kind: Kind,
        done: Collection[str],
        outcome: _Outcome,
    ) -> None:
        """Receipts of what was sent; and grades that may go now that what they wanted is there."""
        if outcome.grades and outcome.belonging is not None:
            self._receipts.stored(connection, run, outcome.grades, outcome.belonging)
        again = self._receipts.gradebooks_stored(connection, run.site_id, outcome.gradebooks)
        codes = [code for code, other in _LOST.items() if other == kind]
        if kind == "roster":
            # Accounts come with places.
            codes.append("user_missing")
        if done and codes and kind != "user":
            refused = self._letters.keys(connection, run.site_id, kind="grades", codes=codes)
            again |= refused.get("grades", set()) & set(done)
        if kind == "user":
            again |= self._receipts.accounts_made(connection, run.site_id, outcome.made)
        self.send_again(connection, run.site_id, "grades", again)
        if kind == "course":
            self.send_again(connection, run.site_id, "gradebook", outcome.made)

    def _missing(
        self,
        connection: sa.Connection,
        run: SyncRun,
        kind: Kind,
        marks: Mapping[str, Mark],
        outcome: _Outcome,
    ) -> dict[Kind, set[str]]:
        """What Moodle misses although it was made equal to it: somebody deleted it there.

        It is sent again, once: if that does not help, waiting or a dead letter says so.
        """
        wanted: dict[Kind, set[str]] = defaultdict(set)
        for key, awaited in outcome.waiting.items():
            if not marks[key].attempts:
                other, _, other_key = awaited.partition(":")
                wanted[cast(Kind, other)].add(other_key)
        lost = {
            (letter.key, letter.item): _LOST[letter.code]
            for letter in outcome.letters
            if letter.item and letter.code in _LOST
        }
        if lost:
            keys = {key for key, _ in lost}
            standing = self._letters.standing(connection, run.site_id, kind, keys)
            for key, item in lost.keys() - standing:
                other = lost[key, item]
                wanted[other].add(item.partition(" ")[0] if other == "user" else key)
        return {
            other: keys
            - {key for key, _ in self._letters.standing(connection, run.site_id, other, keys)}
            for other, keys in wanted.items()
        }

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
        # What was let go by this very run comes on top of what it began with.
        run.total = max(run.total, run.done)
        connection.execute(
            sa.update(_runs)
            .where(_runs.c.id == run.id)
            .values(
                counts=run.counts,
                done=run.done,
                total=run.total,
                heartbeat_at=self._clock.now(),
            )
        )


def item_of(member: MemberResult) -> str:
    """What a dead letter of a person of a roster, or of one of their grades, is about."""
    return f"{member.user} {member.item}" if member.item else member.user


def _check_lease(connection: sa.Connection, run: SyncRun) -> None:
    holder = connection.scalar(
        sa.select(_gates.c.lease_holder)
        .where(_gates.c.site_id == run.site_id)
        .with_for_update(read=True)
    )
    if holder != run.holder:
        raise LeaseLostError("another worker took over")
