"""Moodle's own pages, as people use them. Selectors hold for Moodle 4.5."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.moodle.site import Moodle

_CONTENT_FRAME = "#contentframe"
_NOTHING_PENDING = "() => window.M?.util?.pending_js?.length === 0"
# Milliseconds.
_SCRIPTS = 15_000


def sign_in(page: Page, moodle: Moodle, username: str, password: str) -> None:
    """Sign this browser in.

    The form is sent without its page: once that page's scripts have loaded, Moodle replaces the
    password's field, and what was typed before is gone.
    """
    address = f"{moodle.url}/login/index.php"
    found = re.search(r'name="logintoken" value="(\w+)"', page.request.get(address).text())
    assert found, "Moodle's sign-in page has no token"
    answer = page.request.post(
        address,
        form={"username": username, "password": password, "logintoken": found.group(1)},
    )
    assert not answer.url.startswith(address), f"Moodle did not sign {username} in"


def settled(page: Page) -> None:
    """Wait until Moodle's scripts have nothing pending: before that, its buttons are dead.

    Now and then one of them never reports back; the others have run long before the patience ends.
    """
    page.wait_for_load_state("load")
    with suppress(PlaywrightTimeout):
        page.wait_for_function(_NOTHING_PENDING, timeout=_SCRIPTS)


class ManageTools:
    """Site administration → Plugins → External tool → Manage tools."""

    def __init__(self, page: Page, moodle: Moodle) -> None:
        self._page = page
        self._moodle = moodle

    def open(self) -> None:
        """Open the page and wait for its list."""
        self._page.goto(f"{self._moodle.url}/mod/lti/toolconfigure.php")
        settled(self._page)
        expect(self._page.locator("#tool-list-container")).not_to_have_class(re.compile("loading"))

    def paste(self, address: str) -> FrameLocator:
        """Paste a registration address and press the button; returns the tool's frame."""
        self._page.fill("#tool-url", address)
        self._page.click("#tool-create-button")
        return self._page.frame_locator("iframe[src^='startltiadvregistration.php']")

    def wait_until_closed(self) -> None:
        """The tool has asked Moodle to close its frame."""
        expect(self._page.locator("iframe[src^='startltiadvregistration.php']")).to_have_count(0)

    def card(self, name: str) -> Locator:
        """The card of a tool; its ``.badge`` says Pending or Active."""
        heading = self._page.locator("h4.name", has_text=name)
        return self._page.locator("#tool-list-container .tool-card", has=heading)

    def activate(self, name: str) -> None:
        """Press Activate on the card of a tool."""
        self.card(name).locator("a.activate").click()
        expect(self.card(name).locator(".badge")).to_have_text(re.compile("Active"))


class CourseTools:
    """Course → More → LTI External tools."""

    def __init__(self, page: Page, moodle: Moodle, course_id: int) -> None:
        self._page = page
        self._url = f"{moodle.url}/mod/lti/coursetools.php?id={course_id}"

    def show_in_chooser(self, name: str) -> None:
        """Switch on "Show in activity chooser" for a tool, as a teacher."""
        self._page.goto(self._url)
        settled(self._page)
        row = self._page.locator("table tr", has_text=name)
        toggle = row.locator("[data-action='showinactivitychooser-toggle']")
        expect(toggle).to_be_attached()
        if not toggle.is_checked():
            with self._page.expect_response(re.compile("toggle_showinactivitychooser")):
                # The box itself is drawn over by its label.
                toggle.press("Space")
            self._page.reload()
            settled(self._page)
        expect(toggle).to_be_checked()


class Course:
    """A course's page."""

    def __init__(self, page: Page, moodle: Moodle, course_id: int) -> None:
        self._page = page
        self._url = f"{moodle.url}/course/view.php?id={course_id}"

    def open(self, *, editing: bool = False) -> None:
        """Open it; with edit mode on or off as asked."""
        self._page.goto(self._url)
        settled(self._page)
        switch = self._page.locator("input[name='setmode']")
        if switch.count() and switch.is_checked() != editing:
            with self._page.expect_navigation():
                switch.click(force=True)
            settled(self._page)

    def add_from_chooser(self, tool: str) -> ActivityForm:
        """Add an activity of the tool from the activity chooser."""
        self.open(editing=True)
        self._page.locator("[data-action='open-chooser']:visible").first.click()
        chooser = self._page.locator(".modal-dialog.modchooser, .modal-dialog:has(.modchooser)")
        option = chooser.locator(f"a[title*='{tool}']:visible").first
        option.click()
        expect(self._page.locator("#id_name")).to_be_visible()
        settled(self._page)
        return ActivityForm(self._page)


class ActivityForm:
    """The form of an activity of an LTI tool."""

    def __init__(self, page: Page) -> None:
        self._page = page

    @property
    def name(self) -> Locator:
        """The field that holds the activity's name."""
        return self._page.locator("#id_name")

    @property
    def content_frame(self) -> FrameLocator:
        """The tool's frame within the dialog of "Select content"."""
        return self._page.frame_locator("#contentitem-page-iframe")

    def select_content(self) -> FrameLocator:
        """Press "Select content"; returns the tool's frame."""
        self._page.locator("[name='selectcontent']").click()
        expect(self._page.locator("#contentitem-page-iframe")).to_be_visible()
        return self.content_frame

    def wait_for_content(self) -> None:
        """The tool has answered, and Moodle has closed the dialog."""
        expect(self._page.locator("#contentitem-page-iframe")).to_have_count(0)

    def save(self) -> None:
        """Press "Save and return to course"."""
        self._page.locator("#id_submitbutton2").click()
        expect(self._page.locator("#id_name")).to_have_count(0)


def launch(page: Page, moodle: Moodle, activity_id: int) -> FrameLocator:
    """Open an activity (by its course module's id); returns the tool's frame."""
    page.goto(f"{moodle.url}/mod/lti/view.php?id={activity_id}")
    expect(page.locator(_CONTENT_FRAME)).to_be_visible()
    return page.frame_locator(_CONTENT_FRAME)
