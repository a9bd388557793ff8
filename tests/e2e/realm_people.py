"""A realm of a real Keycloak, prepared for the tool, and what a test looks at in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from keycloak import KeycloakAdmin

from lti_tool.core.clock import SystemClock
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.connection import as_administrator, as_service
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm import RealmPlan
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.moodle.documents import Account, Result
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, CLAIM, Keycloak
from tests.lti.outbound_world import Stub, TestSigner, as_json, signing_key

STUDENTS, TEACHERS = "naga-students", "naga-teachers"


@dataclass
class Asked:
    """What was asked of Keycloak's administration: methods and paths within the realm."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """A hook of sessions."""
        path = urlsplit(response.request.url or "").path
        with self._lock:
            self.calls.append((response.request.method or "", path.partition("/realms/")[2]))

    def start(self) -> None:
        """From here on."""
        self.calls.clear()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was not just read."""
        return [each for each in self.calls if each[0] != "GET"]


@dataclass
class Desk:
    """One realm: its administrator, the tool's directory, and what that asks."""

    admin: KeycloakAdmin
    directory: KeycloakDirectory
    site: Realm
    plan: RealmPlan
    asked: Asked

    def apply(self, *documents: Account, dryrun: bool = False) -> list[Result]:
        """What becomes of the documents."""
        return self.directory.apply(self.site, documents, dryrun=dryrun).results

    def one(self, document: Account, *, dryrun: bool = False) -> Result:
        """What becomes of one document."""
        return self.apply(document, dryrun=dryrun)[0]

    def make(self, username: str, **values: Any) -> str:
        """An account that somebody else made; returns its id."""
        given = {"username": username, "enabled": True, "firstName": "Given", "lastName": "Family"}
        return str(self.admin.create_user(given | values))

    def account(self, username: str) -> dict[str, Any]:
        """The account with this user name."""
        found = self.admin.get_user_id(username)
        assert found is not None, username
        return dict(self.admin.get_user(found))

    def groups(self, username: str) -> set[str]:
        """The groups of an account."""
        return {each["name"] for each in self.admin.get_user_groups(self.account(username)["id"])}

    def everything(self) -> dict[str, Any]:
        """All accounts, with all that can be read of each."""
        return {
            each["username"]: {
                **self.admin.get_user(each["id"]),
                "groups": sorted(g["path"] for g in self.admin.get_user_groups(each["id"])),
                "credentials": self.admin.get_credentials(each["id"]),
                "roles": self.admin.get_all_roles_of_user(each["id"]),
            }
            for each in self.admin.get_users({})
        }


@contextmanager
def open_desk(keycloak: Keycloak, name: str, **options: Any) -> Iterator[Desk]:
    """Prepare a realm of this name, and connect to it as the tool does."""
    http = HttpClient(allow_private=True, allow_http=True)
    stub = Stub()
    key = {**signing_key().as_dict(private=False), "use": "sig", "alg": "RS256"}
    stub.on("GET", "/lti/keys", as_json({"keys": [key]}))
    plan = RealmPlan(realm=name, tool_url=stub.url)
    who = {"username": ADMIN, "password": ADMIN_PASSWORD}
    RealmSetup(as_administrator(http, keycloak.url, realm=name, **who), plan).apply()
    asked = Asked()

    def open_(*given: Any, **named: Any) -> KeycloakAdmin:
        admin = as_service(*given, **named)
        admin.connection._s.hooks["response"].append(asked.note)
        return admin

    directory = KeycloakDirectory(
        http, SystemClock(), TestSigner().sign, **{"open_": open_, **options}
    )
    site = Realm(id=1, url=f"{keycloak.url}/realms/{name}", name=name)
    # A new one: the rights of a realm that was just made are not in an older token.
    admin = as_administrator(http, keycloak.url, realm=name, **who)
    try:
        yield Desk(admin, directory, site, plan, asked)
    finally:
        stub.close()


def account(person: str, **values: Any) -> Account:
    """The document about one person."""
    plain = person.lower()
    return Account(
        **{
            "person": person,
            "username": plain,
            "firstname": "Dara",
            "lastname": "Sok",
            "email": f"{plain}@school.example",
            "groups": [STUDENTS],
            **values,
        }
    )


def key_attribute(person: str) -> dict[str, list[str]]:
    """The attribute with a person's key."""
    return {CLAIM: [person]}
