"""Two administrators connect the two with one code, see the same, and part them again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from lti_tool.moodle.plugin_errors import AuthenticationError
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled
from tests.e2e.pairing import Desk, expect_connected
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.link import Link, arrive
from tests.e2e.with_plugin.pictures import Pictures
from tests.e2e.with_plugin.plugins import Plugins

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def by_pages(link: Link, desk: Desk, plugins: Plugins, pictures: Pictures) -> Desk:
    """Connected by the pages alone; before, there was no connection any more."""
    assert link
    plugins.unpair()
    page = desk.in_moodle
    page.goto(f"{desk.moodle.url}/admin/search.php#linkmodules")
    settled(page)
    page.get_by_role("link", name="Connect with Naga SIS").click()
    expect(desk.main.get_by_role("heading", name="Connect with Naga SIS")).to_be_visible()
    pictures.take(page, "moodle-before")
    code = desk.code()
    pictures.take(desk.in_tool, "tool-code")
    desk.seen["preview"] = desk.paste(code)
    pictures.take(page, "moodle-preview")
    assert plugins.connection()["tool"] is None
    desk.seen["paired"] = desk.confirm()
    pictures.take(page, "moodle-connected")
    return desk


def test_the_administrator_sees_beforehand_what_will_be_done(by_pages: Desk) -> None:
    for words in ("What will be done", by_pages.tool.url, "Service user", "Role", "LTI tool"):
        assert words in by_pages.seen["preview"]


def test_both_sides_hold_the_same_checklist_and_all_of_it_is_well(
    by_pages: Desk, plugins: Plugins, pictures: Pictures
) -> None:
    expect_connected(by_pages.in_tool)
    pictures.take(by_pages.in_tool, "tool-code-used")
    told = by_pages.site_page().inner_text()
    pictures.take(by_pages.in_tool, "tool-site")
    connection = plugins.connection()
    assert connection["tool"] == by_pages.tool.url
    with by_pages.tool.services() as services:
        (site,) = services.sites.list()
    here = {check["name"]: check["status"] for check in site.checklist}
    there = {check["name"]: check["status"] for check in connection["checks"]}
    assert here == there
    # In a test nobody's cron runs; everything else is as it must be.
    assert {name for name, status in here.items() if status != "ok"} <= {"cron"}
    for check in site.checklist:
        assert check["summary"] in told


def test_pairing_twice_repairs(by_pages: Desk, plugins: Plugins) -> None:
    plugins.moodle.cli("admin/cli/cfg.php", "--name=enablewebservices", "--set=0")
    plugins.moodle.cli(
        "admin/cli/cfg.php",
        "--component=auth_manual",
        "--name=field_lock_idnumber",
        "--set=unlocked",
    )
    assert "This Moodle is connected with" in by_pages.pair()
    read = ("admin/cli/cfg.php", "--name=enablewebservices")
    assert plugins.moodle.cli(*read).strip() == "1"
    with by_pages.tool.services() as services:
        (site,) = services.sites.list()
        assert services.moodle_plugin.status(site).url == plugins.moodle.url


def test_the_status_page_says_how_it_is(by_pages: Desk, pictures: Pictures) -> None:
    page = by_pages.in_moodle
    page.bring_to_front()
    page.goto(f"{by_pages.moodle.url}/local/nagasis/index.php")
    settled(page)
    text = by_pages.main.inner_text()
    pictures.take(page, "moodle-status")
    assert "Send now" in text


def test_unpaired_the_token_and_the_launches_are_refused(
    by_pages: Desk, link: Link, plugins: Plugins, pictures: Pictures, open_browser: OpenBrowser
) -> None:
    student = arrive(open_browser(), link.campus, link.campus.chosen.students[0])
    arrived(link.open(student), link.campus.chosen.course)
    with by_pages.tool.services() as services:
        (site,) = services.sites.list()
        by_pages.in_moodle.bring_to_front()
        by_pages.in_moodle.goto(f"{by_pages.moodle.url}/local/nagasis/unpair.php")
        pictures.take(by_pages.in_moodle, "moodle-unpair")
        by_pages.unpair()
        pictures.take(by_pages.in_moodle, "moodle-unpaired")
        with pytest.raises(AuthenticationError):
            services.moodle_plugin.status(site)
        assert services.sites.get(site.id).standing.value == "disconnected"
    assert plugins.connection()["tool"] is None
    student.bring_to_front()
    student.goto(f"{link.campus.moodle.url}/mod/lti/view.php?id={link.activity}")
    settled(student)
    assert not re.search(r"A-\d+", student.locator("body").inner_text())
    frames = [frame for frame in student.frames if frame.url.startswith(by_pages.tool.url)]
    for frame in frames:
        assert link.campus.chosen.course not in frame.locator("body").inner_text()
    settings = plugins.remains()["settings"]
    assert settings.get("auth_manual/field_lock_idnumber") != "locked"


def test_the_command_line_connects_too(
    by_pages: Desk, link: Link, plugins: Plugins, open_browser: OpenBrowser
) -> None:
    code = by_pages.tool.cli("site", "code").splitlines()[0]
    assert by_pages.tool.url in plugins.pair(code)
    assert plugins.connection()["tool"] == by_pages.tool.url
    student = arrive(open_browser(), link.campus, link.campus.chosen.students[0])
    arrived(link.open(student), link.campus.chosen.course)
    assert "Nothing would change." in link.campus.sync("plan", "--all")
