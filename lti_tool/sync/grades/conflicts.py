"""Conflicts: what a person has to decide about a grade that changed in Moodle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.sis.entities import GradeSource, PartGradeView
from lti_tool.sis.grade_rows import standing_grades
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sis.rules import GradeRefusedError, checked_reason
from lti_tool.sync.grades.conflict_views import ConflictLists, ConflictView, unknown
from lti_tool.sync.grades.log import GradeLog, Moved
from lti_tool.sync.grades.models import (
    ConflictState,
    Direction,
    GradeConflict,
    GradeReceipt,
    Movement,
)
from lti_tool.sync.grades.open_conflicts import UNDECIDED
from lti_tool.sync.grades.reasons import Reason, reason_of, remedy_of
from lti_tool.sync.grades.values import hundredths, score
from lti_tool.sync.provisioning.ledger import Ledger

__all__ = ["ConflictChangedError", "ConflictDecidedError", "ConflictView", "Conflicts"]

_conflicts = cast(sa.Table, GradeConflict.__table__)
_receipts = cast(sa.Table, GradeReceipt.__table__)
_TEXT = 1000
_WHOLE = 10_000


class ConflictDecidedError(ConflictError):
    """Somebody, or the course of things, has decided this already."""

    code = "grade_conflict_decided"
    title = "This has been decided already"


class ConflictChangedError(ConflictError):
    """One of the two grades is no longer what the person saw."""

    code = "grade_conflict_changed"
    title = "The grades have changed meanwhile"


class Conflicts(ConflictLists):
    """The conflicts of all sites, and the decisions about them; each decision is a transaction."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        sis: SisExtracts,
        grading: Grading,
        ledger: Ledger,
        log: GradeLog,
    ) -> None:
        super().__init__(database, sis)
        self._clock = clock
        self._audit = audit
        self._grading = grading
        self._ledger = ledger
        self._log = log

    def keep(
        self,
        conflict_id: int,
        *,
        actor: str,
        note: str = "",
        shown: tuple[int | None, int | None] | None = None,
    ) -> None:
        """The SIS's grade stands, and goes to Moodle again.

        Args:
            shown: both values as the person saw them (:attr:`ConflictView.shown`).

        Raises:
            NotFoundError, ConflictDecidedError, ConflictChangedError
        """
        with self._deciding(conflict_id, shown) as (session, row, sis):
            value, text = _sides(sis)
            now = self._clock.now()
            # What stands there is settled: from now on it is no news, and the SIS's may go.
            settled = {
                "base": row.moodle_value,
                "seen": row.moodle_value,
                "seen_at": row.moodle_at,
            }
            if not reason_of(row.reason).refusal:
                settled |= {
                    "asked": value,
                    "asked_text": text,
                    "asked_by": actor,
                    "asked_at": now,
                }
            self._put_receipt(session, row, settled)
            self._decide(session, row, ConflictState.KEPT, actor, note.strip()[:_TEXT] or None)
            self._move(session, row, Movement.KEPT, actor, before=row.moodle_value, after=value)
            self._ledger.send_again(session.connection(), row.site_id, "grades", [row.course_key])

    def take(
        self,
        conflict_id: int,
        *,
        actor: str,
        reason: str,
        shown: tuple[int | None, int | None] | None = None,
    ) -> None:
        """Moodle's grade stands: a correction in the SIS, whose status stays.

        Raises:
            NotFoundError, ConflictDecidedError, ConflictChangedError
            InvalidInputError: no reason.
            GradeRefusedError: the SIS does not take it (``reason`` in the context).
        """
        reason = checked_reason(reason)
        with self._deciding(conflict_id, shown) as (session, row, sis):
            self._enter(session, row, sis, actor=actor, reason=reason)
            now = self._clock.now()
            agreed = {
                "base": row.moodle_value,
                "agreed_at": now,
                "seen": row.moodle_value,
                "seen_at": row.moodle_at,
            }
            self._put_receipt(session, row, agreed)
            self._decide(session, row, ConflictState.TAKEN, actor, reason)
            before, _ = _sides(sis)
            self._move(session, row, Movement.TAKEN, actor, before=before, after=row.moodle_value)
            # What is to be decided did not travel; now it may.
            self._ledger.send_again(session.connection(), row.site_id, "grades", [row.course_key])

    def ask(self, conflict_id: int, *, actor: str, question: str) -> None:
        """Ask the teachers of the class.

        Raises:
            NotFoundError, ConflictDecidedError, InvalidInputError
        """
        words = _words(question, "question")
        with self._database.write() as session:
            row = _locked(session, conflict_id)
            asked = {
                "state": ConflictState.ASKED,
                "asked_by": actor,
                "asked_at": self._clock.now(),
                "question": words,
                "answer": None,
                "proposes_take": None,
                "answered_at": None,
            }
            session.execute(sa.update(_conflicts).where(_conflicts.c.id == row.id).values(**asked))
            self._record(session, row, "grade_conflict.asked", actor)

    def answer(self, conflict_id: int, *, actor: str, take: bool, words: str) -> None:
        """A teacher's word: it proposes; who asked decides.

        Raises:
            NotFoundError, ConflictDecidedError, InvalidInputError
        """
        said = _words(words, "words")
        with self._database.write() as session:
            row = _locked(session, conflict_id)
            if row.asked_at is None:
                raise InvalidInputError("Nobody has asked about this grade.", field="words")
            answered = {
                "state": ConflictState.OPEN,
                "answer": said,
                "proposes_take": take,
                "answered_at": self._clock.now(),
            }
            session.execute(
                sa.update(_conflicts).where(_conflicts.c.id == row.id).values(**answered)
            )
            self._record(session, row, "grade_conflict.answered", actor, take=take)

    @contextmanager
    def _deciding(
        self, conflict_id: int, shown: tuple[int | None, int | None] | None
    ) -> Iterator[tuple[Session, Any, PartGradeView | None]]:
        """A transaction in which one conflict is decided, by what the SIS has now."""
        with self._database.write() as session:
            row = _locked(session, conflict_id)
            sis = _standing(session, row)
            value, _ = _sides(sis)
            if shown is None or shown == (value, row.moodle_value):
                yield session, row, sis
                return
            # Who looks again sees what the SIS has now.
            session.execute(
                sa.update(_conflicts)
                .where(_conflicts.c.id == row.id)
                .values(
                    sis_value=value,
                    sis_status=sis.status.value if sis else None,
                    sis_by=(sis.approved_by or sis.entered_by) if sis else None,
                    sis_at=(sis.graded_at or sis.updated_at) if sis else None,
                )
            )
        raise ConflictChangedError(
            "One of the two grades has changed since you looked.",
            remedy="Look again, and decide then.",
        )

    def _enter(
        self, session: Session, row: Any, sis: PartGradeView | None, *, actor: str, reason: str
    ) -> None:
        """Make the SIS's grade what Moodle has."""
        value = row.moodle_value
        if value is not None and not 0 <= value <= _WHOLE:
            raise GradeRefusedError(
                "The SIS takes grades from 0 to 100 percent.",
                remedy=remedy_of(Reason.OUT_OF_RANGE),
                reason=Reason.OUT_OF_RANGE.value,
            )
        entry = GradeEntry(
            row.person_key, row.item_key, score(value), actor=row.moodle_by, graded_at=row.moodle_at
        )
        if sis is not None:
            self._grading.correct_within(session, entry, actor=actor, reason=reason)
            return
        outcome = self._grading.enter_within(
            session, [entry], actor=actor, source=GradeSource.MOODLE_IMPORT, submitted=True
        )[0]
        if outcome.state == "refused":
            raise GradeRefusedError(
                outcome.detail or "The SIS does not take this grade.",
                remedy=remedy_of(outcome.reason or ""),
                reason=outcome.reason,
            )

    def _put_receipt(self, session: Session, row: Any, values: dict[str, Any]) -> None:
        insert = self._database.upsert(_receipts).values(
            site_id=row.site_id,
            person_key=row.person_key,
            item_key=row.item_key,
            course_key=row.course_key,
            class_key=row.class_key,
            **values,
        )
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "course_key", "person_key", "item_key"],
                set_={name: getattr(insert.excluded, name) for name in values},
            )
        )

    def _decide(
        self, session: Session, row: Any, state: ConflictState, actor: str, note: str | None
    ) -> None:
        session.execute(
            sa.update(_conflicts)
            .where(_conflicts.c.id == row.id)
            .values(state=state, decided_by=actor, decided_at=self._clock.now(), note=note)
        )
        self._record(
            session,
            row,
            f"grade_conflict.{state.value}",
            actor,
            sis=row.sis_value,
            moodle=row.moodle_value,
        )

    def _move(
        self,
        session: Session,
        row: Any,
        movement: Movement,
        actor: str,
        *,
        before: int | None,
        after: int | None,
    ) -> None:
        kept = movement is Movement.KEPT
        moved = Moved(
            row.site_id,
            row.course_key,
            row.class_key,
            row.person_key,
            row.item_key,
            direction=Direction.TO_MOODLE if kept else Direction.FROM_MOODLE,
            movement=movement,
            before=before,
            after=after,
            actor=actor,
            code=row.reason,
        )
        self._log.write(session, [moved])

    def _record(self, session: Session, row: Any, action: str, actor: str, **detail: Any) -> None:
        self._audit.record(
            session,
            actor=actor,
            action=action,
            target=f"grade_conflict:{row.id}",
            site=row.site_id,
            person=row.person_key,
            item=row.item_key,
            **detail,
        )


def _locked(session: Session, conflict_id: int) -> Any:
    """A conflict that is still to be decided; nobody else decides it meanwhile."""
    row = session.execute(
        sa.select(*_conflicts.c).where(_conflicts.c.id == conflict_id).with_for_update()
    ).one_or_none()
    if row is None:
        raise unknown(conflict_id)
    if row.state not in UNDECIDED:
        raise ConflictDecidedError(
            f"This conflict is {row.state.value} already.",
            remedy="Look at what was decided; nothing was changed now.",
        )
    return row


def _standing(session: Session, row: Any) -> PartGradeView | None:
    found = standing_grades(session, [row.item_key], person_keys=[row.person_key])
    return found.get((row.person_key, row.item_key))


def _sides(sis: PartGradeView | None) -> tuple[int | None, str]:
    if sis is None:
        return None, ""
    return hundredths(sis.score), (sis.letter or "") if sis.score is None else ""


def _words(text: str, field: str) -> str:
    words = text.strip()
    if not words or len(words) > _TEXT:
        raise InvalidInputError(
            f"This needs words, of at most {_TEXT} characters.",
            field=field,
            remedy="Write a sentence.",
        )
    return words
