"""Access tokens for the platforms' services: asked for once, shared by all processes.

A token is kept for one registration and one set of scopes, never used for another: in the process,
and sealed in ``lti_access_token``. However many threads need it at once, one of them asks.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import DecryptionError, Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HttpClient, HttpResponse, UnreachableError
from lti_tool.lti.models import AccessToken, Registration, Standing
from lti_tool.lti.platforms import platform_for
from lti_tool.lti.service_errors import (
    InvalidClientError,
    InvalidScopeError,
    MalformedTokenError,
    NarrowerScopeError,
    TokenError,
    TokenUnavailableError,
)

_LEEWAY = 60
_DEFAULT_LIFETIME = 600
_LONGEST_LIFETIME = 24 * 3600
# How long a narrower grant is believed, so that an administrator's correction takes effect soon.
_NARROWER_LIFETIME = 60
_TRANSIENT = frozenset({408, 425, 429})
_MAX_BYTES = 64 * 1024
# Platforms refuse an assertion from the future with no leeway; their clock may be a little behind.
ASSERTION_BACKDATING = dt.timedelta(seconds=30)
_ASSERTION_LIFETIME = dt.timedelta(minutes=4)


class Signer(Protocol):
    """Signs claims with the tool's active key, as ``ToolKeys`` does."""

    def sign(self, claims: dict[str, Any], *, headers: dict[str, Any] | None = None) -> str:
        """Return the compact JWS, its header naming the key."""
        ...


@dataclass(frozen=True, slots=True)
class _Grant:
    token: str
    granted: frozenset[str]
    use_until: dt.datetime


@dataclass(frozen=True, slots=True)
class _Key:
    """Whose token for what. The address and client are part of it: they may be edited."""

    registration_id: int
    client_id: str
    token_url: str
    scopes: str

    @property
    def purpose(self) -> str:
        """What the token is sealed for: no row can be read as another registration's."""
        return json.dumps(
            ["lti_access_token", self.registration_id, self.client_id, self.token_url, self.scopes]
        )


