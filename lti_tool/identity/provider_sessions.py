"""Sessions of people who signed in at the identity provider: begun, kept current, ended from there.

No page asks the provider: the worker does, every few minutes, for all sessions.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.identity.admin_sessions import AdminSessions, audited_as
from lti_tool.identity.models import AdminSignIn, PersonLink, SeenLogout
from lti_tool.identity.provider_claims import ProviderClaims, roles_with_sis
from lti_tool.identity.rights import rights_of, roles_of
from lti_tool.identity.sign_in_errors import (
    ASK_ADMINISTRATOR,
    SignInDeniedError,
    SignInPersonUnknownError,
    SignInTokenError,
    SignInUnavailableError,
)
from lti_tool.identity.sign_in_provider import IdentityProvider, Tokens
from lti_tool.lti.launch_sessions import end_sessions
from lti_tool.sis.entities import PersonView
from lti_tool.sis.interfaces import StudentInformationSystem

log = structlog.get_logger(__name__)

_SESSIONS = cast(sa.Table, AdminSignIn.__table__)
_PURPOSE = "admin_sign_in.tokens"
_CHECK_EVERY = dt.timedelta(minutes=5)
# Logout tokens live for minutes.
_KEEP_LOGOUT = dt.timedelta(hours=1)
_AT_ONCE = 500


class ProviderSessions:
    """Sessions that hang on the identity provider: of the administration, and of people at their
    own pages.
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
        said: ProviderClaims,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._sessions = sessions
        self._sis = sis
        self._keyring = keyring
        self._audit = audit
        self._said = said

    def open(self, tokens: Tokens, *, step_up: bool = False) -> tuple[str, AdminSignIn]:
        """Begin a session; returns its secret and its record.

        ``step_up``: the provider was asked to make them prove who they are, now and well enough.

        Raises:
            SignInPersonUnknownError: the claim names nobody of the SIS, or somebody who has left.
            SignInClaimMissingError: they are somebody's student or teacher, and nobody says whose.
            SignInRightlessError: no role of theirs gives any right here.
            SignInStepUpError: it was no proof of now, or not enough of one.
        """
        claims, now = tokens.claims, self._clock.now()
        person = self._person(claims)
        named = self._said.named(claims)
        claimed = roles_of(named)
        roles = roles_with_sis(claimed, person)
        if not rights_of(roles):
            raise self._said.rightless(named, claimed)
        if step_up:
            self._said.check_proof(claims, now=now)
        name = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        signed_in = AdminSignIn(
            name=str(name)[:200],
            roles=roles,
            person_key=person.person_key if person else None,
            issuer=claims["iss"],
            subject=str(claims["sub"])[:255],
            sid=_text(claims.get("sid")),
            authenticated_at=self._said.authenticated(claims, now=now, step_up=step_up),
            acr=_text(claims.get("acr")),
            checked_at=now,
            tokens_sealed=self._seal(tokens, claimed),
        )
        with self._database.write() as session:
            secret = self._sessions.open(session, signed_in)
        return secret, signed_in

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
        """End the sessions that a logout token names, and those of launches by the same people;
        returns how many of the former.

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
                people = session.scalars(
                    sa.select(_SESSIONS.c.person_key)
                    .where(condition, _SESSIONS.c.person_key.is_not(None))
                    .distinct()
                ).all()
                ended = self._end(session, condition, why="provider")
                self._end_launches(session, people, why="provider")
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
                # One that nobody uses is over; asking for it would keep it alive at the provider.
                AdminSignIn.seen_at >= now - self._sessions.idle,
            )
            .order_by(AdminSignIn.checked_at)
            .limit(_AT_ONCE)
        )
        with self._database.read() as session:
            due = session.scalars(query).all()
        people = self._sis.people([row.person_key for row in due if row.person_key])
        for row in due:
            try:
                ended += self._renew(row, people.get(row.person_key or ""))
            except SignInUnavailableError as error:
                log.warning("sign_in.not_renewed", code=error.code)
                break
            except NagaError as error:
                # One that cannot be judged now must not keep the others from being so, nor stand
                # before them the next time.
                log.warning("sign_in.not_renewed", code=error.code)
                with self._database.write() as session:
                    mine = _SESSIONS.c.token_hash == row.token_hash
                    session.execute(sa.update(_SESSIONS).where(mine).values(checked_at=now))
        return ended

    def _renew(self, row: AdminSignIn, person: PersonView | None) -> int:
        kept = self._open(row.tokens_sealed) if row.tokens_sealed else {}
        mine = _SESSIONS.c.token_hash == row.token_hash
        refresh_token = kept.get("refresh_token")
        claimed, tokens = kept.get("roles", list(row.roles)), None
        if refresh_token:
            try:
                tokens = self._provider.refresh(refresh_token)
            except SignInDeniedError as error:
                # Of the session it says "invalid_grant" (RFC 6749 5.2); anything else is about the
                # tool's own client, and would end everybody's.
                if error.context.get("error") != "invalid_grant":
                    raise
            if tokens is None or not self._same(tokens, row):
                with self._database.write() as session:
                    return self._end(session, mine, why="provider")
            claimed = roles_of(self._said.named(tokens.claims))
        roles = roles_with_sis(claimed, person)
        with self._database.write() as session:
            if not rights_of(roles):
                return self._end(session, mine, why="roles")
            session.execute(
                sa.update(_SESSIONS)
                .where(mine, _SESSIONS.c.secret_hash.is_not(None))
                .values(
                    roles=roles,
                    checked_at=self._clock.now(),
                    tokens_sealed=self._seal(tokens, claimed) if tokens else row.tokens_sealed,
                )
            )
            if roles != list(row.roles):
                who = audited_as(row.name, row.person_key, {*row.roles, *roles})
                self._audit.record(
                    session,
                    actor="provider",
                    action=f"{who.split(':')[0]}.roles_changed",
                    target=who,
                    before=list(row.roles),
                    after=roles,
                )
        return 0

    def _same(self, tokens: Tokens, row: AdminSignIn) -> bool:
        """Whether a token is still about the same account, and that about the same person."""
        key = tokens.claims.get(self._said.person, row.person_key)
        return bool(tokens.claims["sub"] == row.subject and key == row.person_key)

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
            self._end_launches(session, left, why="sis")
            return self._end(session, _SESSIONS.c.person_key.in_(left), why="sis")

    def _end(self, session: Session, condition: sa.ColumnElement[bool], *, why: str) -> int:
        ended = session.execute(
            sa.update(_SESSIONS)
            .where(condition, _SESSIONS.c.secret_hash.is_not(None))
            .values(secret_hash=None, expires_at=None, tokens_sealed=None)
            .returning(_SESSIONS.c.name, _SESSIONS.c.person_key, _SESSIONS.c.roles)
        ).all()
        for row in ended:
            who = audited_as(*row)
            action = f"{who.split(':')[0]}.session_ended"
            self._audit.record(session, actor=why, action=action, target=who)
        return len(ended)

    def _end_launches(self, session: Session, people: Sequence[str | None], *, why: str) -> None:
        """End the sessions of launches from every account that is linked to these people."""
        for key in people:
            accounts = sa.select(PersonLink.registration_id, PersonLink.subject).where(
                PersonLink.person_key == key
            )
            number = end_sessions(session, accounts, now=self._clock.now())
            if number:
                self._audit.record(
                    session,
                    actor=why,
                    action="person.launches_ended",
                    target=f"person:{key}",
                    number=number,
                )

    def _person(self, claims: Mapping[str, Any]) -> PersonView | None:
        key = claims.get(self._said.person)
        if key is None:
            return None
        person = self._sis.person(key) if isinstance(key, str) and len(key) <= 255 else None
        if person is None or not person.status.may_sign_in:
            raise SignInPersonUnknownError(
                "The school's system has no person with the key of your school account, or they "
                "have left.",
                remedy=ASK_ADMINISTRATOR,
            )
        return person

    def _seal(self, tokens: Tokens, claimed: Sequence[str]) -> bytes:
        content = {
            "id_token": tokens.id_token,
            "refresh_token": tokens.refresh_token,
            "roles": list(claimed),
        }
        return self._keyring.seal(json.dumps(content).encode(), purpose=_PURPOSE)

    def _open(self, sealed: bytes) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._keyring.open(sealed, purpose=_PURPOSE))
        return content


def _text(value: object) -> str | None:
    return value[:255] if isinstance(value, str) else None
