"""One code, pasted once: both sides are connected, say so alike, and can be parted again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.environment import ToolAddress
from tests.e2e.moodle.site import Moodle
from tests.e2e.pairing import Desk, expect_connected
from tests.e2e.tool import Tool, database_address

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def neighbour(
    address: ToolAddress, moodle: Moodle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tool]:
    """A second tool on the next port: a Moodle that is connected with it leaves the other alone."""
    if not (moodle.directory / "local/nagasis/version.php").is_file():
        pytest.skip("this Moodle has no plugin local_nagasis")
    parts = urlsplit(address.url)
    beside = replace(address, url=f"https://{parts.hostname}:{address.port + 1}")
    if moodle.call("about", tool_url=f"{beside.url}/lti/keys")["blocked"]:
        pytest.fail(f"Moodle's HTTP security blocks {beside.url}: allow its port too")
    folder = tmp_path_factory.mktemp("neighbour")
    with database_address(folder) as database_url:
        tool = Tool(beside, folder, database_url, moodle.ca)
        tool.cli("init")
        try:
            tool.start()
            yield tool
        finally:
            tool.stop()


@pytest.fixture(scope="module")
def desk(neighbour: Tool, moodle: Moodle, browsers: OpenBrowser) -> Iterator[Desk]:
    """Both administrators at their pages; the Moodle is connected with nobody before and after."""
    browser = browsers(Cookies.BLOCKED)
    desk = Desk.open(neighbour, moodle, browser)
    if desk.connected():
        pytest.skip("this Moodle is connected with another tool; disconnect it first")
    yield desk
    if desk.connected():
        desk.unpair()
    browser.close()


@pytest.fixture(scope="module")
def paired(desk: Desk) -> Desk:
    """Connected, from the first click to the checklist."""
    desk.pair()
    return desk


def test_a_code_that_was_cut_is_told_apart(desk: Desk) -> None:
    said = desk.paste(desk.code()[:-3])
    assert "What will be done" not in said
    assert "code" in said


def test_nothing_is_done_before_it_is_confirmed(paired: Desk) -> None:
    for words in ("What will be done", "Service user", "LTI tool", paired.tool.url):
        assert words in paired.seen["preview"]
    assert "15 min" in paired.seen["code page"] or "until" in paired.seen["code page"]


def test_both_sides_end_with_the_same_checklist(paired: Desk) -> None:
    expect_connected(paired.in_tool)
    told = paired.site_page().inner_text()
    # Each side speaks of the other in its own words and in its reader's language.
    for here, there in (
        ("reaches Moodle, and its token works.", "reaches this Moodle, and its token works."),
        ("Both clocks agree.", "clocks agree"),
        ("People can open the tool from Moodle.", "People can open"),
        ("ID numbers are trusted", "ID numbers are trusted"),
    ):
        assert here in told
        assert there in paired.seen["paired"]
    with paired.tool.services() as services:
        (site,) = services.sites.moodles()
        registration = services.registrations.get(site.registration_id)
        assert registration.issuer == paired.moodle.url
        assert services.moodle_plugin.status(site).url == paired.moodle.url


def test_pairing_again_repairs(paired: Desk) -> None:
    with paired.tool.services() as services:
        (before,) = services.sites.moodles()
        services.registrations.update(
            before.registration_id, actor="tests", sourcedid_trusted=False
        )
    assert "This Moodle is connected with" in paired.pair()
    with paired.tool.services() as services:
        (after,) = services.sites.moodles()
        assert (after.id, after.registration_id) == (before.id, before.registration_id)
        assert services.registrations.get(after.registration_id).sourcedid_trusted
        assert services.sites.token(after) != services.sites.token(before)


def test_a_code_works_once(paired: Desk) -> None:
    code = paired.code()
    paired.paste(code)
    paired.confirm()
    paired.tool.cli("site", "disconnect", "1", "--yes")
    assert re.search("used", paired.paste(code))
    # Connected again, for what comes next.
    assert "This Moodle is connected with" in paired.pair()


def test_parted_again_the_token_is_worth_nothing(paired: Desk) -> None:
    with paired.tool.services() as services:
        (site,) = services.sites.moodles()
        paired.unpair()
        assert not paired.connected()
        told = paired.site_page().inner_text()
        assert "This Moodle is not connected." in told
        with pytest.raises(Exception, match=r"(?i)token"):
            services.moodle_plugin.status(site)
