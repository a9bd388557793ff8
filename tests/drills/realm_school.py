"""A school whose people are kept in a realm, without a Moodle: a real Keycloak that may be killed,
a cable to it that may be cut, the engine, and the proof that all is well."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import make_server

from lti_tool import create_app
from lti_tool.identity.keycloak.models import Realm
from lti_tool.moodle.documents import Account
from lti_tool.moodle.models import Site
from lti_tool.settings import load_settings
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.models import Person
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SiteGate, SyncMark, SyncRun
from lti_tool.wiring import Services
from tests.drills import crowd
from tests.e2e.cable import Cable
from tests.e2e.environment import ToolAddress
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, CLAIM, KeycloakServer
from tests.e2e.tool import Tool
from tests.lti.outbound_world import QuietHandler

REALM = "school"
PEOPLE = 120
# The changes of a drill are mass changes by design.
_EXTRA = {
    "NAGASIS_OUTBOUND_ALLOW_HTTP": "true",
    "MOODLE_SYNC_ENABLED": "true",
    "MOODLE_GUARD_SHARE": "1",
    "MOODLE_GUARD_COUNT": "1000000",
    "MOODLE_RATE_LIMIT": "100000",
    "MOODLE_TIMEOUT": "5",
}


@dataclass
class RealmSchool:
    """``services`` reach Keycloak by the cable, as the tool's processes do."""

    server: KeycloakServer
    cable: Cable
    tool: Tool
    services: Services

    @property
    def realm(self) -> Realm:
        """The realm, as the tool knows it."""
        (found,) = (each for each in self.services.sites.list() if isinstance(each, Realm))
        return found

    def prepare(self) -> str:
        """Run ``nagasis keycloak setup``."""
        return self.tool.cli(
            *("keycloak", "setup", self.cable.url, "--realm", REALM),
            *("--user", ADMIN, "--password", ADMIN_PASSWORD),
        )

    def connect(self) -> str:
        """Run ``nagasis keycloak connect``."""
        return self.tool.cli("keycloak", "connect", self.cable.url, "--realm", REALM)

    # -- the SIS

    def rename(self, word: str, *, count: int | None = None) -> list[str]:
        """Give people of the SIS another name; their keys."""
        with self.services.database.write() as session:
            query = sa.select(Person).order_by(Person.sourced_id)
            people = list(session.scalars(query.limit(count) if count else query))
            for person in people:
                person.personal_name = f"Dara {word}"
                person.updated_at = self.services.clock.now()
            keys = [person.sourced_id for person in people]
            record(session, ChangeKind.PERSON, keys, at=self.services.clock.now())
        return keys

    def change(self, key: str, **values: Any) -> None:
        """Change one person in the SIS."""
        with self.services.database.write() as session:
            now = self.services.clock.now()
            session.execute(
                sa.update(Person).where(Person.sourced_id == key).values(**values, updated_at=now)
            )
            record(session, ChangeKind.PERSON, [key], at=now)

    def newcomers(self, count: int, *, prefix: str) -> list[str]:
        """Enter so many people."""
        return crowd.add_people(self.services.database, count, prefix=prefix)

    # -- the engine

    def run(self) -> SyncRun:
        """One run, as somebody asks for it."""
        run = self.services.provisioning.engine.run(self.realm, trigger=RunTrigger.MANUAL)
        assert run is not None, "nothing was due"
        return run

    def hasten(self) -> None:
        """Whoever was given up is tried again now, without waiting for the time to pass."""
        now = self.services.clock.now()
        with self.services.database.writing() as connection:
            connection.execute(sa.update(SiteGate).values(lease_until=None, lease_holder=None))
            connection.execute(sa.update(SyncMark).values(not_before=None))
            connection.execute(
                sa.update(SiteGate).where(SiteGate.probe_at.is_not(None)).values(probe_at=now)
            )

    def settle(self) -> None:
        """Run until nothing is left to do."""
        for _ in range(10):
            if not self.left():
                return
            self.hasten()
            self.services.provisioning.engine.run(self.realm, trigger=RunTrigger.MANUAL)
        raise AssertionError(f"never settled: {self.left()}")

    def retry(self) -> None:
        """Somebody asks for what was refused once more."""
        self.services.provisioning.ledger.retry(self.realm.id)
        self.settle()

    def resume(self) -> None:
        """Somebody lets the site be called again."""
        self.tool.cli("site", "resume", str(self.realm.id))

    def moved(self, url: str) -> None:
        """Another address of the same realm."""
        with self.services.database.writing() as connection:
            connection.execute(sa.update(Site).where(Site.id == self.realm.id).values(url=url))

    def forget_connection(self) -> None:
        """As minutes later, or in another process: nothing that was read before is remembered."""
        self.services.keycloak_directory._realms.clear()

    def left(self) -> int:
        """How many documents are still to be sent, or looked at."""
        self.services.provisioning.marks.gather()
        with self.services.database.reading() as connection:
            found = connection.scalar(sa.select(sa.func.count()).select_from(SyncMark))
        return found or 0

    def gate(self) -> SiteGate:
        """The breaker, as it stands."""
        found = self.services.provisioning.gates.state(self.realm.id)
        assert found is not None
        return found

    def letters(self) -> dict[str, str]:
        """What is refused, and why, by the person's key."""
        letters = self.services.provisioning.letters.list(self.realm.id)
        return {each.key: each.code for each in letters}

    def drift(self) -> dict[str, bool]:
        """People whose account is not as it should be; whether it is missing."""
        found = self.services.provisioning.reconciler.reconcile(self.realm, repair=False)
        return {each.key: each.missing for each in found.drift}

    def repair(self) -> dict[str, bool]:
        """As :meth:`drift`, and repaired."""
        found = self.services.provisioning.reconciler.reconcile(self.realm)
        return {each.key: each.missing for each in found.drift}

    # -- Keycloak, as its administrator sees it

    def users(self) -> list[dict[str, Any]]:
        """All accounts."""
        found: list[dict[str, Any]] = self.call("GET", "/users?max=5000&briefRepresentation=false")
        return found

    def user(self, key: str) -> dict[str, Any]:
        """The account of a person."""
        (found,) = (
            each for each in self.users() if (each.get("attributes") or {}).get(CLAIM) == [key]
        )
        return found

    def call(self, method: str, path: str, document: Any = None) -> Any:
        """Call the realm's administration."""
        return self.server.keycloak.call(method, f"/{REALM}{path}", document)

    def by_hand(self, key: str, **values: Any) -> None:
        """An administrator of Keycloak changes an account."""
        user = self.user(key)
        self.call("PUT", f"/users/{user['id']}", {**user, **values})

    def members(self, group: str) -> set[str]:
        """Ids of the accounts in a group."""
        found = self.call("GET", f"/group-by-path/{group}")
        listed = self.call("GET", f"/groups/{found['id']}/members?max=5000")
        return {each["id"] for each in listed}

    def proven(self, *, refused: Collection[str] = ()) -> None:
        """Keycloak equals the SIS, nobody is there twice, nothing was lost."""
        assert not self.left()
        assert self.letters().keys() == set(refused)
        parts = self.services.provisioning
        keys = [key for key in parts.rendering.all_keys("account") if key not in refused]
        wanted = parts.rendering.render(
            "account", keys, now=self.services.clock.now(), site_id=self.realm.id
        )
        there: dict[str, list[dict[str, Any]]] = {}
        for user in self.users():
            for key in (user.get("attributes") or {}).get(CLAIM, []):
                there.setdefault(key, []).append(user)
        twice = [key for key, users in there.items() if len(users) > 1]
        assert not twice
        students, teachers = self.members("naga-students"), self.members("naga-teachers")
        wrong = {}
        for key, document in wanted.items():
            assert isinstance(document, Account)
            users = there.get(key, [])
            if not users:
                wrong[key] = "missing"
                continue
            (user,) = users
            stands = (
                user["username"],
                user.get("firstName"),
                user.get("lastName"),
                user.get("email", ""),
                user["enabled"],
                user["id"] in students,
                user["id"] in teachers,
            )
            should = (
                document.username.lower(),
                document.firstname,
                document.lastname,
                document.email.lower(),
                document.enabled,
                "naga-students" in document.groups,
                "naga-teachers" in document.groups,
            )
            if stands != should:
                wrong[key] = f"{stands} instead of {should}"
        assert not wrong
        with self.services.database.read() as session:
            query = sa.select(SyncRun.id).where(SyncRun.state == RunState.RUNNING)
            assert not session.scalars(query).all(), "runs that nobody ended"


