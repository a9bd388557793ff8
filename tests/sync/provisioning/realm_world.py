"""A campus, a Moodle that is connected and a realm that is kept equal to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realms import Realms
from lti_tool.moodle.documents import Account
from lti_tool.moodle.models import MoodleSite, System
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.sites import Sites
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.changes import record_since
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.models import Person
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.provisioning.assembly import Limits, Provisioning, assemble
from lti_tool.sync.provisioning.models import SyncRun
from tests.identity.keycloak.realm_in_memory import RealmInMemory
from tests.sync.connected import NoRegistrations, Tokens, connected_site


@dataclass
class RealmWorld:
    """Everything that a test of the engine with a realm needs. The Moodle is never called."""

    database: Database
    clock: FixedClock
    realm: RealmInMemory
    directory: KeycloakDirectory
    site: Realm
    moodle: MoodleSite
    sites: Sites
    parts: Provisioning
    extracts: Extracts
    sharing: set[str] = field(default_factory=set)

    def wanted(self) -> dict[str, Account]:
        """The accounts that the SIS wants."""
        keys = self.parts.rendering.all_keys("account")
        found = self.parts.rendering.render(
            "account", keys, now=self.clock.now(), site_id=self.site.id
        )
        return {key: each for key, each in found.items() if isinstance(each, Account)}

    def run(self, **options: Any) -> SyncRun | None:
        """A second later, run the engine at the realm."""
        self.clock.advance(seconds=1)
        return self.parts.engine.run(self.sites.get(self.site.id), **options)

    def ran(self) -> SyncRun:
        """The same, where something is due."""
        run = self.run()
        assert run is not None
        return run

    def change(self, *keys: str, **values: Any) -> None:
        """Change people in the SIS, as an import does."""
        self.clock.advance(seconds=1)
        now = self.clock.now()
        with self.database.write() as session:
            session.execute(
                sa.update(Person)
                .where(Person.sourced_id.in_(keys))
                .values(updated_at=now, **values)
            )
            record_since(session, now)

    def active(self, number: int) -> list[str]:
        """People whose account is open, and whose address is their own."""
        found = [
            key
            for key, each in sorted(self.wanted().items())
            if each.enabled and not each.email_shared
        ]
        assert len(found) >= number
        return found[:number]

    def letters(self) -> list[tuple[str, str, str]]:
        """Key, item and code of the dead letters; the two people of the campus who have shared an
        address from the beginning are left out."""
        found = self.parts.letters.list(self.site.id)
        told = [(letter.key, letter.item, letter.code) for letter in found]
        return sorted(each for each in told if each[0] not in self.sharing)


def build_realm_world(
    database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient
) -> RealmWorld:
    """A campus of 50 students; both sites are connected, and nothing has been sent yet."""
    generate_campus(database, clock, size=50)
    moodle = connected_site(database, clock, "https://moodle.example.edu")
    realm, audit, extracts = RealmInMemory(), AuditLog(clock), Extracts(database)
    directory = realm.directory(clock)
    sites = Sites(database, clock, audit, keyring, NoRegistrations())
    parts = assemble(
        database,
        clock,
        keyring,
        audit,
        extracts,
        {System.MOODLE: MoodlePlugin(http, Tokens()), System.KEYCLOAK: directory},
        sites,
        Lifecycle(ZoneInfo("Asia/Phnom_Penh")),
        Limits(calls_per_minute=10_000),
        sleep=lambda _: None,
    )
    site = Realms(database, clock, audit, directory).connect(
        "https://login.example.edu/", "school", public_url="https://sis.example.edu", actor="tests"
    )
    world = RealmWorld(database, clock, realm, directory, site, moodle, sites, parts, extracts)
    world.sharing = {key for key, each in world.wanted().items() if each.email_shared}
    return world
