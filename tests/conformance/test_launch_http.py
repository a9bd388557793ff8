"""T1, T2, T4 to T6 and K6 over HTTP, and the sessions that launches open."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from lti_tool.lti.models import Standing
from tests.conformance.conftest import Web, cookies_set
from tests.conformance.messages import ISSUER, LTI, MEMBERSHIP, PUBLIC_URL

COOKIE = "__Secure-naga-launch"


def arrive(web: Web, browser: Any, **claims: Any) -> str:
    """Launch; returns the path of the session's pages."""
    answer = web.answer(web.login(browser).location, **claims)
    response = web.launch(browser, answer)
    assert response.status_code == 303
    return str(response.location)


@pytest.mark.parametrize(
    ("error", "shown"),
    [("login_required", "login_required"), ("<script>", "unknown"), ("", "unknown")],
)
def test_t01_error_from_the_platform(web: Web, error: str, shown: str) -> None:
    browser = web.browser()
    answer = web.answer(web.login(browser).location)
    form = {"state": answer["state"], "error": error, "error_description": "<b>no</b>"}
    response = web.launch(browser, form)
    assert response.status_code == 401
    (record,) = web.world.records()
    assert record.reason == "platform_error"
    assert shown in (record.detail or "")
    assert record.registration_id == web.world.registration.id
    assert record.reference in response.text
    assert "<script>" not in response.text
    assert "<b>no" not in response.text


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({}, "state_missing"),
        ({"state": "", "id_token": ""}, "state_missing"),
        ({"id_token": "a.b.c"}, "state_missing"),
        ({"state": "x"}, "binding_missing"),
        ({"state": "x", "id_token": "a.b.c"}, "binding_missing"),
    ],
)
def test_t02_nothing_to_judge(web: Web, form: dict[str, str], code: str) -> None:
    response = web.launch(web.browser(), form)
    assert 400 <= response.status_code < 500
    (record,) = web.world.records()
    assert record.reason == code
    assert record.reference in response.text


def test_t04_get(web: Web) -> None:
    response = web.get(web.browser(), "/lti/launch")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert web.world.records() == []


def test_body_of_ten_megabytes(web: Web) -> None:
    response = web.launch(web.browser(), {"state": "x", "id_token": "x" * 10_000_000})
    assert response.status_code == 413
    assert web.world.records()[0].reason == "launch_too_large"


