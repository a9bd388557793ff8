"""Proposals of who an unlinked account may be, for an administrator to confirm; never applied."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.sis.entities import PersonView
from lti_tool.sis.interfaces import StudentInformationSystem


class MemberAccount(Protocol):
    """What is needed of a member as Names and Roles gives it."""

    @property
    def user_id(self) -> str: ...
    @property
    def sourced_id(self) -> str | None: ...
    @property
    def email(self) -> str | None: ...


class Links(Protocol):
    """What is needed of :class:`lti_tool.identity.people.People`."""

    def links(
        self, session: Session, registration_id: int, subjects: Collection[str], /
    ) -> dict[str, str]: ...
    def by_person(
        self, session: Session, registration_id: int, person_keys: Collection[str], /
    ) -> dict[str, str]: ...


class SuggestionReason(enum.StrEnum):
    """Why an account may be this person, the strongest first."""

    SOURCED_ID = "sourced_id"
    STUDENT_ID = "student_id"
    SCHOOL_EMAIL = "school_email"

    @property
    def text(self) -> str:
        """The reason in plain words."""
        return {
            self.SOURCED_ID: "The account's ID number is this person's key in the SIS.",
            self.STUDENT_ID: "The account's ID number is this student's id.",
            self.SCHOOL_EMAIL: "The account has this person's school e-mail address.",
        }[self]


@dataclass(frozen=True, slots=True)
class LinkSuggestion:
    """An unlinked account and who it may be."""

    subject: str
    person: PersonView
    reason: SuggestionReason


class _Candidates:
    """People by student id and by school e-mail; a value that two people share finds neither."""

    def __init__(self, people: Iterable[PersonView]) -> None:
        self._by_student_id: dict[str, PersonView | None] = {}
        self._by_email: dict[str, PersonView | None] = {}
        for person in people:
            if person.student_id:
                self._put(self._by_student_id, canonical_student_id(person.student_id), person)
            if person.school_email:
                self._put(self._by_email, person.school_email.strip().casefold(), person)

    @staticmethod
    def _put(index: dict[str, PersonView | None], value: str, person: PersonView) -> None:
        other = index.setdefault(value, person)
        if other is None or other.person_key != person.person_key:
            index[value] = None

    def find(self, member: MemberAccount) -> tuple[PersonView, SuggestionReason] | None:
        if member.sourced_id:
            person = self._by_student_id.get(canonical_student_id(member.sourced_id))
            if person is not None:
                return person, SuggestionReason.STUDENT_ID
        if member.email:
            person = self._by_email.get(member.email.strip().casefold())
            if person is not None:
                return person, SuggestionReason.SCHOOL_EMAIL
        return None


def suggest(
    database: Database,
    sis: StudentInformationSystem,
    people: Links,
    registration_id: int,
    members: Iterable[Sequence[MemberAccount]],
    class_keys: Sequence[str],
) -> Iterator[LinkSuggestion]:
    """Propose links, page by page: three statements a page, however many members it has.

    Two accounts that would be the same person are both left out: one of them is wrong, and this
    cannot say which. So are accounts and people that are linked already.
    """
    candidates = _Candidates(_people_of(sis, class_keys))
    proposed: dict[str, list[LinkSuggestion]] = {}
    for page in members:
        with database.read() as session:
            linked = people.links(session, registration_id, [member.user_id for member in page])
        unlinked = [member for member in page if member.user_id not in linked]
        by_key = sis.people({member.sourced_id for member in unlinked if member.sourced_id})
        found: list[LinkSuggestion] = []
        for member in unlinked:
            person = by_key.get(member.sourced_id or "")
            match = (person, SuggestionReason.SOURCED_ID) if person else candidates.find(member)
            if match is not None and match[0] is not None:
                found.append(LinkSuggestion(member.user_id, match[0], match[1]))
        with database.read() as session:
            taken = people.by_person(
                session, registration_id, {item.person.person_key for item in found}
            )
        for item in found:
            if item.person.person_key not in taken:
                proposed.setdefault(item.person.person_key, []).append(item)
    for items in proposed.values():
        # A roster that changes while it is paged shows one account twice.
        if len({item.subject for item in items}) == 1:
            yield items[0]


def canonical_student_id(value: str) -> str:
    """``00005`` and ``5`` are one student; ``MS2010001`` stays as it is."""
    text = value.strip().casefold()
    return text.lstrip("0") or "0" if text.isdigit() else text


def _people_of(sis: StudentInformationSystem, class_keys: Sequence[str]) -> Iterator[PersonView]:
    teachers: set[str] = set()
    for class_key in class_keys:
        for chunk in sis.roster(class_key, chunk=2000):
            for entry in chunk:
                yield entry.person
        class_ = sis.class_(class_key)
        if class_ is not None:
            teachers |= {part.teacher_key for part in class_.parts if part.teacher_key}
    yield from sis.people(teachers).values()