class AccessTokens:
    """Gets, keeps and drops access tokens. Thread-safe.

    It writes the database itself: not to be called, by any service, inside a write transaction.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        http: HttpClient,
        tool_keys: Signer,
    ) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._http = http
        self._tool_keys = tool_keys
        self._lock = threading.Lock()
        self._grants: dict[_Key, _Grant] = {}
        self._flights: dict[_Key, Future[_Grant]] = {}

    def get(self, registration: Registration, scopes: Iterable[str]) -> str:
        """Return a token that is good for all of ``scopes``.

        Raises:
            TokenError: with code ``token_invalid_client``, ``token_invalid_scope``,
                ``token_scope_narrower``, ``token_malformed``, ``token_unavailable`` or
                ``token_refused``.
        """
        if registration.standing is Standing.DISABLED:
            raise TokenError(
                "This platform is disabled.", remedy="An administrator can enable it again."
            )
        wanted = frozenset(scopes)
        key = _key(registration, wanted)
        grant = self._remembered(key)
        if grant is None:
            grant = self._shared_flight(registration, key, wanted)
        missing = sorted(wanted - grant.granted)
        if missing:
            raise NarrowerScopeError(
                "The platform grants this tool less than it needs.",
                remedy="Allow the service in the platform's settings of this tool.",
                missing=missing,
            )
        return grant.token

    def drop(self, registration: Registration, scopes: Iterable[str], token: str) -> None:
        """Forget ``token``, which the platform refused; a newer one in its place is kept."""
        key = _key(registration, frozenset(scopes))
        with self._lock:
            grant = self._grants.get(key)
            if grant is not None and grant.token == token:
                del self._grants[key]
        with self._database.write() as session:
            row = session.get(AccessToken, (key.registration_id, key.scopes))
            if row is None:
                return
            stored = self._opened(key, row)
            if stored is None or stored.token == token:
                session.delete(row)

    def _remembered(self, key: _Key) -> _Grant | None:
        grant = self._grants.get(key)
        if grant is not None and grant.use_until > self._clock.now():
            return grant
        return None

    def _shared_flight(
        self, registration: Registration, key: _Key, wanted: frozenset[str]
    ) -> _Grant:
        """Obtain the grant in one thread; the others wait for its outcome, good or bad."""
        with self._lock:
            grant = self._remembered(key)
            if grant is not None:
                return grant
            flight = self._flights.get(key)
            leads = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not leads:
            return flight.result()
        try:
            grant = self._stored(key) or self._requested(registration, key, wanted)
        except BaseException as error:
            with self._lock:
                del self._flights[key]
            flight.set_exception(error)
            raise
        with self._lock:
            self._grants[key] = grant
            del self._flights[key]
        flight.set_result(grant)
        return grant

    def _stored(self, key: _Key) -> _Grant | None:
        with self._database.read() as session:
            row = session.scalar(
                sa.select(AccessToken).where(
                    AccessToken.registration_id == key.registration_id,
                    AccessToken.scopes == key.scopes,
                    AccessToken.expires_at > self._clock.now(),
                )
            )
        return None if row is None else self._opened(key, row)

    def _opened(self, key: _Key, row: AccessToken) -> _Grant | None:
        try:
            token = self._keyring.open(row.token_sealed, purpose=key.purpose).decode()
        except DecryptionError:
            # Sealed for an earlier address or client, or with a key that is gone: ask anew.
            return None
        return _Grant(token, frozenset(row.granted.split()), row.expires_at)

    def _requested(self, registration: Registration, key: _Key, wanted: frozenset[str]) -> _Grant:
        response = self._post(registration, key.scopes)
        now = self._clock.now()
        grant = _read_grant(response, wanted, now)
        values = {
            "registration_id": key.registration_id,
            "scopes": key.scopes,
            "token_sealed": self._keyring.seal(grant.token.encode(), purpose=key.purpose),
            "granted": " ".join(sorted(grant.granted)),
            "expires_at": grant.use_until,
        }
        statement = self._database.upsert(AccessToken).values(values)
        with self._database.write() as session:
            session.execute(
                statement.on_conflict_do_update(
                    index_elements=["registration_id", "scopes"],
                    set_={
                        name: statement.excluded[name]
                        for name in ("token_sealed", "granted", "expires_at")
                    },
                )
            )
        return grant

    def _post(self, registration: Registration, scopes: str) -> HttpResponse:
        now = self._clock.now()
        assertion = self._tool_keys.sign(
            {
                "iss": registration.client_id,
                "sub": registration.client_id,
                "aud": registration.token_audience or registration.token_url,
                "iat": int((now - ASSERTION_BACKDATING).timestamp()),
                "exp": int((now + _ASSERTION_LIFETIME).timestamp()),
                "jti": uuid.uuid4().hex,
            }
        )
        try:
            response = self._http.request(
                "POST",
                registration.token_url,
                headers={"Accept": "application/json"},
                data={
                    "grant_type": "client_credentials",
                    "client_assertion_type": (
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                    ),
                    "client_assertion": assertion,
                    "scope": scopes,
                },
                max_bytes=_MAX_BYTES,
            )
        except UnreachableError as error:
            raise TokenUnavailableError(
                error.detail, remedy=error.remedy, **error.context
            ) from error
        except OutboundError as error:
            raise MalformedTokenError(error.detail, remedy=error.remedy, **error.context) from error
        if not response.ok:
            raise _refusal(registration, response)
        return response


def _key(registration: Registration, scopes: frozenset[str]) -> _Key:
    return _Key(
        registration.id,
        registration.client_id,
        registration.token_url,
        " ".join(sorted(scopes)),
    )


def _refusal(registration: Registration, response: HttpResponse) -> TokenError:
    explained = platform_for(registration.platform_family).explain(
        "token", response.status, response.excerpt()
    )
    problem = _oauth_error(response)
    kind: type[TokenError] = TokenError
    if problem == "invalid_client":
        kind = InvalidClientError
    elif problem == "invalid_scope":
        kind = InvalidScopeError
    elif explained is None and (response.status >= 500 or response.status in _TRANSIENT):
        kind = TokenUnavailableError
    elif problem is None and response.body.lstrip()[:1] == b"<":
        kind = MalformedTokenError
    if explained is not None:
        detail, remedy = explained.detail, explained.remedy
    else:
        detail = f"The platform's token endpoint answered with status {response.status}."
        remedy = "Compare the registration's client id and addresses with the platform's."
    return kind(
        detail,
        remedy=remedy,
        retry_after=None,
        http_status=response.status,
        excerpt=response.excerpt(),
    )


def _oauth_error(response: HttpResponse) -> str | None:
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    problem = document.get("error") if isinstance(document, dict) else None
    return problem if isinstance(problem, str) else None


def _read_grant(response: HttpResponse, wanted: frozenset[str], now: dt.datetime) -> _Grant:
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    token = document.get("access_token") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(token, str) or not _is_token(token):
        raise MalformedTokenError(
            "The platform's token endpoint answered something that is no token.",
            remedy="Check the token address of the registration.",
            http_status=response.status,
        )
    scope = document.get("scope")
    if isinstance(scope, list):
        scope = " ".join(str(part) for part in scope)
    # RFC 6749 §5.1: a grant as asked for needs no `scope` in the answer.
    granted = wanted & frozenset(scope.split()) if isinstance(scope, str) else wanted
    lifetime = _lifetime(document.get("expires_in"))
    if granted != wanted:
        lifetime = min(lifetime, _NARROWER_LIFETIME)
    return _Grant(token, granted, now + dt.timedelta(seconds=lifetime))


def _is_token(text: str) -> bool:
    # It becomes a header: a line break in it would be a header of the platform's choosing.
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _lifetime(expires_in: Any) -> float:
    """Seconds for which a token is used: a minute less than it lives."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError):
        seconds = _DEFAULT_LIFETIME
    if not 0 < seconds < float("inf"):
        seconds = _DEFAULT_LIFETIME
    seconds = min(seconds, _LONGEST_LIFETIME)
    return seconds - _LEEWAY if seconds >= 2 * _LEEWAY else seconds / 2
