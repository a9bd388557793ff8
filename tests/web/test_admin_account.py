"""Signing in to the administration with the school account, and what each role may do there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client, TestResponse

from lti_tool import create_app
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import load_keyring
from lti_tool.core.database import Database
from lti_tool.identity.models import AdminSignIn
from lti_tool.identity.rights import Right, Role, rights_of
from lti_tool.settings import Settings
from lti_tool.web import rights
from tests.identity.launched import PERSON, add_school
from tests.identity.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, open_provider

URL = "http://localhost:8700"
OWN = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Desk:
    """A browser at the administration, and the provider where its person signs in."""

    app: Flask
    oidc: OidcProvider
    clock: FixedClock
    client: Client

    def get(self, path: str) -> TestResponse:
        """A page."""
        return self.client.get(path, base_url=URL, headers={"Accept": "text/html"})

    def post(self, path: str, **data: str) -> TestResponse:
        """A form of a page of ours."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/admin/sign-in").text)
        assert found is not None
        return self.client.post(
            path,
            base_url=URL,
            data={"csrf_token": found[1], **data},
            headers={"Accept": "text/html", **OWN},
        )

    def sign_in(self, **data: str) -> TestResponse:
        """From the button to where it leads."""
        leaving = self.post("/admin/sign-in", **data)
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', leaving.text)
        assert found is not None, leaving.text
        answer = self.oidc.authorize(unescape(found[1]))
        return self.get(f"/sign-in/callback?state={answer['state']}&code={answer['code']}")


@pytest.fixture
def desk(database: Database, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    add_school(database, clock)
    with open_provider(clock) as oidc:
        oidc.person = {"person_uuid": PERSON, "name": "SOK Dara", "sid": "session-1"}
        oidc.person["naga_roles"] = ["administrator"]
        load_keyring(tmp_path / "keys", create=True)
        app = create_app(
            Settings(
                public_url=URL,
                database_url=database.url.render_as_string(hide_password=False),
                keys_dir=tmp_path / "keys",
                log_level="ERROR",
                outbound_allow_private=True,
                outbound_allow_http=True,
                oidc_issuer=oidc.issuer,
                oidc_client_id=CLIENT_ID,
                oidc_client_secret=CLIENT_SECRET,
            ),
            clock=clock,
        )
        yield Desk(app, oidc, clock, app.test_client())
        app.extensions["naga"].database.dispose()


def test_the_way_in_and_out(desk: Desk) -> None:
    refused = desk.get("/admin/registrations")
    assert refused.status_code == 401
    assert "Sign in with your school account" in refused.text
    done = desk.sign_in()
    assert (done.status_code, done.location) == (303, "/admin/")
    assert desk.get("/admin/registrations").status_code == 200
    left = desk.post("/admin/sign-out")
    assert "You are signed out" in left.text
    assert f"{desk.oidc.issuer}/logout?id_token_hint=" in left.text
    assert desk.get("/admin/registrations").status_code == 401


def test_signing_out_at_the_provider_ends_the_session(desk: Desk) -> None:
    desk.sign_in()
    told = desk.app.test_client().post(
        "/sign-in/logout", base_url=URL, data={"logout_token": desk.oidc.logout_token()}
    )
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    assert desk.get("/admin/registrations").status_code == 401
    wrong = desk.app.test_client().post(
        "/sign-in/logout", base_url=URL, data={"logout_token": "not one"}
    )
    assert (wrong.status_code, wrong.json["error"]) == (400, "invalid_request")  # type: ignore[index]


def test_a_form_of_another_site_begins_nothing(desk: Desk) -> None:
    page = desk.get("/admin/sign-in").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    refused = desk.client.post(
        "/admin/sign-in",
        base_url=URL,
        data={"csrf_token": found[1]},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert refused.status_code == 400


def test_who_has_no_role_is_told_so(desk: Desk) -> None:
    desk.oidc.person["naga_roles"] = []
    refused = desk.sign_in()
    assert refused.status_code == 403
    assert "no role" in refused.text
    desk.oidc.person["naga_roles"] = ["janitor"]
    assert "mean nothing here" in desk.sign_in().text
    assert desk.get("/admin/registrations").status_code == 401


def test_who_may_not_do_everything_is_told_so(desk: Desk) -> None:
    words = "Your role does not allow everything"
    desk.sign_in()
    assert words not in desk.get("/admin/registrations").text
    desk.oidc.person["naga_roles"] = ["auditor"]
    desk.sign_in()
    assert words in desk.get("/admin/registrations").text


def test_what_reaches_far_wants_a_proof_of_now(desk: Desk) -> None:
    desk.sign_in()
    assert desk.post("/admin/registrations/invite").status_code == 200
    for _ in range(2):
        desk.clock.advance(minutes=20)
        assert desk.get("/admin/registrations").status_code == 200
    refused = desk.post("/admin/registrations/invite")
    assert refused.status_code == 403
    assert "confirm that it is you" in refused.text
    desk.sign_in(again="1")
    assert desk.post("/admin/registrations/invite").status_code == 200


def test_a_page_asks_no_provider_and_reads_the_session_once(desk: Desk) -> None:
    desk.sign_in()
    desk.get("/admin/registrations")
    seen = len(desk.oidc.stub.requests)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = desk.app.extensions["naga"].database.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    desk.get("/admin/registrations")
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(desk.oidc.stub.requests) == seen
    assert sum("admin_sign_in" in each for each in statements) == 1


def test_every_page_and_act_has_a_right(desk: Desk) -> None:
    endpoints = {
        rule.endpoint.removeprefix("admin.")
        for rule in desk.app.url_map.iter_rules()
        if rule.endpoint.startswith("admin.")
    }
    assert endpoints - rights.OPEN == set(rights.NEEDED)


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_its_rights_say_and_nothing_else(desk: Desk, role: Role) -> None:
    desk.sign_in()
    desk.app.config["WTF_CSRF_ENABLED"] = False
    database: Database = desk.app.extensions["naga"].database
    with database.write() as session:
        session.execute(sa.update(AdminSignIn).values(roles=[role]))
    allowed = rights_of([role])
    wrong = []
    for rule in desk.app.url_map.iter_rules():
        name = rule.endpoint.removeprefix("admin.")
        if not rule.endpoint.startswith("admin.") or name in rights.OPEN:
            continue
        values = dict.fromkeys(rule.arguments, 1)
        path = desk.app.url_map.bind("localhost").build(rule.endpoint, values)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answer = desk.client.open(
            path, method=method, base_url=URL, headers={"Accept": "text/html", **OWN}
        )
        refused = "Your role does not allow this." in answer.text
        if refused == (rights.NEEDED[name] in allowed) or answer.status_code >= 500:
            wrong.append((name, answer.status_code))
    assert wrong == []


def test_an_auditor_changes_nothing_and_a_registrar_connects_nothing() -> None:
    assert rights_of([Role.AUDITOR]) == {Right.READ}
    assert Right.CONNECT not in rights_of([Role.REGISTRAR])
    assert Right.SYNC not in rights_of([Role.REGISTRAR])
    assert rights_of(["nobody knows this", Role.AUDITOR]) == {Right.READ}
