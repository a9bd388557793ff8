"""A school where people sign in once: SIS, Keycloak, Moodle and the tool, held together by the
worker alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import BrowserContext, Page

from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.models import AdminSignIn
from lti_tool.lti.models import Launch
from lti_tool.moodle.models import MoodleSignIn
from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import ClassHeader, Enrollment, Person
from lti_tool.sync.provisioning.models import SyncRun
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, CLAIM, Keycloak, KeycloakServer
from tests.e2e.tool import Tool
from tests.e2e.with_plugin.campus import Campus
from tests.e2e.with_plugin.link import Link

# What each asks for a password by.
_LOGIN = "login-actions/authenticate"


def until(said: Callable[[], object], *, seconds: float, what: str) -> float:
    """Wait until something holds; returns after how many seconds."""
    began = time.monotonic()
    while not (found := said()):
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not after {seconds} s: {what} ({found!r})")
        time.sleep(0.25)
    return time.monotonic() - began


@dataclass
class OneSchool:
    """``said``: what the commands printed, by their names."""

    link: Link
    server: KeycloakServer
    said: dict[str, str]

    @property
    def campus(self) -> Campus:
        """The campus."""
        return self.link.campus

    @property
    def tool(self) -> Tool:
        """The tool."""
        return self.campus.tool

    @property
    def keycloak(self) -> Keycloak:
        """The Keycloak."""
        return self.server.keycloak

    def join(self) -> None:
        """As an administrator does: two commands, two settings, a pairing code."""
        self.said["setup"] = self.tool.cli(
            *("keycloak", "setup", self.keycloak.url, "--realm", "school"),
            *("--user", ADMIN, "--password", ADMIN_PASSWORD),
        )
        # So that it can be read afterwards what was asked of it.
        self.keycloak.call(
            "PUT", "/school", {"adminEventsEnabled": True, "adminEventsDetailsEnabled": True}
        )
        self.tool.stop()
        self.tool.extra = {
            "NAGASIS_OIDC_ISSUER": self.keycloak.issuer,
            "NAGASIS_OIDC_CLIENT_ID": "naga-tool",
            "MOODLE_SYNC_ENABLED": "true",
        }
        self.tool.start()
        self.said["pair"] = self.campus.plugins.pair(self.tool.cli("site", "code"))
        self.said["connect"] = self.tool.cli("keycloak", "connect", self.keycloak.url)

    def leave(self) -> None:
        """The tool as it was before, without the realm."""
        self.tool.stop()
        self.tool.extra = {}
        self.tool.cli("site", "disconnect", str(self.realm.id), "--yes")
        with self.tool.services() as services, services.database.write() as session:
            # Its Keycloak goes away with this test.
            session.execute(sa.delete(MoodleSignIn))
        self.tool.start()

    @property
    def realm(self) -> Realm:
        """The realm, as a site of the sync."""
        with self.tool.services() as services:
            (realm,) = (each for each in services.sites.list() if isinstance(each, Realm))
            return realm

    # -- the SIS

    def enter(self, key: str) -> None:
        """The registrar enters a student of the chosen class, who has no address of their own."""
        class_key = self.campus.chosen.class_key
        with self.tool.services() as services, services.database.write() as session:
            now = services.clock.now()
            person = Person(
                sourced_id=key,
                student_id=key.upper(),
                family_name="Sok",
                personal_name="Dara",
                school_email=None,
                is_student=True,
                updated_at=now,
            )
            session.add(person)
            session.flush()
            query = sa.select(ClassHeader.id).where(ClassHeader.sourced_id == class_key)
            session.add(
                Enrollment(
                    sourced_id=f"{key}-{class_key}"[:255],
                    person_id=person.id,
                    header_id=session.scalars(query).one(),
                    status_since=now,
                    updated_at=now,
                )
            )
            record(session, ChangeKind.PERSON, [key], at=now)
            record(session, ChangeKind.ROSTER, [class_key], at=now)

    def set_status(self, key: str, status: PersonStatus) -> None:
        """The registrar suspends somebody, or lets them in again."""
        with self.tool.services() as services, services.database.write() as session:
            now = services.clock.now()
            session.execute(
                sa.update(Person)
                .where(Person.sourced_id == key)
                .values(status=status, updated_at=now)
            )
            record(session, ChangeKind.PERSON, [key], at=now)

    def people(self) -> set[str]:
        """Keys of everybody who has an account."""
        with self.tool.services() as services:
            return set(services.provisioning.rendering.all_keys("account"))

    def sharing(self) -> set[str]:
        """Keys of people whose address is somebody else's too."""
        with self.tool.services() as services, services.database.read() as session:
            query = sa.select(Person.sourced_id, sa.func.lower(Person.school_email))
            rows = session.execute(query.where(Person.school_email.is_not(None))).all()
            addresses: dict[str, str] = {row[0]: row[1] for row in rows}
        times = Counter(addresses.values())
        return {key for key, address in addresses.items() if times[address] > 1}

    # -- how it stands

    def account(self, key: str) -> dict[str, Any] | None:
        """A person's account in Keycloak."""
        found = self.keycloak.call(
            "GET", f'/school/users?q={CLAIM}:"{key}"&briefRepresentation=false'
        )
        return found[0] if found else None

    def accounts(self) -> dict[str, dict[str, Any]]:
        """All accounts of people in Keycloak, by their keys."""
        found = self.keycloak.call("GET", "/school/users?max=1000&briefRepresentation=false")
        return {
            each["attributes"][CLAIM][0]: each
            for each in found
            if CLAIM in (each.get("attributes") or {})
        }

    def groups(self, key: str) -> list[str]:
        """The groups of a person's account."""
        account = self.account(key)
        assert account is not None
        found = self.keycloak.call("GET", f"/school/users/{account['id']}/groups")
        return sorted(each["name"] for each in found)

    def sessions(self, key: str) -> list[dict[str, Any]]:
        """The sessions of a person at Keycloak."""
        account = self.account(key)
        assert account is not None
        found: list[dict[str, Any]] = self.keycloak.call(
            "GET", f"/school/users/{account['id']}/sessions"
        )
        return found

    def ways_in(self) -> dict[str, dict[str, Any]]:
        """How people enter Moodle, by their keys."""
        found: dict[str, dict[str, Any]] = self.campus.plugins.act("all_ways_in")
        return found

    def place(self, key: str) -> dict[str, Any] | None:
        """How somebody stands in the chosen class's course, if they have an account there."""
        return self.campus.place(key) if key in self.ways_in() else None

    def runs(self, *, after: int = 0) -> list[SyncRun]:
        """Runs of the sync since the one with this id."""
        with self.tool.services() as services, services.database.read() as session:
            query = sa.select(SyncRun).where(SyncRun.id > after).order_by(SyncRun.id)
            return list(session.scalars(query))

    def unsettled(self) -> dict[str, Any]:
        """What is still to be done."""
        with self.tool.services() as services:
            sites = [self.realm.id, *(each.id for each in services.sites.moodles())]
            waiting = {site: services.provisioning.marks.counts(site) for site in sites}
            return {str(site): counts for site, counts in waiting.items() if counts}

    def refused(self) -> dict[str, int]:
        """How many things of people Keycloak, or the tool for it, refuses, by the reason."""
        with self.tool.services() as services:
            return services.provisioning.letters.counts(self.realm.id)

    def own_session(self, key: str) -> AdminSignIn | None:
        """The session at the tool itself that somebody began last."""
        with self.tool.services() as services, services.database.read() as session:
            query = sa.select(AdminSignIn).where(AdminSignIn.person_key == key)
            return session.scalars(query.order_by(AdminSignIn.created_at.desc())).first()

    def last_launch(self) -> Launch:
        """The launch that came last."""
        with self.tool.services() as services, services.database.read() as session:
            found = session.scalars(sa.select(Launch).order_by(Launch.at.desc())).first()
            assert found is not None
            return found

    def who_launched(self, launch: Launch) -> str | None:
        """Who that is, by the link between their account and a person of the SIS."""
        assert launch.registration_id is not None
        assert launch.subject is not None
        with self.tool.services() as services, services.database.read() as session:
            found = services.people.links(session, launch.registration_id, [launch.subject])
        return found.get(launch.subject)

    def id_token(self, username: str) -> dict[str, Any]:
        """What Keycloak would say of somebody in the tool's ID token."""
        (client,) = self.keycloak.call("GET", "/school/clients?clientId=naga-tool")
        (user,) = self.keycloak.call("GET", f"/school/users?username={username}&exact=true")
        found: dict[str, Any] = self.keycloak.call(
            "GET",
            f"/school/clients/{client['id']}/evaluate-scopes/generate-example-id-token"
            f"?scope=openid&userId={user['id']}",
        )
        return found

    # -- people at their browsers

    def give_password(self, key: str, password: str) -> None:
        """As the link in a mail of Keycloak's would: it is never seen by the tool."""
        account = self.account(key)
        assert account is not None
        self.keycloak.call(
            "PUT",
            f"/school/users/{account['id']}/reset-password",
            {"type": "password", "value": password, "temporary": True},
        )

    def to_moodle(self, browser: BrowserContext, path: str) -> Page:
        """A page of Moodle, as far as the button of the school's account leads."""
        page = browser.new_page()
        page.goto(self.campus.moodle.url + path)
        page.get_by_role("link", name="School account").click()
        return page

    def to_tool(self, page: Page) -> Page:
        """The tool's own way in, as far as its button leads; who is in goes on without it."""
        page.goto(f"{self.tool.url}/sign-in")
        if "/sign-in" in page.url:
            page.get_by_role("button", name="Sign in with your school account").click()
        return page


def fill_in(page: Page, username: str, password: str) -> None:
    """Say to Keycloak who one is."""
    page.locator("#username").fill(username)
    page.locator("#password").fill(password)
    page.locator("#kc-login").click()


def choose_password(page: Page, password: str) -> None:
    """Do what Keycloak asks of newcomers."""
    page.locator("#password-new").fill(password)
    page.locator("#password-confirm").fill(password)
    page.locator("#kc-passwd-update-form [type=submit]").click()


@dataclass
class Passwords:
    """How often a browser has sent one to Keycloak."""

    sent: int = 0

    @classmethod
    def of(cls, browser: BrowserContext) -> Passwords:
        """Begin to count."""
        counted = cls()

        def note(request: Any) -> None:
            counted.sent += request.method == "POST" and _LOGIN in request.url

        browser.on("request", note)
        return counted
