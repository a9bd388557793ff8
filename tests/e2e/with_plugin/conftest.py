"""A real Moodle with the two plugins, a tool that is connected with it, and a campus of 50."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.environment import ToolAddress
from tests.e2e.moodle.pages import settled
from tests.e2e.moodle.site import Moodle
from tests.e2e.pairing import Desk, expect_connected
from tests.e2e.tool import Tool, database_address
from tests.e2e.with_plugin.campus import Campus
from tests.e2e.with_plugin.link import Link
from tests.e2e.with_plugin.pictures import Pictures
from tests.e2e.with_plugin.plugins import Plugins


@pytest.fixture(scope="session")
def own_address(address: ToolAddress, moodle: Moodle) -> ToolAddress:
    """The tool of these tests stands two ports on: others may run in the same session."""
    host, port = urlsplit(address.url).hostname, address.port + 2
    own = replace(address, url=f"https://{host}:{port}")
    if moodle.call("about", tool_url=f"{own.url}/lti/keys")["blocked"]:
        pytest.fail(f"Moodle's HTTP security blocks {own.url}: allow its port too")
    return own


@dataclass(frozen=True)
class Connected:
    """The two administrators' windows, what Moodle held before and after, and the tool's checks."""

    desk: Desk
    before: dict[str, Any]
    after: dict[str, Any]
    checklist: list[dict[str, Any]]


@pytest.fixture(scope="session")
def plugins(moodle: Moodle) -> Iterator[Plugins]:
    """Both plugins, installed from their zips; afterwards nothing of them is left in Moodle."""
    plugins = Plugins(moodle)
    if tool := plugins.connection()["tool"]:
        pytest.skip(f"this Moodle is connected with {tool}; disconnect it first")
    if not os.access(moodle.code / "local", os.W_OK):
        pytest.skip(f"plugins cannot be put into {moodle.code}: it is not writable here")
    with plugins.beforehand():
        plugins.before = plugins.remains()
        left = plugins.before["rows"]
        assert not left, f"left by someone before these tests: {left}"
        plugins.install()
        yield plugins
        if os.environ.get("E2E_KEEP"):
            return
        if plugins.installed:
            plugins.uninstall()
        assert plugins.remains() == plugins.before


@pytest.fixture(scope="session")
def naga(
    own_address: ToolAddress,
    moodle: Moodle,
    plugins: Plugins,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Tool]:
    """The tool as it is deployed, with a campus of 50 in its SIS."""
    folder = tmp_path_factory.mktemp("naga")
    with database_address(folder) as database_url:
        tool = Tool(own_address, folder, database_url, moodle.ca)
        tool.cli("init")
        tool.cli("campus", "generate", "--size", "50")
        try:
            tool.start()
            yield tool
            if plugins.connection()["tool"] and not os.environ.get("E2E_KEEP"):
                plugins.unpair()
        finally:
            tool.stop()


@pytest.fixture(scope="session")
def desk(naga: Tool, moodle: Moodle, browsers: OpenBrowser) -> Iterator[Desk]:
    """Both administrators at their pages."""
    browser = browsers(Cookies.BLOCKED)
    yield Desk.open(naga, moodle, browser)
    browser.close()


@pytest.fixture(scope="session")
def connected(desk: Desk, plugins: Plugins, pictures: Pictures) -> Connected:
    """Connected for the first time, by both administrators' own pages."""
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
    before = plugins.connection()
    desk.seen["paired"] = desk.confirm()
    pictures.take(page, "moodle-connected")
    expect_connected(desk.in_tool)
    # Who looks up sees at once that the code is spent.
    expect(desk.in_tool.locator("#code")).to_have_count(0)
    pictures.take(desk.in_tool, "tool-code-used")
    desk.seen["site"] = desk.site_page().inner_text()
    pictures.take(desk.in_tool, "tool-site")
    with desk.tool.services() as services:
        (site,) = services.sites.moodles()
    return Connected(desk, before, plugins.connection(), site.checklist)


@pytest.fixture(scope="session")
def paired(connected: Connected) -> Tool:
    """The tool, connected with this Moodle."""
    return connected.desk.tool


@pytest.fixture(scope="session")
def campus(paired: Tool, moodle: Moodle, plugins: Plugins) -> Iterator[Campus]:
    """The campus in Moodle; afterwards its courses and people are deleted there."""
    campus = Campus(paired, moodle, plugins)
    # What a run that was interrupted left there.
    plugins.act("forget", **campus.keys())
    try:
        campus.first = campus.sync("apply", "--all")
        yield campus
    finally:
        if not os.environ.get("E2E_KEEP"):
            plugins.act("forget", **campus.keys())


@pytest.fixture(scope="session")
def link(campus: Campus, browsers: OpenBrowser) -> Link:
    """The gradebook, placed in the chosen class's course by its teacher."""
    browser = browsers(Cookies.BLOCKED)
    link = Link.place(campus, browser)
    browser.close()
    return link


@pytest.fixture(scope="session")
def pictures() -> Pictures:
    """Keeps pictures of the pages where E2E_SCREENSHOTS says."""
    folder = os.environ.get("E2E_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return Pictures(Path(folder) if folder else None)
