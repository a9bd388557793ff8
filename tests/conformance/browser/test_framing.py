"""Who may show the tool's pages in a frame: platforms that are registered and active."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route
from werkzeug.test import TestResponse

from lti_tool.lti.models import Registration, Standing
from lti_tool.lti.registrations import origin_of
from tests.conformance.browser.conftest import Cookies, Visit
from tests.web.world import World


def _ancestors(response: TestResponse) -> list[str]:
    policy = response.headers["Content-Security-Policy"]
    found = re.findall(r"frame-ancestors ([^;]*)", policy)
    assert len(found) == 1, policy
    return str(found[0]).split()


def _platform(world: World, host: str, standing: Standing) -> Registration:
    return world.services.registrations.create(
        actor="tests",
        name=host,
        issuer=f"https://issuer.{host}",
        client_id="framing",
        auth_url=f"https://{host}/auth?x=1",
        token_url=f"https://{host}/token",
        jwks_url=f"https://{host}/keys",
        standing=standing,
    )


@pytest.fixture
def others(world: World) -> Iterator[dict[Standing, Registration]]:
    """A second platform of each standing."""
    name = secrets.token_hex(4)
    made = {each: _platform(world, f"{each.value}.{name}.example", each) for each in Standing}
    yield made
    for registration in made.values():
        world.services.registrations.set_standing(registration.id, Standing.DISABLED, actor="tests")


def test_p5_active_platforms_only(world: World, others: dict[Standing, Registration]) -> None:
    active = origin_of(others[Standing.ACTIVE].auth_url)
    allowed = ["'self'", world.platform.base_url, active]
    visit = world.launch("teacher")
    assert sorted(_ancestors(visit.first)) == sorted(allowed)
    assert sorted(_ancestors(visit.get("/roster"))) == sorted(allowed)
    # Pages of the sign-in, before anybody is known.
    begun = world.app.test_client().post(
        "/lti/login",
        base_url=world.url,
        data={
            "iss": world.registration.issuer,
            "client_id": world.registration.client_id,
            "login_hint": "1",
            "target_link_uri": f"{world.url}/lti/launch",
        },
        headers={"Sec-Fetch-Dest": "iframe"},
    )
    without_cookies = world.app.test_client().get(begun.headers["Location"], base_url=world.url)
    assert "One more click" in without_cookies.text
    assert sorted(_ancestors(without_cookies)) == sorted(allowed)


def test_p5_a_platform_that_is_switched_off_frames_nothing_from_then_on(
    world: World, others: dict[Standing, Registration]
) -> None:
    world.services.registrations.set_standing(
        others[Standing.ACTIVE].id, Standing.DISABLED, actor="tests"
    )
    active = origin_of(others[Standing.ACTIVE].auth_url)
    assert active not in _ancestors(world.launch("student").first)


def test_p5_nobody_frames_the_administration(world: World) -> None:
    assert _ancestors(world.administrator().get("/admin/registrations", base_url=world.url)) == [
        "'self'"
    ]


_FRAME = """(address) => new Promise((done) => {
  const frame = document.createElement("iframe");
  Object.assign(frame, { name: "framed", src: address, onload: () => done(null) });
  document.body.append(frame);
})"""


@pytest.mark.browser
@pytest.mark.parametrize("host", ["platform", "stranger"])
def test_p5_the_browser_keeps_strangers_out(visit: Visit, world: World, host: str) -> None:
    def strange(route: Route) -> None:
        route.fulfill(content_type="text/html", body="<!DOCTYPE html><title>Stranger</title>")

    visitor = visit(Cookies.BLOCKED)
    # The same machine at another port: an origin is more than a name.
    stranger = "http://127.0.0.1:9/"
    visitor.context.route(stranger, strange)
    visitor.page.goto(stranger if host == "stranger" else world.platform.url("/"))
    visitor.page.evaluate(_FRAME, f"{world.url}/l/nothing/")
    framed = visitor.page.frame("framed")
    assert framed is not None
    if host == "stranger":
        assert framed.url == "chrome-error://chromewebdata/"
    else:
        assert framed.locator("h1").inner_text()
