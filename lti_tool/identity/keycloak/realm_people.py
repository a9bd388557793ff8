"""Finds the accounts of people in a realm by their key: one by one, or all of them page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from keycloak import KeycloakAdmin

from lti_tool.core.clock import Clock
from lti_tool.identity.keycloak.accounts import Standing, person_of, standing
from lti_tool.identity.keycloak.at_once import at_once
from lti_tool.identity.keycloak.errors import KeycloakError, RealmUnpreparedError, translated

# Accounts of one answer: Keycloak takes longer for each the more it holds at once.
PAGE = 300
# Members of one answer, which says little of each.
_MEMBERS_PAGE = 1000
# A search reads the key of every account, as Keycloak compares them in small letters: it takes as
# long as reading this many accounts whole, and at most this part of the time for all of them.
_SEARCH_AS_ACCOUNTS = 10
_SEARCHES = 150
# Asking for an account's groups takes as long as reading so many members of a group.
_GROUPS_AS_MEMBERS = 50
_FEW = 10
_KEPT = dt.timedelta(minutes=5)
# Between the pages of one digest.
_MEMBERS_KEPT = dt.timedelta(minutes=1)
# Accounts whose keys differ by capital letters alone are found together.
_ALIKE = 100


class RealmPeople:
    """The accounts of one realm, through one connection. Thread-safe.

    Args:
        claim: the attribute with a person's key.
        ours: names of the groups that count.
    """

    def __init__(
        self,
        admin: KeycloakAdmin,
        clock: Clock,
        *,
        claim: str,
        ours: Collection[str],
        concurrency: int,
    ) -> None:
        self.admin = admin
        self._clock = clock
        self._claim = claim
        self._ours = tuple(ours)
        self._concurrency = concurrency
        self._groups: tuple[dt.datetime, dict[str, str]] | None = None
        self._members: tuple[dt.datetime, dict[str, set[str]]] | None = None

    def groups(self) -> dict[str, str]:
        """Ids of our groups by name; that they are there is looked at every few minutes.

        Raises:
            RealmUnpreparedError: one of them is missing, or the attribute of people's keys.
        """
        now = self._clock.now()
        if self._groups is None or now - self._groups[0] >= _KEPT:
            with translated("read the user profile"):
                profile = self.admin.get_realm_users_profile()
            # Keycloak keeps no attribute that its profile does not know, and says nothing.
            if self._claim not in {each["name"] for each in profile.get("attributes", [])}:
                raise _unprepared(f"attribute “{self._claim}” in its user profile")
            self._groups = now, {name: str(self._group(name)["id"]) for name in self._ours}
        return self._groups[1]

    def group(self, name: str) -> dict[str, Any] | None:
        """One group with its roles, or ``None``."""
        try:
            return self._group(name)
        except RealmUnpreparedError:
            return None

    def of(self, persons: Collection[str]) -> dict[str, list[Standing]]:
        """The accounts of these people by their keys; nothing of those who have none."""
        wanted = set(persons)
        if len(wanted) > 1 and self._all_is_cheaper(len(wanted)):
            found = [
                (person, each)
                for page in self._pages(range(0, self.count(), PAGE))
                for each in page
                if (person := person_of(each, self._claim)) in wanted
            ]
        else:
            pages = at_once(self._search, wanted, concurrency=self._concurrency)
            found = [each for page in pages for each in page]
        return _by_person(self._standing(found))

    def find(self, person: str) -> list[Standing]:
        """The accounts of one person, as they are at this moment."""
        return self._standing(self._search(person))

    def holder(self, **values: str) -> Mapping[str, Any] | None:
        """The account that has this ``username``, or this ``email``."""
        asked = {"exact": True, "briefRepresentation": False, "first": 0, "max": 1}
        with translated("look for an account"):
            found = self.admin.get_users({**values, **asked})
        return found[0] if found else None

    def person_of(self, representation: Mapping[str, Any]) -> str | None:
        """Whose account it is."""
        return person_of(representation, self._claim)

    def page(self, start: int, limit: int) -> tuple[list[Standing], int | None]:
        """People's accounts among so many of the realm's, and where the next page starts."""
        count = self.count()
        end = min(start + limit, count)
        starts = range(start, end, PAGE)
        found = [
            (person, each)
            for first, page in zip(starts, self._pages(starts), strict=True)
            for each in page[: end - first]
            if (person := person_of(each, self._claim)) is not None
        ]
        if start == 0:
            self._members = None
        members = self._all_members() if found else {}
        accounts = [
            standing(each, person, members.get(str(each["id"]), ())) for person, each in found
        ]
        return accounts, end if end < count else None

    def count(self) -> int:
        """How many accounts there are, without those of clients."""
        with translated("count the accounts"):
            return int(self.admin.users_count())

    def _group(self, name: str) -> dict[str, Any]:
        try:
            with translated(f"read the group {name}"):
                return dict(self.admin.get_group_by_path(f"/{name}"))
        except KeycloakError as error:
            if error.answered == 404:
                raise _unprepared(f"group “{name}”") from error
            raise

    def _all_is_cheaper(self, searches: int) -> bool:
        return searches >= min(_SEARCHES, max(2, self.count() // _SEARCH_AS_ACCOUNTS))

    def _pages(self, starts: Iterable[int]) -> list[list[dict[str, Any]]]:
        def read(start: int) -> list[dict[str, Any]]:
            asked = {"first": start, "max": PAGE, "briefRepresentation": False}
            with translated("read the accounts"):
                return self.admin.get_users(asked)

        return at_once(read, starts, concurrency=self._concurrency)

    def _search(self, person: str) -> list[tuple[str, dict[str, Any]]]:
        if "\\" in person:
            # What a search makes of it depends on what follows.
            found = [each for page in self._pages(range(0, self.count(), PAGE)) for each in page]
        else:
            quoted = person.replace('"', '\\"')
            asked = {
                "q": f'{self._claim}:"{quoted}"',
                "first": 0,
                "max": _ALIKE,
                "briefRepresentation": False,
            }
            with translated("look for a person"):
                found = self.admin.get_users(asked)
        return [(person, each) for each in found if person_of(each, self._claim) == person]

    def _standing(self, found: Sequence[tuple[str, dict[str, Any]]]) -> list[Standing]:
        if len(found) > _FEW and len(found) * _GROUPS_AS_MEMBERS > self.count():
            members = self._read_members()
            return [
                standing(each, person, members.get(str(each["id"]), ())) for person, each in found
            ]
        groups = at_once(
            lambda each: self._groups_of(str(each[1]["id"])), found, concurrency=self._concurrency
        )
        return [
            standing(each, person, names)
            for (person, each), names in zip(found, groups, strict=True)
        ]

    def _groups_of(self, account: str) -> set[str]:
        ours = {group: name for name, group in self.groups().items()}
        with translated("read an account's groups"):
            found = self.admin.get_user_groups(account, {"first": 0, "max": _MEMBERS_PAGE})
        return {ours[each["id"]] for each in found if each["id"] in ours}

    def _all_members(self) -> dict[str, set[str]]:
        now = self._clock.now()
        if self._members is None or now - self._members[0] >= _MEMBERS_KEPT:
            self._members = now, self._read_members()
        return self._members[1]

    def _read_members(self) -> dict[str, set[str]]:
        """Names of our groups by account."""
        found: dict[str, set[str]] = {}
        for name, group in self.groups().items():
            start = 0
            while True:
                asked = {"first": start, "max": _MEMBERS_PAGE, "briefRepresentation": True}
                with translated(f"read who is in the group {name}"):
                    page = self.admin.get_group_members(group, asked)
                for each in page:
                    found.setdefault(str(each["id"]), set()).add(name)
                if len(page) < _MEMBERS_PAGE:
                    break
                start += _MEMBERS_PAGE
        return found


def _by_person(accounts: Iterable[Standing]) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for each in accounts:
        found.setdefault(each.person, []).append(each)
    return found


def _unprepared(what: str) -> RealmUnpreparedError:
    return RealmUnpreparedError(
        f"The realm has no {what}.", remedy="Run “nagasis keycloak setup” for this realm."
    )
