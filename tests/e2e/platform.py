"""Moodle and the tool, connected the way their two administrators do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e import school
from tests.e2e.moodle.pages import Course, CourseTools, ManageTools, sign_in
from tests.e2e.moodle.site import Moodle
from tests.e2e.tool import NAME, Tool
from tests.e2e.tool_pages import approve, arrived, invitation, sign_in_to_tool

COURSES = (school.BIG_COURSE, school.SECOND_COURSE)


@dataclass
class Platform:
    """What came of connecting. ``seen`` holds what people saw on the way, by step."""

    tool: Tool
    moodle: Moodle
    seeded: dict[str, Any]
    seen: dict[str, str] = field(default_factory=dict)

    @classmethod
    def connect(
        cls, tool: Tool, moodle: Moodle, seeded: dict[str, Any], browser: BrowserContext
    ) -> Platform:
        """Invite, register, meet the closed door, approve, activate, put into the choosers."""
        platform = cls(tool, moodle, seeded)
        in_moodle, in_tool = browser.new_page(), browser.new_page()
        sign_in(in_moodle, moodle, moodle.admin_user, moodle.admin_password)
        sign_in_to_tool(in_tool, tool)
        address = invitation(in_tool, tool)
        # A click into a frame of a tab that is not shown goes astray.
        in_moodle.bring_to_front()
        platform._register(in_moodle, address)
        platform._activate(in_moodle)
        platform._knock(in_moodle)
        in_tool.bring_to_front()
        platform._approve(in_tool)
        in_moodle.close()
        in_tool.close()
        return platform

    def course_id(self, shortname: str) -> int:
        """A course's id in Moodle, which is its context id."""
        return int(self.seeded["courses"][shortname])

    def user_id(self, username: str) -> int:
        """A person's id in Moodle, which is their subject."""
        return int(self.seeded["users"][username])

    @property
    def registration_id(self) -> int:
        """The registration in the tool."""
        with self.tool.services() as services:
            return services.registrations.list()[0].id

    def _register(self, page: Page, address: str) -> None:
        tools = ManageTools(page, self.moodle)
        tools.open()
        frame = tools.paste(address)
        self.seen["registered"] = arrived(frame).inner_text()
        frame.get_by_role("button", name="Finish").click()
        tools.wait_until_closed()
        expect(tools.card(NAME)).to_be_visible()
        self.seen["moodle card"] = tools.card(NAME).locator(".badge").inner_text().strip()

    def _activate(self, page: Page) -> None:
        tools = ManageTools(page, self.moodle)
        tools.activate(NAME)
        for course in COURSES:
            CourseTools(page, self.moodle, self.course_id(course)).show_in_chooser(NAME)

    def _knock(self, page: Page) -> None:
        """Launch before anybody has approved the registration."""
        form = Course(page, self.moodle, self.course_id(school.BIG_COURSE)).add_from_chooser(NAME)
        frame = form.select_content()
        self.seen["before approval"] = arrived(frame).inner_text()
        self.seen["reference"] = frame.locator("#reference").inner_text()

    def _approve(self, page: Page) -> None:
        page.goto(f"{self.tool.url}/admin/registrations")
        self.seen["registrations"] = page.locator("main").inner_text()
        page.locator("main table th a").first.click()
        arrived(page)
        approve(page)
