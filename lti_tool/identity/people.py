"""Which account of which platform is which person of the SIS.

An account links itself only by an identifier that its owner cannot edit. Everything else (an equal
student id, an equal e-mail address) is a suggestion that an administrator confirms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, Executor
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.identity.models import PersonLink
from lti_tool.identity.suggestions import LinkSuggestion, MemberAccount, suggest
from lti_tool.lti.models import Registration
from lti_tool.sis.entities import PersonView
from lti_tool.sis.interfaces import StudentInformationSystem

log = structlog.get_logger(__name__)

_CHUNK = 500
METHODS = ("sourcedid", "administrator", "sign_in")


class PersonLinkConflictError(ConflictError):
    """The account or the person is linked already, to another; ``context`` holds both pairs."""

    code = "person_link_conflict"
    title = "This account or this person is linked already"


@dataclass(frozen=True, slots=True)
class LinkConflict:
    """A pair that could not be linked, and what stands in its way."""

    subject: str
    person_key: str
    linked_subject: str
    linked_person_key: str


@dataclass(frozen=True, slots=True)
class ConfirmedLinks:
    """What became of links confirmed in bulk; ``unknown`` are person keys that the SIS lacks."""

    linked: int
    unchanged: int
    conflicts: tuple[LinkConflict, ...]
    unknown: tuple[str, ...]


# Built once, of columns: every page of a course asks this.
_TABLE = cast(sa.Table, PersonLink.__table__)
_PERSON_KEY = sa.select(_TABLE.c.person_key).where(
    _TABLE.c.registration_id == sa.bindparam("registration"),
    _TABLE.c.subject == sa.bindparam("account"),
)
_LINKS = sa.select(_TABLE.c.subject, _TABLE.c.person_key).where(
    _TABLE.c.registration_id == sa.bindparam("registration"),
    _TABLE.c.subject.in_(sa.bindparam("subjects", expanding=True)),
)


class People:
    """Links between accounts and people: unique both ways within a registration."""

    def __init__(
        self, database: Database, clock: Clock, sis: StudentInformationSystem, audit: AuditLog
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._audit = audit

    def recognise(
        self,
        registration: Registration,
        *,
        subject: str,
        sourced_id: str | None,
        sourcedid_trusted: bool,
    ) -> PersonView | None:
        """Return who this account is: by its link, or by one made now from ``sourced_id``.

        ``sourced_id`` makes a link only if both ``sourcedid_trusted`` and the registration say so,
        and the SIS has a person with this key.

        Raises:
            PersonLinkConflictError: the person belongs to another account of this platform.
        """
        person_key = self.person_key(registration.id, subject)
        if person_key is not None:
            return self._sis.person(person_key)
        if not (sourced_id and sourcedid_trusted and registration.sourcedid_trusted):
            return None
        person = self._sis.person(sourced_id)
        if person is not None:
            self.link(
                registration.id, subject, person.person_key, method="sourcedid", actor="platform"
            )
        return person

    def link(
        self, registration_id: int, subject: str, person_key: str, *, method: str, actor: str
    ) -> None:
        """Link an account to a person; linking the same pair again changes nothing.

        Raises:
            PersonLinkConflictError: either is linked to another.
            NotFoundError: the SIS has no such person.
            InvalidInputError: an unknown ``method`` or an empty ``subject``.
        """
        if method not in METHODS:
            raise InvalidInputError(f"{method!r} is no way of linking.", field="method")
        if not subject or len(subject) > 255:
            raise InvalidInputError("The account's id must have 1 to 255 characters.", field="sub")
        if self._sis.person(person_key) is None:
            raise NotFoundError(
                "The SIS has no person with this key.",
                remedy="Look the person up in the SIS, and use their key.",
                person_key=person_key,
            )
        with self._database.write() as session:
            made, conflicts = self._insert(
                session, registration_id, [(subject, person_key)], method=method, actor=actor
            )
            if conflicts:
                raise _conflict(registration_id, conflicts[0])
            if made:
                self._audit.record(
                    session,
                    actor=actor,
                    action="person.linked",
                    target=f"registration:{registration_id}",
                    subject=subject,
                    person_key=person_key,
                    method=method,
                )

    def confirm(
        self,
        registration_id: int,
        pairs: Sequence[tuple[str, str]],
        *,
        actor: str,
        method: str = "administrator",
    ) -> ConfirmedLinks:
        """Link many (subject, person key) pairs; those in conflict are reported, not linked."""
        if method not in METHODS:
            raise InvalidInputError(f"{method!r} is no way of linking.", field="method")
        linked = unchanged = 0
        conflicts: list[LinkConflict] = []
        unknown: list[str] = []
        remaining = iter(pairs)
        while chunk := list(islice(remaining, _CHUNK)):
            known = self._sis.people({person_key for _, person_key in chunk})
            unknown += [person_key for _, person_key in chunk if person_key not in known]
            wanted = [pair for pair in chunk if pair[1] in known]
            with self._database.write() as session:
                made, refused = self._insert(
                    session, registration_id, wanted, method=method, actor=actor
                )
                if made:
                    self._audit.record(
                        session,
                        actor=actor,
                        action="person.links_confirmed",
                        target=f"registration:{registration_id}",
                        method=method,
                        links=[list(pair) for pair in made],
                    )
            linked += len(made)
            unchanged += len(wanted) - len(made) - len(refused)
            conflicts += refused
        return ConfirmedLinks(linked, unchanged, tuple(conflicts), tuple(unknown))

    def unlink(self, registration_id: int, subject: str, *, actor: str) -> None:
        """Forget who this account is; raises :class:`NotFoundError` if nothing was known."""
        with self._database.write() as session:
            person_key = session.scalar(
                sa.delete(PersonLink)
                .where(PersonLink.registration_id == registration_id)
                .where(PersonLink.subject == subject)
                .returning(PersonLink.person_key)
            )
            if person_key is None:
                raise NotFoundError("This account is not linked to anyone.", subject=subject)
            self._audit.record(
                session,
                actor=actor,
                action="person.unlinked",
                target=f"registration:{registration_id}",
                subject=subject,
                person_key=person_key,
            )

    def person_key(self, registration_id: int, subject: str) -> str | None:
        """The person key of this account, if it is linked."""
        with self._database.reading() as connection:
            return connection.scalar(
                _PERSON_KEY, {"registration": registration_id, "account": subject}
            )

    def links(
        self, session: Executor, registration_id: int, subjects: Collection[str]
    ) -> dict[str, str]:
        """The person keys of these accounts, by subject: one statement."""
        if not subjects:
            return {}
        keys = {"registration": registration_id, "subjects": list(subjects)}
        rows = session.execute(_LINKS, keys)
        return {row[0]: row[1] for row in rows}

    def by_person(
        self, session: Session, registration_id: int, person_keys: Collection[str]
    ) -> dict[str, str]:
        """The accounts of these people, by person key: one statement."""
        if not person_keys:
            return {}
        rows = session.execute(
            sa.select(PersonLink.person_key, PersonLink.subject)
            .where(PersonLink.registration_id == registration_id)
            .where(PersonLink.person_key.in_(person_keys))
        )
        return {row.person_key: row.subject for row in rows}

    def linked_people(self, registration_id: int) -> sa.Select[str]:
        """A select of the person keys that have an account here, for joins in other statements."""
        return sa.select(PersonLink.person_key).where(PersonLink.registration_id == registration_id)

    def linked(
        self, registration_id: int, *, after: str = "", limit: int = 50
    ) -> list[tuple[PersonLink, PersonView | None]]:
        """Links of a registration in the order of their subjects, with the person of each."""
        with self._database.read() as session:
            rows = session.scalars(
                sa.select(PersonLink)
                .where(PersonLink.registration_id == registration_id)
                .where(PersonLink.subject > after)
                .order_by(PersonLink.subject)
                .limit(limit)
            ).all()
        known = self._sis.people({row.person_key for row in rows})
        return [(row, known.get(row.person_key)) for row in rows]

    def suggestions(
        self,
        registration_id: int,
        members: Iterable[Sequence[MemberAccount]],
        *,
        class_keys: Sequence[str] = (),
    ) -> Sequence[LinkSuggestion]:
        """Propose who the unlinked of ``members`` (pages of Names and Roles) may be.

        By the account's ID number against person keys; and, among the students and teachers of
        ``class_keys``, by student id, then by school e-mail. Nothing is linked: see
        :meth:`confirm`.
        """
        return tuple(suggest(self._database, self._sis, self, registration_id, members, class_keys))

    def _insert(
        self,
        session: Session,
        registration_id: int,
        pairs: Sequence[tuple[str, str]],
        *,
        method: str,
        actor: str,
    ) -> tuple[Sequence[tuple[str, str]], Sequence[LinkConflict]]:
        """Insert what can be; return the pairs made and the conflicts."""
        if not pairs:
            return [], []
        now = self._clock.now()
        made = {
            (subject, person_key)
            for subject, person_key in session.execute(
                self._database.upsert(PersonLink)
                .on_conflict_do_nothing()
                .returning(PersonLink.subject, PersonLink.person_key),
                [
                    {
                        "registration_id": registration_id,
                        "subject": subject,
                        "person_key": person_key,
                        "method": method,
                        "linked_by": actor,
                        "created_at": now,
                    }
                    for subject, person_key in pairs
                ],
            )
        }
        left = [pair for pair in dict.fromkeys(pairs) if pair not in made]
        if not left:
            return list(made), []
        standing = session.execute(
            sa.select(PersonLink.subject, PersonLink.person_key)
            .where(PersonLink.registration_id == registration_id)
            .where(
                PersonLink.subject.in_([pair[0] for pair in left])
                | PersonLink.person_key.in_([pair[1] for pair in left])
            )
        ).all()
        return list(made), list(_conflicts(left, [(row[0], row[1]) for row in standing]))


def _conflicts(
    pairs: Sequence[tuple[str, str]], standing: Sequence[tuple[str, str]]
) -> Iterator[LinkConflict]:
    by_subject = {subject: pair for pair in standing for subject in (pair[0],)}
    by_person = {person_key: pair for pair in standing for person_key in (pair[1],)}
    for subject, person_key in pairs:
        other = by_subject.get(subject) or by_person.get(person_key)
        if other is not None and other != (subject, person_key):
            yield LinkConflict(subject, person_key, other[0], other[1])


def _conflict(registration_id: int, conflict: LinkConflict) -> PersonLinkConflictError:
    if conflict.linked_subject == conflict.subject:
        detail = "This account is linked to another person."
    else:
        detail = "This person is linked to another account of the same platform."
    log.warning(
        "person_link.conflict",
        registration_id=registration_id,
        subject=conflict.subject,
        linked_subject=conflict.linked_subject,
    )
    return PersonLinkConflictError(
        detail,
        remedy="An administrator can remove the wrong link, then link again.",
        subject=conflict.subject,
        person_key=conflict.person_key,
        linked_subject=conflict.linked_subject,
        linked_person_key=conflict.linked_person_key,
    )
