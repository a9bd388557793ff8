"""The administration with a real Keycloak: signed in to by a role, and signed out of from there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Base
from lti_tool.identity.keycloak.connection import as_administrator
from lti_tool.identity.keycloak.realm import TOOL, RealmPlan
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.wiring import Services
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, Keycloak
from tests.e2e.tool_here import run_tool
from tests.identity.launched import PERSON, add_school

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]

REALM = "administration"
OWN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@dataclass
class Desk:
    """A browser at the tool, whose people are Keycloak's."""

    app: Flask
    url: str
    keycloak: Keycloak

    def browser(self) -> Client:
        """One that nobody has used."""
        return self.app.test_client()

    def sign_in(self, browser: Client, name: str) -> TestResponse:
        """From the button to where it leads."""
        page = browser.get("/admin/sign-in", base_url=self.url).text
        leaving = browser.post(
            "/admin/sign-in",
            base_url=self.url,
            data={"csrf_token": _found(r'name="csrf_token" value="([^"]+)"', page)},
            headers=OWN,
        )
        address = _found(r'http-equiv="refresh" content="0; url=([^"]+)"', leaving.text)
        back = urlsplit(self.keycloak.sign_in(address, name))
        return browser.get(f"{back.path}?{back.query}", base_url=self.url, headers=OWN)

    def opens(self, browser: Client, path: str = "/admin/registrations") -> int:
        """What the page answers."""
        return browser.get(path, base_url=self.url, headers=OWN).status_code


@pytest.fixture(scope="module")
def desk(keycloak: Keycloak, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with run_tool(
        tmp_path_factory.mktemp("desk"),
        oidc_issuer=f"{keycloak.url}/realms/{REALM}",
        oidc_client_id=TOOL,
    ) as (app, url):
        services: Services = app.extensions["naga"]
        add_school(services.database, SystemClock())
        _prepare(services, keycloak, url)
        yield Desk(app, url, keycloak)


def _prepare(services: Services, keycloak: Keycloak, url: str) -> None:
    admin = as_administrator(
        services.http, keycloak.url, realm=REALM, username=ADMIN, password=ADMIN_PASSWORD
    )
    RealmSetup(admin, RealmPlan(realm=REALM, tool_url=url)).apply()
    tool = admin.get_client_id(TOOL)
    assert tool is not None
    for name, roles in (
        ("registrar", ["registrar"]),
        ("leaving", ["auditor"]),
        ("promoted", ["auditor"]),
        ("nobody", []),
    ):
        user = admin.create_user(
            {
                "username": name,
                "enabled": True,
                "firstName": "Given",
                "lastName": "Family",
                "email": f"{name}@school.example",
                "emailVerified": True,
                "attributes": {"person_uuid": [PERSON]} if name == "registrar" else {},
                "credentials": [{"type": "password", "value": name, "temporary": False}],
            }
        )
        if roles:
            found = [admin.get_client_role(tool, role) for role in roles]
            admin.assign_client_role(user, tool, found)


def test_a_role_of_the_realm_opens_what_it_should(desk: Desk) -> None:
    browser = desk.browser()
    assert desk.sign_in(browser, "registrar").location == "/admin/"
    assert desk.opens(browser) == 200
    assert desk.opens(browser, "/admin/registrations/new") == 403


def test_who_has_no_role_stays_outside(desk: Desk) -> None:
    browser = desk.browser()
    assert desk.sign_in(browser, "nobody").status_code == 403
    assert desk.opens(browser) == 401


def test_signed_out_at_keycloak_is_signed_out_here(desk: Desk) -> None:
    """By Keycloak's own call to the tool."""
    browser = desk.browser()
    desk.sign_in(browser, "leaving")
    assert desk.opens(browser) == 200
    user = desk.keycloak.call("GET", f"/{REALM}/users?username=leaving&exact=true")[0]["id"]
    desk.keycloak.call("POST", f"/{REALM}/users/{user}/logout")
    until = time.monotonic() + 20
    while desk.opens(browser) != 401 and time.monotonic() < until:
        time.sleep(0.1)
    assert desk.opens(browser) == 401


def test_the_way_out_leads_through_keycloak(desk: Desk) -> None:
    browser = desk.browser()
    desk.sign_in(browser, "registrar")
    page = browser.get("/admin/registrations", base_url=desk.url, headers=OWN).text
    left = browser.post(
        "/admin/sign-out",
        base_url=desk.url,
        data={"csrf_token": _found(r'name="csrf_token" value="([^"]+)"', page)},
        headers=OWN,
    )
    onward = _found(r'http-equiv="refresh" content="0; url=([^"]+)"', left.text)
    answer = desk.keycloak.session.get(onward, allow_redirects=False, timeout=60)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(f"{desk.url}/admin/sign-in")


def test_changed_roles_are_learnt_from_keycloak(desk: Desk) -> None:
    browser = desk.browser()
    desk.sign_in(browser, "promoted")
    services: Services = desk.app.extensions["naga"]
    admin = as_administrator(
        services.http, desk.keycloak.url, realm=REALM, username=ADMIN, password=ADMIN_PASSWORD
    )
    tool = admin.get_client_id(TOOL)
    user = admin.get_user_id("promoted")
    assert tool is not None
    assert user is not None
    admin.assign_client_role(user, tool, [admin.get_client_role(tool, "administrator")])
    assert desk.opens(browser, "/admin/registrations/new") == 403
    _make_due(services)
    assert services.signing_in is not None
    services.signing_in.sessions.keep_current()
    assert desk.opens(browser, "/admin/registrations/new") == 200
    admin.update_user(user, {"enabled": False})
    _make_due(services)
    services.signing_in.sessions.keep_current()
    assert desk.opens(browser) == 401


def _make_due(services: Services) -> None:
    """As if it were five minutes later."""
    with services.database.write() as session:
        session.execute(
            Base.metadata.tables["admin_sign_in"]
            .update()
            .values(checked_at=SystemClock().now().replace(year=2020))
        )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return unescape(match[1])
