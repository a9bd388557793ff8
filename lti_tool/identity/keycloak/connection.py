"""Connections to Keycloak's administration: python-keycloak, through the one door out."""

from __future__ import annotations

import datetime as dt
import json
import threading
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection

from lti_tool.core.clock import Clock
from lti_tool.core.http import HttpClient
from lti_tool.identity.client_assertion import client_assertion
from lti_tool.identity.keycloak.errors import asked_to_wait, translated

# Until it is reached, and until it answers; the library hands both on as they are.
_TIMEOUT_SECONDS: Any = (5, 30)
# A batch takes no longer, and most realms give a token five minutes.
_BATCH = dt.timedelta(minutes=1)

Sign = Callable[[dict[str, Any]], str]


class _Connection(KeycloakOpenIDConnection):
    """One whose every session leaves through our door."""

    def __init__(self, http: HttpClient, **options: Any) -> None:
        http.check_url(options["server_url"])
        self._http = http
        super().__init__(verify=http.verify, timeout=_TIMEOUT_SECONDS, max_retries=0, **options)
        for session in (self._s, self.keycloak_openid.connection._s):
            http.adopt(session)
            session.hooks["response"].append(asked_to_wait)


class _SignedConnection(_Connection):
    """As a service account that proves itself by its key (RFC 7523): there is no secret.

    Thread-safe: of many that find the token too old, one renews it.
    """

    def __init__(self, http: HttpClient, clock: Clock, sign: Sign, **options: Any) -> None:
        self._clock = clock
        self._sign = sign
        self._renewing = threading.Lock()
        super().__init__(http, grant_type="client_credentials", **options)

    def get_token(self) -> None:
        """Get a new token with a new assertion."""
        openid = self.keycloak_openid
        issuer = f"{(self.server_url or '').rstrip('/')}/realms/{openid.realm_name}"
        proof: dict[str, Any] = dict(
            client_assertion(self._sign, self._clock, openid.client_id, issuer)
        )
        self.token = openid.token(grant_type="client_credentials", **proof)

    def refresh_token(self) -> None:
        """Get a new token, unless another thread has just done so."""
        held = self.token
        with self._renewing:
            if self.token is held:
                self.get_token()


def as_administrator(
    http: HttpClient, server_url: str, *, realm: str, username: str, password: str
) -> KeycloakAdmin:
    """Connect as an administrator of the master realm, for preparing ``realm``.

    Raises:
        KeycloakError, OutboundError
    """
    with translated("sign in as administrator"):
        connection = _Connection(
            http,
            server_url=_rooted(server_url),
            username=username,
            password=password,
            realm_name=realm,
            user_realm_name="master",
            grant_type="password",
        )
        connection.get_token()
        return KeycloakAdmin(connection=connection)


def as_service(
    http: HttpClient, clock: Clock, sign: Sign, server_url: str, *, realm: str, client_id: str
) -> KeycloakAdmin:
    """Connect as the tool's service account of ``realm``. ``sign`` signs with the tool's key.

    Raises:
        KeycloakError, OutboundError
    """
    with translated("sign in as the tool's service account"):
        connection = _SignedConnection(
            http, clock, sign, server_url=_rooted(server_url), realm_name=realm, client_id=client_id
        )
        connection.get_token()
        return KeycloakAdmin(connection=connection)


def keep_signed_in(admin: KeycloakAdmin) -> None:
    """Renew a token that might end within a batch.

    Raises:
        KeycloakError, OutboundError
    """
    ends = admin.connection.expires_at
    if ends is None or ends - dt.datetime.now(dt.UTC) < _BATCH:
        with translated("sign in again"):
            admin.connection.refresh_token()


def claims_of(admin: KeycloakAdmin) -> dict[str, Any]:
    """What our own access token says: it came to us from Keycloak itself, and is not judged."""
    token = str((admin.connection.token or {}).get("access_token", ""))
    try:
        body = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        # A realm may give tokens that only it can read.
        return {}
    return claims if isinstance(claims, dict) else {}


def _rooted(url: str) -> str:
    # The library joins addresses: without the slash a path such as /auth would be lost.
    return url.rstrip("/") + "/"
