"""Connections to Keycloak's administration: python-keycloak, through the one door out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keycloak import KeycloakAdmin, KeycloakOpenIDConnection

from lti_tool.core.clock import Clock
from lti_tool.core.http import HttpClient
from lti_tool.identity.client_assertion import client_assertion
from lti_tool.identity.keycloak.errors import translated

_TIMEOUT_SECONDS = 30

Sign = Callable[[dict[str, Any]], str]


class _Connection(KeycloakOpenIDConnection):
    """One whose every session leaves through our door."""

    def __init__(self, http: HttpClient, **options: Any) -> None:
        http.check_url(options["server_url"])
        self._http = http
        super().__init__(verify=http.verify, timeout=_TIMEOUT_SECONDS, max_retries=0, **options)
        http.adopt(self._s)
        http.adopt(self.keycloak_openid.connection._s)


class _SignedConnection(_Connection):
    """As a service account that proves itself by its key (RFC 7523): there is no secret."""

    def __init__(self, http: HttpClient, clock: Clock, sign: Sign, **options: Any) -> None:
        self._clock = clock
        self._sign = sign
        super().__init__(http, grant_type="client_credentials", **options)

    def get_token(self) -> None:
        """Get a new token with a new assertion."""
        openid = self.keycloak_openid
        issuer = f"{(self.server_url or '').rstrip('/')}/realms/{openid.realm_name}"
        proof: dict[str, Any] = dict(
            client_assertion(self._sign, self._clock, openid.client_id, issuer)
        )
        self.token = openid.token(grant_type="client_credentials", **proof)


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


def _rooted(url: str) -> str:
    # The library joins addresses: without the slash a path such as /auth would be lost.
    return url.rstrip("/") + "/"
