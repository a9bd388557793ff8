"""Dynamic Registration: a platform registers this tool by itself, through a one-time invitation.

An invitation is taken by the request that uses it, in one statement, so that of two at once one
wins. It is given back when the registration fails, whoever's fault it was: the administrator of the
platform tries again with the same address. It is spent by success alone, or by a process that died
in between. What was registered is pending until an administrator of this tool approves it; the
deployment that came with it is approved by the same act, because a deployment counts only where its
registration is active.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.core.http import HttpClient
from lti_tool.lti.models import Invite, Registration, Standing
from lti_tool.lti.platform_configuration import (
    PlatformConfiguration,
    RegistrationRefusedError,
    fetch_configuration,
)
from lti_tool.lti.platforms import platform_for
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ, MEMBERS_READ, RESULT_READ, SCORE
from lti_tool.lti.registrations import Registrations

_TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
_SCOPES = (LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE, MEMBERS_READ)
_CLAIMS = ("iss", "sub", "name", "given_name", "family_name", "email")
_DEEP_LINK = "LtiDeepLinkingRequest"
_RESOURCE_LINK = "LtiResourceLinkRequest"
_MAX_BYTES = 256 * 1024
_TIMEOUT = 15.0


class InviteUnknownError(NagaError):
    """There is no such invitation."""

    code = "invite_unknown"
    status = 404
    title = "This invitation is not valid"


class InviteGoneError(NagaError):
    """The invitation was used, is in use at this moment, or has expired."""

    code = "invite_gone"
    status = 410
    title = "This invitation is not valid any more"


class DynamicRegistration:
    """Invites platforms and registers this tool with them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        http: HttpClient,
        registrations: Registrations,
        audit: AuditLog,
        *,
        public_url: str,
        tool_name: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._http = http
        self._registrations = registrations
        self._audit = audit
        self._public_url = public_url.rstrip("/")
        self._tool_name = tool_name

    def invite(self, *, actor: str, lifetime: float = 3600) -> str:
        """Return an address, good once and for ``lifetime`` seconds, to paste into the platform."""
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                Invite(
                    token_hash=_hash(token),
                    created_by=actor,
                    created_at=now,
                    expires_at=now + dt.timedelta(seconds=lifetime),
                )
            )
            self._audit.record(
                session,
                actor=actor,
                action="invite.created",
                target=f"invite:{_hash(token)[:12]}",
                lifetime=lifetime,
            )
        return f"{self._public_url}/lti/register?invite={token}"

    def check_invite(self, invite_token: str) -> None:
        """Raise InviteUnknownError or InviteGoneError unless the invitation can be used now."""
        with self._database.read() as session:
            invite = session.get(Invite, _hash(invite_token))
        if invite is None:
            raise InviteUnknownError(
                "This invitation does not exist.", remedy="Copy the whole address once more."
            )
        if invite.used_at is not None or invite.expires_at <= self._clock.now():
            raise InviteGoneError(
                "This invitation was used already, or has expired.",
                remedy="Ask the administrator of this tool for a new one.",
            )

    def register(
        self,
        invite_token: str,
        openid_configuration_url: str,
        registration_token: str | None = None,
    ) -> Registration:
        """Register this tool with the platform; the registration is pending.

        Raises:
            InviteUnknownError, InviteGoneError: the invitation; nothing was asked of anyone.
            RegistrationRefusedError: the platform's configuration or answer, with evidence.
            OutboundError: the platform could not be reached, or may not be called.
            ConflictError: registered already; what is stored stays as it is.
        """
        with self._taken(invite_token) as actor:
            configuration = fetch_configuration(self._http, openid_configuration_url)
            answer = self._ask(configuration, registration_token)
            registration = self._registrations.create(
                actor=actor,
                name=configuration.name,
                issuer=configuration.issuer,
                client_id=_client_id(answer),
                auth_url=configuration.auth_url,
                token_url=configuration.token_url,
                token_audience=configuration.token_audience,
                jwks_url=configuration.jwks_url,
                platform_family=configuration.family,
                deployment_ids=_deployment_ids(answer),
                standing=Standing.PENDING,
            )
            with self._database.write() as session:
                session.execute(
                    sa.update(Invite)
                    .where(Invite.token_hash == _hash(invite_token))
                    .values(registration_id=registration.id)
                )
        return registration

    def purge(self) -> int:
        """Delete invitations that expired a day ago or longer; returns how many."""
        with self._database.write() as session:
            result = session.execute(
                sa.delete(Invite).where(
                    Invite.expires_at < self._clock.now() - dt.timedelta(days=1)
                )
            )
        return cast("sa.CursorResult[Any]", result).rowcount

    @contextmanager
    def _taken(self, invite_token: str) -> Iterator[str]:
        """Hold the invitation; yields whom its registration is attributed to."""
        digest = _hash(invite_token)
        now = self._clock.now()
        with self._database.write() as session:
            created_by = session.scalar(
                sa.update(Invite)
                .where(
                    Invite.token_hash == digest,
                    Invite.used_at.is_(None),
                    Invite.expires_at > now,
                )
                .values(used_at=now)
                .returning(Invite.created_by)
            )
        if created_by is None:
            self.check_invite(invite_token)
            # Given back between the two statements; the person can simply try again.
            raise InviteGoneError("This invitation is in use.", remedy="Try again in a minute.")
        try:
            yield f"invitation by {created_by}"[:200]
        except BaseException:
            with self._database.write() as session:
                session.execute(
                    sa.update(Invite).where(Invite.token_hash == digest).values(used_at=None)
                )
            raise

    def _ask(
        self, configuration: PlatformConfiguration, registration_token: str | None
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if registration_token:
            if not registration_token.isascii() or not registration_token.isprintable():
                raise RegistrationRefusedError(
                    "The registration token is not valid.", field="registration_token"
                )
            headers["Authorization"] = f"Bearer {registration_token}"
        response = self._http.request(
            "POST",
            configuration.registration_url,
            headers=headers,
            data=json.dumps(self.request_document(configuration)).encode(),
            total_timeout=_TIMEOUT,
            max_bytes=_MAX_BYTES,
        )
        evidence: dict[str, Any] = {"http_status": response.status, "excerpt": response.excerpt()}
        if not response.ok:
            explained = platform_for(configuration.family).explain(
                "registration", response.status, response.excerpt()
            )
            raise RegistrationRefusedError(
                explained.detail
                if explained
                else f"The platform refused the registration with status {response.status}.",
                remedy=explained.remedy if explained else "Start again from the platform.",
                **evidence,
            )
        try:
            answer = json.loads(response.body)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise RegistrationRefusedError(
                "The platform's answer to the registration is not JSON.",
                remedy="Look whether the platform lists this tool, remove it there, start again.",
                **evidence,
            )
        return answer

    def request_document(self, configuration: PlatformConfiguration) -> dict[str, Any]:
        """The registration request: what this tool is, and the least that it needs."""
        launch_url = f"{self._public_url}/lti/launch"
        messages = [{"type": _RESOURCE_LINK, "target_link_uri": launch_url}]
        if not configuration.messages or _DEEP_LINK in configuration.messages:
            messages.append(
                {"type": _DEEP_LINK, "target_link_uri": launch_url, "label": self._tool_name}
            )
        scopes = [
            scope
            for scope in _SCOPES
            if configuration.scopes is None or scope in configuration.scopes
        ]
        claims = [
            claim
            for claim in _CLAIMS
            if configuration.claims is None or claim in configuration.claims
        ]
        return {
            "application_type": "web",
            "response_types": ["id_token"],
            "grant_types": ["client_credentials", "implicit"],
            "initiate_login_uri": f"{self._public_url}/lti/login",
            "redirect_uris": [launch_url],
            "client_name": self._tool_name,
            "jwks_uri": f"{self._public_url}/lti/keys",
            "token_endpoint_auth_method": "private_key_jwt",
            "id_token_signed_response_alg": "RS256",
            "scope": " ".join(scopes),
            _TOOL: {
                # Platforms compare it with the host, port included, of the address beside it.
                "domain": urlsplit(self._public_url).netloc,
                "description": f"Rosters and grades of {self._tool_name}",
                "target_link_uri": launch_url,
                "claims": claims,
                "messages": messages,
            },
        }


def _client_id(answer: dict[str, Any]) -> str:
    client_id = answer.get("client_id")
    if isinstance(client_id, int) and not isinstance(client_id, bool):
        client_id = str(client_id)
    if not isinstance(client_id, str) or not client_id:
        raise RegistrationRefusedError(
            "The platform's answer to the registration has no client id.", field="client_id"
        )
    return client_id


def _deployment_ids(answer: dict[str, Any]) -> list[str]:
    tool = answer.get(_TOOL)
    for holder in (tool, answer):
        value = holder.get("deployment_id") if isinstance(holder, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value:
            return [value]
    return []


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
