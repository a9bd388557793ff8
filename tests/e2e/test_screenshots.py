"""Pictures of the main pages, for whoever asks for them: E2E_SCREENSHOTS names a directory."""

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
from tests.e2e.tool_pages import arrived, sign_in_to_tool

pytestmark = [
    pytest.mark.moodle,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not os.environ.get("E2E_SCREENSHOTS"), reason="E2E_SCREENSHOTS is not set"),
]


@pytest.mark.parametrize("width", [1200, 390])
def test_pictures(
    trusted: Links, platform: Platform, open_browser: OpenBrowser, width: int
) -> None:
    student = come_in(open_browser(width=width), platform, school.student(3))
    arrived(trusted.open(student, GRADEBOOK), "EHSS-07")
    _take(student, "student", width)
    teacher = come_in(open_browser(width=width), platform, school.TEACHER)
    for name in (ROSTER, GRADEBOOK, SPEAKING):
        frame = trusted.open(teacher, name)
        arrived(frame, name)
        frame.locator("main table").first.wait_for()
        _take(teacher, f"teacher-{name.lower()}", width)
    preview(frame)
    _take(teacher, "teacher-preview", width)
    admin = open_browser(width=width).new_page()
    sign_in_to_tool(admin, platform.tool)
    _take(admin, "administrator-registrations", width)
    admin.locator("main table th a").first.click()
    arrived(admin, "Moodle")
    _take(admin, "administrator-registration", width)


def _take(page: Page, name: str, width: int) -> None:
    folder = Path(os.environ["E2E_SCREENSHOTS"])
    if page.url.startswith(os.environ["MOODLE_URL"]):
        settled(page)
    folder.mkdir(parents=True, exist_ok=True)
    picture = folder / f"{name}-{width}.png"
    page.screenshot(path=picture, full_page=True, animations="disabled")
