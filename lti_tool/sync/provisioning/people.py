"""Which people a document lets in, as short as a mass change needs it: eight bytes for each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from lti_tool.moodle.documents import Account, Document, Grades, MemberResult, Result, Roster, User

_SIZE = 8


def active_people(document: Document, *, without: Collection[str] = ()) -> bytes:
    """The active members of a roster, as hashes one after the other; of a user or an
    account, that one.

    ``without``: members whom Moodle refused, so that they are not in.
    """
    match document:
        case User():
            return b"" if document.suspended else _hash(document.idnumber)
        case Account():
            return _hash(document.person) if document.enabled else b""
        case Roster():
            return b"".join(
                _hash(member.user)
                for member in document.members
                if member.status == "active" and member.user not in without
            )
        case _:
            return b""


def people_of(document: Document) -> set[str]:
    """The keys of everybody whom a document of a course names."""
    match document:
        case Roster():
            return {member.user for member in document.members}
        case Grades():
            return {grade.user for grade in document.grades}
        case _:
            return set()


def told_anew(document: Document) -> bool:
    """Whether its result tells of a person, whatever stands there: of an address that several
    have."""
    return isinstance(document, Account) and document.email_shared


def count_people(people: bytes) -> int:
    """How many they are."""
    return len(people) // _SIZE


def people_lost(before: bytes, after: bytes) -> int:
    """How many of those who were let in are so no longer."""
    return len(_apart(before) - _apart(after))


def suspends(result: Result | MemberResult) -> bool:
    """Whether this suspends somebody, beside whatever else it changes."""
    return result.result == "suspended" or any(
        (change.field, change.after)
        in (("status", "suspended"), ("suspended", True), ("enabled", False))
        for change in result.changes
    )


def outcome_of(result: Result | MemberResult) -> str:
    """The outcome as it is counted: a suspension is one whatever else changes with it."""
    return "suspended" if suspends(result) else result.result


def _hash(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=_SIZE).digest()


def _apart(people: bytes) -> set[bytes]:
    return {people[start : start + _SIZE] for start in range(0, len(people), _SIZE)}
