"""L1, L12, L13 and P2 to P7 of the conformance list: the ladder of bindings over HTTP."""

from __future__ import annotations

import re
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.conformance.conftest import Web, cookies_set
from tests.conformance.messages import ISSUER, PUBLIC_URL, login_parameters

ATTRIBUTES = {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"}


def test_l01_get_and_post(web: Web) -> None:
    for method in ("GET", "POST"):
        parameters = login_parameters()
        sent: dict[str, Any] = (
            {"query_string": parameters} if method == "GET" else {"data": parameters}
        )
        response = web.browser().open(
            "/lti/login",
            method=method,
            base_url=PUBLIC_URL,
            headers={"Sec-Fetch-Dest": "document"},
            **sent,
        )
        assert response.status_code == 302
        assert response.location.startswith(ISSUER + "/mod/lti/auth.php?")
        ((name, line),) = cookies_set(response).items()
        assert re.fullmatch(r"__Host-naga-login-[A-Za-z0-9_-]{8}", name)
        assert set(line.split("; ")) >= ATTRIBUTES
        assert "Domain" not in line


def test_l02_l03_pages(web: Web) -> None:
    for changes, status in (
        ({"iss": None}, 400),
        ({"iss": "https://unknown.example/<script>"}, 404),
        ({"target_link_uri": "https://evil.example"}, 400),
    ):
        response = web.login(web.browser(), **changes)
        assert response.status_code == status
        assert "unknown.example" not in response.text
        assert "evil.example" not in response.text
        (record, *_) = web.world.records()
        assert record.reference in response.text
        assert not cookies_set(response)
        web.world.clock.advance(seconds=1)


def test_l12_flood(web: Web) -> None:
    browser = web.browser()
    answers = [web.login(browser).status_code for _ in range(45)]
    assert answers.count(429) == 5
    assert web.world.records() == []


def test_l13_twice(web: Web) -> None:
    doubled = MultiDict([*login_parameters().items(), ("login_hint", "43")])
    response = web.browser().post("/lti/login", data=doubled, base_url=PUBLIC_URL)
    assert response.status_code == 400
    assert web.world.records()[0].reason == "login_parameter_invalid"
    response = web.browser().get("/lti/login", query_string=doubled, base_url=PUBLIC_URL)
    assert response.status_code == 400


def test_l13_large(web: Web) -> None:
    response = web.login(web.browser(), lti_message_hint="x" * 100_000)
    assert response.status_code == 413


def continued(web: Web, browser: Any, response: TestResponse) -> TestResponse:
    assert response.status_code == 302
    assert response.location.startswith("/lti/login/continue/")
    return web.get(browser, response.location)


def test_p4_in_a_frame_the_cookie_is_tried_before_the_platform(web: Web) -> None:
    browser = web.browser()
    response = continued(web, browser, web.login(browser, top=False))
    assert response.status_code == 302
    assert response.location.startswith(ISSUER)
    arrived = web.launch(browser, web.answer(response.location))
    assert arrived.status_code == 303
    # The next time no detour is needed.
    assert web.login(browser, top=False).location.startswith(ISSUER)


def test_p6_cookies_blocked_opens_a_window(web: Web) -> None:
    browser = web.app.test_client(use_cookies=False)
    page = continued(web, browser, web.login(browser, top=False))
    assert page.status_code == 200
    form = re.search(r'<form action="(/lti/login/window/[^"]+)"[^>]*target="_blank"', page.text)
    assert form is not None
    assert "<script nonce" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {ISSUER}" in policy
    assert f"form-action 'self' {ISSUER}" in policy
    window = web.browser()
    response = web.get(window, form[1])
    assert response.location.startswith(ISSUER)
    assert web.launch(window, web.answer(response.location)).status_code == 303


def test_p6_another_browsers_cookie(web: Web) -> None:
    mine = web.login(web.browser(), top=False)
    state = mine.location.rsplit("/", 1)[1]
    browser = web.browser()
    browser.set_cookie(f"__Host-naga-login-{state[:8]}", "stolen", domain="tool.example")
    response = web.get(browser, mine.location)
    assert response.status_code == 403
    assert web.world.records()[0].reason == "binding_mismatch"


@pytest.mark.parametrize("path", ["continue", "window"])
def test_unknown_state_is_no_dead_end(web: Web, path: str) -> None:
    response = web.get(web.browser(), f"/lti/login/{path}/unknown")
    assert response.status_code == 400
    assert web.world.records()[0].reason == "state_unknown"
    # Framed by whoever: the page says why, and there is nothing on it to click.
    assert "frame-ancestors 'self' *" in response.headers["Content-Security-Policy"]


def data_of(page: str) -> dict[str, str]:
    place = re.search(r'<div id="storage"(.*?)></div>', page, re.DOTALL)
    assert place is not None
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', place[1]))


def stored(web: Web, browser: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Sign in with the platform's storage; returns what is stored and the platform's answer."""
    page = continued(web, browser, web.login(browser, top=False, lti_storage_target="post_frame"))
    data = data_of(page.text)
    assert data["origin"] == ISSUER
    assert data["target"] == "post_frame"
    assert "/lti/login/window/" in page.text
    assert "'nonce-" in page.headers["Content-Security-Policy"]
    return data, web.answer(data["next"].replace("&amp;", "&"))


def test_p2_storage_when_cookies_are_blocked(web: Web) -> None:
    browser = web.app.test_client(use_cookies=False)
    data, answer = stored(web, browser)
    page = web.launch(browser, answer)
    asked = data_of(page.text)
    assert (asked["key"], asked["origin"]) == (data["key"], ISSUER)
    assert data["value"] not in page.text
    assert web.world.records() == []
    form = {**answer, "binding_secret": data["value"]}
    arrived = web.launch(browser, form, **{"Sec-Fetch-Site": "same-origin"})
    assert arrived.status_code == 200
    token = re.search(r'data-token="([^"]+)"', arrived.text)
    home = re.search(r'data-home="([^"]+)"', arrived.text)
    assert token is not None
    assert home is not None
    (record,) = web.world.records()
    assert (record.outcome, record.binding) == ("accepted", "storage")
    assert home[1] == f"/l/{record.reference}/"
    without = web.get(browser, home[1])
    assert without.status_code == 401
    with_header = web.get(browser, home[1], headers={"X-Naga-Session": token[1]})
    assert with_header.status_code != 401
    assert "Set-Cookie" not in with_header.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": PUBLIC_URL},
        {"Origin": ISSUER},
        {"Origin": "null"},
        {},
    ],
)
def test_p3_a_strangers_page_cannot_hand_over_a_secret(web: Web, headers: dict[str, str]) -> None:
    browser = web.app.test_client(use_cookies=False)
    data, answer = stored(web, browser)
    form = {**answer, "binding_secret": data["value"]}
    assert 'id="storage"' in web.launch(browser, form, **headers).text
    assert web.world.records() == []


def test_p3_stored_secret_of_another(web: Web) -> None:
    browser = web.app.test_client(use_cookies=False)
    _, answer = stored(web, browser)
    form = {**answer, "binding_secret": "other"}
    response = web.launch(browser, form, Origin=PUBLIC_URL)
    assert response.status_code == 403
    assert web.world.records()[0].reason == "binding_mismatch"


def test_p3_cookie_login_takes_no_secret_from_a_form(web: Web) -> None:
    browser = web.browser()
    response = web.login(browser)
    answer = web.answer(response.location)
    secret = cookies_set(response).popitem()[1].split(";")[0].split("=", 1)[1]
    blocked = web.app.test_client(use_cookies=False)
    form = {**answer, "binding_secret": secret}
    assert web.launch(blocked, form, Origin=PUBLIC_URL).status_code == 403
    assert web.world.records()[0].reason == "binding_mismatch"
