"""The main pages fit Moodle's frame, wide and on a phone. E2E_SCREENSHOTS keeps pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e import school
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import GRADEBOOK, ROSTER, SPEAKING, Links, come_in
from tests.e2e.grading import preview
from tests.e2e.moodle.pages import settled
from tests.e2e.platform import Platform
from tests.e2e.tool_pages import Place, arrived, sign_in_to_tool

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]

# The sides of a frame move with Moodle's drawers; it has come to rest when it is as asked.
_FITS = """() => new Promise((done) => {
  const root = document.documentElement;
  let left = 20;
  const look = () => {
    const over = root.scrollWidth - root.clientWidth;
    if (over <= 0 || !--left) done(over); else setTimeout(look, 100);
  };
  look();
})"""


@pytest.mark.parametrize("width", [1200, 390])
def test_the_main_pages_fit(
    trusted: Links, platform: Platform, open_browser: OpenBrowser, width: int
) -> None:
    student = come_in(open_browser(width=width), platform, school.student(3))
    frame = trusted.open(student, GRADEBOOK)
    arrived(frame, "EHSS-07")
    _fits(student, frame, "student", width)
    teacher = come_in(open_browser(width=width), platform, school.TEACHER)
    for name in (ROSTER, GRADEBOOK, SPEAKING):
        frame = trusted.open(teacher, name)
        arrived(frame, name)
        frame.locator("main table").first.wait_for()
        _fits(teacher, frame, f"teacher-{name.lower()}", width)
    preview(frame)
    _fits(teacher, frame, "teacher-preview", width)
    admin = open_browser(width=width).new_page()
    sign_in_to_tool(admin, platform.tool)
    _fits(admin, admin, "administrator-registrations", width)
    admin.locator("main table th a").first.click()
    arrived(admin, "Moodle")
    _fits(admin, admin, "administrator-registration", width)


def _fits(page: Page, place: Place, name: str, width: int) -> None:
    if place is not page:
        settled(page)
    over = place.locator("body").evaluate(_FITS)
    if folder := os.environ.get("E2E_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        picture = Path(folder) / f"{name}-{width}.png"
        # Drawing a whole long page would resize the frame in it.
        page.screenshot(path=picture, full_page=place is page, animations="disabled")
    assert over <= 0, f"{name} is {over} pixels too wide at {width}"
