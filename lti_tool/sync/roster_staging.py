"""The staging of a roster comparison: members and enrolments become rows, chunk by chunk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.models import Registration
from lti_tool.lti.names_roles import Member
from lti_tool.lti.roles import is_instructor
from lti_tool.sis.entities import EnrollmentStatus, PersonView, RosterEntry
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sync.accounts import Accounts
from lti_tool.sync.models import RosterComparison, RosterRow, RosterState
from lti_tool.sync.roster_states import ATTENDING, classification, rank

# Rows per statement: 11 values each stay below the 32,766 that SQLite takes.
CHUNK = 2500
NAME_PURPOSE = "roster_row.name"
_ABANDONED = dt.timedelta(hours=1)


class RosterStaging:
    """Builds one comparison. Each chunk is a transaction: none is open while a platform answers."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: StudentInformationSystem,
        people: Accounts,
        keyring: Keyring,
        registration: Registration,
        context_id: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._people = people
        self._keyring = keyring
        self._registration = registration
        self._context_id = context_id
        self._members = 0
        with database.write() as session:
            comparison = RosterComparison(
                registration_id=registration.id, context_id=context_id, started_at=clock.now()
            )
            session.add(comparison)
            session.flush()
            self._id = comparison.id

    def stage_members(self, members: Sequence[Member]) -> None:
        """Stage members, by their person where the account is linked."""
        # A roster that changes while it is paged shows one member twice.
        unique = {member.user_id: member for member in members if member.status != "Deleted"}
        with self._database.write() as session:
            people = self._match(session, unique)
            staged = {
                person_key: self._member_row(unique[user_id], person_key)
                for user_id, person_key in people.items()
            }
            taken: set[str] = set()
            if staged:
                kept = self._upsert(
                    session,
                    list(staged.values()),
                    key="person_key",
                    update=("user_id", "sourced_id", "member_status", "roles", "instructor"),
                    where=lambda new: (
                        RosterRow.user_id.is_(None) | (RosterRow.user_id == new["user_id"])
                    ),
                )
                # Another account of this course is this person already.
                taken = {staged[key]["user_id"] for key in staged.keys() - kept}
            rest = [
                self._member_row(member, None)
                for user_id, member in unique.items()
                if user_id not in people or user_id in taken
            ]
            if rest:
                self._upsert(
                    session, rest, key="user_id", update=("member_status", "roles", "instructor")
                )
        self._members += len(unique)

    def _match(self, session: Session, members: dict[str, Member]) -> dict[str, str]:
        """Who the members are, by user id: by their link, or by an identifier that is trusted."""
        registration = self._registration
        people = self._people.links(session, registration.id, list(members))
        if not registration.sourcedid_trusted:
            return people
        claims: dict[str, list[str]] = {}
        for user_id, member in members.items():
            if user_id not in people and member.sourced_id:
                claims.setdefault(member.sourced_id, []).append(user_id)
        if claims:
            linked = self._people.by_person(session, registration.id, list(claims))
            known = self._sis.people(claims.keys() - linked.keys())
            for person_key, user_ids in claims.items():
                # Two accounts with one identifier: neither is believed.
                if person_key in known and len(user_ids) == 1:
                    people[user_ids[0]] = person_key
        return people

    def _member_row(self, member: Member, person_key: str | None) -> dict[str, Any]:
        name = None
        if person_key is None and member.name:
            name = self._keyring.seal(member.name.encode(), purpose=NAME_PURPOSE)
        return {
            "comparison_id": self._id,
            "person_key": person_key,
            "user_id": member.user_id,
            "sourced_id": member.sourced_id[:255] if member.sourced_id else None,
            "state": RosterState.NOT_IN_SIS,
            "member_status": member.status,
            "roles": list(member.roles),
            "instructor": is_instructor(member.roles),
            "sort_name": "",
            "search_text": "",
            "name_sealed": name,
        }

    def stage_enrollments(self, class_key: str, entries: Sequence[RosterEntry]) -> None:
        """Stage enrolments beside the members; of two classes the one that they attend counts."""
        rows = [
            {
                "comparison_id": self._id,
                "person_key": entry.person.person_key,
                "class_key": class_key,
                "state": RosterState.MISSING,
                "person_status": entry.person.status.value,
                "enrollment_status": (
                    EnrollmentStatus.AUDIT if _audits(entry) else entry.status
                ).value,
                "since": entry.since,
                "sort_name": _sort_name(entry.person),
                "search_text": _search_text(entry.person),
            }
            for entry in {entry.person.person_key: entry for entry in entries}.values()
        ]
        if not rows:
            return
        with self._database.write() as session:
            self._upsert(
                session,
                rows,
                key="person_key",
                update=(
                    "class_key",
                    "person_status",
                    "enrollment_status",
                    "since",
                    "sort_name",
                    "search_text",
                ),
                where=lambda new: (
                    RosterRow.enrollment_status.is_(None)
                    | (rank(new["enrollment_status"]) < rank(RosterRow.enrollment_status))
                ),
            )

    def name_others(self) -> None:
        """Give linked members without an enrolment (teachers, guests) their names of the SIS."""
        after = ""
        while True:
            with self._database.read() as session:
                keys = session.scalars(
                    sa.select(RosterRow.person_key)
                    .where(RosterRow.comparison_id == self._id)
                    .where(RosterRow.sort_name == "")
                    .where(RosterRow.person_key > after)
                    .order_by(RosterRow.person_key)
                    .limit(CHUNK)
                ).all()
            people = self._sis.people({key for key in keys if key})
            if people:
                rows = [
                    {
                        "comparison_id": self._id,
                        "person_key": person.person_key,
                        "state": RosterState.NOT_IN_SIS,
                        "person_status": person.status.value,
                        "sort_name": _sort_name(person),
                        "search_text": _search_text(person),
                    }
                    for person in people.values()
                ]
                with self._database.write() as session:
                    self._upsert(
                        session,
                        rows,
                        key="person_key",
                        update=("person_status", "sort_name", "search_text"),
                    )
            if len(keys) < CHUNK:
                return
            after = keys[-1] or ""

    def complete(self) -> RosterComparison:
        """Classify, show, and delete what nobody sees any more: all or nothing."""
        now = self._clock.now()
        of_this = RosterRow.comparison_id == self._id
        with self._database.write() as session:
            session.execute(
                sa.delete(RosterRow)
                .where(of_this)
                .where(RosterRow.user_id.is_(None))
                .where(RosterRow.enrollment_status.not_in(ATTENDING)),
                execution_options={"synchronize_session": False},
            )
            session.execute(
                sa.update(RosterRow)
                .where(of_this)
                .values(state=classification(self._people.linked_people(self._registration.id))),
                execution_options={"synchronize_session": False},
            )
            # The one before stays for a page that is being read.
            former = session.scalars(
                latest(self._registration.id, self._context_id)
                .limit(1)
                .with_only_columns(RosterComparison.id)
            ).one_or_none()
            comparison = session.get_one(RosterComparison, self._id)
            comparison.completed_at = now
            comparison.members = self._members
            session.flush()
            session.execute(
                sa.delete(RosterComparison)
                .where(RosterComparison.registration_id == self._registration.id)
                .where(RosterComparison.context_id == self._context_id)
                .where(RosterComparison.id.not_in([self._id, former or 0]))
                .where(RosterComparison.completed_at.is_not(None) | abandoned(now)),
                execution_options={"synchronize_session": False},
            )
        return comparison

    def _upsert(
        self,
        session: Session,
        rows: list[dict[str, Any]],
        *,
        key: str,
        update: Sequence[str],
        where: Callable[[Any], sa.ColumnElement[bool]] | None = None,
    ) -> set[str]:
        """Insert rows, or update those whose ``key`` is there; return the keys that were taken."""
        statement = self._database.upsert(RosterRow)
        new = statement.excluded
        returned: sa.ScalarResult[str] = session.scalars(
            statement.on_conflict_do_update(
                index_elements=["comparison_id", key],
                set_={column: new[column] for column in update},
                where=None if where is None else where(new),
            ).returning(sa.column(key)),
            rows,
            execution_options={"insertmanyvalues_page_size": CHUNK},
        )
        return set(returned)

    def discard(self) -> None:
        """Forget the comparison; the former one stays."""
        with self._database.write() as session:
            session.execute(sa.delete(RosterComparison).where(RosterComparison.id == self._id))


