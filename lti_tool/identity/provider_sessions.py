"""Sessions of people who signed in at the identity provider: begun, kept current, ended from there.

No page asks the provider: the worker does, every few minutes, for all sessions.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.models import AdminSignIn, SeenLogout
from lti_tool.identity.rights import rights_of, roles_of
from lti_tool.identity.sign_in_errors import (
    ASK_ADMINISTRATOR,
    SignInDeniedError,
    SignInPersonUnknownError,
    SignInRightlessError,
    SignInTokenError,
    SignInUnavailableError,
)
from lti_tool.identity.sign_in_provider import IdentityProvider, Tokens
from lti_tool.sis.interfaces import StudentInformationSystem

log = structlog.get_logger(__name__)

_SESSIONS = cast(sa.Table, AdminSignIn.__table__)
_PURPOSE = "admin_sign_in.tokens"
_CHECK_EVERY = dt.timedelta(minutes=5)
# Logout tokens live for minutes.
_KEEP_LOGOUT = dt.timedelta(hours=1)
_AT_ONCE = 500


class ProviderSessions:
    """The administration's sessions that hang on the identity provider.

    Args:
        person_claim: the claim with the person's key in the SIS; administrators may lack it.
        roles_claim: the claim with their roles; a dotted path into the claims.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider: IdentityProvider,
        sessions: AdminSessions,
        sis: StudentInformationSystem,
        keyring: Keyring,
        audit: AuditLog,
        *,
        person_claim: str,
        roles_claim: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._sessions = sessions
        self._sis = sis
        self._keyring = keyring
        self._audit = audit
        self._person_claim = person_claim
        self._roles_claim = roles_claim

    def open(self, tokens: Tokens) -> tuple[str, dt.datetime]:
        """Begin a session; returns its secret and when it ends at the latest.

        Raises:
            SignInPersonUnknownError: the claim names nobody of the SIS, or somebody who has left.
            SignInRightlessError: no role of theirs gives any right here.
        """
        claims = tokens.claims
        roles = self._roles(claims)
        person_key = self._person(claims)
        if not rights_of(roles):
            raise SignInRightlessError(
                "Your account has no role that opens this page.", remedy=ASK_ADMINISTRATOR
            )
        name = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        signed_in = AdminSignIn(
            name=str(name)[:200],
            roles=roles,
            person_key=person_key,
            issuer=claims["iss"],
            subject=str(claims["sub"])[:255],
            sid=_text(claims.get("sid")),
            authenticated_at=self._authenticated(claims),
            checked_at=self._clock.now(),
            tokens_sealed=self._seal(tokens),
        )
        with self._database.write() as session:
            return self._sessions.open(session, signed_in)

    def sign_out_url(self, secret: str, *, back_to: str) -> str | None:
        """Where to go on to sign out at the provider too, for the session of this secret."""
        found = self._sessions.sealed_tokens(secret)
        if found is None:
            return None
        try:
            return self._provider.end_session_url(self._open(found)["id_token"], back_to=back_to)
        except NagaError:
            # Signing out here works, whatever the provider does.
            return None

    def end_by(self, token: str) -> int:
        """End the sessions that a logout token names; returns how many.

        Raises:
            SignInTokenError: it does not hold, or was used already.
            SignInUnavailableError
        """
        claims = self._provider.logout_claims(token)
        now = self._clock.now()
        condition = _SESSIONS.c.issuer == claims["iss"]
        if "sid" in claims:
            condition &= _SESSIONS.c.sid == claims["sid"]
        if "sub" in claims:
            condition &= _SESSIONS.c.subject == claims["sub"]
        try:
            with self._database.write() as session:
                session.execute(sa.delete(SeenLogout).where(SeenLogout.expires_at <= now))
                session.add(
                    SeenLogout(
                        issuer=claims["iss"], jti=claims["jti"], expires_at=now + _KEEP_LOGOUT
                    )
                )
                session.flush()
                ended = self._end(session, condition, why="provider")
        except IntegrityError as error:
            raise SignInTokenError(
                "This logout token was used already.", field="jti", reason="replayed"
            ) from error
        return ended

    def keep_current(self) -> int:
        """End sessions of people who left, and learn of changed roles; returns how many ended.

        A provider that does not answer ends nobody's session.
        """
        ended = self._end_left()
        now = self._clock.now()
        query = (
            sa.select(AdminSignIn)
            .where(
                AdminSignIn.issuer.is_not(None),
                AdminSignIn.expires_at > now,
                AdminSignIn.checked_at <= now - _CHECK_EVERY,
            )
            .limit(_AT_ONCE)
        )
        with self._database.read() as session:
            due = session.scalars(query).all()
        for row in due:
            try:
                ended += self._renew(row)
            except SignInUnavailableError as error:
                log.warning("sign_in.not_renewed", code=error.code)
                break
            except NagaError as error:
                # One that cannot be judged now must not keep the others from being so.
                log.warning("sign_in.not_renewed", code=error.code)
        return ended

    def _renew(self, row: AdminSignIn) -> int:
        kept = self._open(row.tokens_sealed) if row.tokens_sealed else {}
        mine = _SESSIONS.c.token_hash == row.token_hash
        refresh_token = kept.get("refresh_token")
        roles, tokens = list(row.roles), None
        if refresh_token:
            try:
                tokens = self._provider.refresh(refresh_token)
            except SignInDeniedError:
                tokens = None
            if tokens is None or tokens.claims["sub"] != row.subject:
                with self._database.write() as session:
                    return self._end(session, mine, why="provider")
            roles = self._roles(tokens.claims)
        with self._database.write() as session:
            if not rights_of(roles):
                return self._end(session, mine, why="roles")
            session.execute(
                sa.update(_SESSIONS)
                .where(mine, _SESSIONS.c.secret_hash.is_not(None))
                .values(
                    roles=roles,
                    checked_at=self._clock.now(),
                    tokens_sealed=self._seal(tokens) if tokens else row.tokens_sealed,
                )
            )
            if roles != list(row.roles):
                self._audit.record(
                    session,
                    actor="provider",
                    action="admin.roles_changed",
                    target=f"admin:{row.name}",
                    before=list(row.roles),
                    after=roles,
                )
        return 0

    def _end_left(self) -> int:
        """End the sessions of people whom the SIS lets in no longer."""
        with self._database.reading() as connection:
            keys = connection.scalars(
                sa.select(_SESSIONS.c.person_key)
                .where(
                    _SESSIONS.c.person_key.is_not(None),
                    _SESSIONS.c.expires_at > self._clock.now(),
                )
                .distinct()
            ).all()
        if not keys:
            return 0
        people = self._sis.people([key for key in keys if key])
        left = [key for key in keys if key not in people or not people[key].status.may_sign_in]
        if not left:
            return 0
        with self._database.write() as session:
            return self._end(session, _SESSIONS.c.person_key.in_(left), why="sis")

    def _end(self, session: Any, condition: sa.ColumnElement[bool], *, why: str) -> int:
        names = session.scalars(
            sa.update(_SESSIONS)
            .where(condition, _SESSIONS.c.secret_hash.is_not(None))
            .values(secret_hash=None, expires_at=None, tokens_sealed=None)
            .returning(_SESSIONS.c.name)
        ).all()
        for name in names:
            self._audit.record(
                session, actor=why, action="admin.session_ended", target=f"admin:{name}"
            )
        return len(names)

    def _person(self, claims: Mapping[str, Any]) -> str | None:
        key = claims.get(self._person_claim)
        if key is None:
            return None
        person = self._sis.person(key) if isinstance(key, str) and len(key) <= 255 else None
        if person is None or not person.status.may_sign_in:
            raise SignInPersonUnknownError(
                "The school's system has no person with the key of your school account, or they "
                "have left.",
                remedy=ASK_ADMINISTRATOR,
            )
        return person.person_key

    def _roles(self, claims: Mapping[str, Any]) -> list[str]:
        found: Any = claims
        for name in self._roles_claim.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return roles_of(found if isinstance(found, list) else [])

    def _authenticated(self, claims: Mapping[str, Any]) -> dt.datetime:
        at = claims.get("auth_time")
        now = self._clock.now()
        if isinstance(at, int) and not isinstance(at, bool) and 0 < at <= now.timestamp():
            return dt.datetime.fromtimestamp(at, dt.UTC)
        return now

    def _seal(self, tokens: Tokens) -> bytes:
        content = {"id_token": tokens.id_token, "refresh_token": tokens.refresh_token}
        return self._keyring.seal(json.dumps(content).encode(), purpose=_PURPOSE)

    def _open(self, sealed: bytes) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._keyring.open(sealed, purpose=_PURPOSE))
        return content


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) else None
