"""Chromium, with a profile per context: what it does with a frame's cookies is set there."""

from __future__ import annotations

import enum
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Playwright, Route, expect

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Milliseconds; generous, for a busy machine: nothing waits longer than it must.
_PATIENCE = 45_000
_NO_TOUR = json.dumps([{"error": False, "data": {}}])


class Cookies(enum.StrEnum):
    """What the browser lets a frame of another site keep."""

    ALLOWED = "allowed"
    # Third-party cookies are blocked; partitioned ones still work. Most people's browsers.
    BLOCKED = "blocked"
    # Nothing at all, partitioned or not, for the tool inside the platform's pages.
    REFUSED = "refused"


def find_chromium(environment: Mapping[str, str] = os.environ) -> Path | str:
    """Chromium's executable, or in plain words why there is none."""
    named = environment.get("CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found or not Path(found).is_file():
        return "no browser: install Chromium, or name it in CHROMIUM"
    return Path(found)


def preferences(cookies: Cookies, *, tool_url: str, platform_url: str) -> dict[str, Any]:
    """The profile's preferences for these cookies."""
    profile: dict[str, Any] = {"cookie_controls_mode": 0 if cookies is Cookies.ALLOWED else 1}
    if cookies is Cookies.REFUSED:
        tool, platform = (urlsplit(url).hostname for url in (tool_url, platform_url))
        pattern = f"[*.]{tool},[*.]{platform}"
        profile["content_settings"] = {"exceptions": {"cookies": {pattern: {"setting": 2}}}}
    return {"profile": profile}


def open_context(
    playwright: Playwright,
    executable: Path,
    folder: Path,
    cookies: Cookies,
    *,
    tool_url: str,
    platform_url: str,
    own_authority: bool,
    width: int = 1200,
) -> BrowserContext:
    """Open a browser with a profile of its own in ``folder``.

    ``own_authority``: the certificates come from an authority that the browser does not know.
    """
    default = folder / "Default"
    default.mkdir(parents=True)
    chosen = preferences(cookies, tool_url=tool_url, platform_url=platform_url)
    (default / "Preferences").write_text(json.dumps(chosen))
    context = playwright.chromium.launch_persistent_context(
        folder,
        executable_path=executable,
        args=list(_ARGUMENTS),
        ignore_https_errors=own_authority,
        viewport={"width": width, "height": 900},
        locale="en-GB",
    )
    context.set_default_timeout(_PATIENCE)
    expect.set_options(timeout=_PATIENCE)
    # Moodle's tours of its own pages lie over them and swallow the clicks.
    context.route("**/lib/ajax/service.php*info=tool_usertours_fetch_and_start_tour", _no_tour)
    return context


def _no_tour(route: Route) -> None:
    route.fulfill(content_type="application/json", body=_NO_TOUR)
