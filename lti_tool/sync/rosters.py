"""A course's members laid beside the SIS's enrolments: who is here, who is not, and why.

Members arrive page by page and are staged as they come; a comparison is shown only when it is
complete, so that a platform that breaks off half-way changes nothing that people see.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.lti.models import Registration
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.sis.entities import PersonView
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.accounts import Accounts
from lti_tool.sync.models import RosterComparison, RosterRow, RosterState
from lti_tool.sync.roster_staging import (
    CHUNK,
    NAME_PURPOSE,
    RosterStaging,
    abandoned,
    chunks,
    latest,
)
from lti_tool.sync.roster_states import explain


@dataclass(frozen=True, slots=True)
class RosterLine:
    """A row as the page shows it. ``code`` is the stable code of ``reason``."""

    row: RosterRow
    name: str
    khmer_name: str | None
    student_id: str | None
    code: str
    reason: str
    remedy: str | None


class Rosters:
    """Compares rosters, and reads the last comparison of a course."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: StudentInformationSystem,
        people: Accounts,
        names_roles: NamesRoles,
        keyring: Keyring,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._people = people
        self._names_roles = names_roles
        self._keyring = keyring

    def compare(
        self,
        registration: Registration,
        *,
        context_id: str,
        nrps: dict[str, Any],
        class_keys: Sequence[str],
    ) -> RosterComparison:
        """Read all members, lay them beside the enrolments of ``class_keys``, and keep the result.

        Statements grow with members / 2,500, memory does not grow with pages. Any error leaves
        the former comparison standing.

        Raises:
            InvalidInputError: no class.
            NrpsError subclasses: the platform offers no members, or broke off.
        """
        if not class_keys:
            raise InvalidInputError(
                "This course is not linked to a class of the SIS.", field="class_keys"
            )
        staging = RosterStaging(
            self._database,
            self._clock,
            self._sis,
            self._people,
            self._keyring,
            registration,
            context_id,
        )
        try:
            for members in chunks(self._names_roles.members(registration, nrps)):
                staging.stage_members(members)
            for class_key in class_keys:
                for entries in self._sis.roster(class_key, chunk=CHUNK):
                    staging.stage_enrollments(class_key, entries)
            staging.name_others()
            return staging.complete()
        except BaseException:
            staging.discard()
            raise

    def latest(self, registration_id: int, context_id: str) -> RosterComparison | None:
        """The newest complete comparison of this course."""
        with self._database.read() as session:
            return session.scalar(latest(registration_id, context_id).limit(1))

    def counts(self, comparison_id: int) -> dict[RosterState, int]:
        """How many rows are in each state; every state is there."""
        with self._database.read() as session:
            rows = session.execute(
                sa.select(RosterRow.state, sa.func.count())
                .where(RosterRow.comparison_id == comparison_id)
                .group_by(RosterRow.state)
            ).all()
        return dict.fromkeys(RosterState, 0) | {row[0]: row[1] for row in rows}

    def rows(
        self,
        comparison_id: int,
        *,
        state: RosterState | None = None,
        text: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> list[RosterLine]:
        """A slice of a comparison, by name, those that the SIS does not know last.

        ``text`` is looked for in names (Latin and Khmer), student ids, keys and account ids.
        Raises :class:`NotFoundError` when a newer comparison has taken this one's place.
        """
        with self._database.read() as session:
            if session.get(RosterComparison, comparison_id) is None:
                raise NotFoundError(
                    "This roster has been replaced by a newer one.", remedy="Open the roster again."
                )
            statement = (
                sa.select(RosterRow)
                .where(RosterRow.comparison_id == comparison_id)
                .order_by(RosterRow.sort_name == "", RosterRow.sort_name, RosterRow.id)
                .offset(offset)
                .limit(limit)
            )
            if state is not None:
                statement = statement.where(RosterRow.state == state)
            if text and text.strip():
                statement = statement.where(self._matches(session, comparison_id, text))
            rows = session.scalars(statement).all()
        known = self._sis.people({row.person_key for row in rows if row.person_key})
        return [self._line(row, known.get(row.person_key or "")) for row in rows]

    def purge(self, *, older_than_days: int) -> int:
        """Delete comparisons that are older, and those that never finished; return how many."""
        now = self._clock.now()
        with self._database.write() as session:
            return len(
                session.scalars(
                    sa.delete(RosterComparison)
                    .where(
                        (RosterComparison.completed_at < now - dt.timedelta(days=older_than_days))
                        | abandoned(now)
                    )
                    .returning(RosterComparison.id)
                ).all()
            )

    # -- rows for the page ---------------------------------------------------------------------

    def _matches(self, session: Session, comparison_id: int, text: str) -> sa.ColumnElement[bool]:
        wanted = text.strip().casefold()
        pattern = "%" + wanted.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"
        sealed = session.execute(
            sa.select(RosterRow.id, RosterRow.name_sealed)
            .where(RosterRow.comparison_id == comparison_id)
            .where(RosterRow.name_sealed.is_not(None))
            .execution_options(yield_per=1000)
        )
        ids = [row_id for row_id, name in sealed if wanted in self._open_name(name).casefold()]
        return (
            RosterRow.search_text.like(pattern, escape="/")
            | sa.func.lower(RosterRow.sourced_id).like(pattern, escape="/")
            | sa.func.lower(RosterRow.user_id).like(pattern, escape="/")
            | RosterRow.id.in_(ids[:CHUNK])
        )

    def _line(self, row: RosterRow, person: PersonView | None) -> RosterLine:
        explanation = explain(row, known=person is not None)
        if person is not None:
            name = person.full_name
        else:
            name = self._open_name(row.name_sealed) or row.user_id or row.person_key or ""
        return RosterLine(
            row=row,
            name=name,
            khmer_name=person.khmer_name if person else None,
            student_id=person.student_id if person else None,
            code=explanation.code,
            reason=explanation.reason,
            remedy=explanation.remedy,
        )

    def _open_name(self, sealed: bytes | None) -> str:
        return "" if sealed is None else self._keyring.open(sealed, purpose=NAME_PURPOSE).decode()
