"""The inboxes of grades in a real browser: on a phone, by keyboard, without a complaint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from lti_tool.sync.grades.conflict_views import ConflictView
from tests.web.graded import Graded, graded_world

pytestmark = pytest.mark.browser

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    with graded_world(tmp_path_factory.mktemp("graded")) as built:
        yield built


@pytest.fixture(scope="module")
def conflicts(graded: Graded) -> list[ConflictView]:
    """Two grades that were approved and then changed in Moodle."""
    people = graded.students()[:2]
    return [graded.locked(person, graded.own_part(), "80", "90") for person in people]


@pytest.fixture
def context(playwright_: Playwright) -> Iterator[BrowserContext]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    browser = playwright_.chromium.launch(executable_path=found, args=_ARGUMENTS)
    yield browser.new_context(viewport=_PHONE, locale="en")  # type: ignore[arg-type]
    browser.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A phone whose pages complain of nothing."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    assert complaints == []


def _fits(page: Page) -> None:
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def test_a_question_an_answer_and_a_decision_on_a_phone(
    page: Page, graded: Graded, conflicts: list[ConflictView]
) -> None:
    world = graded.world
    page.goto(world.services.admin_sessions.sign_in_link("tests"))
    page.locator("main button").click()
    page.get_by_role("link", name="2 grades wait for a decision.").click()
    _fits(page)
    page.get_by_label("Tick all on this page").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Ticked: take Moodle's").press("Enter")
    expect(page.get_by_role("heading", name="Take Moodle's for 2 grades?")).to_be_visible()
    _fits(page)
    page.get_by_role("link", name="Cancel").click()
    first = conflicts[0]
    page.locator(f"#conflict-{first.id}").get_by_role("link", name=first.item_name).click()
    _fits(page)
    page.get_by_label("Question (required)").fill("Which one is right?")
    page.get_by_role("button", name="Ask the teacher").click()
    expect(page.get_by_text("There is no answer yet.")).to_be_visible()
    desk = page.url

    secret = world.platform.sign_in(world.people["teacher"].id)
    page.context.add_cookies(
        [{"name": "MoodleSession", "value": secret, "url": world.platform.base_url}]
    )
    page.goto(world.platform.url(f"/mod/lti/launch.php?id={world.links['class'].id}"))
    page.wait_for_url("**/l/**")
    page.get_by_role("link", name="The registrar asks you about 1 grade.").click()
    _fits(page)
    page.get_by_label("Moodle's: 90").check()
    page.get_by_label("Why (required)").fill("It was handed in again.")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("the registrar sees your answer")).to_be_visible()

    page.goto(desk)
    expect(page.get_by_text("The teacher proposes: Take Moodle's grade")).to_be_visible()
    # What the teacher wrote is the reason, unless the registrar writes another.
    expect(page.get_by_label("Why (required)")).to_have_value("It was handed in again.")
    page.get_by_role("button", name="Take Moodle's grade").click()
    expect(page.get_by_text("Moodle's grade is taken.")).to_be_visible()
    grade = graded.sis(first.person_key, graded.own_part())
    assert grade is not None
    assert grade.score == 90


def test_a_grade_is_held_by_keyboard(
    page: Page, graded: Graded, conflicts: list[ConflictView]
) -> None:
    page.goto(graded.world.services.admin_sessions.sign_in_link("tests"))
    page.locator("main button").click()
    other = conflicts[1]
    page.goto(
        f"{graded.world.url}/admin/grades/student?person={other.person_key}&class={other.class_key}"
    )
    _fits(page)
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("Why (required)").first.fill("The board decided.")
    _fits(page)
    page.get_by_role("button", name="Hold this grade").first.press("Enter")
    expect(page.get_by_text("Held by Administrator tests.")).to_be_visible()
    _fits(page)
