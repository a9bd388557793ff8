"""A tool that keeps the Moodle of the environment, with a campus of 1,000 in its SIS."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.moodle_site import Site
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import (
    DIGESTED,
    Category,
    Course,
    Document,
    Gradebook,
    Kind,
    Roster,
    User,
)
from lti_tool.moodle.models import MoodleSite
from lti_tool.wiring import Services
from tests.drills.authority import issue
from tests.drills.door import Door
from tests.drills.postgresql import running
from tests.drills.site import DrilledTool
from tests.e2e.environment import find_address
from tests.e2e.tool import database_address


@dataclass
class Kept:
    """The tool, its services, and the door through which its processes reach Moodle."""

    tool: DrilledTool
    services: Services
    door: Door
    moodle: Site

    @property
    def site(self) -> MoodleSite:
        """The Moodle as the tool knows it."""
        (site,) = self.services.sites.moodles()
        return site

    def documents(self, kind: Kind) -> dict[str, Document]:
        """What Moodle should hold, by key."""
        rendering = self.services.provisioning.rendering
        rendered = rendering.render(
            kind, rendering.all_keys(kind), now=self.services.clock.now(), site_id=self.site.id
        )
        return {
            key: document
            for key, document in rendered.items()
            if isinstance(document, Category | User | Course | Roster | Gradebook)
        }

    def different(self) -> int:
        """How many things in Moodle are not as they should be."""
        count = 0
        for kind in DIGESTED:
            there = {
                item.key: item.fingerprint
                for item in self.services.moodle_plugin.digests(self.site, kind)
            }
            count += sum(
                there.get(key) != fingerprint(document)
                for key, document in self.documents(kind).items()
            )
        return count


@contextmanager
def kept(site: Site, *, worker: bool = False) -> Iterator[Kept]:
    """The tool, paired with this Moodle and running; all of it is taken back in the end."""
    address = find_address(os.environ)
    if isinstance(address, str):
        sys.exit(f"No tool: {address}.")
    if site.run("about")["paired"]:
        sys.exit("This Moodle is paired with a tool: this would break it. Unpair it first.")
    ca = Path(site.ca) if isinstance(site.ca, str) else None
    parts = urlsplit(site.url)
    with (
        tempfile.TemporaryDirectory() as name,
        running() as server,
        database_address(Path(name)) as named,
    ):
        folder = Path(name)
        authority = issue(folder, parts.hostname or "")
        door = Door(site.url, ca, authority)
        tool = DrilledTool(
            address,
            folder,
            server.url if server else named,
            ca,
            door=(f"{parts.hostname}:{parts.port or 443}", door.port),
            bundle=authority.bundle(folder / "trusted.pem", ca),
        )
        tool.cli("init")
        tool.cli("campus", "generate", "--size", "1000")
        try:
            tool.start()
            if not worker:
                tool.stop("worker")
            site.php("local/nagasis/cli/pair.php", f"--code={tool.cli('site', 'code').split()[0]}")
            with tool.services() as services:
                try:
                    yield Kept(tool, services, door, site)
                finally:
                    print("removing …", flush=True)
                    tool.stop(*(set(tool.processes) - {"web"}))
                    site.php("local/nagasis/cli/unpair.php")
                    rendering = services.provisioning.rendering
                    keys = {
                        kind: rendering.all_keys(kind) for kind in ("category", "user", "course")
                    }
                    site.run("forget", **keys)
        finally:
            tool.stop()
            door.shut()
