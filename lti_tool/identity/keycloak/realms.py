"""Connecting a realm, so that its accounts are kept equal to the SIS."""

from __future__ import annotations

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm import RealmPlan
from lti_tool.moodle.contract import VERSION
from lti_tool.moodle.models import SiteStanding


class Realms:
    """Realms that are sites of the sync. Ending the connection is that of any site."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditLog, directory: KeycloakDirectory
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._directory = directory

    def unconnected(self, server: str, realm: str, *, public_url: str) -> Realm:
        """A realm to look at, of which nothing is stored.

        Raises:
            InvalidInputError: the realm's name.
        """
        plan = RealmPlan(realm, public_url)
        return _new(f"{server.rstrip('/')}/realms/{plan.realm}", plan.realm)

    def known(self, server: str, realm: str) -> Realm | None:
        """The site that this realm is, or was, if it was ever connected."""
        url = f"{server.rstrip('/')}/realms/{realm}"
        with self._database.read() as session:
            return session.scalar(sa.select(Realm).where(Realm.url == url))

    def connect(self, server: str, realm: str, *, public_url: str, actor: str) -> Realm:
        """Store a realm of the Keycloak at ``server``, once the tool's service account could sign
        in there; asked again, it is active again.

        Raises:
            InvalidInputError: the realm's name.
            PluginError: Keycloak is away, or does not let the service account in.
        """
        new = self.unconnected(server, realm, public_url=public_url)
        url, status = new.url, self._directory.status(new)
        now = self._clock.now()
        with self._database.write() as session:
            site = session.scalar(sa.select(Realm).where(Realm.url == url))
            before = site.standing.value if site else None
            if site is None:
                site = new
                session.add(site)
            site.standing = SiteStanding.ACTIVE
            site.versions = {**site.versions, "kinds": status.kinds}
            site.paired_by, site.paired_at, site.updated_at = actor, now, now
            session.flush()
            self._audit.record(
                session,
                actor=actor,
                action="realm.connected",
                target=f"site:{site.id}",
                url=url,
                before=before,
            )
        return site


def _new(url: str, realm: str) -> Realm:
    return Realm(
        url=url, name=f"Keycloak: {realm}", contract=VERSION, versions={}, checklist=[], held=0
    )
