"""The two plugins in a real Moodle: put in from their zips, taken out again by Moodle itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.moodle.site import Moodle

_ROOT = Path(__file__).resolve().parents[3]
_ACTS = Path(__file__).with_name("acts.php")
_REMAINS = Path(__file__).with_name("remains.php")
_COMPONENTS = {"local_nagasis": "local/nagasis", "enrol_nagasis": "enrol/nagasis"}
SEND = "\\local_nagasis\\task\\send_events"


@dataclass
class Plugins:
    """What is done with the plugins, and in their Moodle, from outside.

    ``before`` is what :meth:`remains` said before they were installed.
    """

    moodle: Moodle
    before: dict[str, Any] = field(default_factory=dict)

    def act(self, command: str, **arguments: Any) -> Any:
        """Do one thing in Moodle by ``acts.php``."""
        return self.moodle.script(_ACTS, command, **arguments)

    def remains(self) -> dict[str, Any]:
        """What stands of the plugins in Moodle's database, and the settings that they change."""
        found: dict[str, Any] = self.moodle.script(_REMAINS, "find")
        return found

    def pair(self, code: str) -> str:
        """Connect by the command line; returns what it printed."""
        return self.moodle.cli("local/nagasis/cli/pair.php", f"--code={code}")

    def unpair(self) -> str:
        """Disconnect by the command line."""
        return self.moodle.cli("local/nagasis/cli/unpair.php")

    def connection(self) -> dict[str, Any]:
        """``tool``, whom Moodle says it is connected with, and ``checks`` as it knows them."""
        if not self.installed:
            return {"tool": None, "checks": []}
        found: dict[str, Any] = self.act("connection")
        return found

    def send(self) -> str:
        """Run the task that sends events, as cron does."""
        return self.moodle.cli("admin/cli/scheduled_task.php", f"--execute={SEND}", "--force")

    @property
    def installed(self) -> bool:
        """Whether their code is there."""
        return self.places()[0].is_dir()

    def places(self) -> list[Path]:
        """Where the plugins' code stands."""
        return [self.moodle.code / folder for folder in _COMPONENTS.values()]

    def install(self) -> None:
        """Unpack both zips as Moodle's administrator would, and let Moodle take them in."""
        with tempfile.TemporaryDirectory() as folder:
            build = [sys.executable, str(_ROOT / "scripts" / "plugins"), folder]
            subprocess.run(build, check=True, capture_output=True, timeout=60)
            for component, place in _COMPONENTS.items():
                (archive,) = Path(folder).glob(f"{component}-*.zip")
                with zipfile.ZipFile(archive) as opened:
                    opened.extractall((self.moodle.code / place).parent)
        self.upgrade()

    def upgrade(self) -> None:
        """Let Moodle take in whatever code stands there."""
        self.moodle.cli("admin/cli/upgrade.php", "--non-interactive")
        self.moodle.cli("admin/cli/purge_caches.php")

    def uninstall(self) -> None:
        """Let Moodle remove both, one after the other with its code: one may need the other."""
        for component, place in _COMPONENTS.items():
            said = self.moodle.cli(
                "admin/cli/uninstall_plugins.php", f"--plugins={component}", "--run"
            )
            assert "Can not be uninstalled" not in said, said
            shutil.rmtree(self.moodle.code / place)
            self.moodle.cli("admin/cli/purge_caches.php")

    @contextmanager
    def beforehand(self) -> Iterator[None]:
        """Without the plugins, whether they were there or not; put back in the end."""
        there = [place for place in self.places() if place.is_dir()]
        with tempfile.TemporaryDirectory(dir=self.moodle.directory.parent) as folder:
            kept = {place: Path(folder) / f"{number}" for number, place in enumerate(there)}
            for place, copy in kept.items():
                shutil.copytree(place, copy)
            if there:
                self.uninstall()
            try:
                yield
            finally:
                for place, copy in kept.items():
                    if not place.exists() and not os.environ.get("E2E_KEEP"):
                        shutil.copytree(copy, place)
                if there:
                    self.upgrade()
