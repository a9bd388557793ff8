"""A realm without a Keycloak: what python-keycloak's client would answer, out of memory.

The directory, the keeper and the checks are the real ones; only the server is not. What the server
itself does is tried with a real one, in tests/e2e.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import threading
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import keycloak.exceptions as theirs

from lti_tool.core.clock import Clock
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.errors import translated
from lti_tool.identity.keycloak.realm import GROUPS, SERVICE_RIGHTS, TOOL

CLAIM = "person_uuid"


@dataclass
class RealmInMemory:
    """One realm. ``away``: it does not answer; ``closed``: it does not let the service account in.

    ``written``: what was asked that changes something.
    """

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=lambda: {name: set() for name in GROUPS})
    rights: list[str] = field(default_factory=lambda: [*SERVICE_RIGHTS])
    away: bool = False
    closed: bool = False
    calls: int = 0
    written: list[tuple[str, str]] = field(default_factory=list)
    logged_out: list[str] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # -- what a test does

    def directory(self, clock: Clock) -> KeycloakDirectory:
        """The real directory, connected to this realm."""
        http = HttpClient(allow_private=True, allow_http=True)
        return KeycloakDirectory(http, clock, lambda _: "", open_=self.open_)

    def open_(self, *_: Any, **__: Any) -> Any:
        """What connects the directory."""
        with translated("sign in as the tool's service account"):
            self._asked()
            if self.closed:
                raise _error(401, error="invalid_client")
        return self

    def make(self, username: str, *, person: str | None = None, **values: Any) -> str:
        """An account that somebody else made; returns its id."""
        attributes = {CLAIM: [person]} if person else {}
        return self._store(
            {"username": username, "enabled": True, "attributes": attributes, **values}
        )

    def of(self, person: str) -> dict[str, Any]:
        """The account of a person, with the names of its groups."""
        [found] = [each for each in self.users.values() if _person(each) == person]
        groups = sorted(name for name, ids in self.members.items() if found["id"] in ids)
        return {**found, "groups": groups}

    def people(self) -> set[str]:
        """The keys that stand in it."""
        return {person for each in self.users.values() if (person := _person(each))}

    # -- what python-keycloak's client has

    @property
    def connection(self) -> Any:
        """Its token says its rights."""
        claims = {"resource_access": {"realm-management": {"roles": self.rights}}}
        body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
        return SimpleNamespace(
            expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1),
            token={"access_token": f"a.{body}.c"},
            realm_name="school",
        )

    def users_count(self) -> int:
        self._asked()
        return len(self.users)

    def get_users(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        self._asked()
        with self._lock:
            found = list(self.users.values())
        for name in ("username", "email"):
            if name in query:
                found = [each for each in found if each.get(name) == query[name].lower()]
        if "q" in query:
            person = query["q"].partition(":")[2].strip('"').replace('\\"', '"')
            found = [each for each in found if (_person(each) or "").lower() == person.lower()]
        start = query.get("first", 0)
        return [dict(each) for each in found[start : start + query.get("max", 100)]]

    def get_user_groups(self, account: str, _query: dict[str, Any]) -> list[dict[str, Any]]:
        self._asked()
        return [{"id": name, "name": name} for name, ids in self.members.items() if account in ids]

    def get_group_members(self, group: str, query: dict[str, Any]) -> list[dict[str, Any]]:
        self._asked()
        start = query["first"]
        return [{"id": each} for each in sorted(self.members[group])][start : start + query["max"]]

    def get_group_by_path(self, path: str) -> dict[str, Any]:
        self._asked()
        name = path.strip("/")
        if name not in self.members:
            raise _error(404, error="Could not find group by path")
        return {"id": name, "name": name, "clientRoles": {TOOL: [GROUPS[name]]}}

    def get_realm_users_profile(self) -> dict[str, Any]:
        self._asked()
        return {"attributes": [{"name": CLAIM, "permissions": {"edit": ["admin"]}}]}

    def get_realm(self, name: str) -> dict[str, Any]:
        self._asked()
        return {"realm": name, "registrationEmailAsUsername": False}

    def create_user(self, told: dict[str, Any]) -> str:
        self._asked("create", told["username"])
        self._free(told, None)
        groups = told.pop("groups", [])
        account = self._store(told)
        for path in groups:
            self.members[path.strip("/")].add(account)
        return account

    def update_user(self, account: str, told: dict[str, Any]) -> None:
        self._asked("update", account)
        self._free(told, account)
        with self._lock:
            self.users[account] |= _small(told)

    def group_user_add(self, account: str, group: str) -> None:
        self._asked("join", account)
        self.members[group].add(account)

    def group_user_remove(self, account: str, group: str) -> None:
        self._asked("leave", account)
        self.members[group].discard(account)

    def get_sessions(self, _account: str) -> list[Any]:
        self._asked()
        return []

    def user_logout(self, account: str) -> None:
        self._asked()
        self.logged_out.append(account)

    # --

    def _asked(self, *what: str) -> None:
        if self.away:
            raise theirs.KeycloakConnectionError(error_message="away")
        with self._lock:
            self.calls += 1
            if what:
                self.written.append((what[0], what[1]))

    def _free(self, told: dict[str, Any], own: str | None) -> None:
        for name, words in (("username", "username"), ("email", "email")):
            value = str(told.get(name) or "").lower()
            with self._lock:
                held = {each["id"] for each in self.users.values() if each.get(name) == value}
            if value and held - {own}:
                raise _error(409, errorMessage=f"User exists with same {words}")

    def _store(self, told: dict[str, Any]) -> str:
        with self._lock:
            account = f"id-{next(self._ids)}"
            self.users[account] = {**_small(told), "id": account}
        return account


def _small(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.lower() if name in ("username", "email") else value
        for name, value in told.items()
    }


def _person(account: dict[str, Any]) -> str | None:
    values = account.get("attributes", {}).get(CLAIM) or []
    return values[0] if len(values) == 1 else None


def _error(status: int, **answer: str) -> theirs.KeycloakError:
    return theirs.KeycloakPostError(
        error_message="refused", response_code=status, response_body=json.dumps(answer).encode()
    )
