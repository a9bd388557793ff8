"""The pages of synchronisation in a real browser: by keyboard, on a phone, and by themselves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from lti_tool.sync.provisioning.models import SyncMark
from tests.web.synced import synced_world
from tests.web.world import World

pytestmark = pytest.mark.browser

_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
_PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with synced_world(tmp_path_factory.mktemp("synced")) as world:
        yield world


@pytest.fixture
def context(playwright_: Playwright) -> Iterator[BrowserContext]:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    browser = playwright_.chromium.launch(executable_path=found, args=_ARGUMENTS)
    yield browser.new_context(viewport=_PHONE, locale="en")  # type: ignore[arg-type]
    browser.close()


@pytest.fixture
def page(context: BrowserContext, synced: World) -> Iterator[Page]:
    """A phone on which an administrator is signed in, on the page of the one Moodle."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(synced.services.admin_sessions.sign_in_link("tests"))
    page.locator("main button").click()
    page.goto(f"{synced.url}/admin/sites/1/sync")
    yield page
    assert complaints == []


def _fits(page: Page) -> None:
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def test_a_preview_shows_itself_when_the_worker_has_made_it(page: Page, synced: World) -> None:
    _fits(page)
    page.get_by_role("button", name="Preview everything").press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    _fits(page)
    address = page.url
    page.goto("about:blank")
    synced.services.orders.resume()
    page.goto(address)
    expect(page.get_by_role("heading", name="Nothing would change")).to_be_visible()
    page.go_back()
    page.goto(f"{synced.url}/admin/sites/1/sync")
    page.get_by_role("button", name="Compare with Moodle").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    synced.services.orders.resume()
    expect(page.get_by_role("heading", name="Moodle is equal to the SIS")).to_be_visible()
    _fits(page)


def test_whoever_reads_is_not_thrown_out_by_the_next_state(page: Page, synced: World) -> None:
    marks = synced.services.provisioning.marks
    marks.mark(1, "user", synced.services.sis_extracts.person_keys()[:3])
    page.reload()
    link = page.locator("#history a").first
    link.focus()
    before = link.get_attribute("id")
    with page.expect_response(lambda answer: answer.url.endswith("part=history")):
        pass
    expect(page.locator(f"#{before}")).to_be_focused()
    with synced.services.database.write() as session:
        session.query(SyncMark).delete()


def test_every_page_fits_a_phone(page: Page, synced: World) -> None:
    sis = synced.services.sis_extracts
    base = f"{synced.url}/admin/sites/1/sync"
    class_key = sis.class_keys()[0]
    person = sis.person_keys()[0]
    for path in (
        "/runs",
        "/runs/1",
        "/refused",
        "/things?q=a&c=e",
        f"/things?person={person}&class={class_key}",
    ):
        page.goto(base + path)
        expect(page.locator("h1")).to_be_visible()
        _fits(page)
