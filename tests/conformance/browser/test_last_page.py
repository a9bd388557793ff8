"""The last page of a registration closes the frame or window in which the platform opened it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.conformance.browser.conftest import Cookies, Visit, Visitor
from tests.web.world import World

pytestmark = pytest.mark.browser

# Before the platform's own script, which goes on to another page.
_LISTEN = """if (window === window.top) addEventListener("message", (event) => {
  console.debug(JSON.stringify({ from: event.origin, data: event.data }));
});"""


@pytest.fixture
def administrator(visit: Visit, world: World) -> Iterator[Visitor]:
    """At the platform's administration; the tools registered in the test are taken away again."""
    before = set(world.platform.state.tools)
    visitor = visit(Cookies.REFUSED)
    visitor.be("admin")
    visitor.page.add_init_script(_LISTEN)
    visitor.page.goto(world.platform.url("/admin/tools"))
    yield visitor
    with world.platform.change() as state:
        for tool_id in set(state.tools) - before:
            del state.tools[tool_id]


def _invitation(world: World) -> str:
    return world.services.dynamic_registration.invite(actor="tests")


def _paste(visitor: Visitor) -> FrameLocator:
    visitor.page.get_by_label("Tool URL").fill(_invitation(visitor.world))
    visitor.page.get_by_role("button", name="Add LTI Advantage").click()
    return visitor.page.frame_locator("#registration")


def _finish(place: FrameLocator | Page, platform: Page) -> dict[str, Any]:
    """Press the last button; returns what the platform's page hears."""
    expect(place.get_by_role("heading", level=1)).to_have_text("This platform is registered")
    with platform.expect_console_message(lambda message: ".close" in message.text) as said:
        place.get_by_role("button", name="Finish").click()
    heard: dict[str, Any] = json.loads(said.value.text)
    return heard


def test_r10_the_frame_tells_its_parent(administrator: Visitor, world: World) -> None:
    assert _finish(_paste(administrator), administrator.page) == {
        "from": world.url,
        "data": {"subject": "org.imsglobal.lti.close"},
    }


def test_r10_the_window_tells_its_opener(administrator: Visitor, world: World) -> None:
    sesskey = administrator.be("admin")
    query = urlencode({"url": _invitation(world), "sesskey": sesskey})
    with administrator.page.expect_popup() as opened:
        administrator.page.evaluate(
            "(address) => { window.open(address); }",
            world.platform.url(f"/mod/lti/startltiadvregistration.php?{query}"),
        )
    assert _finish(opened.value, administrator.page) == {
        "from": world.url,
        "data": {"subject": "org.imsglobal.lti.close"},
    }


def test_r10_nobody_else_is_told(administrator: Visitor, world: World) -> None:
    frame = _paste(administrator)
    done = frame.get_by_role("button", name="Finish")
    expect(done).to_have_attribute("data-origin", world.platform.base_url)


def test_r10_the_platform_shows_the_new_tool(administrator: Visitor, world: World) -> None:
    frame = _paste(administrator)
    frame.get_by_role("button", name="Finish").click()
    expect(administrator.page.locator("iframe")).to_have_count(0)
    expect(administrator.page.get_by_text("Pending")).to_be_visible()
