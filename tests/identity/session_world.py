"""A provider, and the sessions that hang on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.admin_sessions import AdminSession, AdminSessions
from lti_tool.identity.models import PersonLink
from lti_tool.identity.provider_claims import ProviderClaims
from lti_tool.identity.provider_sessions import ProviderSessions
from lti_tool.identity.sign_in_provider import IdentityProvider
from lti_tool.lti.launch_sessions import load_session
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.models import Person
from tests.identity.launched import PERSON, SECRET, add_launch, add_school
from tests.identity.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    OidcProvider,
    open_provider,
)

TOOL = "https://tool.example"


@dataclass
class World:
    """A provider, and the sessions that hang on it."""

    database: Database
    clock: FixedClock
    oidc: OidcProvider
    admin: AdminSessions
    sessions: ProviderSessions
    provider: IdentityProvider
    keyring: Keyring
    audit: AuditLog
    registration_id: int

    @property
    def said(self) -> ProviderClaims:
        """Which claims say what."""
        return self.sessions._said

    @said.setter
    def said(self, said: ProviderClaims) -> None:
        self.sessions = ProviderSessions(
            self.database,
            self.clock,
            self.provider,
            self.admin,
            EmbeddedSis(self.database, self.clock),
            self.keyring,
            self.audit,
            said,
        )

    def set_person(self, **values: Any) -> None:
        """The SIS says something else of PERSON."""
        with self.database.write() as session:
            session.execute(sa.update(Person).where(Person.sourced_id == PERSON).values(**values))

    def launch(self, person_key: str | None, subject: str) -> str:
        """Somebody opens the tool in a course."""
        launched = add_launch(self.database, self.clock, self.registration_id, subject=subject)
        if person_key is not None:
            with self.database.write() as session:
                session.add(
                    PersonLink(
                        registration_id=self.registration_id,
                        subject=subject,
                        person_key=person_key,
                        method="administrator",
                        linked_by="test",
                        created_at=self.clock.now(),
                    )
                )
        return launched.reference

    def holds(self, reference: str) -> bool:
        """Whether the session of this launch goes on."""
        with self.database.read() as session:
            return load_session(session, reference, SECRET, now=self.clock.now()) is not None

    def roles(self, secret: str) -> tuple[str, ...]:
        """The roles of a session."""
        found = self.now(secret)
        assert found is not None
        return found.roles

    def open(self, *, step_up: bool = False) -> str:
        """Somebody signs in; returns the secret of their session."""
        url = self.provider.authorization_url(state="s", nonce="n", verifier="v" * 43)
        answer = self.oidc.authorize(url)
        tokens = self.provider.tokens(code=answer["code"], verifier="v" * 43, nonce="n")
        return self.sessions.open(tokens, step_up=step_up)[0]

    def now(self, secret: str) -> AdminSession | None:
        """The session as a page finds it."""
        return self.admin.session(secret)

    def audited(self) -> list[str]:
        """All actions so far."""
        with self.database.read() as session:
            assert AuditLog.first_broken(session) is None
            return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


@contextmanager
def open_world(
    database: Database, clock: FixedClock, http: HttpClient, audit: AuditLog, keyring: Keyring
) -> Iterator[World]:
    registration_id = add_school(database, clock)
    with open_provider(clock) as oidc:
        oidc.person = {
            "person_uuid": PERSON,
            "name": "SOK Dara",
            "sid": "session-1",
            "naga_roles": ["registrar", "unheard-of"],
        }
        oidc.refresh_token = "refresh-1"
        provider = IdentityProvider(
            clock,
            http,
            PlatformKeys(database, clock, http),
            issuer=oidc.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            client_auth="client_secret_basic",
            sign=lambda _claims: "",
            scopes="openid",
            redirect_uri=f"{TOOL}/sign-in/callback",
        )
        admin = AdminSessions(database, clock, audit, public_url=TOOL)
        sessions = ProviderSessions(
            database,
            clock,
            provider,
            admin,
            EmbeddedSis(database, clock),
            keyring,
            audit,
            ProviderClaims(person="person_uuid", roles="naga_roles"),
        )
        yield World(
            database,
            clock,
            oidc,
            admin,
            sessions,
            provider,
            keyring,
            audit,
            registration_id,
        )
