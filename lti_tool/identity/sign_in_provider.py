"""The school's OpenID provider: authorization code with PKCE, and a full check of its ID token.

Authlib makes the protocol's messages, joserfc judges the token. The calls themselves go through
the one door out: each is a single request, and so needs no second session with its own limits.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

import structlog
from authlib.common.urls import add_params_to_qs, add_params_to_uri  # type: ignore[import-untyped]
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from authlib.oidc.discovery import get_well_known_url  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

from lti_tool.core.clock import Clock
from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HttpClient
from lti_tool.identity.client_assertion import client_assertion
from lti_tool.identity.sign_in_errors import (
    AGAIN,
    SignInDeniedError,
    SignInTokenError,
    SignInUnavailableError,
)
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.platform_keys import PlatformKeys

ClientAuthentication = Literal["private_key_jwt", "client_secret_basic", "none"]

log = structlog.get_logger(__name__)

_KEEP = dt.timedelta(hours=1)
_TIMEOUT_SECONDS = 10.0
_MAX_BYTES = 256 * 1024
_SKEW_SECONDS = 60
_MAX_JTI = 255
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in brought: the claims of the ID token, checked, and the tokens themselves."""

    claims: dict[str, Any]
    id_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class IdentityProvider:
    """One client at one OpenID provider. Its configuration is kept for an hour.

    ``keys`` verifies by published keys, caches them, and fetches them once for an unknown one.
    ``client_auth`` names how the client proves itself (OpenID Connect Core 9): by ``sign``, which
    signs claims with the tool's key; by ``client_secret``; or not at all. ``scopes`` are separated
    by spaces.
    """

    clock: Clock
    http: HttpClient
    keys: PlatformKeys
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    client_auth: ClientAuthentication
    sign: Callable[[dict[str, Any]], str]
    scopes: str
    redirect_uri: str
    _known: tuple[dt.datetime, dict[str, Any]] | None = field(default=None, init=False)

    def authorization_url(
        self,
        *,
        state: str,
        nonce: str,
        verifier: str,
        prompt: str | None = "login",
        step_up: tuple[str, ...] | None = None,
    ) -> str:
        """Where the browser goes to sign in; raises :class:`SignInUnavailableError`.

        ``prompt`` ``login``: the person proves who they are now, whoever is signed in there.
        ``step_up``: the provider also says when that was, and it is to be as good as one of these
        (``acr``), if there are any.
        """
        configuration = self._configuration()
        asked = {"prompt": prompt} if prompt else {}
        if step_up is not None:
            asked |= _proof(configuration, step_up)
        url: str = prepare_grant_uri(
            configuration["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri=self.redirect_uri,
            scope=self.scopes,
            state=state,
            nonce=nonce,
            **asked,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return url

    def tokens(self, *, code: str, verifier: str, nonce: str) -> Tokens:
        """Exchange the code; the ID token is checked whole.

        Raises:
            SignInUnavailableError, SignInDeniedError, SignInTokenError
        """
        asked = prepare_token_request(
            "authorization_code", redirect_uri=self.redirect_uri, code=code, code_verifier=verifier
        )
        return self._tokens(asked, nonce=nonce)

    def refresh(self, refresh_token: str) -> Tokens:
        """Ask once more who this is, without the browser: their roles as they are now.

        Raises:
            SignInDeniedError: the session has ended there, or the account was disabled.
            SignInUnavailableError, SignInTokenError
        """
        asked = prepare_token_request("refresh_token", refresh_token=refresh_token)
        return self._tokens(asked, nonce=None)

    def end_session_url(self, id_token: str, *, back_to: str) -> str | None:
        """Where the browser goes to sign out there too; ``None`` where the provider has no such
        place (OpenID Connect RP-Initiated Logout 1.0)."""
        address = self._configuration().get("end_session_endpoint")
        if not isinstance(address, str):
            return None
        url: str = add_params_to_uri(
            address,
            [
                ("id_token_hint", id_token),
                ("client_id", self.client_id),
                ("post_logout_redirect_uri", back_to),
            ],
        )
        return url

    def logout_claims(self, token: str) -> dict[str, Any]:
        """The claims of a logout token, checked (OpenID Connect Back-Channel Logout 1.0, 2.6); its
        ``jti`` is the caller's to remember.

        Raises:
            SignInUnavailableError, SignInTokenError
        """
        header, claims = self._decode(token, self._configuration())
        # A token for another purpose must not pass for one; older providers name no type.
        if header.get("typ", "logout+jwt") not in ("logout+jwt", "JWT"):
            raise _invalid("typ", "typ_mismatch")
        self._check(claims, subject=False, party=False)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise _invalid("events", "not_a_logout")
        if "nonce" in claims:
            raise _invalid("nonce", "nonce_present")
        named = [claims.get(name) for name in ("sub", "sid") if name in claims]
        if not named or not all(isinstance(each, str) and each for each in named):
            raise _invalid("sub", "nobody_named")
        if not isinstance(claims.get("jti"), str) or not 0 < len(claims["jti"]) <= _MAX_JTI:
            raise _invalid("jti", "jti_missing")
        return claims

    def _tokens(self, asked: str, *, nonce: str | None) -> Tokens:
        configuration = self._configuration()
        document = self._exchange(configuration, asked)
        id_token, refresh_token = document.get("id_token"), document.get("refresh_token")
        if not isinstance(id_token, str):
            raise _invalid("id_token", "id_token_missing")
        _, claims = self._decode(id_token, configuration)
        self._check(claims)
        if nonce is not None and claims.get("nonce") != nonce:
            raise _invalid("nonce", "nonce_mismatch")
        return Tokens(claims, id_token, refresh_token if isinstance(refresh_token, str) else None)

    def _decode(
        self, token: str, configuration: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        try:
            return self.keys.decode(token, jwks_url=configuration["jwks_uri"])
        except LaunchError as error:
            if error.code == "platform_keys_unavailable":
                raise _unavailable(error.code) from error
            raise _invalid(error.field, error.code) from error

    def _check(
        self, claims: Mapping[str, Any], *, subject: bool = True, party: bool = True
    ) -> None:
        registry = JWTClaimsRegistry(
            now=int(self.clock.now().timestamp()),
            leeway=_SKEW_SECONDS,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": subject},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            registry.validate(dict(claims))
        except JoseError as error:
            raise _invalid(getattr(error, "claim", None), error.error) from error
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        wanted = None if several and party else self.client_id
        if claims.get("azp", wanted) != self.client_id:
            raise _invalid("azp", "azp_mismatch")

    def _exchange(self, configuration: Mapping[str, Any], body: str) -> dict[str, Any]:
        client = [self.client_id, "", "none"]
        if self.client_auth == "client_secret_basic":
            # RFC 6749 2.3.1 encodes both before they are joined by a colon.
            client = [quote_plus(self.client_id), quote_plus(self.client_secret)]
        elif self.client_auth == "private_key_jwt":
            body = add_params_to_qs(
                body, client_assertion(self.sign, self.clock, self.client_id, self.issuer).items()
            )
        url, headers, body = ClientAuth(*client).prepare(
            "POST",
            configuration["token_endpoint"],
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            body,
        )
        status, document = self._call("POST", url, headers=headers, data=body.encode())
        if status in (400, 401, 403):
            error = document.get("error")
            raise SignInDeniedError(
                "The school's sign-in did not accept the answer that it had given.",
                remedy=AGAIN,
                error=error if isinstance(error, str) and len(error) <= 50 else "unknown",
            )
        if status != 200:
            raise _unavailable("token_status")
        return document

    def _configuration(self) -> dict[str, Any]:
        now = self.clock.now()
        if self._known is not None and now - self._known[0] < _KEEP:
            return self._known[1]
        url = get_well_known_url(self.issuer, external=True)
        status, document = self._call("GET", url, headers={"Accept": "application/json"})
        if status != 200 or document.get("issuer") != self.issuer:
            raise _unavailable("discovery")
        try:
            for name in _ENDPOINTS:
                self.http.check_url(document[name])
        except (KeyError, TypeError, AttributeError, OutboundError) as error:
            raise _unavailable("discovery") from error
        self._known = (now, document)
        return document

    def _call(self, method: str, url: str, **parts: Any) -> tuple[int, dict[str, Any]]:
        try:
            response = self.http.request(
                method, url, total_timeout=_TIMEOUT_SECONDS, max_bytes=_MAX_BYTES, **parts
            )
            document = response.json()
        except (OutboundError, RecursionError) as error:
            raise _unavailable(getattr(error, "code", "outbound_not_json")) from error
        if not isinstance(document, dict):
            raise _unavailable("outbound_not_json")
        return response.status, document


def _proof(configuration: Mapping[str, Any], acr: tuple[str, ...]) -> dict[str, str]:
    """How a provider is asked for a proof of now (OpenID Connect Core 3.1.2.1 and 5.5.1.1)."""
    asked = {"max_age": "0"}
    if not acr:
        return asked
    asked["acr_values"] = " ".join(acr)
    known = configuration.get("acr_values_supported")
    # As a wish it may be passed over; a provider that knows it may be told that it is a must.
    if (
        configuration.get("claims_parameter_supported") is True
        and isinstance(known, list)
        and set(acr) <= {each for each in known if isinstance(each, str)}
    ):
        must = {"essential": True, "values": list(acr)}
        asked["claims"] = json.dumps({"id_token": {"acr": must}}, separators=(",", ":"))
    return asked


def _invalid(field: str | None, reason: str) -> SignInTokenError:
    return SignInTokenError(
        "The answer of the school's sign-in could not be trusted. Nothing was changed.",
        field=field,
        remedy=AGAIN,
        reason=reason,
    )


def _unavailable(reason: str) -> SignInUnavailableError:
    log.warning("sign_in.unavailable", reason=reason)
    return SignInUnavailableError(
        "The school's sign-in did not answer as it should. Nothing was changed.",
        remedy="Wait a minute, then load the page of your course again.",
        reason=reason,
    )
