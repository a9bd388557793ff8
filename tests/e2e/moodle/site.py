"""An installed Moodle, as the environment names it, and what is changed and read in it by PHP."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_SCRIPT = Path(__file__).with_name("seed.php")
_NEEDED = ("MOODLE_DIR", "MOODLE_URL", "MOODLE_ADMIN_USER", "MOODLE_ADMIN_PASSWORD")


class MoodleScriptError(AssertionError):
    """Moodle's PHP failed; the message is what it printed."""


@dataclass(frozen=True)
class Moodle:
    """A Moodle site: its code's directory, its address, its administrator."""

    directory: Path
    url: str
    admin_user: str
    admin_password: str
    ca: Path | None
    owner: int | None

    @property
    def host(self) -> str:
        """The site's host name."""
        return urlsplit(self.url).hostname or ""

    @property
    def code(self) -> Path:
        """Where plugins live: since Moodle 5.1 below ``public``."""
        public = self.directory / "public"
        return public if (public / "version.php").is_file() else self.directory

    def call(self, command: str, **arguments: Any) -> Any:
        """Run one command of ``seed.php``, as the owner of Moodle's data."""
        return self.script(_SCRIPT, command, **arguments)

    def script(self, path: Path, command: str, **arguments: Any) -> Any:
        """Run one command of a script; returns the JSON of its last line."""
        with tempfile.TemporaryDirectory() as folder:
            # The project's directory may be closed to the owner of Moodle's data.
            Path(folder).chmod(0o755)
            script = shutil.copy(path, folder)
            done = subprocess.run(
                ["php", script, command],
                input=json.dumps(arguments),
                capture_output=True,
                text=True,
                env={**os.environ, "MOODLE_DIR": str(self.directory)},
                cwd=folder,
                check=False,
                timeout=300,
                **_as(self.owner),
            )
        if done.returncode:
            raise MoodleScriptError(f"{path.name} {command}: {done.stdout}\n{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def cli(self, script: str, *arguments: str) -> str:
        """Run one of Moodle's own command-line scripts, or a plugin's; returns what it printed."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            ["php", str(self._script(script)), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.directory,
            check=False,
            timeout=600,
            **_as(self.owner),
        )
        if done.returncode:
            raise MoodleScriptError(f"{script}: {done.stdout}\n{done.stderr}")
        return done.stdout

    def _script(self, name: str) -> Path:
        outside = self.directory / name
        return outside if outside.is_file() else self.code / name


def find_moodle(environment: Mapping[str, str]) -> Moodle | str:
    """The Moodle that the environment names, or in plain words why there is none."""
    missing = [name for name in _NEEDED if not environment.get(name)]
    if missing:
        return f"no Moodle: set {', '.join(missing)}"
    if shutil.which("php") is None:
        return "no Moodle: php is not installed here"
    directory = Path(environment["MOODLE_DIR"])
    if not (directory / "config.php").is_file():
        return f"no Moodle: {directory} has no config.php"
    ca = environment.get("MOODLE_CA")
    if ca and not Path(ca).is_file():
        return f"MOODLE_CA names {ca}, which is not there"
    return Moodle(
        directory=directory,
        url=environment["MOODLE_URL"].rstrip("/"),
        admin_user=environment["MOODLE_ADMIN_USER"],
        admin_password=environment["MOODLE_ADMIN_PASSWORD"],
        ca=Path(ca) if ca else None,
        owner=_owner(directory),
    )


def _owner(directory: Path) -> int | None:
    """The owner of Moodle's data if root runs the tests: Moodle cannot write root's files."""
    if os.geteuid() != 0:
        return None
    code = (
        "define('CLI_SCRIPT', true); define('ABORT_AFTER_CONFIG', true);"
        f"require('{directory}/config.php'); echo $CFG->dataroot;"
    )
    done = subprocess.run(["php", "-r", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip()).stat().st_uid


def _as(owner: int | None) -> dict[str, Any]:
    if not owner:
        return {}
    person = pwd.getpwuid(owner)
    return {"user": owner, "group": person.pw_gid, "extra_groups": []}
