"""What platforms and browsers reach under ``/lti``: login, launch, key set, registration.

How the browser is bound to a sign-in, best first: a cookie; the platform's post-message storage;
a window of its own, where the cookie is first-party. A platform's login hint may work only once
(Moodle's does), so whether the cookie comes back is tried before anyone goes there.
"""

from __future__ import annotations

import re

import structlog
from flask import Blueprint, g, jsonify, make_response, redirect, render_template, request
from flask.wrappers import Response
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from lti_tool.core.errors import NagaError
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.launch import AcceptedLaunch
from lti_tool.lti.login import COOKIE, PARAMETERS, STORAGE, LoginTicket, cookie_name
from lti_tool.lti.registrations import origin_of
from lti_tool.web import home, security
from lti_tool.web.sessions import enter_launch, open_launch, set_cookie
from lti_tool.web.viewer import Viewer, viewer
from lti_tool.wiring import services

log = structlog.get_logger(__name__)

SEEN_COOKIE = "__Host-naga-seen"
_SEEN_SECONDS = 30 * 24 * 3600
_LOGIN_SECONDS = 600
_MAX_LOGIN = 64 * 1024
_MAX_LAUNCH = 256 * 1024
_KEYS_SECONDS = 3600
_ERROR_CODE = re.compile(r"[a-z_]{1,50}")

blueprint = Blueprint("lti", __name__, url_prefix="/lti")


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response:
    """Begin a sign-in at the platform's request."""
    _limit("lti.login")
    try:
        params = _login_parameters()
        ticket = services().logins.begin(params)
    except LaunchError as error:
        raise _recorded(error) from error
    # On a page of its own the cookie is first-party; the marker shows that cookies came back
    # before, in this very frame.
    sure = request.headers.get("Sec-Fetch-Dest") == "document" or SEEN_COOKIE in request.cookies
    if sure:
        return _to_platform(ticket)
    return _bound(_redirect(f"/lti/login/continue/{ticket.state}"), ticket)


@blueprint.get("/login/continue/<state>")
def login_continue(state: str) -> Response:
    """Go on to the platform if the cookie came back, else try the next rung."""
    _limit("lti.login")
    logins = services().logins
    try:
        ticket = logins.resume(state=state, binding_secret=request.cookies.get(cookie_name(state)))
    except LaunchError as error:
        if error.code == "binding_missing":
            return _without_cookies(state)
        raise _recorded(error) from error
    response = _to_platform(ticket)
    _mark_seen(response)
    return response


@blueprint.get("/login/window/<state>")
def login_window(state: str) -> Response:
    """The same sign-in again, in a window of its own."""
    _limit("lti.login")
    try:
        ticket = services().logins.restart(state=state)
    except LaunchError as error:
        raise _recorded(error) from error
    return _to_platform(ticket)


@blueprint.post("/launch")
def launch() -> Response:
    """Judge the platform's answer; on success show the person their page."""
    _limit("lti.launch")
    try:
        form = _form(_MAX_LAUNCH)
    except LaunchError as error:
        raise _recorded(error) from error
    state = form.get("state", "")
    if "error" in form:
        raise _recorded(_platform_error(form), state=state)
    secret, binding = request.cookies.get(cookie_name(state)), COOKIE
    # From a page of ours only: a stranger's could hand over the secret of a sign-in of its own, to
    # sign a person in as somebody else.
    if secret is None and form.get("binding_secret") and security.sent_by_own_page():
        secret, binding = form["binding_secret"], STORAGE
    elif secret is None and form.get("id_token"):
        pending = services().logins.peek(state=state) if state else None
        if pending is not None and pending.binding == STORAGE:
            security.allow_form_target(pending.platform_origin)
            return _page(
                "lti/storage_get.html",
                state=state,
                id_token=form["id_token"],
                key=_storage_key(state),
                target=pending.storage_target,
                origin=pending.platform_origin,
            )
    accepted = services().launches.accept(
        state=state,
        id_token=form.get("id_token", ""),
        binding_secret=secret,
        binding=binding,
    )
    if binding == STORAGE:
        return _arrive_without_cookies(accepted)
    response = _first_page(accepted)
    response.delete_cookie(
        cookie_name(state), secure=True, httponly=True, samesite="None", partitioned=True
    )
    _mark_seen(response)
    return response


@blueprint.get("/keys")
def keys() -> Response:
    """The public keys that platforms check our signatures with."""
    response: Response = jsonify(services().tool_keys.public_keyset())
    # Well below the time that a key is published before it signs.
    response.headers["Cache-Control"] = f"public, max-age={_KEYS_SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/register")
def register() -> Response:
    """Dynamic Registration: the platform's administrator has pasted an invitation."""
    _limit("lti.register")
    registration = services().dynamic_registration.register(
        request.args.get("invite", ""),
        request.args.get("openid_configuration", ""),
        request.args.get("registration_token"),
    )
    return _page(
        "lti/registered.html", registration=registration, origin=origin_of(registration.issuer)
    )


@blueprint.after_request
def _framing(response: Response) -> Response:
    """Let pages that say why something failed be read in the frame where it failed.

    Whoever frames them is not yet, or no longer, one of our platforms; there is nothing on these
    pages that a click could be stolen for.
    """
    if response.mimetype != "text/html":
        return response
    ancestors: list[str] | None = None
    # With a viewer it is the page of an accepted launch, and has links of its own.
    if response.status_code >= 400 and "viewer" not in g:
        ancestors = ["*"]
    elif request.endpoint == "lti.register":
        ancestors = [origin_of(request.args.get("openid_configuration", ""))]
    if ancestors is not None:
        response.headers["Content-Security-Policy"] = security.content_security_policy(
            ancestors, nonce=security.csp_nonce()
        )
    return response


