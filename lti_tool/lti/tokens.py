"""Reading a compact JWS before and after its signature is checked; no keys, no network."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey

from lti_tool.lti.errors import LaunchError

MAX_TOKEN = 128 * 1024
_MAX_HEADER = 2048
_MAX_KID = 255
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Each of these lets a message choose the key or the rules by which it is judged.
_FORBIDDEN = ("jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc")
_REGISTRY = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
# The header is judged by :func:`read_header`; the library's own limits would be its second judge.
_REGISTRY.max_header_length = _MAX_HEADER * 2
_REGISTRY.max_payload_length = MAX_TOKEN


def read_header(token: str) -> dict[str, Any]:
    """Return the header of a compact JWS: RS256, with a ``kid``, and nothing that picks keys.

    Raises:
        LaunchError: ``token_malformed``, ``token_encrypted``, ``token_algorithm``,
            ``token_header`` or ``token_kid_missing``.
    """
    if not token or len(token) > MAX_TOKEN:
        raise LaunchError("token_malformed", field="id_token")
    parts = token.count(".") + 1
    if parts == 5:
        raise LaunchError("token_encrypted", field="id_token")
    if not _COMPACT.fullmatch(token):
        raise LaunchError("token_malformed", field="id_token")
    segment = token[: token.index(".")]
    try:
        header = _object(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (binascii.Error, ValueError) as error:
        raise LaunchError("token_malformed", field="id_token") from error
    if header.get("alg") != "RS256":
        raise LaunchError("token_algorithm", field="alg")
    for name in _FORBIDDEN:
        if name in header:
            raise LaunchError("token_header", field=name)
    if len(segment) > _MAX_HEADER or not isinstance(header.get("typ", ""), str):
        raise LaunchError("token_header", field="typ")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _MAX_KID:
        raise LaunchError("token_kid_missing", field="kid")
    return header


def verify(token: str, keys: Sequence[RSAKey]) -> dict[str, Any]:
    """Return the claims of a token that one of ``keys`` signed.

    Raises:
        LaunchError: ``token_signature``, or ``token_malformed`` if it holds no JSON object.
    """
    for key in keys:
        try:
            signed = jws.deserialize_compact(token, key, registry=_REGISTRY)
        except BadSignatureError:
            continue
        except (JoseError, ValueError) as error:
            raise LaunchError("token_malformed", field="id_token") from error
        try:
            return _object(signed.payload or b"")
        except ValueError as error:
            raise LaunchError("token_malformed", field="id_token") from error
    raise LaunchError("token_signature", field="id_token")


def _object(content: bytes) -> dict[str, Any]:
    """Parse a JSON object; raises ValueError for anything else."""
    try:
        value = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
