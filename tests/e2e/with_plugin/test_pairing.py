"""Two administrators connect the two with one code, see the same, and part them again."""

from __future__ import annotations

import pytest

from lti_tool.moodle.plugin_errors import AuthenticationError, PluginError
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled
from tests.e2e.pairing import Desk
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.conftest import Connected
from tests.e2e.with_plugin.link import Link, arrive
from tests.e2e.with_plugin.pictures import Pictures
from tests.e2e.with_plugin.plugins import Plugins

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


def test_nothing_is_done_before_the_administrator_has_seen_it(connected: Connected) -> None:
    assert connected.before == {"tool": None, "checks": []}
    tool = connected.desk.tool.url
    for words in ("What will be done", tool, "Service user", "Role", "LTI tool", "Locked fields"):
        assert words in connected.desk.seen["preview"]


def test_both_sides_hold_the_same_checklist_and_all_of_it_is_well(connected: Connected) -> None:
    desk = connected.desk
    assert connected.after["tool"] == desk.tool.url
    here = {check["name"]: check["status"] for check in connected.checklist}
    there = {check["name"]: check["status"] for check in connected.after["checks"]}
    assert here == there
    # Nobody may have started this Moodle's cron of late; everything else is as it must be.
    assert {name for name, status in here.items() if status != "ok"} <= {"moodle:cron"}
    for check in connected.checklist:
        assert check["summary"] in desk.seen["site"]
    assert desk.seen["paired"].count("OK") >= len(here) - 1


@pytest.fixture(scope="module")
def by_pages(connected: Connected) -> Desk:
    """The two administrators, at their connected sites."""
    return connected.desk


def test_pairing_twice_repairs(by_pages: Desk, plugins: Plugins) -> None:
    plugins.act("break")
    with by_pages.tool.services() as services, pytest.raises(PluginError):
        services.moodle_plugin.status(services.sites.moodles()[0])
    assert "This Moodle is connected with" in by_pages.pair()
    with by_pages.tool.services() as services:
        (site,) = services.sites.moodles()
        assert services.moodle_plugin.status(site).url == plugins.moodle.url
    checks = plugins.connection()["checks"]
    assert {each["name"] for each in checks if each["status"] != "ok"} <= {"moodle:cron"}


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
        (site,) = services.sites.moodles()
        by_pages.in_moodle.bring_to_front()
        by_pages.in_moodle.goto(f"{by_pages.moodle.url}/local/nagasis/unpair.php")
        pictures.take(by_pages.in_moodle, "moodle-unpair")
        by_pages.unpair()
        pictures.take(by_pages.in_moodle, "moodle-unpaired")
        with pytest.raises(AuthenticationError):
            services.moodle_plugin.status(site)
        assert services.sites.moodle(site.id).standing.value == "disconnected"
    assert plugins.connection()["tool"] is None
    student.bring_to_front()
    student.goto(f"{link.campus.moodle.url}/mod/lti/view.php?id={link.activity}")
    settled(student)
    pictures.take(student, "student-unpaired")
    for frame in student.frames[1:]:
        assert link.campus.chosen.course not in frame.locator("body").inner_text()
    # The enrolment plugin stays on for those who are enrolled by it; all else is as it was.
    now, before = plugins.remains()["settings"], plugins.before["settings"]
    assert {name for name in now if now[name] != before[name]} <= {"enrol_plugins_enabled"}


def test_the_command_line_connects_too(
    by_pages: Desk, link: Link, plugins: Plugins, open_browser: OpenBrowser
) -> None:
    code = by_pages.tool.cli("site", "code").splitlines()[0]
    assert by_pages.tool.url in plugins.pair(code)
    assert plugins.connection()["tool"] == by_pages.tool.url
    student = arrive(open_browser(), link.campus, link.campus.chosen.students[0])
    arrived(link.open(student), link.campus.chosen.course)
    # What happened in between may have been missed: that is said until everything was compared.
    assert "Moodle is equal to the SIS." in link.campus.sync("reconcile")
    by_pages.tool.cli("site", "check", "1")
    with by_pages.tool.services() as services:
        (site,) = services.sites.moodles()
    left = {check["name"] for check in site.checklist if check["status"] != "ok"}
    assert left <= {"moodle:cron"}


def test_no_page_is_wider_than_its_window(connected: Connected, pictures: Pictures) -> None:
    assert connected.after["tool"]
    assert pictures.wide == []