def chunks(pages: Iterable[list[Member]]) -> Iterator[list[Member]]:
    """Pages of any size, as chunks for one statement each."""
    waiting: list[Member] = []
    for page in pages:
        waiting += page
        while len(waiting) >= CHUNK:
            yield waiting[:CHUNK]
            waiting = waiting[CHUNK:]
    if waiting:
        yield waiting


def latest(registration_id: int, context_id: str) -> sa.Select[RosterComparison]:
    """Complete comparisons of a course, the newest first."""
    return (
        sa.select(RosterComparison)
        .where(RosterComparison.registration_id == registration_id)
        .where(RosterComparison.context_id == context_id)
        .where(RosterComparison.completed_at.is_not(None))
        .order_by(RosterComparison.completed_at.desc(), RosterComparison.id.desc())
    )


def abandoned(now: dt.datetime) -> sa.ColumnElement[bool]:
    """Comparisons whose process died before they were complete."""
    return RosterComparison.completed_at.is_(None) & (
        RosterComparison.started_at < now - _ABANDONED
    )


def _audits(entry: RosterEntry) -> bool:
    return entry.is_audit and entry.status.attends


def _sort_name(person: PersonView) -> str:
    # Never empty: that says "not known to the SIS" while rows are staged.
    return (person.full_name.casefold() or person.person_key)[:300]


def _search_text(person: PersonView) -> str:
    parts = (person.full_name, person.khmer_name, person.student_id, person.person_key)
    return " ".join(part for part in parts if part).casefold()[:1000]
