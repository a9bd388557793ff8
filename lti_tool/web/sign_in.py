"""Signing in with the school account: to use the tool itself, or to connect a launch's account.

To use the tool: at ``/sign-in``, or from the administration. A launch's: from the page that says
that the account is not connected.

Identity providers refuse frames, so the sign-in has a window of its own. A browser that keeps the
cookies of frames apart does not show it the launch's session; so the page in the frame hands it a
signed ticket, in a form that only a page of ours can send. Nobody can be led into connecting their
person to somebody else's account.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

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
from lti_tool.identity.rights import ADMINISTRATION, OWN, rights_of
from lti_tool.identity.sign_in import CALLBACK_PATH, LOGOUT_PATH, SignIns, cookie_name
from lti_tool.identity.sign_in_errors import (
    AGAIN,
    SignInNotOpenError,
    SignInOffError,
    SignInTokenError,
)
from lti_tool.lti.registrations import origin_of
from lti_tool.web import reasons, security
from lti_tool.web.errors import on_naga_error, wants_problem
from lti_tool.web.sessions import found_own, set_cookie, start_own
from lti_tool.web.viewer import PersonUnknownError, in_course, viewer
from lti_tool.wiring import services

_SECONDS = 600
_MAX_ONWARD = 500

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


@window.get("/")
def front() -> Response:
    """Where somebody comes who knows the tool's name alone, or from the provider's own list."""
    return redirect(url_for("sign_in.page"))


@window.get("/sign-in")
def page() -> str | Response:
    """The way in without a launch; who is in already goes on."""
    if services().signing_in is None:
        raise _off()
    onward = local(request.args.get("onward", ""))
    who = found_own()
    if who is not None:
        return redirect(landing(who.roles, onward))
    return render_template("sign_in/page.html", onward=onward)


@window.post("/sign-in")
def begin() -> Response:
    """Begin: for the launch that a ticket names, in a window of its own, else to use the tool."""
    if "ticket" not in request.form:
        return begin_sign_in(onward=request.form.get("onward", ""))
    sign_in = _enabled().sign_ins
    try:
        reference = _tickets().loads(request.form.get("ticket", ""))
    except BadSignature:
        reference = None
    if not isinstance(reference, str) or not security.sent_by_own_page():
        raise SignInNotOpenError("It did not begin on a page of this tool.", remedy=AGAIN)
    return _leave(sign_in, reference)


def begin_sign_in(*, step_up: bool = False, onward: str = "") -> Response:
    """Begin a sign-in to use the tool; ``onward`` is the page that was wanted."""
    if not security.sent_by_own_page():
        raise SignInNotOpenError("It did not begin on a page of this tool.", remedy=AGAIN)
    return _leave(_enabled().sign_ins, None, step_up=step_up, onward=local(onward))


def local(onward: str) -> str:
    """A page of the tool's own that somebody may be sent on to, else ``""``: an address that came
    from outside leads nowhere else."""
    parts = urlsplit(onward) if onward.isprintable() and len(onward) <= _MAX_ONWARD else None
    if parts is None or parts.scheme or parts.netloc or "\\" in onward:
        return ""
    return onward if _area(parts.path) and ".." not in parts.path.split("/") else ""


def _area(path: str) -> str:
    return next((own for own in ("/admin", "/my") if path == own or path.startswith(own + "/")), "")


def wanted() -> str:
    """The page that this request is about: where somebody goes on to once they have signed in."""
    if request.method == "GET":
        return local(request.full_path.rstrip("?"))
    parts = urlsplit(request.referrer or "")
    if origin_of(request.referrer or "") != origin_of(services().settings.public_url):
        return ""
    return local(parts.path + (f"?{parts.query}" if parts.query else ""))


def landing(roles: Iterable[str], onward: str = "") -> str:
    """Where somebody with these roles goes: to the page that they wanted, if it may be theirs."""
    rights = rights_of(roles)
    mine = {"/admin": rights & ADMINISTRATION, "/my": rights & OWN}
    if mine.get(_area(urlsplit(onward).path)):
        return onward
    return url_for("admin.index" if rights & ADMINISTRATION else "own.index")


def _leave(
    sign_in: SignIns, reference: str | None, *, step_up: bool = False, onward: str = ""
) -> Response:
    ticket = sign_in.begin(reference, step_up=step_up, onward=onward)
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
    cookie = cookie_name(state)
    finished = sign_in.finish(
        state=state,
        code=request.args.get("code", ""),
        secret=request.cookies.get(cookie),
        error=request.args.get("error"),
    )
    begun = finished.session
    if begun is not None:
        response = redirect(landing(begun.roles, begun.onward), code=303)
        start_own(response, begun.secret, begun.expires_at)
    else:
        response = Response(render_template("sign_in/done.html"), mimetype="text/html")
    set_cookie(response, cookie, "", max_age=0)
    return response


@window.post(LOGOUT_PATH)
def log_out() -> Response:
    """The provider says that somebody signed out there, or was signed out (back channel)."""
    answer: dict[str, object] = {}
    parts = services().signing_in
    if parts is None:
        raise _off()
    try:
        parts.sessions.end_by(request.form.get("logout_token", ""))
    except SignInTokenError as error:
        # All that hold come from one address, a school's worth at closing time, and none comes
        # again: only what does not hold is counted.
        _limit()
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
    parts = services().signing_in
    if parts is None:
        raise _off()
    _limit()
    return parts


def _limit() -> None:
    wired = services()
    wired.rate_limiter.hit("sign_in", wired.settings.launch_rate_limit, request.remote_addr or "?")


def _off() -> SignInOffError:
    return SignInOffError(
        "No sign-in is set up for this tool.",
        remedy="Open the tool from your course in Moodle.",
    )


def _tickets() -> URLSafeSerializer:
    config = current_app.config
    keys = [*reversed(config["SECRET_KEY_FALLBACKS"]), config["SECRET_KEY"]]
    return URLSafeSerializer(keys, salt="naga.sign-in")
