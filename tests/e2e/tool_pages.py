"""The tool's own pages, in Moodle's frame or in a window of their own."""

from __future__ import annotations

import re

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.e2e.tool import Tool

Place = FrameLocator | Page

_LOADED = """() => new Promise((done) => {
  if (document.readyState === "complete") done(); else addEventListener("load", done, {once: true});
})"""


def arrived(place: Place, heading: str | re.Pattern[str] = re.compile(".")) -> Locator:
    """Wait until a page with this heading is there and its scripts run; returns its content."""
    expect(place.locator("h1")).to_contain_text(heading)
    place.locator("body").evaluate(_LOADED)
    return place.locator("main")


def sign_in_to_tool(page: Page, tool: Tool) -> None:
    """Sign in as the tool's administrator, by a link from the command line."""
    page.goto(tool.cli("admin", "sign-in-link", "--name", "e2e"))
    page.get_by_role("button", name="Sign in").click()
    arrived(page, "Registrations")


def invitation(page: Page, tool: Tool) -> str:
    """Ask for an invitation on the administrator's page."""
    page.goto(f"{tool.url}/admin/registrations/new")
    page.locator("form[action$='/registrations/invite'] button").click()
    return page.locator("#invite").inner_text()


def approve(page: Page) -> None:
    """Press every Approve on a registration's page: the registration's, its deployments'."""
    buttons = page.get_by_role("button", name="Approve", exact=True)
    while buttons.count():
        with page.expect_navigation():
            buttons.first.click()
        arrived(page)
    expect(page.locator("h1")).to_contain_text("In use")


def trust_id_numbers(page: Page, tool: Tool, registration_id: int) -> None:
    """Say on a registration's page that people cannot edit their ID number."""
    page.goto(f"{tool.url}/admin/registrations/{registration_id}")
    page.get_by_label("people cannot edit their ID number").check()
    page.get_by_role("button", name="Trust ID numbers").click()
    expect(page.get_by_text("ID numbers are trusted")).to_be_visible()


def place_link(frame: Place, choice: str) -> None:
    """Choose what a link opens: ``roster``, ``gradebook`` or ``part:<key>``."""
    arrived(frame, "What should the link open?")
    frame.locator(f"input[name='choice'][value='{choice}']").check()
    frame.get_by_role("button", name="Place the link").click()
