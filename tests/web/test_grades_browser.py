"""The teacher's gradebook in a real browser: on a phone, by keyboard, and by itself."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import render_template
from playwright.sync_api import Page, Playwright, expect

from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grading import GradeEntry
from tests.web.gradebook_world import GradebookWorld, gradebook_world

pytestmark = pytest.mark.browser

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GradebookWorld]:
    with gradebook_world(tmp_path_factory.mktemp("graded")) as world:
        world.settle()
        yield world


@pytest.fixture
def page(playwright_: Playwright, graded: GradebookWorld) -> Iterator[Page]:
    """A phone on which the teacher has opened the course."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    browser = playwright_.chromium.launch(executable_path=found, args=_ARGUMENTS)
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale="en")
    world = graded.world
    secret = world.platform.sign_in(world.people["teacher"].id)
    context.add_cookies(
        [{"name": "MoodleSession", "value": secret, "url": world.platform.base_url}]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(world.platform.url(f"/mod/lti/launch.php?id={world.links['class'].id}"))
    page.wait_for_url("**/l/**")
    yield page
    browser.close()
    assert complaints == []


def _go(page: Page, path: str) -> None:
    page.goto("/".join(page.url.split("/")[:5]) + path)
    _fits(page)


def _fits(page: Page) -> None:
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def _change(graded: GradebookWorld, score: str) -> None:
    grade = graded.some_grade(GradeStatus.SUBMITTED, 1)
    graded.world.services.grading.enter(
        [GradeEntry(grade.person_key, grade.part_key, Decimal(score))],
        actor="tests",
        submitted=True,
    )


def test_grades_are_sent_by_keyboard_and_the_page_follows_by_itself(
    page: Page, graded: GradebookWorld
) -> None:
    _change(graded, "11")
    _go(page, "/grades?state=different")
    page.get_by_role("checkbox", name="Select all grades of this page").press("Space")
    page.get_by_role("button", name="Preview sending the selected grades").press("Enter")
    expect(page.get_by_role("heading", name="1 grade would change in Moodle")).to_be_visible()
    _fits(page)
    page.get_by_role("button", name="Send 1 grade").press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    _fits(page)
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(page.get_by_role("progressbar")).to_be_visible()
    graded.settle()
    expect(page.get_by_role("heading", name="1 grade is in Moodle")).to_be_visible()
    _fits(page)


def test_reading_shows_itself_when_it_is_done(page: Page, graded: GradebookWorld) -> None:
    _go(page, "/grades")
    page.get_by_role("button", name="Bring grades over from Moodle now").press("Enter")
    expect(page.locator("#reading")).to_contain_text("Grades are being read")
    # As the worker does: a course whose gradebook is to change is read after that.
    graded.world.services.provisioning.rounds.changes()
    graded.world.services.grades.pulls.run(graded.site)
    expect(page.locator("#reading")).not_to_contain_text("being read", timeout=10_000)
    expect(page.locator("#reading")).to_contain_text("Read from Moodle last")


def test_a_quiz_is_connected_by_keyboard(page: Page, graded: GradebookWorld) -> None:
    part = graded.view.parts[2]
    _go(page, "/grades/connections")
    page.get_by_role("link", name=re.compile(rf"^Connect ?: {part.name}$")).press("Enter")
    _fits(page)
    page.get_by_role("radio", name="Midterm quiz").press("Space")
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    _fits(page)
    page.get_by_role("button", name="Connect", exact=True).press("Enter")
    expect(page.get_by_text("is connected")).to_be_visible()
    _fits(page)
    page.get_by_role("link", name=re.compile(rf"^Disconnect ?: {part.name}$")).press("Enter")
    _fits(page)
    page.get_by_role("button", name="Disconnect").press("Enter")
    expect(page.get_by_text("has an item of its own")).to_be_visible()


def test_every_page_fits_a_phone(page: Page, graded: GradebookWorld) -> None:
    person_key = graded.some_grade(GradeStatus.APPROVED).person_key
    for path in ("/grades", "/grades?state=same", f"/grades/student?person={person_key}"):
        _go(page, path)
        expect(page.locator("h1")).to_be_visible()


def test_a_table_is_downloaded_where_cookies_are_blocked(
    page: Page, graded: GradebookWorld
) -> None:
    context = page.context
    home = "/" + "/".join(page.url.split("/")[3:5]) + "/"
    [session] = [
        each for each in context.cookies([graded.world.url + home]) if each.get("path", "") != "/"
    ]
    context.clear_cookies()
    with graded.world.app.test_request_context(base_url=graded.world.url):
        body = render_template("lti/continue.html", home=home, token=session.get("value"))
    page.route("**/continued", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(graded.world.url + "/continued")
    page.get_by_role("link", name="Gradebook").first.click()
    with page.expect_download() as found:
        page.get_by_role("link", name="Download as a table (CSV)").click()
    assert found.value.suggested_filename.endswith(".csv")
    assert found.value.path().read_bytes().startswith(b"\xef\xbb\xbf")
    # The page is still there, and its forms still work.
    page.get_by_role("button", name="Bring grades over from Moodle now").click()
    expect(page.locator("#reading")).to_contain_text("Grades are being read")
    # As the worker does: a course whose gradebook is to change is read after that.
    graded.world.services.provisioning.rounds.changes()
    graded.world.services.grades.pulls.run(graded.site)
    expect(page.locator("#reading")).not_to_contain_text("being read", timeout=10_000)
