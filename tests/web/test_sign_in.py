from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from pydantic import SecretStr
from werkzeug import Response
from werkzeug.test import Client, TestResponse

from lti_tool import create_app
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import load_keyring
from lti_tool.core.database import Database
from lti_tool.settings import Settings
from lti_tool.web.sessions import LAUNCH_COOKIE, ScopedSessions
from tests.identity.launched import OTHER, PERSON, SECRET, Launched, add_launch, add_school
from tests.identity.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    CONFIGURATION,
    OidcProvider,
    open_provider,
)

URL = "http://localhost:8700"
BUTTON = "Sign in with your school account"
OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class World:
    """A launch whose account is nobody yet: its frame, and a window without the frame's cookies."""

    app: Flask
    oidc: OidcProvider
    launched: Launched
    frame: Client
    window: Client

    @property
    def home(self) -> str:
        """The launch's own address."""
        return f"/l/{self.launched.reference}/"

    def session(self) -> str:
        """The signed value that proves the launch's session."""
        interface = self.app.session_interface
        assert isinstance(interface, ScopedSessions)
        content = {"reference": self.launched.reference, "secret": SECRET, "csrf_token": "seed"}
        return interface.dump(self.app, content)

    def ticket(self) -> str:
        """What the button of the page in the frame would send."""
        page = self.frame.get(self.home, base_url=URL).get_data(as_text=True)
        found = re.search(r'name="ticket" value="([^"]+)"', page)
        assert found is not None, page
        return unescape(found[1])

    def press(self, ticket: str | None = None, **headers: str) -> TestResponse:
        """Press the button: a form of the page, answered in the window."""
        return self.window.post(
            "/sign-in",
            base_url=URL,
            data={"ticket": self.ticket() if ticket is None else ticket},
            headers=headers or OWN,
        )

    def return_from_provider(self) -> str:
        """Sign in there; the address that the browser is sent back to."""
        page = self.press().get_data(as_text=True)
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
        assert found is not None, page
        answer = self.oidc.authorize(unescape(found[1]))
        return f"/sign-in/callback?state={answer['state']}&code={answer['code']}"

    def poll(self, **headers: str) -> TestResponse:
        """What the page in the frame asks every few seconds."""
        client = self.app.test_client() if headers else self.frame
        return client.get(
            f"{self.home}sign-in", base_url=URL, headers={"HX-Request": "true"} | headers
        )


def _settings(database: Database, folder: Path, issuer: str) -> Settings:
    return Settings(
        public_url=URL,
        database_url=database.url.render_as_string(hide_password=False),
        keys_dir=folder / "keys",
        log_level="ERROR",
        outbound_allow_private=True,
        outbound_allow_http=True,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=SecretStr(CLIENT_SECRET),
    )


@pytest.fixture
def world(database: Database, clock: FixedClock, tmp_path: Path) -> Iterator[World]:
    launched = add_launch(database, clock, add_school(database, clock))
    with open_provider(clock) as oidc:
        oidc.person = {"person_uuid": PERSON}
        load_keyring(tmp_path / "keys", create=True)
        app = create_app(_settings(database, tmp_path, oidc.issuer), clock=clock)
        world = World(app, oidc, launched, app.test_client(), app.test_client())
        world.frame.set_cookie(
            LAUNCH_COOKIE, world.session(), domain="localhost", path=world.home.rstrip("/")
        )
        yield world
        app.extensions["naga"].database.dispose()


def test_the_page_offers_to_sign_in_and_goes_on_when_it_is_done(world: World) -> None:
    page = world.frame.get(world.home, base_url=URL)
    assert page.status_code == 403
    assert BUTTON in page.text
    assert 'target="_blank"' in page.text
    assert world.launched.reference in page.text
    assert world.poll().status_code == 204

    done = world.window.get(world.return_from_provider(), base_url=URL)
    assert done.status_code == 200
    assert "Your account is connected" in done.text

    assert world.poll().headers["HX-Redirect"] == world.home
    assert BUTTON not in world.frame.get(world.home, base_url=URL).text


def test_a_page_without_cookies_goes_on_by_itself_too(world: World) -> None:
    proof = {"X-Naga-Session": world.session()}
    assert world.poll(**proof).status_code == 204
    world.window.get(world.return_from_provider(), base_url=URL)
    answer = world.poll(**proof)
    assert json.loads(answer.headers["HX-Location"])["path"] == world.home
    assert "HX-Redirect" not in answer.headers


def test_the_poll_needs_the_session_and_leads_home_where_it_is_opened(world: World) -> None:
    assert world.window.get(f"{world.home}sign-in", base_url=URL).status_code == 401
    opened = world.frame.get(f"{world.home}sign-in", base_url=URL)
    assert (opened.status_code, opened.location) == (302, world.home)


def test_the_cookie_of_a_sign_in_is_bound_and_ends_with_it(world: World) -> None:
    cookie = world.press().headers["Set-Cookie"]
    assert cookie.startswith("__Host-naga-sign-in-")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"):
        assert part in cookie
    done = world.window.get(world.return_from_provider(), base_url=URL)
    assert "Max-Age=0" in done.headers["Set-Cookie"]


