"""Conflicts: what a person has to decide about a grade that changed in Moodle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError
from lti_tool.sis.grading import Grading
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.models import ConflictState
from lti_tool.sync.provisioning.ledger import Ledger


class ConflictDecidedError(ConflictError):
    """Somebody, or the course of things, has decided this already."""

    code = "grade_conflict_decided"
    title = "This has been decided already"


class ConflictChangedError(ConflictError):
    """One of the two grades is no longer what the person saw."""

    code = "grade_conflict_changed"
    title = "The grades have changed meanwhile"


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict as people see it. Values are hundredths of a percent.

    ``*_by``: a person's key, ``moodle:ID`` of an account that is no person of the SIS, or ``None``;
    ``*_name``: what to call them. ``person_key`` is ``moodle:ID`` too for an account without an ID
    number. ``times``: the SIS's by its clock, Moodle's by Moodle's.
    """

    id: int
    site_id: int
    course_key: str
    class_key: str
    class_label: str
    person_key: str
    person_name: str
    student_id: str | None
    item_key: str
    item_name: str
    reason: str
    remedy: str
    state: ConflictState
    sis_value: int | None
    sis_status: str | None
    sis_by: str | None
    sis_name: str | None
    sis_at: dt.datetime | None
    moodle_value: int | None
    moodle_by: str | None
    moodle_name: str | None
    moodle_at: dt.datetime | None
    since: dt.datetime
    asked_by: str | None
    asked_at: dt.datetime | None
    question: str | None
    answer: str | None
    proposes_take: bool | None
    answered_at: dt.datetime | None
    decided_by: str | None
    decided_at: dt.datetime | None
    note: str | None

    @property
    def undecided(self) -> bool:
        """Whether a person is still to decide."""
        return self.state in (ConflictState.OPEN, ConflictState.ASKED)

    @property
    def shown(self) -> tuple[int | None, int | None]:
        """Both values, to be handed back with the decision."""
        return self.sis_value, self.moodle_value


class Conflicts:
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
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sis = sis
        self._grading = grading
        self._ledger = ledger
        self._log = log

    def undecided(
        self,
        site_id: int | None = None,
        course_key: str | None = None,
        *,
        class_keys: Collection[str] | None = None,
        person_key: str | None = None,
        item_key: str | None = None,
        state: ConflictState | None = None,
        reason: str | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[ConflictView]:
        """A page of what is to be decided, the oldest first; ``after``: the last id before it."""
        raise NotImplementedError

    def get(self, conflict_id: int) -> ConflictView:
        """One conflict, decided or not; raises :class:`NotFoundError`."""
        raise NotImplementedError

    def counts(
        self, site_id: int | None = None, *, class_keys: Collection[str] | None = None
    ) -> dict[tuple[ConflictState, str], int]:
        """How many are undecided, by state and reason."""
        raise NotImplementedError

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
        raise NotImplementedError

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
        raise NotImplementedError

    def ask(self, conflict_id: int, *, actor: str, question: str) -> None:
        """Ask the teachers of the class.

        Raises:
            NotFoundError, ConflictDecidedError, InvalidInputError
        """
        raise NotImplementedError

    def answer(self, conflict_id: int, *, actor: str, take: bool, words: str) -> None:
        """A teacher's word: it proposes; who asked decides.

        Raises:
            NotFoundError, ConflictDecidedError, InvalidInputError
        """
        raise NotImplementedError
