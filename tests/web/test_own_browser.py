"""People's own pages in a real browser: on a phone, by keyboard, with scripts and without."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, Playwright, expect
from werkzeug.serving import make_server

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from tests.lti.outbound_world import QuietHandler
from tests.web.desk import Desk, open_desk
from tests.web.own_school import MINE, STUDENT, TEACHER, own_school

pytestmark = pytest.mark.browser

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@dataclass
class Phone:
    """A phone at the tool, and who its person is at the provider."""

    page: Page
    url: str
    desk: Desk

    def open(self, person: str, path: str = "/my/") -> None:
        """Come in, to a page."""
        self.desk.oidc.person = {"person_uuid": person, "name": person}
        self.page.goto(self.url + path)
        self.page.get_by_role("button", name="Sign in with your school account").click()
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()
        self.fits()

    def fits(self) -> None:
        """Nothing is wider than the phone, but what scrolls by itself."""
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, self.page.url


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def phone(
    database: Database,
    clock: FixedClock,
    tmp_path: Path,
    playwright_: Playwright,
    request: pytest.FixtureRequest,
) -> Iterator[Phone]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    own_school(database, clock)
    server = make_server(
        "127.0.0.1", 0, Flask("unstarted"), threaded=True, request_handler=QuietHandler
    )
    url = f"http://localhost:{server.server_port}"
    with open_desk(database, clock, tmp_path, url=url) as desk:
        server.app = desk.app
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        browser = playwright_.chromium.launch(executable_path=found, args=_ARGUMENTS)
        context = browser.new_context(
            viewport={"width": 390, "height": 800},
            locale="en",
            java_script_enabled=request.param,
        )
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        yield Phone(page, url, desk)
        browser.close()
        server.shutdown()
        thread.join()
        server.server_close()
        assert complaints == []


def test_a_student_comes_in_looks_and_leaves(phone: Phone) -> None:
    phone.open(STUDENT)
    phone.page.get_by_role("link", name=MINE).click()
    expect(phone.page.get_by_text("81.5").first).to_be_visible()
    phone.fits()
    phone.page.get_by_role("button", name="Sign out").click()
    # By the provider, and back.
    phone.page.wait_for_url(f"{phone.url}/sign-in")
    phone.page.goto(f"{phone.url}/my/classes/{MINE}")
    expect(phone.page.get_by_role("heading", name="Sign in")).to_be_visible()
    phone.fits()


def test_a_teacher_comes_to_the_page_that_was_asked_for(phone: Phone) -> None:
    phone.open(TEACHER, f"/my/teaching/{MINE}")
    expect(phone.page.get_by_text("2 students take part.")).to_be_visible()
    phone.page.get_by_role("navigation", name="This class").get_by_role(
        "link", name="Grades"
    ).click()
    expect(phone.page.get_by_text("67.75").first).to_be_visible()
    phone.fits()


def test_by_keyboard_alone(phone: Phone) -> None:
    phone.desk.oidc.person = {"person_uuid": STUDENT}
    phone.page.goto(f"{phone.url}/")
    phone.page.keyboard.press("Tab")
    expect(phone.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    phone.page.keyboard.press("Tab")
    expect(phone.page.get_by_role("button")).to_be_focused()
    phone.page.keyboard.press("Enter")
    expect(phone.page.get_by_role("heading", name="My classes")).to_be_visible()
    phone.page.keyboard.press("Tab")
    phone.page.keyboard.press("Enter")
    phone.page.keyboard.press("Tab")
    expect(phone.page.get_by_role("link", name=MINE)).to_be_focused()
