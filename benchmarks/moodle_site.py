"""The Moodle that the environment names, as the benchmarks use it.

``MOODLE_DIR``, ``MOODLE_URL`` and, where its certificate is private, ``MOODLE_CA``.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

_HERE = Path(__file__).parent
_SCRIPTS = ("moodle.php", "capture.php")


class MoodleFailedError(Exception):
    """Moodle answered with an error, or its PHP failed; the message is what it said."""


@dataclass(frozen=True)
class Site:
    """A Moodle with both plugins."""

    directory: Path
    url: str
    ca: str | bool
    owner: int | None

    def run(self, command: str, **arguments: Any) -> Any:
        """Run one command of ``moodle.php``, as the owner of Moodle's data."""
        with tempfile.TemporaryDirectory() as folder:
            # The project's directory may be closed to the owner of Moodle's data.
            Path(folder).chmod(0o755)
            for name in _SCRIPTS:
                shutil.copy(_HERE / name, folder)
            done = self.php(str(Path(folder) / "moodle.php"), command, given=json.dumps(arguments))
        return json.loads(done.strip().splitlines()[-1])

    def php(self, script: str, *arguments: str, given: str = "") -> str:
        """Run a PHP script of Moodle; returns what it printed."""
        done = subprocess.run(
            ["php", script, *arguments],
            input=given,
            capture_output=True,
            text=True,
            env={**os.environ, "MOODLE_DIR": str(self.directory)},
            cwd=self.directory,
            check=False,
            **self.account(),
        )
        if done.returncode:
            raise MoodleFailedError(f"{script} {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return str(done.stdout)

    def account(self) -> dict[str, Any]:
        """As whom Moodle's PHP is run, for :func:`subprocess.run`."""
        if not self.owner:
            return {}
        return {
            "user": self.owner,
            "group": pwd.getpwuid(self.owner).pw_gid,
            "extra_groups": [],
        }


class WebService:
    """Moodle's REST web services with one token, over one connection."""

    def __init__(self, site: Site, token: str) -> None:
        self._url = f"{site.url}/webservice/rest/server.php"
        self._token = token
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = site.ca

    def call(self, function: str, **given: Any) -> Any:
        """Call a function; lists and objects are written as Moodle's forms want them."""
        fields = {"wstoken": self._token, "wsfunction": function, "moodlewsrestformat": "json"}
        answer = self._session.post(self._url, data=fields | dict(_flat(given)), timeout=600)
        found = answer.json()
        if isinstance(found, dict) and "exception" in found:
            raise MoodleFailedError(f"{function}: {found}")
        return found

    def plugin(self, function: str, **given: Any) -> dict[str, Any]:
        """Call one of the plugin's functions: JSON in a text, both ways."""
        found = self.call(f"local_nagasis_{function}", contract=1, **given)
        answer: dict[str, Any] = json.loads(found)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _flat(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(given, dict):
        for key, value in given.items():
            yield from _flat(value, f"{name}[{key}]" if name else key)
    elif isinstance(given, list):
        for number, value in enumerate(given):
            yield from _flat(value, f"{name}[{number}]")
    else:
        yield name, str(int(given)) if isinstance(given, bool) else str(given)


def find_site() -> Site:
    """Return the site, or end with words on what is missing."""
    missing = [name for name in ("MOODLE_DIR", "MOODLE_URL") if not os.environ.get(name)]
    if missing:
        sys.exit(f"No Moodle: set {' and '.join(missing)}.")
    directory = Path(os.environ["MOODLE_DIR"])
    if not (directory / "local/nagasis/version.php").is_file():
        sys.exit(f"{directory} has no local/nagasis: install the zips of `make plugins` there.")
    ca = os.environ.get("MOODLE_CA")
    url = os.environ["MOODLE_URL"].rstrip("/")
    return Site(directory, url, ca or True, _owner(directory))


def _owner(directory: Path) -> int | None:
    if os.geteuid() != 0:
        return None
    code = (
        "define('CLI_SCRIPT', true); define('ABORT_AFTER_CONFIG', true);"
        f"require('{directory}/config.php'); echo $CFG->dataroot;"
    )
    done = subprocess.run(["php", "-r", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).stat().st_uid


@contextmanager
def tokens(site: Site) -> Iterator[tuple[WebService, WebService]]:
    """Web services with core's functions and with the plugin's; all is taken back at the end."""
    prepared = site.run("prepare")
    services = WebService(site, prepared["core"]), WebService(site, prepared["plugin"])
    try:
        yield services
    finally:
        for service in services:
            service.close()
        site.run("restore", **prepared)


def figure(what: str, value: float, goal: float, *, at_least: bool) -> dict[str, Any]:
    """One line of the last line's JSON."""
    met = value >= goal if at_least else value <= goal
    return {"what": what, "value": round(value, 3), "goal": goal, "met": met}
