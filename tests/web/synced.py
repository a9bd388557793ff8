"""A world whose platform is connected, and has been made equal to the SIS."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from werkzeug.test import Client

from demo.connect import pair
from lti_tool.core.audit import AuditEvent
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sync.order_models import Act
from lti_tool.sync.provisioning.models import SyncRun
from tests.web.world import Page, World, build_world


@contextmanager
def synced_world(folder: Path) -> Iterator[World]:
    """A world of its own: making a platform equal to the SIS changes everything in it."""
    with build_world(folder) as world:
        services = world.services
        assert pair(world.platform.base_url, lambda: services.pairing.code(actor="tests").text)
        [site] = services.sites.moodles()
        services.orders.ask(site.id, Act.APPLY, actor="tests", arguments={"scope": "everything"})
        services.orders.resume()
        assert services.provisioning.marks.counts(site.id) == {}
        yield world


@dataclass
class Desk:
    """An administrator's browser, the tool with a connected platform, and its worker."""

    world: World
    client: Client
    site: MoodleSite
    address: str = ""

    def get(self, path: str = "", *, language: str = "en") -> str:
        answer = self.client.get(
            f"/admin/sites/{self.site.id}/sync{path}",
            base_url=self.world.url,
            headers={"Accept-Language": language},
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def post(self, path: str, **data: str) -> str:
        """Send a form and follow where it leads."""
        answer = self.client.post(
            f"/admin/sites/{self.site.id}/sync{path}",
            base_url=self.world.url,
            data={"csrf_token": Page(self.get("/things?q=a")).fields["csrf_token"], **data}
            if "csrf_token" not in data
            else data,
            follow_redirects=True,
        )
        self.address = urlsplit(answer.request.url).path
        return html.unescape(answer.get_data(as_text=True))

    def ask(self, act: str, **data: str) -> str:
        """Ask for something, let the worker do it, and look at what it found."""
        self.post("/orders", act=act, **data)
        assert "/orders/" in self.address, self.address
        self.work()
        return self.shown()

    def shown(self) -> str:
        """The page where the last form led, as it is now."""
        path = self.address.split("/sync", 1)[1]
        return html.unescape(self.get(path))

    def work(self) -> None:
        """What the worker does by its schedule."""
        self.world.services.orders.resume()

    def run(self) -> SyncRun:
        """The last run."""
        return self.world.services.provisioning.runs.recent(self.site.id, limit=1)[0]

    def enrolled(self, number: int = 1) -> list[tuple[str, str]]:
        """People who are enrolled, and in which class; none that is taught with others."""
        sis = self.world.services.sis_extracts
        views = sis.classes(sis.class_keys())
        members = sis.memberships([key for key, view in views.items() if not view.combined_with])
        found = [
            (each.person_key, key)
            for key, people in sorted(members.items())
            for each in people
            if each.status in (EnrollmentStatus.ENROLLED, EnrollmentStatus.ACTIVE)
        ]
        assert len(found) >= number
        return found[:number]

    def actions(self) -> list[str]:
        """What the audit log says was done, the latest last."""
        with self.world.services.database.read() as session:
            return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))
