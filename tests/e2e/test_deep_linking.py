"""A teacher places links in the course, through Moodle's own form."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e import oneroster, school
from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import GRADEBOOK, ROSTER, SPEAKING, Links, come_in, open_window
from tests.e2e.moodle.pages import Course
from tests.e2e.moodle.site import Moodle
from tests.e2e.platform import Platform
from tests.e2e.tool import NAME
from tests.e2e.tool_pages import place_link

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]


def test_the_links_are_in_the_course(links: Links, moodle: Moodle) -> None:
    placed = moodle.call("activities", course=school.BIG_COURSE)
    assert {ROSTER, GRADEBOOK, SPEAKING} <= placed.keys()


def test_a_part_comes_with_its_line_item(links: Links, moodle: Moodle) -> None:
    items = {item["name"]: item for item in moodle.call("grades", course=school.BIG_COURSE)}
    assert items.keys() == {SPEAKING}
    assert items[SPEAKING]["maximum"] == 100
    assert items[SPEAKING]["resource_id"] == oneroster.SPEAKING
    assert items[SPEAKING]["tag"] == "naga-part"


def test_a_link_is_placed_where_the_browser_refuses_all_cookies(
    links: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    page = come_in(open_browser(Cookies.REFUSED), platform, school.TEACHER)
    course = Course(page, platform.moodle, platform.course_id(school.SECOND_COURSE))
    form = course.add_from_chooser(NAME)
    window = open_window(page, form.select_content())
    place_link(window, "gradebook")
    form.wait_for_content()
    expect(form.name).to_have_value(GRADEBOOK)
