"""The tool and the platform on two sites, and Chromium with three attitudes to cookies.

The platform is ``127.0.0.1`` and the tool ``localhost``: to a browser these are different sites,
and both are trusted with secure cookies without TLS.
"""

from __future__ import annotations

import enum
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    BrowserContext,
    FrameLocator,
    Page,
    Playwright,
    expect,
)

from demo.quirks import Quirks
from tests.web.world import World, build_world

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Milliseconds; generous, for a busy machine: nothing waits longer than it must.
_PATIENCE = 30_000


class Cookies(enum.StrEnum):
    """What the browser lets a frame of another site keep."""

    # Third-party cookies are blocked; partitioned ones still work. Most people's browsers.
    BLOCKED = "blocked"
    # Nothing at all for the tool inside the platform's pages.
    REFUSED = "refused"


def _preferences(cookies: Cookies) -> dict[str, object]:
    profile: dict[str, object] = {"cookie_controls_mode": 1}
    if cookies is Cookies.REFUSED:
        inside = {"localhost,127.0.0.1": {"setting": 2}}
        profile["content_settings"] = {"exceptions": {"cookies": inside}}
    return {"profile": profile}


@dataclass
class Visitor:
    """Somebody at the platform, in a browser of their own."""

    world: World
    context: BrowserContext
    page: Page

    @property
    def frame(self) -> FrameLocator:
        """The tool inside the platform's page."""
        return self.page.frame_locator("iframe[name=contentframe]")

    def be(self, who: str) -> str:
        """Sign in to the platform; returns the key of its forms."""
        secret = self.world.platform.sign_in(self.world.people[who].id)
        url = self.world.platform.base_url
        self.context.add_cookies(
            [{"name": "MoodleSession", "value": secret, "url": url, "sameSite": "Lax"}]
        )
        return self.world.platform.sessions[secret].sesskey

    def open(self, who: str = "teacher", link: str = "class") -> FrameLocator:
        """Open an activity on the platform's page; returns the tool's frame."""
        self.be(who)
        self.page.goto(self.world.platform.url(f"/link/{self.world.links[link].id}"))
        return self.frame

    def heading(self, text: str | re.Pattern[str]) -> None:
        """Wait for the tool's page with this heading."""
        expect(self.frame.locator("h1:visible")).to_contain_text(text)

    def cookies_of_the_tool(self) -> list[str]:
        """The names of the cookies that the browser keeps for the tool."""
        return [each["name"] for each in self.context.cookies() if each["domain"] == "localhost"]


Visit = Callable[[Cookies], Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A page that is left while it loads leaves the server with a file half read."""
    mark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(mark)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A campus, the tool and a platform; tests leave it as they found it."""
    with build_world(tmp_path_factory.mktemp("sites"), host="localhost") as built:
        yield built


@pytest.fixture(autouse=True)
def moodle(world: World) -> Iterator[None]:
    """The platform is Moodle again after each test."""
    yield
    world.platform.quirks = Quirks()
    world.platform.mutate_id_token = None
    world.platform.faults.clear()


@pytest.fixture
def storage(world: World) -> None:
    """The platform offers to keep data for tools, as Moodle does not."""
    world.platform.quirks = Quirks().but(storage_frame=True)


@pytest.fixture(scope="session")
def executable() -> str:
    """Chromium's."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no browser: install Chromium, or name it in CHROMIUM")
    return found


@pytest.fixture(scope="module")
def contexts(
    executable: str, playwright_: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Cookies], BrowserContext]]:
    """Browsers by their attitude to cookies; each is started once."""
    expect.set_options(timeout=_PATIENCE)
    opened: dict[Cookies, BrowserContext] = {}

    def open_(cookies: Cookies) -> BrowserContext:
        if cookies not in opened:
            folder: Path = tmp_path_factory.mktemp("profile")
            (folder / "Default").mkdir()
            (folder / "Default" / "Preferences").write_text(json.dumps(_preferences(cookies)))
            opened[cookies] = playwright_.chromium.launch_persistent_context(
                folder,
                executable_path=executable,
                args=_ARGUMENTS,
                locale="en-GB",
                viewport={"width": 1100, "height": 900},
            )
            opened[cookies].set_default_timeout(_PATIENCE)
        return opened[cookies]

    yield open_
    for context in opened.values():
        context.close()


@pytest.fixture
def visit(contexts: Callable[[Cookies], BrowserContext], world: World) -> Iterator[Visit]:
    """Gives somebody a browser without a past."""
    used: list[BrowserContext] = []

    def begin(cookies: Cookies) -> Visitor:
        context = contexts(cookies)
        used.append(context)
        return Visitor(world, context, context.new_page())

    yield begin
    for context in used:
        context.unroute_all(behavior="wait")
        # The first page is the browser's own: without it the browser would end.
        for page in context.pages[1:]:
            page.close()
        context.clear_cookies()


@pytest.fixture
def without_scripts(executable: str, playwright_: Playwright, world: World) -> Iterator[Visitor]:
    """Somebody who has switched JavaScript off."""
    browser = playwright_.chromium.launch(executable_path=executable, args=_ARGUMENTS)
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    context.set_default_timeout(_PATIENCE)
    yield Visitor(world, context, context.new_page())
    browser.close()
