"""Signing in to the administration with the school account, and what each role may do there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.identity.models import AdminSignIn
from lti_tool.identity.rights import Right, Role, rights_of
from lti_tool.lti.models import Invite
from lti_tool.web import rights
from tests.identity.launched import PERSON, add_school
from tests.web.desk import OWN, URL, Desk, open_desk


@pytest.fixture
def desk(database: Database, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    add_school(database, clock)
    with open_desk(database, clock, tmp_path) as desk:
        desk.oidc.person = {"person_uuid": PERSON, "name": "SOK Dara", "sid": "session-1"}
        desk.oidc.person["naga_roles"] = ["administrator"]
        yield desk


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


def test_a_better_proof_is_asked_for_where_it_is_set(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    add_school(database, clock)
    with open_desk(database, clock, tmp_path, oidc_step_up_acr="gold platinum") as desk:
        desk.oidc.person = {"naga_roles": ["administrator"], "name": "Chan", "acr": "silver"}
        desk.sign_in()
        assert desk.get("/admin/registrations/new").status_code == 200
        of = "/admin/registrations/new"
        refused = desk.post("/admin/registrations/invite", of=of)
        assert (refused.status_code, "a better proof" in refused.text) == (403, True)
        onward = re.search(r'name="onward" value="([^"]+)"', refused.text)
        assert onward is not None
        assert onward[1] == of, "where the form was"
        again = {"again": "1", "onward": onward[1]}
        leaving = desk.post("/admin/sign-in", **again)
        assert "acr_values=gold%20platinum" in desk.asked(leaving).replace("+", "%20")
        # The provider passes over what it was asked for.
        lower = desk.come_back(leaving)
        assert (lower.status_code, "not proof enough" in lower.text) == (403, True)
        assert desk.post("/admin/registrations/invite", of=of).status_code == 403
        with desk.services.database.read() as session:
            refusals = session.scalars(
                sa.select(AuditEvent.detail).where(AuditEvent.action == "admin.sign_in_refused")
            ).all()
            assert [(each["code"], each["field"]) for each in refusals] == [
                ("sign_in_step_up", "acr")
            ]
            assert not session.scalars(sa.select(Invite)).all(), "nothing was done"
        desk.oidc.person["acr"] = "platinum"
        assert desk.sign_in(**again).location == of
        assert desk.post("/admin/registrations/invite", of=of).status_code == 200
        desk.clock.advance(minutes=29)
        desk.get(of)
        desk.clock.advance(minutes=2)
        assert desk.post("/admin/registrations/invite", of=of).status_code == 403, "a proof of now"


def test_a_page_asks_no_provider_and_reads_the_session_once(desk: Desk) -> None:
    desk.sign_in()
    desk.get("/admin/registrations")
    seen = len(desk.oidc.stub.requests)
    with desk.statements() as statements:
        desk.get("/admin/registrations")
    assert len(desk.oidc.stub.requests) == seen
    assert sum("admin_sign_in" in each for each in statements) == 1


def named(desk: Desk) -> set[str]:
    """All endpoints of people who come without a launch, except those open to whoever comes."""
    found = {
        rule.endpoint
        for rule in desk.app.url_map.iter_rules()
        if rule.endpoint.startswith(("admin.", "own."))
    }
    return found - {f"admin.{name}" for name in rights.OPEN} - rights.OWN_OPEN


def test_every_page_and_act_has_a_right(desk: Desk) -> None:
    assert named(desk) == {f"admin.{name}" for name in rights.NEEDED} | set(rights.OWN_NEEDED)
    assert rights.needed_by("admin.nobody_named_this") == rights.needed_by("own.nor_this") == set()


def test_pages_without_a_launch_are_these_and_no_others(desk: Desk) -> None:
    paths = {rule.rule for rule in desk.app.url_map.iter_rules()}
    walked = {rule.rule for rule in desk.app.url_map.iter_rules() if rule.endpoint in named(desk)}
    assert {path for path in paths if path.startswith("/my")} - walked == {"/my/sign-out"}


@pytest.mark.parametrize("role", [*Role, "a role that nobody knows"])
def test_each_role_may_do_what_its_rights_say_and_nothing_else(desk: Desk, role: str) -> None:
    desk.sign_in()
    desk.app.config["WTF_CSRF_ENABLED"] = False
    with desk.services.database.write() as session:
        session.execute(sa.update(AdminSignIn).values(roles=[role]))
    allowed = rights_of([role])
    wrong = []
    for rule in desk.app.url_map.iter_rules():
        if rule.endpoint not in named(desk):
            continue
        values = dict.fromkeys(rule.arguments, 1)
        path = desk.app.url_map.bind("localhost").build(rule.endpoint, values)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answer = desk.client.open(
            path, method=method, base_url=URL, headers={"Accept": "text/html", **OWN}
        )
        refused = "Your role does not allow this." in answer.text
        may = bool(rights.needed_by(rule.endpoint) & allowed)
        if refused == may or answer.status_code >= 500:
            wrong.append((rule.endpoint, answer.status_code))
    assert wrong == []


def test_an_auditor_changes_nothing_and_a_registrar_connects_nothing() -> None:
    assert rights_of([Role.AUDITOR]) == {Right.READ}
    assert Right.CONNECT not in rights_of([Role.REGISTRAR])
    assert Right.SYNC not in rights_of([Role.REGISTRAR])
    assert rights_of(["nobody knows this", Role.AUDITOR]) == {Right.READ}


def test_logouts_that_hold_are_never_too_many(
    database: Database, clock: FixedClock, tmp_path: Path
) -> None:
    """A school's worth of them comes from one address, and none comes again."""
    with open_desk(database, clock, tmp_path, launch_rate_limit="3/minute") as desk:

        def told(token: str) -> int:
            return desk.client.post(
                "/sign-in/logout", base_url=URL, data={"logout_token": token}
            ).status_code

        assert [told(desk.oidc.logout_token()) for _ in range(5)] == [200] * 5
        assert [told("not one") for _ in range(5)] == [400, 400, 400, 429, 429]
        assert told(desk.oidc.logout_token()) == 200
