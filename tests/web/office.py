"""An administrator's browser at the pages of a realm, and the tool with its worker."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from werkzeug.test import Client

from lti_tool.core.audit import AuditEvent
from lti_tool.identity.keycloak.models import Realm
from lti_tool.sis import models as sis_models
from lti_tool.sis.changes import record_since
from tests.web.world import Page, World


@dataclass
class Office:
    """An administrator's browser, the tool, and its worker. ``server``: where the realm is."""

    world: World
    client: Client
    server: str

    def get(self, path: str, *, language: str = "en") -> str:
        answer = self.client.get(
            path, base_url=self.world.url, headers={"Accept-Language": language}
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return html.unescape(answer.get_data(as_text=True))

    def post(self, path: str, status: int = 200, /, **data: str) -> tuple[str, str]:
        """Send a form; the page where it leads, and that page's path."""
        token = Page(self.get("/admin/sites/realms/new")).fields["csrf_token"]
        answer = self.client.post(
            path,
            base_url=self.world.url,
            data={"csrf_token": token, **data},
            follow_redirects=True,
        )
        assert answer.status_code == status, answer.get_data(as_text=True)
        return html.unescape(answer.get_data(as_text=True)), urlsplit(answer.request.url).path

    def connect(self, **data: str) -> Realm:
        self.post("/admin/sites/realms", server=self.server, realm="school", **data)
        [site] = [each for each in self.world.services.sites.list() if isinstance(each, Realm)]
        return site

    def settled(self) -> Realm:
        """A realm in which everybody has their account."""
        site = self.connect()
        self.world.services.provisioning.engine.run(site)
        assert self.world.services.provisioning.marks.counts(site.id) == {}
        return site

    def ask(self, site: Realm, act: str, **data: str) -> str:
        """Ask for something, let the worker do it, and look at what it found."""
        _, path = self.post(f"/admin/sites/{site.id}/sync/orders", act=act, **data)
        self.world.services.orders.resume()
        return self.get(path)

    def change(self, *keys: str, **values: Any) -> None:
        """Change people in the SIS."""
        services = self.world.services
        now = services.clock.now()
        with services.database.write() as session:
            session.execute(
                sa.update(sis_models.Person)
                .where(sis_models.Person.sourced_id.in_(keys))
                .values(updated_at=now, **values)
            )
            record_since(session, now)

    def people(self, number: int) -> list[str]:
        """People whose account is open, and whose address is their own."""
        parts, clock = self.world.services.provisioning, self.world.services.clock
        keys = parts.rendering.all_keys("account")
        found: dict[str, Any] = parts.rendering.render("account", keys, now=clock.now(), site_id=0)
        return [key for key, each in found.items() if each.enabled and not each.email_shared][
            :number
        ]

    def actions(self) -> list[str]:
        """What the audit log says was done."""
        with self.world.services.database.read() as session:
            return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))
