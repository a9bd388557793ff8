"""Signing in with the school account: to connect the account of a launch, or to use the tool.

The person is who the signed claim says they are, and nobody else: an e-mail address never counts.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError, NotFoundError
from lti_tool.identity.models import SignIn
from lti_tool.identity.people import People
from lti_tool.identity.provider_claims import ProviderClaims
from lti_tool.identity.provider_sessions import ProviderSessions
from lti_tool.identity.sign_in_errors import (
    AGAIN,
    ALLOW_COOKIES,
    ASK_ADMINISTRATOR,
    SignInClaimMissingError,
    SignInDeniedError,
    SignInNotOpenError,
    SignInOtherBrowserError,
    SignInPersonUnknownError,
)
from lti_tool.identity.sign_in_provider import IdentityProvider, Tokens
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.launch import Launches
from lti_tool.lti.login import digest
from lti_tool.lti.models import Launch, LaunchOutcome, Registration, Standing

CALLBACK_PATH = "/sign-in/callback"
LOGOUT_PATH = "/sign-in/logout"
_LIFETIME = dt.timedelta(minutes=10)
_MAX_KEY = 255
_MAX_ONWARD = 500
_SIGN_INS = cast(sa.Table, SignIn.__table__)


@dataclass(frozen=True, slots=True)
class SignInTicket:
    """A sign-in under way: what the browser must keep, and where it goes next."""

    state: str
    secret: str
    redirect_url: str

    @property
    def cookie_name(self) -> str:
        """The cookie that proves this sign-in; each has its own."""
        return cookie_name(self.state)


@dataclass(frozen=True, slots=True)
class Begun:
    """A session: its secret, its end at the latest, whose it is by their roles, and the page that
    they wanted (``""``: none in particular)."""

    secret: str
    expires_at: dt.datetime
    roles: tuple[str, ...]
    onward: str


@dataclass(frozen=True, slots=True)
class Finished:
    """What a sign-in came to: a launch's account is ``person_key``; or a session has begun."""

    person_key: str | None = None
    session: Begun | None = None


def cookie_name(state: str) -> str:
    """Return the name of the cookie that proves the sign-in with this state."""
    return f"__Host-naga-sign-in-{state[:8]}"


