"""The sign-in that a platform begins: state, nonce and the browser's proof, in one row."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, Executor
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.models import Login, Registration, Standing
from lti_tool.lti.registrations import Registrations, origin_of

COOKIE = "cookie"
STORAGE = "storage"
LAUNCH_PATH = "/lti/launch"
COOKIE_PREFIX = "__Host-naga-login-"

_LIMITS = {
    "iss": 500,
    "login_hint": 2000,
    "target_link_uri": 2000,
    "client_id": 255,
    "lti_deployment_id": 255,
    "lti_message_hint": 8000,
    "lti_storage_target": 100,
}
_REQUIRED = ("iss", "login_hint", "target_link_uri")
PARAMETERS = tuple(_LIMITS)
_FRAME_NAME = re.compile(r"[A-Za-z0-9_.:-]+")
_LOGINS = cast(sa.Table, Login.__table__)
# Built once: putting statements together costs more than running them.
_INSERT = sa.insert(_LOGINS)
_CONSUME = (
    sa.delete(_LOGINS)
    .where(
        _LOGINS.c.state == sa.bindparam("digest_of_state"),
        _LOGINS.c.binding_hash == sa.bindparam("digest_of_secret"),
        _LOGINS.c.expires_at > sa.bindparam("now"),
    )
    .returning(
        _LOGINS.c.nonce,
        _LOGINS.c.registration_id,
        _LOGINS.c.deployment_id,
        _LOGINS.c.target_link_uri,
    )
)
# What a page hands back counts only where a page was asked to keep it.
_CONSUME_STORED = _CONSUME.where(_LOGINS.c.binding == STORAGE)


@dataclass(frozen=True, slots=True)
class LoginTicket:
    """A sign-in under way: what the browser must keep, and where it goes next.

    ``redirect_url`` leads to the platform. ``storage_target`` is the frame that offers to keep
    data for us, ``platform_origin`` the only origin that messages to it may reach.
    """

    state: str
    nonce: str
    binding_secret: str
    redirect_url: str
    storage_target: str | None
    registration_id: int
    platform_origin: str

    @property
    def cookie_name(self) -> str:
        """The cookie that proves this sign-in; each has its own, so that tabs never collide."""
        return cookie_name(self.state)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """What may be known of a sign-in by its state alone."""

    binding: str
    storage_target: str | None
    registration_id: int
    platform_origin: str


@dataclass(frozen=True, slots=True)
class ConsumedLogin:
    """What a sign-in promised; it can never be used again."""

    nonce: str
    registration_id: int
    deployment_id: str | None
    target_link_uri: str


def cookie_name(state: str) -> str:
    """Return the name of the cookie that proves the sign-in with this state."""
    return COOKIE_PREFIX + state[:8]


def digest(value: str) -> str:
    """SHA-256 in hexadecimal: what the database keeps of what a browser holds."""
    return hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()


class Logins:
    """Begins sign-ins and consumes them.

    Args:
        public_url: the tool's own origin; a target link must be on it.
        lifetime_seconds: how long a person may take between login and launch.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        registrations: Registrations,
        *,
        public_url: str,
        lifetime_seconds: int = 600,
    ) -> None:
        self._database = database
        self._clock = clock
        self._registrations = registrations
        self._public_url = public_url.rstrip("/")
        self._origin = origin_of(public_url)
        self._lifetime = dt.timedelta(seconds=lifetime_seconds)

    def begin(self, params: Mapping[str, str]) -> LoginTicket:
        """Begin a sign-in from the parameters of the platform's request; unknown ones are ignored.

        Raises:
            LaunchError: with the reason, and the parameter as ``field``.
        """
        request = self._checked(params)
        with self._database.writing() as connection:
            registration = self._registrations.find(
                connection, issuer=request["iss"], client_id=request.get("client_id")
            )
            if registration is None:
                raise LaunchError("registration_unknown", field="iss")
            check_standing(registration)
            return self._insert(connection, registration, request)

    def resume(self, *, state: str, binding_secret: str | None) -> LoginTicket:
        """Return the ticket of a sign-in whose cookie came back; nothing is consumed.

        Raises:
            LaunchError: ``binding_missing``, ``binding_mismatch``, ``state_unknown``…
        """
        with self._database.read() as session:
            login, registration = self._load(session, state)
        if not binding_secret:
            raise LaunchError("binding_missing", field="cookie")
        if not secrets.compare_digest(login.binding_hash, digest(binding_secret)):
            raise LaunchError("binding_mismatch", field="cookie")
        return self._ticket(registration, login.request, state, login.nonce, binding_secret)

    def use_storage(self, *, state: str) -> LoginTicket:
        """Bind a sign-in to the platform's storage, with a new secret, as cookies are blocked.

        Raises:
            LaunchError: ``state_unknown``, or ``binding_missing`` if no storage was offered.
        """
        secret = secrets.token_urlsafe(32)
        with self._database.write() as session:
            login, registration = self._load(session, state)
            if not login.request.get("lti_storage_target"):
                raise LaunchError("binding_missing", field="lti_storage_target")
            login.binding, login.binding_hash = STORAGE, digest(secret)
            return self._ticket(registration, login.request, state, login.nonce, secret)

    def restart(self, *, state: str) -> LoginTicket:
        """Begin the same sign-in anew (in a window of its own), with a state and nonce of its own.

        The first one stays until it expires: a person may close the window and click again.
        """
        with self._database.write() as session:
            login, registration = self._load(session, state)
            return self._insert(session, registration, login.request)

    def peek(self, *, state: str) -> PendingLogin | None:
        """Say how a sign-in is bound, if there is such a one under way."""
        try:
            with self._database.read() as session:
                login, registration = self._load(session, state)
        except LaunchError:
            return None
        return PendingLogin(
            login.binding,
            login.request.get("lti_storage_target"),
            registration.id,
            origin_of(registration.auth_url),
        )

    def consume(
        self,
        connection: sa.Connection,
        *,
        state: str,
        binding_secret: str | None,
        binding: str = COOKIE,
    ) -> ConsumedLogin:
        """Delete the sign-in and return what it promised: of two that arrive at once, one wins.

        Raises:
            LaunchError: ``state_missing``, ``binding_missing``, ``binding_mismatch``,
                ``state_expired`` or ``state_unknown``.
        """
        if not state:
            raise LaunchError("state_missing", field="state")
        if not binding_secret:
            raise LaunchError("binding_missing", field="cookie")
        row = connection.execute(
            _CONSUME_STORED if binding == STORAGE else _CONSUME,
            {
                "digest_of_state": digest(state),
                "digest_of_secret": digest(binding_secret),
                "now": self._clock.now(),
            },
        ).first()
        if row is None:
            with Session(connection) as session:
                self._load(session, state)
            raise LaunchError("binding_mismatch", field="cookie")
        return ConsumedLogin(*row)

    def purge(self) -> int:
        """Delete the sign-ins that were never finished; returns how many."""
        with self._database.write() as session:
            result = session.execute(
                sa.delete(_LOGINS).where(_LOGINS.c.expires_at <= self._clock.now())
            )
            return cast(sa.CursorResult[Any], result).rowcount

    def _checked(self, params: Mapping[str, str]) -> dict[str, str]:
        for name in _REQUIRED:
            if not params.get(name):
                raise LaunchError(
                    "login_parameter_missing",
                    field=name,
                    detail=f"The login lacks the parameter {name}.",
                )
        # An empty optional parameter is as good as none, but a hint is echoed as it came.
        request = {name: params[name] for name in PARAMETERS if params.get(name)}
        for name, value in request.items():
            if len(value) > _LIMITS[name] or "\x00" in value:
                raise LaunchError(
                    "login_parameter_invalid",
                    field=name,
                    detail=f"The login parameter {name} may have {_LIMITS[name]} characters.",
                )
        target = request["target_link_uri"]
        try:
            own = origin_of(target) == self._origin and "@" not in target.split("/", 3)[2]
        except (ValueError, IndexError):
            own = False
        if not own or not target.isprintable():
            raise LaunchError("target_link_foreign", field="target_link_uri")
        if not _FRAME_NAME.fullmatch(request.get("lti_storage_target", "_parent")):
            del request["lti_storage_target"]
        return request

    def _load(self, session: Session, state: str) -> tuple[Login, Registration]:
        row = session.execute(
            sa.select(Login, Registration)
            .join(Registration, Registration.id == Login.registration_id)
            .where(Login.state == digest(state))
        ).one_or_none()
        if row is None:
            raise LaunchError("state_unknown", field="state")
        login, registration = row
        if login.expires_at <= self._clock.now():
            raise LaunchError("state_expired", field="state")
        check_standing(registration)
        return login, registration

    def _insert(
        self, session: Executor, registration: Registration, request: dict[str, Any]
    ) -> LoginTicket:
        state, nonce, secret = (secrets.token_urlsafe(32) for _ in range(3))
        session.execute(
            _INSERT,
            {
                "state": digest(state),
                "nonce": nonce,
                "binding_hash": digest(secret),
                "binding": COOKIE,
                "registration_id": registration.id,
                "deployment_id": request.get("lti_deployment_id"),
                "target_link_uri": request["target_link_uri"],
                "request": request,
                "expires_at": self._clock.now() + self._lifetime,
            },
        )
        return self._ticket(registration, request, state, nonce, secret)

    def _ticket(
        self,
        registration: Registration,
        request: Mapping[str, str],
        state: str,
        nonce: str,
        secret: str,
    ) -> LoginTicket:
        query = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": registration.client_id,
            "redirect_uri": self._public_url + LAUNCH_PATH,
            "login_hint": request["login_hint"],
            "state": state,
            "nonce": nonce,
        }
        if "lti_message_hint" in request:
            query["lti_message_hint"] = request["lti_message_hint"]
        separator = "&" if "?" in registration.auth_url else "?"
        return LoginTicket(
            state=state,
            nonce=nonce,
            binding_secret=secret,
            redirect_url=registration.auth_url + separator + urlencode(query, quote_via=quote),
            storage_target=request.get("lti_storage_target"),
            registration_id=registration.id,
            platform_origin=origin_of(registration.auth_url),
        )


def check_standing(registration: Registration) -> None:
    """Raise LaunchError unless the registration is active."""
    if registration.standing is Standing.DISABLED:
        raise LaunchError("registration_disabled", registration_id=registration.id)
    if registration.standing is not Standing.ACTIVE:
        raise LaunchError("registration_pending", registration_id=registration.id)
