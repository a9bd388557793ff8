"""Sessions without a launch: of the administration, by a single-use link or by the school's
identity provider; and of people at their own pages, by the provider alone.

They live in the database: ending one, by whoever may, ends it at once in every browser.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ForbiddenError, InvalidInputError
from lti_tool.identity.models import AdminSignIn
from lti_tool.identity.rights import ADMINISTRATION, Right, Role, rights_of

_SESSION = dt.timedelta(hours=8)
_SEEN_EVERY = dt.timedelta(minutes=1)
_TOKEN_BYTES = 32
_MAX_MINUTES = 24 * 60


class SignInLinkError(ForbiddenError):
    """The link is unknown, was used, or has expired; which of them is not told to strangers."""

    code = "sign_in_link_invalid"
    title = "This sign-in link does not work"


@dataclass(frozen=True, slots=True)
class AdminSession:
    """Somebody who is signed in.

    ``authenticated_at``: when they last proved who they are, as far as that is known, and ``acr``
    how well; ``provider``: whether it was at the identity provider.
    """

    name: str
    signed_in_at: dt.datetime
    expires_at: dt.datetime
    roles: tuple[str, ...] = (Role.ADMINISTRATOR,)
    person_key: str | None = None
    authenticated_at: dt.datetime | None = None
    acr: str | None = None
    provider: bool = False

    @property
    def rights(self) -> frozenset[Right]:
        """What this person may do."""
        return rights_of(self.roles)

    @property
    def administers(self) -> bool:
        """Whether any page of the administration is open to them."""
        return bool(self.rights & ADMINISTRATION)


class AdminSessions:
    """Sign-in links, and sessions. Only hashes of secrets are stored.

    Args:
        idle: after so long without a page a session ends; ``_SESSION`` after it began it does so
            anyway.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        *,
        public_url: str,
        idle: dt.timedelta = dt.timedelta(minutes=30),
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._public_url = public_url.rstrip("/")
        self._idle = idle

    @property
    def idle(self) -> dt.timedelta:
        """After so long without a page a session of the provider's ends."""
        return self._idle

    def sign_in_link(self, name: str, *, minutes: float = 15) -> str:
        """Return an address that signs ``name`` in once, within ``minutes``.

        Its page only shows a button: programs that follow links in messages must not use it up.
        """
        name = name.strip()
        if not name or len(name) > 200:
            raise InvalidInputError("The name must have 1 to 200 characters.", field="name")
        if not 0 < minutes <= _MAX_MINUTES:
            raise InvalidInputError("A link works for 1 minute to 24 hours.", field="minutes")
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                AdminSignIn(
                    token_hash=_hash(token),
                    name=name,
                    created_at=now,
                    link_expires_at=now + dt.timedelta(minutes=minutes),
                )
            )
            self._audit.record(
                session, actor="command line", action="admin.link_made", target=f"admin:{name}"
            )
        return f"{self._public_url}/admin/sign-in/{token}"

    def usable(self, token: str) -> bool:
        """Whether :meth:`redeem` would take this token now; changes nothing."""
        with self._database.read() as session:
            return (
                session.scalar(
                    sa.select(sa.literal(1))
                    .where(AdminSignIn.token_hash == _hash(token))
                    .where(AdminSignIn.used_at.is_(None))
                    .where(AdminSignIn.link_expires_at > self._clock.now())
                )
                is not None
            )

    def redeem(self, token: str) -> tuple[str, dt.datetime]:
        """Use the link up; return the session's secret and when it expires.

        Raises:
            SignInLinkError: unknown, used or expired. Of two that arrive at once, one wins.
        """
        now = self._clock.now()
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        expires_at = now + _SESSION
        with self._database.write() as session:
            name = session.scalar(
                sa.update(AdminSignIn)
                .where(AdminSignIn.token_hash == _hash(token))
                .where(AdminSignIn.used_at.is_(None))
                .where(AdminSignIn.link_expires_at > now)
                .values(used_at=now, seen_at=now, secret_hash=_hash(secret), expires_at=expires_at)
                .returning(AdminSignIn.name)
            )
            if name is None:
                raise SignInLinkError(
                    "The link was used already, has expired, or was not copied whole.",
                    remedy="Ask for a new one with `nagasis admin sign-in-link`.",
                )
            self._audit.record(
                session, actor=f"admin:{name}", action="admin.signed_in", target=f"admin:{name}"
            )
        return secret, expires_at

    def open(self, session: Session, signed_in: AdminSignIn) -> str:
        """Begin the session of somebody who signed in at the provider, within a transaction;
        returns the session's secret.

        ``signed_in`` says who it is; the rest is filled in here.
        """
        now = self._clock.now()
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        signed_in.token_hash = _hash(secrets.token_urlsafe(_TOKEN_BYTES))
        signed_in.created_at = signed_in.used_at = signed_in.seen_at = now
        signed_in.link_expires_at = now
        signed_in.secret_hash = _hash(secret)
        signed_in.expires_at = now + _SESSION
        session.add(signed_in)
        who = audited_as(signed_in.name, signed_in.person_key, signed_in.roles)
        self._audit.record(
            session,
            actor=who,
            action=f"{who.split(':')[0]}.signed_in",
            target=who,
            roles=signed_in.roles,
            provider=signed_in.issuer,
            acr=signed_in.acr,
        )
        return secret

    def session(self, secret: str) -> AdminSession | None:
        """Return the session of this secret, or ``None`` if there is none or it has ended.

        One read; a write at most once a minute, to know who has gone away.
        """
        now = self._clock.now()
        with self._database.read() as session:
            row = session.scalar(
                sa.select(AdminSignIn)
                .where(AdminSignIn.secret_hash == _hash(secret))
                .where(AdminSignIn.expires_at > now)
            )
        if row is None or row.used_at is None or row.expires_at is None:
            return None
        seen = row.seen_at or row.used_at
        if row.issuer is not None and now - seen > self._idle:
            return None
        if now - seen > _SEEN_EVERY:
            with self._database.write() as session:
                session.execute(
                    sa.update(AdminSignIn)
                    .where(AdminSignIn.token_hash == row.token_hash)
                    .values(seen_at=now)
                )
        return AdminSession(
            row.name,
            row.used_at,
            row.expires_at,
            roles=tuple(row.roles),
            person_key=row.person_key,
            # A link proves who one is when it is used; what a provider does not say is not known.
            authenticated_at=row.authenticated_at if row.issuer else row.used_at,
            acr=row.acr,
            provider=row.issuer is not None,
        )

    def sealed_tokens(self, secret: str) -> bytes | None:
        """The provider's tokens of this session, as they were sealed."""
        with self._database.read() as session:
            return session.scalar(
                sa.select(AdminSignIn.tokens_sealed).where(AdminSignIn.secret_hash == _hash(secret))
            )

    def end(self, secret: str) -> None:
        """End the session; a secret of none changes nothing."""
        with self._database.write() as session:
            ended = session.execute(
                sa.update(AdminSignIn)
                .where(AdminSignIn.secret_hash == _hash(secret))
                .values(secret_hash=None, expires_at=None, tokens_sealed=None)
                .returning(AdminSignIn.name, AdminSignIn.person_key, AdminSignIn.roles)
            ).first()
            if ended is not None:
                who = audited_as(*ended)
                self._audit.record(
                    session, actor=who, action=f"{who.split(':')[0]}.signed_out", target=who
                )

    def purge(self) -> int:
        """Delete links and sessions that can no longer be used; return how many."""
        now = self._clock.now()
        with self._database.write() as session:
            gone = session.scalars(
                sa.delete(AdminSignIn)
                .where(AdminSignIn.link_expires_at <= now)
                .where(
                    AdminSignIn.secret_hash.is_(None)
                    | AdminSignIn.expires_at.is_(None)
                    | (AdminSignIn.expires_at <= now)
                )
                .returning(AdminSignIn.token_hash)
            ).all()
            return len(gone)


def audited_as(name: str, person_key: str | None, roles: Iterable[str]) -> str:
    """How the audit log names somebody: those who only have pages of their own, by their key."""
    if person_key is not None and not rights_of(roles) & ADMINISTRATION:
        return f"person:{person_key}"[:200]
    return f"admin:{name}"[:200]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
