"""What a frame does where cookies are partitioned, and where there are none at all."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.conformance.browser.conftest import Cookies, Visit, Visitor

pytestmark = pytest.mark.browser

_KEPT = """() => {
  document.cookie = "plain=1; Path=/; SameSite=None; Secure";
  document.cookie = "partitioned=1; Path=/; SameSite=None; Secure; Partitioned";
  return document.cookie;
}"""
_PATH = "/l/"
_ONE_MORE_CLICK = "One more click"
_WHY = (
    "Your browser keeps this page from signing you in inside the course."
    " In a window of its own it works."
)


def _kept_by_the_frame(visitor: Visitor) -> str:
    frame = visitor.page.frame("contentframe")
    assert frame is not None
    return str(frame.evaluate(_KEPT))


def test_p6_partitioned_cookies_are_enough(visit: Visit) -> None:
    visitor = visit(Cookies.BLOCKED)
    frame = visitor.open()
    visitor.heading("·")
    frame.get_by_role("link", name="Gradebook").first.click()
    visitor.heading("Gradebook")
    frame.get_by_role("button", name="Preview what would change in Moodle").click()
    visitor.heading("What would change in Moodle")
    assert _kept_by_the_frame(visitor) == "partitioned=1", "third-party cookies are not blocked"
    ours = [each for each in visitor.context.cookies() if each["domain"] == "localhost"]
    assert ours
    assert {each.get("partitionKey") for each in ours} == {"http://127.0.0.1"}
    assert all(each["httpOnly"] and each["secure"] for each in ours if "naga" in each["name"])


def test_p6_two_frames_have_two_sessions(visit: Visit) -> None:
    visitor = visit(Cookies.BLOCKED)
    visitor.open("teacher")
    visitor.heading("·")
    first = visitor.page
    second = Visitor(visitor.world, visitor.context, visitor.context.new_page())
    second.open("student")
    expect(second.frame.get_by_role("link", name="Roster")).to_have_count(0)
    visitor.page = first
    visitor.frame.get_by_role("link", name="Roster").first.click()
    visitor.heading("Roster")


def _refused(visit: Visit) -> Visitor:
    visitor = visit(Cookies.REFUSED)
    visitor.open()
    visitor.heading(_ONE_MORE_CLICK)
    assert _kept_by_the_frame(visitor) == "", "the frame can keep cookies"
    assert visitor.cookies_of_the_tool() == []
    return visitor


def _is_signed_in(window: Page) -> None:
    window.wait_for_url(f"**{_PATH}**")
    expect(window.locator("h1")).to_contain_text("·")
    window.get_by_role("link", name="Gradebook").first.click()
    expect(window.locator("h1")).to_contain_text("Gradebook")
    window.reload()
    expect(window.locator("h1")).to_contain_text("Gradebook")


def test_p2_p6_without_cookies_and_storage_a_window_opens(visit: Visit) -> None:
    visitor = _refused(visit)
    with visitor.context.expect_page() as opened:
        visitor.frame.get_by_role("button", name="Open in a new window").click()
    _is_signed_in(opened.value)
    # The one in the frame stays, for a person who closed the window.
    visitor.heading(_ONE_MORE_CLICK)


def test_p7_the_window_opens_by_keyboard(visit: Visit) -> None:
    visitor = _refused(visit)
    keyboard = visitor.page.keyboard
    # From where a person who has tabbed through the platform's page comes in.
    visitor.page.locator("iframe[name=contentframe]").focus()
    keyboard.press("Tab")
    expect(visitor.frame.locator("a.skip")).to_be_focused()
    keyboard.press("Tab")
    button = visitor.frame.get_by_role("button", name="Open in a new window")
    expect(button).to_be_focused()
    assert button.evaluate("button => getComputedStyle(button).outlineStyle") != "none" or (
        button.evaluate("button => getComputedStyle(button).boxShadow") != "none"
    ), "nobody sees where the focus is"
    with visitor.context.expect_page() as opened:
        keyboard.press("Enter")
    _is_signed_in(opened.value)


def test_p7_the_window_page_can_be_read_aloud(visit: Visit) -> None:
    visitor = _refused(visit)
    frame = visitor.page.frame("contentframe")
    assert frame is not None
    expect(visitor.frame.locator("html")).to_have_attribute("lang", "en")
    expect(visitor.frame.get_by_role("heading", level=1)).to_have_count(1)
    expect(visitor.frame.get_by_role("main")).to_have_count(1)
    assert frame.title().startswith("Open in a new window")
    assert visitor.frame.locator("main").aria_snapshot().splitlines() == [
        "- main:",
        f'  - heading "{_ONE_MORE_CLICK}" [level=1]',
        f"  - paragraph: {_WHY}",
        '  - button "Open in a new window"',
    ]
