"""What people do in a course: place links to the tool, and open them."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import BrowserContext, FrameLocator, Page, expect

from tests.e2e import oneroster, school
from tests.e2e.browser import Cookies
from tests.e2e.moodle.pages import ActivityForm, Course, launch, sign_in
from tests.e2e.platform import Platform
from tests.e2e.tool import NAME
from tests.e2e.tool_pages import arrived, place_link

ROSTER = "Roster"
GRADEBOOK = "Gradebook"
SPEAKING = oneroster.PART_NAMES[oneroster.SPEAKING]
ONE_MORE_CLICK = "One more click"


def come_in(browser: BrowserContext, platform: Platform, person: str) -> Page:
    """A new page, on which this person is signed in to Moodle."""
    page = browser.new_page()
    moodle = platform.moodle
    known = school.PASSWORD if person.startswith(school.PREFIX) else moodle.admin_password
    sign_in(page, moodle, person, known)
    return page


def add_link(page: Page, platform: Platform, course: str, choice: str) -> str:
    """Place a link by Deep Linking, as a teacher; returns the name that Moodle filled in."""
    form = _form(page, platform, course)
    place_link(form.select_content(), choice)
    form.wait_for_content()
    name = form.name.input_value()
    form.save()
    return name


def _form(page: Page, platform: Platform, course: str) -> ActivityForm:
    return Course(page, platform.moodle, platform.course_id(course)).add_from_chooser(NAME)


@dataclass
class Links:
    """The links in the courses: a course module's id by course and name."""

    platform: Platform

    def open(self, page: Page, name: str, *, course: str = school.BIG_COURSE) -> FrameLocator:
        """Open a link; returns the frame in Moodle's page."""
        # A click into a frame of a tab that is not shown goes astray.
        page.bring_to_front()
        activities = self.platform.moodle.call("activities", course=course)
        return launch(page, self.platform.moodle, activities[name])

    def follow(
        self, page: Page, name: str, cookies: Cookies, *, course: str = school.BIG_COURSE
    ) -> FrameLocator | Page:
        """Open a link and go on to where the tool's page is: the frame, or a new window."""
        frame = self.open(page, name, course=course)
        if cookies is not Cookies.REFUSED:
            arrived(frame)
            return frame
        return open_window(page, frame)


def open_window(page: Page, frame: FrameLocator) -> Page:
    """Press the button of the page that says that cookies are refused in the frame."""
    arrived(frame, ONE_MORE_CLICK)
    with page.context.expect_page() as opened:
        frame.get_by_role("button", name="Open in a new window").click()
    window = opened.value
    expect(window.locator("h1")).to_be_visible()
    arrived(window)
    return window