def test_leaving_is_no_redirect_of_a_form(world: World) -> None:
    answer = world.press()
    assert answer.status_code == 200
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": URL},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"User-Agent": "says nothing of where it came from"},
    ],
)
def test_a_stranger_s_page_cannot_begin(world: World, headers: dict[str, str]) -> None:
    answer = world.press(**headers)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers
    assert world.oidc.stub.requests == []


def test_an_old_browser_proves_itself_by_the_origin(world: World) -> None:
    assert world.press(Origin=URL).status_code == 200


@pytest.mark.parametrize("ticket", ["", "LAUNCH42", "IkxBVU5DSDQyIg.forged"])
def test_a_ticket_must_be_ours(world: World, ticket: str) -> None:
    assert world.press(ticket).status_code == 400


def test_the_session_is_no_ticket(world: World) -> None:
    assert world.press(world.session()).status_code == 400


def test_a_ticket_ends_with_its_launch(world: World, clock: FixedClock) -> None:
    ticket = world.ticket()
    clock.advance(hours=2)
    assert world.press(ticket).status_code == 401


@pytest.mark.parametrize("query", ["", "?state=nobody&code=c", "?code=c", "?state=%00&code=%00"])
def test_an_answer_that_nobody_asked_for(world: World, query: str) -> None:
    answer = _problem(world.window, f"/sign-in/callback{query}")
    assert (answer.status_code, answer.json and answer.json["code"]) == (400, "sign_in_not_open")


def test_a_replayed_answer(world: World) -> None:
    address = world.return_from_provider()
    assert world.window.get(address, base_url=URL).status_code == 200
    answer = _problem(world.window, address)
    assert (answer.status_code, answer.json and answer.json["code"]) == (400, "sign_in_not_open")


def test_an_answer_in_another_browser(world: World) -> None:
    answer = _problem(world.app.test_client(), world.return_from_provider())
    assert answer.status_code == 403
    assert answer.json
    assert answer.json["code"] == "sign_in_other_browser"
    assert world.poll().status_code == 204


def test_the_provider_says_no(world: World) -> None:
    path = world.return_from_provider().replace("&code=", "&error=access_denied&unused=")
    answer = world.window.get(path, base_url=URL)
    assert answer.status_code == 403
    assert "access_denied" not in answer.text
    assert world.launched.reference in answer.text
    again = world.window.get(path, base_url=URL)
    assert (again.status_code, "no longer open" in again.text) == (400, True)


def test_a_person_unknown_to_the_sis_gets_a_page_with_the_reference(world: World) -> None:
    world.oidc.person = {"person_uuid": "nobody"}
    answer = world.window.get(world.return_from_provider(), base_url=URL)
    assert answer.status_code == 403
    assert world.launched.reference in answer.text
    assert world.poll().status_code == 204


def test_a_person_who_is_connected_elsewhere(world: World) -> None:
    people = world.app.extensions["naga"].people
    people.link(
        world.launched.registration_id, "another", PERSON, method="administrator", actor="admin"
    )
    answer = _problem(world.window, world.return_from_provider())
    assert answer.status_code == 409
    assert world.poll().status_code == 204


def test_an_account_that_was_connected_meanwhile_stays_so(world: World) -> None:
    address = world.return_from_provider()
    people = world.app.extensions["naga"].people
    people.link(world.launched.registration_id, "42", OTHER, method="administrator", actor="admin")
    assert world.window.get(address, base_url=URL).status_code == 409


def test_a_provider_that_is_down(world: World) -> None:
    ticket = world.ticket()
    world.oidc.stub.on("GET", CONFIGURATION, Response("down", 503))
    answer = world.press(ticket)
    assert answer.status_code == 502
    assert "Set-Cookie" not in answer.headers


def test_programs_and_parts_of_pages_get_no_button(world: World) -> None:
    problem = _problem(world.frame, world.home)
    assert problem.json
    assert problem.json["code"] == "person_unknown"
    part = world.frame.get(world.home, base_url=URL, headers={"HX-Request": "true"})
    assert BUTTON not in part.text


def test_without_a_provider_there_is_neither_button_nor_door(
    database: Database, world: World, clock: FixedClock, tmp_path: Path
) -> None:
    app = create_app(_settings(database, tmp_path, ""), clock=clock)
    frame = app.test_client()
    frame.set_cookie(
        LAUNCH_COOKIE, world.session(), domain="localhost", path=world.home.rstrip("/")
    )
    page = frame.get(world.home, base_url=URL)
    assert page.status_code == 403
    assert BUTTON not in page.text
    assert frame.post("/sign-in", base_url=URL, headers=OWN).status_code == 404
    assert frame.get("/sign-in/callback", base_url=URL).status_code == 404
    app.extensions["naga"].database.dispose()


def _problem(client: Client, path: str) -> TestResponse:
    return client.get(path, base_url=URL, headers={"Accept": "application/json"})
