"""Puts together what signing in at an identity provider needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.people import People
from lti_tool.identity.provider_claims import ProviderClaims
from lti_tool.identity.provider_sessions import ProviderSessions
from lti_tool.identity.sign_in import CALLBACK_PATH, SignIns
from lti_tool.identity.sign_in_provider import ClientAuthentication, IdentityProvider
from lti_tool.lti.launch import Launches
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.sis.interfaces import StudentInformationSystem


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One client at one provider (``settings.py`` explains each)."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    client_auth: ClientAuthentication | None
    scopes: str
    person_claim: str
    roles_claim: str
    public_url: str
    step_up_acr: str = ""


@dataclass(frozen=True, slots=True)
class SignInParts:
    """The parts by which people sign in."""

    provider: IdentityProvider
    sessions: ProviderSessions
    sign_ins: SignIns


def assemble(
    settings: ProviderSettings,
    database: Database,
    clock: Clock,
    keyring: Keyring,
    http: HttpClient,
    audit: AuditLog,
    sis: StudentInformationSystem,
    keys: PlatformKeys,
    sign: Callable[[dict[str, Any]], str],
    people: People,
    launches: Launches,
    admin_sessions: AdminSessions,
) -> SignInParts:
    """Build all parts of one process. ``sign`` signs claims with the tool's key."""
    usual: ClientAuthentication = (
        "client_secret_basic" if settings.client_secret else "private_key_jwt"
    )
    provider = IdentityProvider(
        clock,
        http,
        keys,
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        client_auth=settings.client_auth or usual,
        sign=sign,
        scopes=settings.scopes,
        redirect_uri=settings.public_url + CALLBACK_PATH,
    )
    said = ProviderClaims(
        person=settings.person_claim,
        roles=settings.roles_claim,
        step_up_acr=tuple(settings.step_up_acr.split()),
    )
    sessions = ProviderSessions(
        database,
        clock,
        provider,
        admin_sessions,
        sis,
        keyring,
        audit,
        said,
    )
    sign_ins = SignIns(
        database,
        clock,
        provider,
        people,
        launches,
        sessions,
        audit,
        said,
    )
    return SignInParts(provider, sessions, sign_ins)
