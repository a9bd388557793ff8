"""Signing in with the school account: to connect the account of a launch, or to the administration.

A launch's: from the page that says that the account is not connected.

Identity providers refuse frames, so the sign-in has a window of its own. A browser that keeps the
cookies of frames apart does not show it the launch's session; so the page in the frame hands it a
signed ticket, in a form that only a page of ours can send. Nobody can be led into connecting their
person to somebody else's account.
"""

from __future__ import annotations

import json

from flask import (
    Blueprint,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from lti_tool.identity.assembly import SignInParts
from lti_tool.identity.sign_in import CALLBACK_PATH, LOGOUT_PATH, SignIns, cookie_name
from lti_tool.identity.sign_in_errors import (
    AGAIN,
    SignInDeniedError,
    SignInNotOpenError,
    SignInOffError,
    SignInTokenError,
)
from lti_tool.web import reasons, security
from lti_tool.web.errors import on_naga_error, wants_problem
from lti_tool.web.sessions import set_cookie, start_admin
from lti_tool.web.viewer import PersonUnknownError, in_course, viewer
from lti_tool.wiring import services

_SECONDS = 600

window = Blueprint("sign_in", __name__)
course = in_course(Blueprint("sign_in_course", __name__, url_prefix="/l/<reference>"))
blueprints = (window, course)


@window.app_errorhandler(PersonUnknownError)
def offer(error: PersonUnknownError) -> Response:
    """The page of an account that is not connected; with the button, where it can work."""
    reference = error.context.get("reference")
    if services().signing_in is None or wants_problem() or "HX-Request" in request.headers:
        return on_naga_error(error)
    page = render_template(
        "sign_in/offer.html",
        told=reasons.explain(error.code),
        reference=reference,
        ticket=_tickets().dumps(reference),
    )
    return Response(page, status=error.status, mimetype="text/html")


@course.get("/sign-in")
def progress() -> Response:
    """Asked by the page in the course, until the account is connected: then it goes on."""
    who = viewer()
    home = url_for("home.index")
    if "HX-Request" not in request.headers:
        return redirect(home)
    if who.found_person is None:
        return Response(status=204)
    if not getattr(session, "by_header", False):
        return Response(headers={"HX-Redirect": home})
    # A page without cookies lives in its scripts: it takes the next page in, whole.
    place = {"path": home, "headers": {"HX-Boosted": "true"}}
    return Response(headers={"HX-Location": json.dumps(place)})


@window.post("/sign-in")
def begin() -> Response:
    """Begin, in a window of its own."""
    sign_in = _enabled().sign_ins
    try:
        reference = _tickets().loads(request.form.get("ticket", ""))
    except BadSignature:
        reference = None
    if not isinstance(reference, str) or not security.sent_by_own_page():
        raise SignInNotOpenError("It did not begin on a page of this tool.", remedy=AGAIN)
    return _leave(sign_in, reference)


def begin_sign_in(*, anew: bool) -> Response:
    """Begin a sign-in to the administration."""
    if not security.sent_by_own_page():
        raise SignInNotOpenError("It did not begin on a page of this tool.", remedy=AGAIN)
    return _leave(_enabled().sign_ins, None, anew=anew)


def _leave(sign_in: SignIns, reference: str | None, *, anew: bool = True) -> Response:
    ticket = sign_in.begin(reference, anew=anew)
    # A page, not a redirect: the policy of the page that sent the form would count it as a target.
    response = Response(
        render_template("sign_in/leave.html", url=ticket.redirect_url), mimetype="text/html"
    )
    set_cookie(response, ticket.cookie_name, ticket.secret, max_age=_SECONDS)
    return response


# Its window has no session yet; the ticket is what protects it.
security.csrf.exempt(begin)


@window.get(CALLBACK_PATH)
def finish() -> Response:
    """The provider's answer."""
    sign_in = _enabled().sign_ins
    state = request.args.get("state", "")
    if "error" in request.args:
        raise SignInDeniedError(
            "The school's sign-in did not sign you in. Nothing was changed.", remedy=AGAIN
        )
    cookie = cookie_name(state)
    finished = sign_in.finish(
        state=state,
        code=request.args.get("code", ""),
        secret=request.cookies.get(cookie),
    )
    if finished.session is not None:
        response = redirect(url_for("admin.index"), code=303)
        start_admin(response, *finished.session)
    else:
        response = Response(render_template("sign_in/done.html"), mimetype="text/html")
    set_cookie(response, cookie, "", max_age=0)
    return response


@window.post(LOGOUT_PATH)
def log_out() -> Response:
    """The provider says that somebody signed out there, or was signed out (back channel)."""
    answer: dict[str, object] = {}
    try:
        _enabled().sessions.end_by(request.form.get("logout_token", ""))
    except SignInTokenError as error:
        # In the words of OpenID Connect Back-Channel Logout 1.0, 2.8.
        answer = {"error": "invalid_request", "error_description": error.context.get("reason")}
    return Response(
        json.dumps(answer),
        status=400 if answer else 200,
        mimetype="application/json",
        headers={"Cache-Control": "no-store"},
    )


# The provider has no page of ours; its signature is what protects this.
security.csrf.exempt(log_out)


def _enabled() -> SignInParts:
    wired = services()
    if wired.signing_in is None:
        raise SignInOffError("No sign-in is set up for this tool.")
    wired.rate_limiter.hit("sign_in", wired.settings.launch_rate_limit, request.remote_addr or "?")
    return wired.signing_in


def _tickets() -> URLSafeSerializer:
    config = current_app.config
    keys = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="naga.sign-in")