@contextmanager
def open_school(server: KeycloakServer, folder: Path) -> Iterator[RealmSchool]:
    """A tool with a crowd in its SIS, all of whom stand in the realm already."""
    web = make_server(
        "127.0.0.1", 0, Flask("unstarted"), threaded=True, request_handler=QuietHandler
    )
    url = f"http://localhost:{web.server_port}"
    address = ToolAddress(url, folder / "none", folder / "none")
    tool = Tool(address, folder, f"sqlite:///{folder}/naga.db", None, extra=dict(_EXTRA))
    tool.cli("init")
    settings = {name.removeprefix("NAGASIS_").lower(): value for name, value in _EXTRA.items()}
    app = create_app(
        load_settings(
            public_url=url,
            database_url=tool.database_url,
            keys_dir=folder / "keys",
            broker_dir=folder / "broker",
            log_level="ERROR",
            outbound_allow_private=True,
            **settings,
        )
    )
    web.app = app
    services: Services = app.extensions["naga"]
    thread = threading.Thread(target=web.serve_forever, args=(0.05,))
    thread.start()
    cable = Cable(server.keycloak.url)
    try:
        school = RealmSchool(server, cable, tool, services)
        school.newcomers(PEOPLE, prefix=crowd.PREFIX)
        school.prepare()
        school.connect()
        school.settle()
        school.proven()
        yield school
    finally:
        tool.stop()
        cable.close()
        web.shutdown()
        thread.join()
        web.server_close()
        services.database.dispose()
