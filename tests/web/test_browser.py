"""The pages in a real browser: no script or policy errors, nothing wider than a small phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.web.world import World

pytestmark = pytest.mark.browser

_PHONE = {"width": 360, "height": 700}
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium(playwright_: Playwright) -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    browser = playwright_.chromium.launch(executable_path=found, args=_ARGUMENTS)
    yield browser
    browser.close()


class Phone:
    """A small phone, and what its pages complained of."""

    def __init__(self, world: World, browser: Browser) -> None:
        self.world = world
        self.context: BrowserContext = browser.new_context(viewport=_PHONE, locale="en")  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._heard(said.type, said.text))

    def _heard(self, kind: str, text: str) -> None:
        # A page that refuses is a page all the same; its status is no fault of the script.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            self.complaints.append(text)

    def launch(self, who: str, link: str = "class") -> None:
        secret = self.world.platform.sign_in(self.world.people[who].id)
        self.context.add_cookies(
            [{"name": "MoodleSession", "value": secret, "url": self.world.platform.base_url}]
        )
        number = self.world.links[link].id
        self.page.goto(self.world.platform.url(f"/mod/lti/launch.php?id={number}"))
        self.page.wait_for_url("**/l/**")

    def go(self, path: str) -> None:
        base = "/".join(self.page.url.split("/")[:5])
        self.page.goto(base + path)

    def check(self) -> None:
        wide = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
        assert self.complaints == [], self.page.url


@pytest.fixture
def phone(world: World, chromium: Browser) -> Iterator[Phone]:
    made = Phone(world, chromium)
    yield made
    made.context.close()


def test_a_student_and_a_stranger(phone: Phone) -> None:
    for who in ("student", "visitor"):
        phone.launch(who)
        phone.check()


def test_a_first_page_can_be_loaded_again(phone: Phone, world: World) -> None:
    phone.launch("student")
    before = len(world.services.launches.recent(limit=1000))
    heading = phone.page.text_content("h1")
    phone.page.reload()
    assert phone.page.text_content("h1") == heading
    phone.go("/roster")
    phone.page.go_back()
    assert phone.page.text_content("h1") == heading
    assert len(world.services.launches.recent(limit=1000)) == before
    phone.check()


def test_a_teacher_reads_the_roster_and_sends_grades(phone: Phone, world: World) -> None:
    world.empty_gradebook()
    phone.launch("teacher")
    phone.check()
    phone.go("/roster")
    phone.page.get_by_role("button", name="Refresh").click()
    phone.page.wait_for_selector("#roster table")
    phone.check()
    phone.go("/grades")
    phone.check()
    phone.page.get_by_role("button", name="Preview what would change in Moodle").click()
    phone.page.wait_for_url("**/pushes/**")
    phone.check()
    phone.page.get_by_role("button", name="Send").click()
    phone.page.wait_for_selector("progress")
    phone.check()
    world.services.pushes.resume_abandoned()
    phone.page.wait_for_selector("progress", state="detached")
    phone.check()


def test_the_keyboard_reaches_the_content_first(phone: Phone) -> None:
    phone.launch("teacher")
    phone.page.keyboard.press("Tab")
    assert phone.page.evaluate("document.activeElement.className") == "skip"
    phone.page.keyboard.press("Enter")
    assert phone.page.evaluate("document.activeElement.id") == "main"


def test_an_administrator(phone: Phone) -> None:
    phone.launch("admin")
    phone.check()
    for path in ("/registration/launches", "/registration/people", "/registration/courses"):
        phone.go(path)
        phone.check()


def test_a_link_goes_back_to_the_platform_by_itself(phone: Phone, world: World) -> None:
    secret = world.platform.sign_in(world.people["teacher"].id)
    phone.context.add_cookies(
        [{"name": "MoodleSession", "value": secret, "url": world.platform.base_url}]
    )
    path = f"/mod/lti/contentitem.php?course={world.course.id}&id={world.tool_id}"
    phone.page.goto(world.platform.url(path))
    phone.page.wait_for_url("**/deep-link")
    phone.check()
    phone.page.get_by_label("Gradebook").first.check()
    phone.page.get_by_role("button", name="Place the link").click()
    phone.page.wait_for_url(world.platform.base_url + "/**")
