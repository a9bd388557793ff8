"""The token endpoint: client credentials with a signed assertion."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from joserfc import jws
from joserfc.errors import JoseError

from demo.answers import PageError
from demo.faults import Fault
from demo.keys import ToolKeysUnavailableError
from demo.model import Tool
from demo.state import TOKEN_SECONDS, Platform, platform

blueprint = Blueprint("tokens", __name__)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class _RefusedError(Exception):
    """An OAuth error; its text is the error's code."""


@blueprint.post("/mod/lti/token.php")
def token() -> Response:
    """Answer a token request; errors are 400 with ``{"error": …}``."""
    host = platform()
    try:
        tool = _client(host)
        scopes = _granted(tool)
    except _RefusedError as error:
        response = jsonify(error=str(error))
        response.status_code = 400
        return response
    return jsonify(
        access_token=host.issue_token(tool, scopes),
        token_type="Bearer",
        expires_in=TOKEN_SECONDS,
        scope=" ".join(scopes),
    )


def _client(host: Platform) -> Tool:
    asked = request.form
    if asked.get("grant_type") != "client_credentials":
        raise _RefusedError("unsupported_grant_type")
    if asked.get("client_assertion_type") != ASSERTION or not asked.get("client_assertion"):
        raise _RefusedError("invalid_request")
    if not asked.get("scope"):
        raise _RefusedError("invalid_request")
    assertion = asked["client_assertion"]
    try:
        unverified = jws.extract_compact(assertion.encode()).payload
        claimed = _subject(unverified)
    except (JoseError, ValueError) as error:
        raise _RefusedError("invalid_request") from error
    tool = host.tool_of_client(claimed)
    if tool is None:
        raise _RefusedError("invalid_client")
    if tool.state == "pending" and not host.quirks.pending_tools_work:
        raise _RefusedError("invalid_client")
    try:
        claims = host.tool_keys.decode(assertion, client_id=tool.client_id, jwks_uri=tool.jwks_uri)
    except ToolKeysUnavailableError as error:
        if host.quirks.jwks_failure_is_html:
            raise PageError("error", "Exception - the keys could not be read.") from error
        raise _RefusedError("invalid_client") from error
    except (JoseError, ValueError) as error:
        raise _RefusedError("invalid_client") from error
    _check_times(host, claims)
    if not host.quirks.assertion_unchecked:
        _check_strictly(host, tool, claims)
    return tool


def _subject(payload: bytes) -> str:
    claims = json.loads(payload)
    if not isinstance(claims, dict) or not isinstance(claims.get("sub"), str):
        raise ValueError("The assertion has no subject.")
    return str(claims["sub"])


def _check_times(host: Platform, claims: dict[str, Any]) -> None:
    """Check what Moodle's library checks, with no leeway."""
    now = host.epoch()
    times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
    if not all(isinstance(value, int | float) for value in times.values()):
        raise _RefusedError("invalid_client")
    if (
        times.get("iat", now) > now
        or times.get("nbf", now) > now
        or times.get("exp", now + 1) <= now
    ):
        raise _RefusedError("invalid_client")


def _check_strictly(host: Platform, tool: Tool, claims: dict[str, Any]) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    jti = claims.get("jti")
    accepted = {host.url("/mod/lti/token.php"), host.base_url}
    good = claims.get("iss") == tool.client_id and bool(accepted & {str(a) for a in audiences})
    if not good or not isinstance(jti, str) or "exp" not in claims or "iat" not in claims:
        raise _RefusedError("invalid_client")
    with host.lock:
        if jti in host.used_jtis:
            raise _RefusedError("invalid_client")
        host.used_jtis.add(jti)


def _granted(tool: Tool) -> list[str]:
    asked = request.form.get("scope", "").split()
    fault: Fault | None = g.get("fault")
    permitted = tool.permitted_scopes()
    if fault is not None and fault.scopes is not None:
        permitted = [scope for scope in permitted if scope in fault.scopes]
    scopes = [scope for scope in asked if scope in permitted]
    if not scopes:
        raise _RefusedError("invalid_scope")
    return scopes
