"""An activity of the connected tool in the campus's course, and who opens it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import BrowserContext, FrameLocator, Page

from tests.e2e.moodle.pages import Course, launch, sign_in
from tests.e2e.tool import NAME
from tests.e2e.tool_pages import place_link
from tests.e2e.with_plugin.campus import Campus


@dataclass(frozen=True)
class Link:
    """One activity, by its course module's id; ``name`` is what Moodle filled in."""

    campus: Campus
    activity: int
    name: str

    @classmethod
    def place(cls, campus: Campus, browser: BrowserContext) -> Link:
        """Placed by the class's teacher through the activity chooser and Deep Linking."""
        page = arrive(browser, campus, campus.chosen.teacher)
        course_id = campus.place(campus.chosen.teacher)["course"]
        form = Course(page, campus.moodle, course_id).add_from_chooser(NAME)
        place_link(form.select_content(), "gradebook")
        form.wait_for_content()
        name = form.name.input_value()
        form.save()
        (activity,) = campus.plugins.act("links", course=campus.chosen.class_key)
        return cls(campus, activity, name)

    def open(self, page: Page) -> FrameLocator:
        """Open it; the tool's frame."""
        page.bring_to_front()
        return launch(page, self.campus.moodle, self.activity)


def arrive(browser: BrowserContext, campus: Campus, person: str) -> Page:
    """A page on which this person of the SIS is signed in to Moodle."""
    page = browser.new_page()
    sign_in(page, campus.moodle, *campus.account(person))
    return page
