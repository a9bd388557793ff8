"""A real Moodle, a real browser, and the tool as it is deployed. Skipped where there is none."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Playwright

from tests.e2e import oneroster, school
from tests.e2e.browser import Cookies, find_chromium, open_context
from tests.e2e.course import GRADEBOOK, Links, add_link, come_in
from tests.e2e.environment import ToolAddress, find_address
from tests.e2e.keycloak import Keycloak, find_keycloak, run_keycloak
from tests.e2e.moodle.site import Moodle, find_moodle
from tests.e2e.platform import Platform
from tests.e2e.realm_people import Desk, open_desk
from tests.e2e.tool import Tool, database_address, today
from tests.e2e.tool_pages import arrived, sign_in_to_tool, trust_id_numbers

OpenBrowser = Callable[..., BrowserContext]

# For the report of a failure, also of one in a fixture.
_TOOLS: list[Tool] = []
_CONSOLE: list[str] = []


def _note(message: ConsoleMessage) -> None:
    if message.type in ("error", "warning"):
        _CONSOLE.append(f"{message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """A real Keycloak."""
    home = find_keycloak()
    if isinstance(home, str):
        pytest.skip(home)
    with run_keycloak(home, tmp_path_factory.mktemp("keycloak")) as keycloak:
        yield keycloak


@pytest.fixture
def desk(keycloak: Keycloak, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A realm of the test's own there, prepared."""
    with open_desk(keycloak, request.node.name.replace("_", "-")[:60].strip("-")) as desk:
        yield desk


@pytest.fixture(scope="session")
def address() -> ToolAddress:
    """Where the tool is reached."""
    found = find_address(os.environ)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def moodle(address: ToolAddress) -> Moodle:
    """The Moodle that the environment names; it must be willing to call the tool."""
    found = find_moodle(os.environ)
    if isinstance(found, str):
        pytest.skip(found)
    about = found.call("about", tool_url=f"{address.url}/lti/keys")
    if about["url"] != found.url:
        pytest.fail(f"MOODLE_URL is {found.url}, but this Moodle's own address is {about['url']}")
    if about["blocked"]:
        pytest.fail(
            f"Moodle's HTTP security blocks {address.url}: in Site administration → General → "
            "Security → HTTP security, take its host off the blocked list and allow its port"
        )
    return found


@pytest.fixture(scope="session")
def seeded(moodle: Moodle, address: ToolAddress) -> Iterator[dict[str, Any]]:
    """The courses and people in Moodle: ``courses`` and ``users``, each with its id in Moodle."""
    leftovers = {"prefix": school.PREFIX, "tool_domain": address.domain}
    moodle.call("remove", **leftovers)
    yield moodle.call("seed", **school.moodle_document())
    if not os.environ.get("E2E_KEEP"):
        moodle.call("remove", **leftovers)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Chromium's executable."""
    found = find_chromium()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@pytest.fixture(scope="session")
def browsers(
    playwright_: Playwright,
    chromium: Path,
    moodle: Moodle,
    address: ToolAddress,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OpenBrowser]:
    """Opens browsers, each with a profile of its own; they are closed in the end."""
    folder = tmp_path_factory.mktemp("profiles")
    numbers = itertools.count()
    contexts: list[BrowserContext] = []

    def _open(cookies: Cookies = Cookies.BLOCKED, *, width: int = 1200) -> BrowserContext:
        context = open_context(
            playwright_,
            chromium,
            folder / str(next(numbers)),
            cookies,
            tool_url=address.url,
            platform_url=moodle.url,
            own_authority=moodle.ca is not None,
            width=width,
        )
        context.on("console", _note)
        contexts.append(context)
        return context

    yield _open
    for context in contexts:
        context.close()


@pytest.fixture
def open_browser(browsers: OpenBrowser) -> Iterator[OpenBrowser]:
    """Opens browsers, each with a profile of its own; they are closed after the test."""
    contexts: list[BrowserContext] = []

    def _open(cookies: Cookies = Cookies.BLOCKED, *, width: int = 1200) -> BrowserContext:
        contexts.append(browsers(cookies, width=width))
        return contexts[-1]

    yield _open
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def tool(
    moodle: Moodle, address: ToolAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tool]:
    """The tool as it is deployed, with the school in its SIS; Moodle can fetch its keys."""
    folder = tmp_path_factory.mktemp("tool")
    with database_address(folder) as database_url:
        tool = Tool(address, folder, database_url, moodle.ca)
        tool.cli("init")
        tool.cli("sis", "import", str(oneroster.write(folder / "school", today=today())))
        try:
            _TOOLS.append(tool)
            tool.start()
            fetched = moodle.call("fetch", url=f"{tool.url}/lti/keys")
            if fetched["status"] != 200:
                pytest.fail(
                    f"Moodle cannot fetch {tool.url}/lti/keys ({fetched['error']}): its server "
                    "must resolve that name, reach it, and trust its certificate's authority"
                )
            yield tool
        finally:
            tool.stop()
            _TOOLS.clear()


@pytest.fixture(scope="session")
def platform(tool: Tool, moodle: Moodle, seeded: dict[str, Any], browsers: OpenBrowser) -> Platform:
    """Moodle with the tool registered, approved, activated and in the courses' choosers."""
    browser = browsers(Cookies.ALLOWED)
    connected = Platform.connect(tool, moodle, seeded, browser)
    browser.close()
    return connected


@pytest.fixture(scope="session")
def links(platform: Platform, browsers: OpenBrowser) -> Links:
    """The teacher has placed roster, gradebook and one part in the big course, by Deep Linking."""
    for cookies, course, choice in (
        (Cookies.ALLOWED, school.BIG_COURSE, "roster"),
        (Cookies.BLOCKED, school.BIG_COURSE, "gradebook"),
        (Cookies.BLOCKED, school.BIG_COURSE, f"part:{oneroster.SPEAKING}"),
        (Cookies.BLOCKED, school.SECOND_COURSE, "roster"),
    ):
        browser = browsers(cookies)
        add_link(come_in(browser, platform, school.TEACHER), platform, course, choice)
        browser.close()
    return Links(platform)


@pytest.fixture(scope="session")
def unknown(links: Links, platform: Platform, browsers: OpenBrowser) -> dict[str, str]:
    """What a student and a teacher see while nobody has said that ID numbers are locked."""
    seen = {}
    for person in (school.student(3), school.TEACHER):
        browser = browsers()
        page = come_in(browser, platform, person)
        seen[person] = arrived(links.open(page, GRADEBOOK)).inner_text()
        browser.close()
    return seen


@pytest.fixture(scope="session")
def trusted(
    unknown: dict[str, str],
    links: Links,
    platform: Platform,
    moodle: Moodle,
    browsers: OpenBrowser,
) -> Iterator[Links]:
    """ID numbers are locked in Moodle, and the tool's administrator has said so."""
    lock = {"plugin": "auth_manual", "name": "field_lock_idnumber"}
    before = moodle.call("config", **lock, value="locked")["old"]
    browser = browsers()
    page = browser.new_page()
    sign_in_to_tool(page, platform.tool)
    trust_id_numbers(page, platform.tool, platform.registration_id)
    browser.close()
    yield links
    moodle.call("config", **lock, value=before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failure what the tool logged and what the browsers said."""
    report = yield
    if report.failed and "e2e" in item.path.parts:
        report.sections += [
            (f"the tool's {name} log", tool.log(name)) for tool in _TOOLS for name in tool.processes
        ]
        report.sections.append(("the browsers' consoles", "\n".join(_CONSOLE)))
    _CONSOLE.clear()
    return report
