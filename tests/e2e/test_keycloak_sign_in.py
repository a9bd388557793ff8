"""A person connects their account by signing in at a real Keycloak."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask, render_template
from playwright.sync_api import Playwright, expect
from pydantic import SecretStr
from werkzeug import Response
from werkzeug.test import TestResponse

from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Base
from lti_tool.lti.models import Registration
from lti_tool.web.sessions import LAUNCH_COOKIE, ScopedSessions, open_launch
from lti_tool.wiring import Services
from tests.e2e.keycloak import (
    CLAIM,
    CLIENT_ID,
    CLIENT_SECRET,
    Keycloak,
)
from tests.e2e.tool_here import run_tool
from tests.identity.launched import OTHER, PERSON, SECRET, Launched, add_launch, add_school
from tests.lti.outbound_world import Stub

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


@dataclass
class Tool:
    """The tool on a port of its own, and how somebody comes to it."""

    app: Flask
    url: str
    registration_id: int

    @property
    def services(self) -> Services:
        """What it is made of."""
        found: Services = self.app.extensions["naga"]
        return found

    def launch(self, subject: str) -> Launched:
        """Somebody launches from an account that nobody knows."""
        return add_launch(
            self.services.database, SystemClock(), self.registration_id, subject=subject
        )

    def session(self, launched: Launched) -> str:
        """The cookie of this launch."""
        interface = self.app.session_interface
        assert isinstance(interface, ScopedSessions)
        content = {"reference": launched.reference, "secret": SECRET, "csrf_token": "seed"}
        return interface.dump(self.app, content)

    def sign_in(self, keycloak: Keycloak, launched: Launched, name: str) -> TestResponse:
        """From the button to the last page, in a window of its own."""
        frame, window = self.app.test_client(), self.app.test_client()
        frame.set_cookie(
            LAUNCH_COOKIE,
            self.session(launched),
            domain="localhost",
            path=f"/l/{launched.reference}",
        )
        page = frame.get(f"/l/{launched.reference}/", base_url=self.url)
        assert page.status_code == 403
        ticket = _found(r'name="ticket" value="([^"]+)"', page.text)
        leaving = window.post(
            "/sign-in",
            base_url=self.url,
            data={"ticket": ticket},
            headers={"Sec-Fetch-Site": "same-origin"},
        )
        address = _found(r'http-equiv="refresh" content="0; url=([^"]+)"', leaving.text)
        back = urlsplit(keycloak.sign_in(address, name))
        assert f"{back.scheme}://{back.netloc}" == self.url
        return window.get(
            f"{back.path}?{back.query}", base_url=self.url, headers={"Accept": "text/html"}
        )

    def person(self, launched: Launched) -> str | None:
        """Who the account is now."""
        with self.services.database.read() as session:
            return self.services.people.links(
                session, self.registration_id, [launched.subject]
            ).get(launched.subject)


@pytest.fixture(scope="module")
def keycloak(keycloak: Keycloak) -> Keycloak:
    keycloak.make_realm()
    keycloak.make_user("dara", PERSON)
    keycloak.make_user("nobody", "not in the SIS")
    keycloak.make_user("keyless", None)
    keycloak.make_user("bopha", OTHER)
    return keycloak


@pytest.fixture(params=["secret"])
def tool(keycloak: Keycloak, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tool]:
    client_id = f"{CLIENT_ID}-{uuid.uuid4()}"
    with run_tool(
        tmp_path,
        oidc_issuer=keycloak.issuer,
        oidc_client_id=client_id,
        oidc_client_secret=SecretStr(CLIENT_SECRET if request.param == "secret" else ""),
        oidc_person_claim=CLAIM,
    ) as (app, url):
        keycloak.make_client(
            f"{url}/sign-in/callback",
            client_id=client_id,
            keys_url=f"{url}/lti/keys" if request.param == "key" else None,
        )
        services: Services = app.extensions["naga"]
        yield Tool(app, url, add_school(services.database, SystemClock()))


@pytest.mark.parametrize("tool", ["secret", "key"], indirect=True)
def test_an_account_is_connected_to_its_person(keycloak: Keycloak, tool: Tool) -> None:
    launched = tool.launch("1")
    done = tool.sign_in(keycloak, launched, "dara")
    assert done.status_code == 200, done.text
    assert tool.person(launched) == PERSON


def test_a_new_key_of_the_realm_is_found(keycloak: Keycloak, tool: Tool) -> None:
    assert tool.sign_in(keycloak, tool.launch("1"), "dara").status_code == 200
    keycloak.rotate_keys()
    # All processes share one cool-down between two fetches; a minute would have to pass.
    with tool.services.database.write() as session:
        session.execute(Base.metadata.tables["lti_platform_keyset"].delete())
    assert tool.sign_in(keycloak, tool.launch("2"), "bopha").status_code == 200


@pytest.mark.parametrize("name", ["nobody", "keyless"])
def test_who_the_sis_does_not_know_is_refused(keycloak: Keycloak, tool: Tool, name: str) -> None:
    launched = tool.launch("1")
    refused = tool.sign_in(keycloak, launched, name)
    assert refused.status_code == 403
    assert launched.reference in refused.text
    assert tool.person(launched) is None


def test_one_person_has_one_account(keycloak: Keycloak, tool: Tool) -> None:
    tool.sign_in(keycloak, tool.launch("1"), "dara")
    second = tool.launch("2")
    assert tool.sign_in(keycloak, second, "dara").status_code == 409
    assert tool.person(second) is None


@pytest.mark.browser
@pytest.mark.parametrize("proof", ["cookie", "header"])
def test_the_page_in_the_course_goes_on_by_itself(
    keycloak: Keycloak, tool: Tool, playwright_: Playwright, chromium: Path, proof: str
) -> None:
    """In a frame on another site, whose cookies the new window does not have."""
    launched = tool.launch("1")
    with _course(tool, launched, proof) as course:
        browser = playwright_.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context()
        page = context.new_page()
        page.goto(course)
        frame = page.frame_locator("iframe")
        with context.expect_page() as opened:
            frame.get_by_role("button", name="Sign in with your school account").click()
        window = opened.value
        window.get_by_label("Username").fill("dara")
        window.get_by_label("Password", exact=True).fill("dara")
        window.get_by_role("button", name="Sign In").click()
        expect(window.get_by_role("heading", name="Your account is connected")).to_be_visible()
        # Nobody touches the first window: it finds out.
        expect(frame.get_by_role("heading", name="This course is not connected")).to_be_visible(
            timeout=30_000
        )
        assert tool.person(launched) == PERSON
        browser.close()


@contextmanager
def _course(tool: Tool, launched: Launched, proof: str) -> Iterator[str]:
    """A page on another site with the tool in a frame, as a launch ends there."""

    def arrive() -> Response:
        home = f"/l/{launched.reference}/"
        if proof == "cookie":
            response = Response(status=303, headers={"Location": home})
            open_launch(response, launched.reference, SECRET)
            return response
        token = tool.session(launched)
        return Response(
            render_template("lti/continue.html", home=home, token=token), mimetype="text/html"
        )

    tool.app.add_url_rule("/arrive", "arrive", arrive)
    stub = Stub()
    frame = f'<iframe src="{tool.url}/arrive" width="900" height="700"></iframe>'
    stub.on("GET", "/course", Response(frame, mimetype="text/html"))
    with tool.services.database.write() as session:
        session.execute(sa.update(Registration).values(auth_url=f"{stub.url}/auth"))
    try:
        yield f"{stub.url}/course"
    finally:
        stub.close()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return unescape(match[1])
