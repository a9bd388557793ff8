"""Connecting with one code, as the two administrators do it, each in their own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.moodle.pages import settled, sign_in
from tests.e2e.moodle.site import Moodle
from tests.e2e.tool import Tool
from tests.e2e.tool_pages import arrived, sign_in_to_tool

_PAIR = "/local/nagasis/pair.php"
_UNPAIR = "/local/nagasis/unpair.php"


@dataclass
class Desk:
    """The two administrators' windows. ``seen`` holds what they read on the way, by step."""

    tool: Tool
    moodle: Moodle
    in_tool: Page
    in_moodle: Page
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, tool: Tool, moodle: Moodle, browser: BrowserContext) -> Desk:
        """Sign both in."""
        in_tool, in_moodle = browser.new_page(), browser.new_page()
        sign_in_to_tool(in_tool, tool)
        sign_in(in_moodle, moodle, moodle.admin_user, moodle.admin_password)
        return cls(tool, moodle, in_tool, in_moodle)

    @property
    def main(self) -> Locator:
        """The content of Moodle's page."""
        return self.in_moodle.locator("#region-main")

    def connected(self) -> bool:
        """Whether this Moodle says that it is connected, with whatever tool."""
        self.in_moodle.goto(self.moodle.url + _PAIR)
        return self.main.get_by_text("This Moodle is connected with").count() > 0

    def code(self) -> str:
        """Choose "Connect a Moodle" and read the code."""
        self.in_tool.bring_to_front()
        self.in_tool.goto(f"{self.tool.url}/admin/sites")
        self.in_tool.get_by_role("button", name="Connect a Moodle").first.click()
        self.seen["code page"] = arrived(self.in_tool, "Connect a Moodle").inner_text()
        return self.in_tool.locator("#code").inner_text()

    def paste(self, code: str) -> str:
        """Paste a code in Moodle; what the page then says."""
        self.in_moodle.bring_to_front()
        self.in_moodle.goto(self.moodle.url + _PAIR)
        settled(self.in_moodle)
        self.in_moodle.locator("[name=code]").fill(code)
        with self.in_moodle.expect_navigation():
            self.main.locator("form:has([name=code]) [type=submit]").first.click()
        return self.main.inner_text()

    def confirm(self) -> str:
        """Confirm what will be done; what the page then says."""
        settled(self.in_moodle)
        with self.in_moodle.expect_navigation():
            self.main.get_by_role("button", name="Connect", exact=True).click()
        return self.main.inner_text()

    def pair(self) -> str:
        """Connect from the first click to the checklist."""
        self.seen["preview"] = self.paste(self.code())
        self.seen["paired"] = self.confirm()
        return self.seen["paired"]

    def site_page(self) -> Locator:
        """The tool's page of this Moodle."""
        self.in_tool.bring_to_front()
        self.in_tool.goto(f"{self.tool.url}/admin/sites")
        self.in_tool.locator("main table th a").first.click()
        return arrived(self.in_tool)

    def unpair(self) -> str:
        """End the connection in Moodle; what the page then says."""
        self.in_moodle.bring_to_front()
        self.in_moodle.goto(self.moodle.url + _UNPAIR)
        settled(self.in_moodle)
        with self.in_moodle.expect_navigation():
            self.main.get_by_role("button", name="Disconnect", exact=True).click()
        return self.main.inner_text()


def expect_connected(page: Page) -> None:
    """The code's page has noticed by itself that a Moodle has used it."""
    page.bring_to_front()
    expect(page.locator("main h2", has_text=re.compile("is connected$"))).to_be_visible()