def _login_parameters() -> dict[str, str]:
    values = _form(_MAX_LOGIN) if request.method == "POST" else request.args
    for name in PARAMETERS:
        if len(values.getlist(name)) > 1:
            raise LaunchError(
                "login_parameter_invalid",
                field=name,
                detail=f"The login parameter {name} was sent twice.",
            )
    return {name: values[name] for name in PARAMETERS if name in values}


def _form(limit: int) -> MultiDict[str, str]:
    if request.content_length is not None and request.content_length > limit:
        raise LaunchError("launch_too_large")
    request.max_content_length = limit
    try:
        return request.form
    except RequestEntityTooLarge as error:
        raise LaunchError("launch_too_large") from error


def _platform_error(form: MultiDict[str, str]) -> LaunchError:
    code = form["error"]
    if not _ERROR_CODE.fullmatch(code):
        code = "unknown"
    return LaunchError(
        "platform_error", detail=f"The platform refused to sign you in ({code}).", error=code
    )


def _recorded(error: LaunchError, *, state: str = "") -> LaunchError:
    """The error, once its record is written."""
    registration_id = error.context.get("registration_id")
    pending = services().logins.peek(state=state) if state else None
    if pending is not None:
        registration_id = pending.registration_id
    services().launches.refuse(error, registration_id=registration_id)
    return error


def _without_cookies(state: str) -> Response:
    """The next rungs: the platform's storage if it has one, else a window of its own."""
    logins = services().logins
    pending = logins.peek(state=state)
    if pending is None:
        raise _recorded(LaunchError("state_unknown", field="state"))
    # The window's answer is a redirect to the platform, which a form's target must allow.
    security.allow_form_target(pending.platform_origin)
    if pending.storage_target is None:
        return _page("lti/window.html", state=state, origin=pending.platform_origin)
    ticket = logins.use_storage(state=state)
    return _page(
        "lti/storage_put.html",
        state=state,
        ticket=ticket,
        key=_storage_key(state),
        origin=ticket.platform_origin,
    )


def _storage_key(state: str) -> str:
    return f"naga_{state[:8]}"


def _first_page(accepted: AcceptedLaunch) -> Response:
    """The launch's own page: a redirect to it would cost a slow network another round trip."""
    enter_launch(accepted)
    address = f"/l/{accepted.launch.reference}/"
    # The page's script puts this where the browser shows the launch's address, so that loading
    # the page again does not send the launch again.
    g.page_address = address
    try:
        response = make_response(_page_of(accepted))
    except NagaError:
        # There it says what is wrong, and can be loaded again when that is mended.
        return _redirect(address, 303)
    if response.status_code == 302:
        response.status_code = 303
    return response


def _page_of(accepted: AcceptedLaunch) -> str | BaseResponse:
    with services().database.snapshot():
        if not _to_be_linked(accepted, viewer()):
            return home.page()
    # What is linked now was not there in that snapshot.
    _recognise(accepted)
    del g.viewer
    return home.page()


def _arrive_without_cookies(accepted: AcceptedLaunch) -> Response:
    """A page that carries the session on in a header, as no cookie can be relied on here."""
    _recognise(accepted)
    settings = accepted.claims.deep_linking
    if settings is not None:
        security.allow_form_target(origin_of(settings.deep_link_return_url))
    reference = accepted.launch.reference
    response = Response(mimetype="text/html")
    token = open_launch(response, reference, accepted.secret)
    response.set_data(render_template("lti/continue.html", home=f"/l/{reference}/", token=token))
    return response


def _to_be_linked(accepted: AcceptedLaunch, who: Viewer) -> bool:
    """Whether the launch names a person or a course that no link leads to yet."""
    claims = accepted.claims
    return bool(
        (claims.person_sourcedid and who.found_person is None)
        or (claims.section_sourcedid and not who.class_keys)
    )


def _recognise(accepted: AcceptedLaunch) -> None:
    """Link person and course by the identifiers that came with the launch, where that is allowed.

    What cannot be linked is no failure of the launch: the page says what is missing.
    """
    claims, registration = accepted.claims, accepted.registration
    try:
        if registration.sourcedid_trusted and claims.person_sourcedid:
            services().people.recognise(
                registration,
                subject=claims.sub,
                sourced_id=claims.person_sourcedid,
                sourcedid_trusted=True,
            )
        if claims.context is not None and claims.section_sourcedid:
            services().courses.recognise(
                registration, context_id=claims.context.id, sourced_id=claims.section_sourcedid
            )
    except NagaError as error:
        log.warning(
            "launch.not_recognised",
            reference=accepted.launch.reference,
            code=error.code,
            detail=error.detail,
        )


def _to_platform(ticket: LoginTicket) -> Response:
    return _bound(_redirect(ticket.redirect_url), ticket)


def _bound(response: Response, ticket: LoginTicket) -> Response:
    set_cookie(response, ticket.cookie_name, ticket.binding_secret, max_age=_LOGIN_SECONDS)
    return response


def _mark_seen(response: Response) -> None:
    set_cookie(response, SEEN_COOKIE, "1", max_age=_SEEN_SECONDS)


def _redirect(location: str, code: int = 302) -> Response:
    return redirect(location, code, Response)  # type: ignore[return-value]


def _page(template: str, **context: object) -> Response:
    return Response(render_template(template, **context))


def _limit(rule: str) -> None:
    wired = services()
    wired.rate_limiter.hit(rule, wired.settings.launch_rate_limit, request.remote_addr or "?")
