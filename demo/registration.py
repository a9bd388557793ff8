"""Dynamic Registration, as Moodle's site administration does it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request
from joserfc.errors import JoseError

from demo.answers import PageError, ServiceError, require_administrator
from demo.model import LINEITEM, MEMBERSHIPS, Tool
from demo.state import Platform, new_client_id, platform

blueprint = Blueprint("registration", __name__)
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
TOKEN_SECONDS = 3600


@blueprint.get("/mod/lti/startltiadvregistration.php")
def start() -> Any:
    """Send the administrator's frame to the tool's registration address (``url``)."""
    require_administrator(sesskey=True)
    host, url = platform(), request.args.get("url", "").strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PageError("invalidurl", "This is not a web address.", 400)
    domain = _domain(parts.netloc)
    known = [tool for tool in host.state.tools.values() if tool.domain == domain]
    if known and request.args.get("type") != "-1":
        again = {**request.args.to_dict(), "type": "-1"}
        return render_template(
            "registration_exists.html", tools=known, again="?" + urlencode(again)
        )
    now = host.epoch()
    claims = {"sub": new_client_id(), "scope": "reg", "iat": now, "exp": now + TOKEN_SECONDS}
    query = urlencode(
        {
            "openid_configuration": host.url("/mod/lti/openid-configuration.php"),
            "registration_token": host.signing.sign(claims),
        }
    )
    return redirect(f"{url}{'&' if parts.query else '?'}{query}", 302)


@blueprint.post("/mod/lti/openid-registration.php")
def register() -> Response:
    """Take a tool's registration; it is pending until an administrator activates it."""
    host = platform()
    client_id = _registration_token(host)
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise ServiceError(400, "invalid_registration")
    fields = _tool_fields(document)
    with host.change() as state:
        # Single use: the token's subject becomes the client id, and a client id is taken once.
        if any(tool.client_id == client_id for tool in state.tools.values()):
            raise ServiceError(401, "token_already_used")
        tool = host.add_tool(client_id=client_id, state="pending", **fields)
    return jsonify(_answer(host, tool, document))


def _registration_token(host: Platform) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise ServiceError(401, "missing_registration_token")
    try:
        claims = host.signing.verify(token.strip())
        expires, scope = claims.get("exp"), claims.get("scope")
        if not isinstance(expires, int) or expires <= host.epoch() or scope != "reg":
            raise ValueError("The registration token has expired.")
    except (JoseError, ValueError) as error:
        if host.quirks.registration_expired_is_html:
            raise PageError("error", "Exception - Expired or broken token") from error
        raise ServiceError(401, "invalid_registration_token") from error
    return str(claims["sub"])


def _domain(host: str) -> str:
    return host.lower().removeprefix("www.")


def _required(document: dict[str, Any], name: str) -> Any:
    value = document.get(name)
    if not value:
        raise ServiceError(400, f"missing required attribute {name}")
    return value


def _tool_fields(document: dict[str, Any]) -> dict[str, Any]:
    response_types = _required(document, "response_types")
    login_uri = _required(document, "initiate_login_uri")
    redirect_uris = _required(document, "redirect_uris")
    name = _required(document, "client_name")
    jwks_uri = _required(document, "jwks_uri")
    method = _required(document, "token_endpoint_auth_method")
    settings = _required(document, TOOL)
    if "id_token" not in response_types:
        raise ServiceError(400, "unsupported_response_types")
    if method != "private_key_jwt":
        raise ServiceError(400, "unsupported_token_endpoint_auth_method")
    if document.get("application_type", "web") != "web":
        raise ServiceError(400, "unsupported_application_type")
    if not isinstance(redirect_uris, list):
        raise ServiceError(400, "invalid redirect_uris")
    if not isinstance(settings, dict):
        raise ServiceError(400, f"missing required attribute {TOOL}")
    domain = _domain(str(_required(settings, "domain")))
    target = str(settings.get("target_link_uri") or f"https://{domain}")
    if _domain(urlsplit(target).netloc) != domain:
        raise ServiceError(400, "domain_targetlinkuri_mismatch")
    scopes = str(document.get("scope") or "").split()
    claims = [str(claim) for claim in settings.get("claims") or []]
    graded = any("/lti-ags/" in scope for scope in scopes)
    return {
        "name": str(name),
        "login_uri": str(login_uri),
        "redirect_uris": [str(uri) for uri in redirect_uris],
        "jwks_uri": str(jwks_uri),
        "target_link_uri": target,
        "deep_linking_uri": _deep_linking_uri(settings, target),
        "description": str(settings.get("description") or ""),
        "icon_uri": str(document.get("logo_uri") or ""),
        "domain": domain,
        "custom": {
            str(key): str(value) for key, value in (settings.get("custom_parameters") or {}).items()
        },
        "grade_sync": 2 if LINEITEM in scopes else int(graded),
        "memberships": MEMBERSHIPS in scopes,
        "send_name": any(c in claims for c in ("name", "given_name", "family_name")),
        "send_email": "email" in claims,
    }


def _deep_linking_uri(settings: dict[str, Any], target: str) -> str:
    for message in settings.get("messages") or []:
        if isinstance(message, dict) and message.get("type") == "LtiDeepLinkingRequest":
            return str(message.get("target_link_uri") or target)
    return ""


def _answer(host: Platform, tool: Tool, document: dict[str, Any]) -> dict[str, Any]:
    scopes = tool.permitted_scopes()
    if host.quirks.registration_lists_lineitem and LINEITEM not in scopes:
        scopes.append(LINEITEM)
    claims = ["sub", "iss"]
    claims += ["name", "given_name", "family_name"] if tool.send_name else []
    claims += ["email"] if tool.send_email else []
    settings: dict[str, Any] = {
        "version": "1.3.0",
        "deployment_id": tool.deployment_id,
        "target_link_uri": tool.target_link_uri,
        "domain": tool.domain,
        "description": tool.description,
        "claims": claims,
        "messages": [],
    }
    if tool.deep_linking_uri:
        settings["messages"].append(
            {"type": "LtiDeepLinkingRequest", "target_link_uri": tool.deep_linking_uri}
        )
    if tool.custom:
        settings["custom_parameters"] = tool.custom
    return {
        "client_id": tool.client_id,
        "client_name": tool.name,
        "application_type": "web",
        "grant_types": ["client_credentials", "implicit"],
        "response_types": ["id_token"],
        "initiate_login_uri": tool.login_uri,
        "redirect_uris": tool.redirect_uris,
        "jwks_uri": tool.jwks_uri,
        "logo_uri": tool.icon_uri,
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        TOOL: settings,
    }
