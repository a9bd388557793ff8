"""A launch whose account is nobody yet, and a provider that knows who it is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.core.http import HttpClient
from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.models import PersonLink
from lti_tool.identity.people import People
from lti_tool.identity.provider_claims import ProviderClaims
from lti_tool.identity.provider_sessions import ProviderSessions
from lti_tool.identity.sign_in import SignIns
from lti_tool.identity.sign_in_provider import IdentityProvider
from lti_tool.lti.launch import Launches
from lti_tool.lti.login import Logins
from lti_tool.lti.models import Launch
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations
from lti_tool.sis.embedded import EmbeddedSis
from tests.identity.launched import Launched
from tests.identity.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OidcProvider,
)

TOOL = "https://tool.example"


@dataclass
class World:
    """A launch whose account is nobody yet, and a provider that knows who it is."""

    database: Database
    clock: FixedClock
    http: HttpClient
    audit: AuditLog
    keyring: Keyring
    oidc: OidcProvider
    launched: Launched

    def __post_init__(self) -> None:
        self.people = People(
            self.database, self.clock, EmbeddedSis(self.database, self.clock), self.audit
        )
        self.sign_ins = self.process()

    def process(self, *, issuer: str | None = None, secret: str = CLIENT_SECRET) -> SignIns:
        """The service as another process has it: nothing is cached yet."""
        registrations = Registrations(self.database, self.clock, self.audit)
        logins = Logins(self.database, self.clock, registrations, public_url=TOOL)
        keys = PlatformKeys(self.database, self.clock, self.http)
        launches = Launches(self.database, self.clock, registrations, logins, keys, public_url=TOOL)
        provider = IdentityProvider(
            self.clock,
            self.http,
            keys,
            issuer=issuer or self.oidc.issuer,
            client_id=CLIENT_ID,
            client_secret=secret,
            client_auth="client_secret_basic" if secret else "none",
            sign=lambda claims: "",
            scopes="openid profile",
            redirect_uri=f"{TOOL}/sign-in/callback",
        )
        said = ProviderClaims(person="person_uuid", roles="naga_roles")
        sessions = ProviderSessions(
            self.database,
            self.clock,
            provider,
            AdminSessions(self.database, self.clock, self.audit, public_url=TOOL),
            EmbeddedSis(self.database, self.clock),
            self.keyring,
            self.audit,
            said,
        )
        return SignIns(
            self.database,
            self.clock,
            provider,
            self.people,
            launches,
            sessions,
            self.audit,
            said,
        )

    def sign_in(self) -> str | None:
        """The whole way, as one person goes it."""
        ticket = self.sign_ins.begin(self.launched.reference)
        answer = self.oidc.authorize(ticket.redirect_url)
        return self.sign_ins.finish(**answer, secret=ticket.secret).person_key

    def links(self) -> list[tuple[str, str, str, str]]:
        """Account, person, method and who did it."""
        with self.database.read() as session:
            return [
                (link.subject, link.person_key, link.method, link.linked_by)
                for link in session.scalars(sa.select(PersonLink).order_by(PersonLink.subject))
            ]

    def audited(self) -> list[tuple[str, str | None]]:
        """Actions, with the code of those that were refused."""
        with self.database.read() as session:
            assert AuditLog.first_broken(session) is None
            return [
                (event.action, event.detail.get("code"))
                for event in session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id))
            ]

    def person_of_launch(self) -> str | None:
        """What the launch's record says."""
        with self.database.read() as session:
            return session.get_one(Launch, self.launched.reference).person_key


def refused(world: World, kind: type[NagaError]) -> NagaError:
    """The error of a sign-in that changes nothing and leaves one record."""
    with pytest.raises(kind) as caught:
        world.sign_in()
    assert world.links() == []
    assert world.person_of_launch() is None
    assert world.audited() == [("person.sign_in_refused", caught.value.code)]
    assert caught.value.context["reference"] == world.launched.reference
    return caught.value