class SignIns:
    """Begins sign-ins and finishes them."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        provider: IdentityProvider,
        people: People,
        launches: Launches,
        sessions: ProviderSessions,
        audit: AuditLog,
        said: ProviderClaims,
    ) -> None:
        self._database = database
        self._clock = clock
        self._provider = provider
        self._people = people
        self._launches = launches
        self._sessions = sessions
        self._audit = audit
        self._said = said

    def begin(
        self, reference: str | None, *, step_up: bool = False, onward: str = ""
    ) -> SignInTicket:
        """Begin a sign-in for the launch with this reference; without one to use the tool itself,
        where the person then goes on to ``onward``, a path of ours.

        Who connects an account proves who they are now, whoever is signed in at the provider; so
        does everybody with ``step_up``, as well as acts that reach far need it.

        The browser's secret is the PKCE verifier too: the database keeps only its hash.

        Raises:
            LaunchError: ``session_expired``, if the launch is no longer a session.
            SignInUnavailableError: the provider does not answer.
        """
        state, nonce, secret = (secrets.token_urlsafe(32) for _ in range(3))
        url = self._provider.authorization_url(
            state=state,
            nonce=nonce,
            verifier=secret,
            prompt="login" if step_up or reference is not None else None,
            step_up=self._said.step_up_acr if step_up else None,
        )
        now = self._clock.now()
        with self._database.write() as session:
            session.execute(sa.delete(_SIGN_INS).where(_SIGN_INS.c.expires_at <= now))
            if reference is not None:
                self._launch(session, reference)
            session.execute(
                sa.insert(_SIGN_INS).values(
                    state=digest(state),
                    nonce=nonce,
                    binding_hash=digest(secret),
                    launch_reference=reference,
                    onward=onward[:_MAX_ONWARD] or None,
                    step_up=step_up,
                    expires_at=now + _LIFETIME,
                )
            )
        return SignInTicket(state, secret, url)

    def finish(
        self, *, state: str, code: str, secret: str | None, error: str | None = None
    ) -> Finished:
        """Finish a sign-in: the launch's account is this person now, or a session has begun.

        The sign-in is used up first, whatever comes of it; of two that arrive at once, one wins.
        ``error``: the provider answered with this instead of a code.

        Raises:
            SignInNotOpenError, SignInOtherBrowserError, LaunchError: nothing was asked.
            SignInUnavailableError, SignInDeniedError, SignInTokenError: see the provider.
            SignInClaimMissingError, SignInPersonUnknownError: nobody to connect to.
            SignInRightlessError: nothing to do here; SignInStepUpError: not proof enough.
            PersonLinkConflictError: the account or the person is connected to another.
        """
        with self._database.write() as session:
            asked, launch = self._consume(session, state, secret)
        try:
            if error is not None:
                raise SignInDeniedError(
                    "The school's sign-in did not sign you in. Nothing was changed.",
                    remedy=AGAIN,
                    error=error[:50],
                )
            tokens = self._provider.tokens(code=code, verifier=secret or "", nonce=asked.nonce)
            if launch is None:
                return Finished(session=self._begin_session(tokens, asked))
            person_key = self._person_key(tokens.claims.get(self._said.person))
            self._link(launch, person_key)
        except NagaError as refused:
            if launch is not None:
                refused.context["reference"] = launch.reference
            self._record_refusal(launch, refused)
            raise
        with self._database.write() as session:
            self._launches.attach_person(session, launch.reference, person_key)
        return Finished(person_key=person_key)

    def _begin_session(self, tokens: Tokens, asked: sa.Row[*tuple[Any, ...]]) -> Begun:
        secret, record = self._sessions.open(tokens, step_up=asked.step_up)
        assert record.expires_at is not None  # noqa: S101 - it has just begun
        return Begun(secret, record.expires_at, tuple(record.roles), asked.onward or "")

    def _consume(
        self, session: Session, state: str, secret: str | None
    ) -> tuple[sa.Row[*tuple[Any, ...]], Launch | None]:
        is_open = sa.and_(
            _SIGN_INS.c.state == digest(state), _SIGN_INS.c.expires_at > self._clock.now()
        )
        row = session.execute(
            sa.delete(_SIGN_INS)
            .where(is_open, _SIGN_INS.c.binding_hash == digest(secret or ""))
            .returning(
                _SIGN_INS.c.nonce,
                _SIGN_INS.c.launch_reference,
                _SIGN_INS.c.onward,
                _SIGN_INS.c.step_up,
            )
        ).first()
        if row is not None:
            reference = row.launch_reference
            return row, self._launch(session, reference) if reference is not None else None
        if session.scalar(sa.select(_SIGN_INS.c.state).where(is_open)) is not None:
            raise SignInOtherBrowserError(
                "This browser did not bring back the proof that it began this sign-in.",
                remedy=ALLOW_COOKIES,
            )
        raise SignInNotOpenError("It was used already, or took too long.", remedy=AGAIN)

    def _launch(self, session: Session, reference: str) -> Launch:
        launch = session.scalar(
            sa.select(Launch)
            .join(Registration, Registration.id == Launch.registration_id)
            .where(
                Launch.reference == reference,
                Launch.outcome == LaunchOutcome.ACCEPTED,
                Launch.expires_at > self._clock.now(),
                Registration.standing == Standing.ACTIVE,
            )
        )
        if launch is None:
            raise LaunchError("session_expired")
        return launch

    def _person_key(self, value: object) -> str:
        if isinstance(value, str) and 0 < len(value) <= _MAX_KEY:
            return value
        raise SignInClaimMissingError(
            "Your school account does not say who you are in the school's system.",
            field=self._said.person,
            remedy=ASK_ADMINISTRATOR,
        )

    def _link(self, launch: Launch, person_key: str) -> None:
        assert launch.registration_id is not None  # noqa: S101 - the query has joined by it
        try:
            self._people.link(
                launch.registration_id,
                launch.subject or "",
                person_key,
                method="sign_in",
                actor=f"person:{person_key}"[:200],
            )
        except NotFoundError as error:
            raise SignInPersonUnknownError(
                "The school's system has no person with the key of your school account.",
                remedy=ASK_ADMINISTRATOR,
                person_key=person_key,
            ) from error

    def _record_refusal(self, launch: Launch | None, error: NagaError) -> None:
        if launch is None:
            about = {"actor": "provider", "action": "admin.sign_in_refused", "target": "tool"}
        else:
            about = {
                "actor": f"registration:{launch.registration_id}/account:{launch.subject}"[:200],
                "action": "person.sign_in_refused",
                "target": f"launch:{launch.reference}",
            }
        with self._database.write() as session:
            self._audit.record(
                session,
                **about,
                code=error.code,
                field=error.field,
                reason=error.context.get("reason") or error.context.get("error"),
            )
