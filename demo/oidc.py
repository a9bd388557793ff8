"""Sign-in of a launch: the login request, the authentication request, keys and discovery."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, jsonify, request

from demo.answers import (
    PageError,
    act_as,
    auto_post,
    repost,
    require_person,
    session,
    signed_in,
)
from demo.id_token import build_claims
from demo.model import PendingLaunch, Person, Tool
from demo.state import Platform, platform

blueprint = Blueprint("oidc", __name__)
RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINKING = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"
STORAGE_FRAME = "lti_storage"


@blueprint.get("/mod/lti/launch.php")
def launch() -> Any:
    """Step 1: a form that posts the login request to the tool. ``?as=`` signs in first."""
    changed = act_as()
    if changed is not None:
        return changed
    host, person = platform(), require_person()
    link = host.state.links.get(request.args.get("id", 0, type=int))
    if link is None:
        raise PageError("invalidcoursemodule", "There is no such activity.")
    course, tool = host.state.courses[link.course_id], host.state.tools[link.tool_id]
    if not host.may_open(person, course):
        raise PageError("notenrolled", "You are not enrolled in this course.", 403)
    for_user = request.args.get("for_user", type=int)
    pending = host.begin_launch(
        user_id=person.id,
        tool_id=tool.id,
        course_id=course.id,
        link_id=link.id,
        message_type=SUBMISSION_REVIEW if for_user else RESOURCE_LINK,
        target_link_uri=link.url or tool.target_link_uri,
        document_target="window" if _in_window() else "iframe",
        for_user_id=for_user,
    )
    return login_request(host, tool, pending, cmid=link.cmid)


def _in_window() -> bool:
    asked = request.args.get("target") == "window"
    return asked or request.headers.get("Sec-Fetch-Dest") == "document"


def login_request(host: Platform, tool: Tool, pending: PendingLaunch, *, cmid: int) -> Response:
    """Return the page that posts the login request."""
    hint = {"cmid": cmid, "launchid": pending.launch_id}
    fields = {
        "iss": host.base_url,
        "target_link_uri": pending.target_link_uri,
        "login_hint": str(pending.user_id),
        "lti_message_hint": json.dumps(hint, separators=(",", ":")),
        "client_id": tool.client_id,
        "lti_deployment_id": tool.deployment_id,
    }
    if host.quirks.storage_frame:
        fields["lti_storage_target"] = STORAGE_FRAME
    return auto_post(tool.login_uri, fields, form_id="ltiInitiateLoginForm")


@blueprint.route("/mod/lti/auth.php", methods=["GET", "POST"])
def auth() -> Response:
    """Step 2: judge the authentication request, then post the message or an error to the tool."""
    host, person = platform(), signed_in()
    asked = request.values
    if person is None and host.quirks.repost_without_session and "repost" not in request.form:
        return repost()
    required = (
        "scope",
        "response_type",
        "client_id",
        "redirect_uri",
        "login_hint",
        "nonce",
    )
    missing = [name for name in required if not asked.get(name)]
    launch_id = _launch_id(asked.get("lti_message_hint", ""))
    error: str | None = None
    detail: str | None = None
    if missing:
        error = "invalid_request"
    elif launch_id is None:
        error, detail = "invalid_request", "No launch id in LTI hint"
    elif asked["scope"] != "openid":
        error = "invalid_scope"
    elif asked["response_type"] != "id_token":
        error = "unsupported_response_type"
    pending = host.take_launch(launch_id) if error is None and launch_id else None
    if error is None and pending is None:
        # On Moodle the launch id is a key of the session: gone after its first use.
        raise PageError("invalidrequest", "This launch was used before or has expired.")
    tool = host.state.tools[pending.tool_id] if pending else None
    if tool is None and not host.quirks.early_errors_as_page:
        tool = host.tool_of_client(asked.get("client_id", ""))
    if tool is None or asked.get("redirect_uri", "") not in [u.strip() for u in tool.redirect_uris]:
        # Without a registered address there is nobody to whom an error could be sent.
        raise PageError("invalidrequest", "The request is not valid.")
    if error is None:
        error, detail = _judge(host, tool, person)
    if error is not None or pending is None or person is None:
        fields = {"error": error or "invalid_request"}
        if detail:
            fields["error_description"] = detail
    else:
        fields = {"id_token": message(host, pending, person, nonce=asked["nonce"])}
    if "state" in asked:
        fields["state"] = asked["state"]
    if host.quirks.storage_frame:
        fields["lti_storage_target"] = STORAGE_FRAME
    return auto_post(asked["redirect_uri"], fields, form_id="ltiAuthForm")


def _launch_id(hint: str) -> str | None:
    try:
        found = json.loads(hint)["launchid"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _judge(host: Platform, tool: Tool, person: Person | None) -> tuple[str | None, str | None]:
    """Return the OIDC error of a request that came from a known launch, or ``(None, None)``."""
    asked = request.values
    mode = asked.get("response_mode")
    if asked["client_id"] != tool.client_id:
        return "unauthorized_client", None
    if tool.state == "pending" and not host.quirks.pending_tools_work:
        return "unauthorized_client", "The tool is not active"
    if person is None and not host.quirks.repost_without_session:
        return "login_required", None
    if person is None or asked["login_hint"] != str(person.id):
        return "access_denied", None
    if mode != "form_post":
        return "invalid_request", "Invalid response_mode" if mode else "Missing response_mode"
    if asked.get("prompt") not in (None, "", "none"):
        return "invalid_request", "Invalid prompt"
    return None, None


def message(host: Platform, pending: PendingLaunch, person: Person, *, nonce: str) -> str:
    """Return the signed message, after the tests had their way with it."""
    course = host.state.courses[pending.course_id]
    if not host.may_open(person, course):
        raise PageError("notenrolled", "You are not enrolled in this course.", 403)
    return_url = None
    if pending.message_type == DEEP_LINKING:
        found = session()
        sesskey = found.sesskey if found else ""
        return_url = host.url(
            f"/mod/lti/contentitem_return.php?course={course.id}&id={pending.tool_id}"
            f"&sesskey={sesskey}"
        )
    claims = build_claims(host, pending, person, nonce=nonce, deep_link_return_url=return_url)
    header: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": host.signing.active.kid}
    if host.mutate_id_token is not None:
        own = host.mutate_id_token(claims, header)
        if isinstance(own, str):
            return own
    return host.signing.sign(claims, header)


@blueprint.get("/mod/lti/certs.php")
def certs() -> Response:
    """Publish the platform's keys."""
    return jsonify(platform().signing.published())


@blueprint.get("/mod/lti/openid-configuration.php")
def openid_configuration() -> Response:
    """Discovery."""
    host = platform()
    return jsonify(configuration(host))


def configuration(host: Platform) -> dict[str, Any]:
    """Return the discovery document."""
    messages = [
        {"type": RESOURCE_LINK},
        {"type": DEEP_LINKING, "placements": ["ContentArea"]},
    ]
    ags = "https://purl.imsglobal.org/spec/lti-ags/scope/"
    return {
        "issuer": host.base_url,
        "token_endpoint": host.url("/mod/lti/token.php"),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": host.url("/mod/lti/certs.php"),
        "authorization_endpoint": host.url("/mod/lti/auth.php"),
        "registration_endpoint": host.url("/mod/lti/openid-registration.php"),
        "scopes_supported": [
            ags + "lineitem.readonly",
            ags + "result.readonly",
            ags + "score",
            ags + "lineitem",
            "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
            "openid",
        ],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {
            "product_family_code": "moodle",
            "version": "4.5.6 (Build: 20250811)",
            "messages_supported": messages,
            "variables": ["User.id", "Context.id", "ResourceLink.id", "LineItems.url"],
        },
    }
