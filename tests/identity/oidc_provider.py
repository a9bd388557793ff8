"""A small OpenID provider on a real local server, which lies on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from werkzeug import Request, Response

from lti_tool.core.clock import Clock
from tests.lti.outbound_world import Stub, as_json

CLIENT_ID = "naga-tool"
CLIENT_SECRET = "between us: 100% + more"
CONFIGURATION = "/.well-known/openid-configuration"


@cache
def key(kid: str, bits: int = 2048) -> RSAKey:
    """One key per name for all tests of a process."""
    return RSAKey.generate_key(bits, {"kid": kid})


@dataclass
class OidcProvider:
    """Signs in whoever comes as ``person`` (claims); ``spoil`` and ``header`` falsify the token.

    A claim spoiled with ``None`` is left out.
    """

    clock: Clock
    stub: Stub = field(default_factory=Stub)
    person: dict[str, Any] = field(default_factory=dict)
    spoil: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signing_key: RSAKey = field(default_factory=lambda: key("provider"))
    published: list[RSAKey] = field(default_factory=lambda: [key("provider")])
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_token: str = ""

    def __post_init__(self) -> None:
        self.stub.on("GET", CONFIGURATION, lambda _request: as_json(self.configuration()))
        self.stub.on("GET", "/keys", lambda _request: as_json(self.key_set()))
        self.stub.on("POST", "/token", self._token)
        self.stub.on("GET", "/authorize", self._sign_in)
        self.stub.on("GET", "/logout", _sign_out)

    @property
    def issuer(self) -> str:
        """Its name, which is its address."""
        return self.stub.url

    def configuration(self) -> dict[str, Any]:
        """The document of discovery."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/logout",
        }

    def key_set(self) -> dict[str, Any]:
        """The published keys."""
        return {"keys": [each.as_dict(private=False, alg="RS256") for each in self.published]}

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser brings back from the sign-in page at ``url``: ``state`` and ``code``."""
        parts = urlsplit(url)
        assert url.startswith(f"{self.issuer}/authorize?")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        assert query["client_id"] == CLIENT_ID
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return {"state": query["state"], "code": code}

    def _sign_in(self, request: Request) -> Response:
        """To a real browser: whoever comes is in at once."""
        answer = self.authorize(request.url)
        location = f"{request.args['redirect_uri']}?{urlencode(answer)}"
        return Response(status=302, headers={"Location": location})

    def _token(self, request: Request) -> Response:
        expected = base64.b64encode(b"naga-tool:between+us%3A+100%25+%2B+more").decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return as_json({"error": "invalid_client"}, 401)
        if request.form.get("grant_type") == "refresh_token":
            if request.form.get("refresh_token") != self.refresh_token:
                return as_json({"error": "invalid_grant"}, 400)
            return as_json(self._tokens(nonce=None))
        asked = self.codes.pop(request.form.get("code", ""), None)
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != request.form.get("redirect_uri")
        ):
            return as_json({"error": "invalid_grant"}, 400)
        return as_json(self._tokens(nonce=asked["nonce"]))

    def _tokens(self, *, nonce: str | None) -> dict[str, Any]:
        refresh = {"refresh_token": self.refresh_token} if self.refresh_token else {}
        return {"token_type": "Bearer", "id_token": self._id_token(nonce), **refresh}

    def logout_token(self, **spoil: Any) -> str:
        """What the provider sends when somebody signed out there."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(8),
            "sub": "account-1",
            "sid": "session-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        } | spoil
        return self._signed(claims, {"typ": "logout+jwt"})

    def _id_token(self, nonce: str | None) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": "account-1",
            "exp": now + 300,
            "iat": now,
            "auth_time": now,
            "nonce": nonce,
        }
        claims |= self.person | self.spoil
        return self._signed(claims, {})

    def _signed(self, claims: dict[str, Any], own: dict[str, Any]) -> str:
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "RS256", "kid": self.signing_key.kid} | own | self.header
        header = {name: value for name, value in header.items() if value is not None}
        if header["alg"] == "HS256":
            public = OctKey.import_key(str(self.signing_key.as_dict(private=False)["n"]))
            return jwt.encode(header, claims, public)
        signed = jwt.encode(header | {"alg": "RS256"}, claims, self.signing_key)
        if header["alg"] == "none":
            first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
            return f"{first}.{signed.split('.')[1]}."
        return signed


def _sign_out(request: Request) -> Response:
    return Response(status=302, headers={"Location": request.args["post_logout_redirect_uri"]})


@contextmanager
def open_provider(clock: Clock) -> Iterator[OidcProvider]:
    """Run a provider."""
    provider = OidcProvider(clock)
    try:
        yield provider
    finally:
        provider.stub.close()