def test_body_of_unknown_length(web: Web) -> None:
    response = web.browser().post(
        "/lti/launch",
        input_stream=io.BytesIO(b"id_token=" + b"x" * 500_000),
        content_type="application/x-www-form-urlencoded",
        base_url=PUBLIC_URL,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == 413


def test_t05_replay_leaves_the_session_alone(web: Web) -> None:
    browser = web.browser()
    answer = web.answer(web.login(browser).location)
    cookie = dict(browser._cookies or {})
    home = web.launch(browser, answer).location
    assert web.launch(browser, answer).status_code == 403
    browser._cookies = {**(browser._cookies or {}), **cookie}
    assert web.launch(browser, answer).status_code == 400
    reasons = {record.reason for record in web.world.records()}
    assert reasons == {"ok", "binding_missing", "state_unknown"}
    assert web.get(browser, home).status_code != 401


def test_t06_two_tabs(web: Web) -> None:
    browser = web.browser()
    answers = [web.answer(web.login(browser).location) for _ in range(2)]
    homes = [web.launch(browser, answer).location for answer in reversed(answers)]
    assert homes[0] != homes[1]
    for home in homes:
        assert web.get(browser, home).status_code != 401


def test_session_cookie_holds_for_its_launch_alone(web: Web) -> None:
    browser = web.browser()
    response = web.launch(browser, web.answer(web.login(browser).location))
    cookies = cookies_set(response)
    path = response.location.rstrip("/")
    assert set(cookies[COOKIE].split("; ")) >= {
        "Secure",
        "HttpOnly",
        "SameSite=None",
        "Partitioned",
        f"Path={path}",
    }
    login = next(line for name, line in cookies.items() if name.startswith("__Host-naga-login-"))
    assert "Max-Age=0" in login
    assert "__Host-naga-seen" in cookies
    value = cookies[COOKIE].split(";")[0].split("=", 1)[1]
    other = arrive(web, web.browser())
    stranger = web.browser()
    stranger.set_cookie(COOKIE, value, domain="tool.example", path=other.rstrip("/"))
    assert web.get(stranger, other).status_code == 401
    for broken in ("", "x", value[:-2]):
        response = web.get(web.browser(), path + "/", headers={"X-Naga-Session": broken})
        assert response.status_code == 401


def test_session_ends(web: Web) -> None:
    browser = web.browser()
    home = arrive(web, browser)
    web.world.clock.advance(hours=9)
    response = web.get(browser, home)
    assert response.status_code == 401
    assert home.split("/")[2] in response.text


def test_session_of_a_disabled_platform_ends_at_once(web: Web) -> None:
    browser = web.browser()
    home = arrive(web, browser)
    web.world.registrations.set_standing(web.world.registration.id, Standing.DISABLED, actor="test")
    assert web.get(browser, home).status_code == 403


def test_no_session_elsewhere(web: Web) -> None:
    for path in ("/l/UNKNOWN23456/", "/l/%3Cscript%3E/", "/admin/registrations"):
        response = web.get(web.browser(), path)
        assert response.status_code in (401, 404)
        assert "<script>alert" not in response.text


def test_parked_launch_says_so(web: Web) -> None:
    browser = web.browser()
    answer = web.answer(web.login(browser, lti_deployment_id=None).location, deployment_id="8")
    response = web.launch(browser, answer)
    assert response.status_code == 403
    (record,) = web.world.records()
    assert (record.outcome, record.reason) == ("parked", "deployment_pending")
    assert record.reference in response.text


def test_refusal_as_problem_document(web: Web) -> None:
    response = web.launch(web.browser(), {"state": ""}, Accept="application/json")
    document = response.get_json()
    assert response.mimetype == "application/problem+json"
    assert document["code"] == "state_missing"
    assert document["reference"] == web.world.records()[0].reference


def test_administrators_session(web: Web) -> None:
    services = web.app.extensions["naga"]
    link = services.admin_sessions.sign_in_link("Test")
    browser = web.browser()
    path = link.removeprefix(PUBLIC_URL)
    page = web.get(browser, path)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token is not None
    headers = {"Referer": link}
    without = browser.post(path, base_url=PUBLIC_URL, headers=headers)
    assert without.status_code == 400
    response = browser.post(
        path, data={"csrf_token": token[1]}, base_url=PUBLIC_URL, headers=headers
    )
    line = cookies_set(response)["__Host-naga-signed-in"]
    wanted = {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=28800"}
    assert wanted <= set(line.split("; "))
    page = web.get(browser, "/admin/registrations")
    assert page.status_code == 200
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    kept = dict(browser._cookies or {})
    assert token is not None
    response = browser.post(
        "/admin/sign-out",
        data={"csrf_token": token[1]},
        base_url=PUBLIC_URL,
        headers={"Referer": PUBLIC_URL + "/admin/registrations"},
    )
    assert response.status_code < 400
    assert web.get(browser, "/admin/registrations").status_code == 401
    browser._cookies = kept
    assert web.get(browser, "/admin/registrations").status_code == 401


def test_k6_key_set_over_http(web: Web) -> None:
    response = web.get(web.browser(), "/lti/keys", headers={"User-Agent": ""})
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert len(response.get_json()["keys"]) == 2
    assert response.headers["Cache-Control"] == "public, max-age=3600"
    again = web.get(web.browser(), "/lti/keys", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert not cookies_set(response)


def test_dynamic_registration_needs_an_invitation(web: Web) -> None:
    query = {"invite": "x", "openid_configuration": ISSUER + "/openid"}
    response = web.get(web.browser(), "/lti/register", query_string=query)
    assert 400 <= response.status_code < 500


def test_people_and_courses_are_recognised_where_that_is_allowed(web: Web) -> None:
    web.world.registrations.update(web.world.registration.id, actor="test", sourcedid_trusted=True)
    home = arrive(
        web,
        web.browser(),
        lis={"person_sourcedid": "nobody", "course_section_sourcedid": "nowhere"},
        roles=[MEMBERSHIP + "Learner"],
    )
    assert home.startswith("/l/")
    assert LTI not in home
