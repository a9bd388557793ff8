"""The platform's signing keys and the tools' published ones."""

from __future__ import annotations

from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey


class ToolKeysUnavailableError(Exception):
    """The tool's keys could not be fetched or are not a key set."""


def new_key(size: int = 2048) -> RSAKey:
    """Make a signing key whose ``kid`` is its thumbprint."""
    return RSAKey.generate_key(size, {"alg": "RS256", "use": "sig"}, auto_kid=True)


def load_key(pem: str) -> RSAKey:
    """Read a key that :func:`dump_key` wrote; its ``kid`` is the same again."""
    key = RSAKey.import_key(pem, {"alg": "RS256", "use": "sig"})
    key.ensure_kid()
    return key


def dump_key(key: RSAKey) -> str:
    """Return the private key as PEM text."""
    return key.as_pem(private=True).decode()


class SigningKeys:
    """The platform's own keys: the first signs, all are published."""

    def __init__(self, pems: list[str]) -> None:
        self.keys = [load_key(pem) for pem in pems] or [new_key()]

    @property
    def active(self) -> RSAKey:
        """The key that signs."""
        return self.keys[0]

    def rotate(self, *, keep_old: bool = True) -> RSAKey:
        """Sign with a new key from now on; without ``keep_old`` only that one is published."""
        key = new_key()
        self.keys = [key, *(self.keys if keep_old else [])]
        return key

    def dump(self) -> list[str]:
        """Return all keys as PEM texts, the active one first."""
        return [dump_key(key) for key in self.keys]

    def published(self) -> dict[str, Any]:
        """Return the key set as published, public members only."""
        return {"keys": [key.as_dict(private=False) for key in self.keys]}

    def sign(self, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
        """Return a compact RS256 JWT."""
        base = {"typ": "JWT", "alg": "RS256", "kid": self.active.kid}
        return jwt.encode({**base, **(header or {})}, claims, self.active)

    def verify(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that this platform signed; raises ``JoseError``."""
        public = KeySet.import_key_set(self.published())  # type: ignore[arg-type]
        return dict(jwt.decode(token, public, algorithms=["RS256"]).claims)


class ToolKeys:
    """Key sets of tools, cached by client id for ever and fetched again on any failure."""

    def __init__(self) -> None:
        self._cached: dict[str, KeySet] = {}
        self.fetches = 0

    def decode(self, token: str, *, client_id: str, jwks_uri: str) -> dict[str, Any]:
        """Return the claims of a token that the tool signed.

        Raises:
            JoseError, ValueError: the token is not the tool's, even with fresh keys.
            ToolKeysUnavailableError: the keys could not be fetched.
        """
        cached = self._cached.get(client_id)
        if cached is not None:
            try:
                return _decode(token, cached)
            except (JoseError, ValueError):
                # Rotated, perhaps: the same token is judged again with the keys of today.
                self._cached.pop(client_id, None)
        fetched = self._fetch(jwks_uri)
        self._cached[client_id] = fetched
        return _decode(token, fetched)

    def _fetch(self, jwks_uri: str) -> KeySet:
        self.fetches += 1
        try:
            with requests.Session() as session:
                session.trust_env = False
                response = session.get(jwks_uri, timeout=(5, 20))
            return KeySet.import_key_set(response.json())
        except (requests.RequestException, JoseError, ValueError, KeyError, TypeError) as error:
            raise ToolKeysUnavailableError(str(error)) from error


def _decode(token: str, keys: KeySet) -> dict[str, Any]:
    claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
    if not isinstance(claims, dict):
        raise ValueError("The claims are not an object.")
    return claims
