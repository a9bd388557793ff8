"""What endpoints have in common: who is signed in, error pages, forms that post themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, g, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from demo.model import Person, SignIn, Tool
from demo.state import platform

COOKIE = "MoodleSession"


class PageError(Exception):
    """Ends on an error page, with Moodle's 404, and a code that is its language string."""

    def __init__(self, code: str, message: str, status: int = 404) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class ServiceError(Exception):
    """Ends a service call with a status and a reason, as JSON."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def _page(error: PageError) -> tuple[str, int]:
    return render_template("error.html", code=error.code, message=error.message), error.status


def _service(error: ServiceError) -> Response:
    response = jsonify(
        status=error.status,
        reason=error.reason,
        request={
            "method": request.method,
            "url": request.url,
            "accept": request.headers.get("Accept", ""),
            "contentType": request.headers.get("Content-Type", ""),
        },
    )
    if error.status == 0:
        response.status = "0 " + (error.reason or "Error")
    else:
        response.status_code = error.status
    return response


ERRORS: tuple[tuple[type[Exception], Callable[..., Any]], ...] = (
    (PageError, _page),
    (ServiceError, _service),
)


def session() -> SignIn | None:
    """Return the browser's session."""
    return platform().sessions.get(request.cookies.get(COOKIE, ""))


def signed_in() -> Person | None:
    """Return who is signed in."""
    found = session()
    return platform().state.people.get(found.user_id) if found else None


def sign_in_as(user_id: int, response: BaseResponse) -> BaseResponse:
    """Make the browser this person's; the session is kept if it is theirs already."""
    found = session()
    if found is None or found.user_id != user_id:
        secret = platform().sign_in(user_id)
        # Lax, as Moodle without HTTPS: a tool's cross-site post comes without it.
        response.set_cookie(COOKIE, secret, httponly=True, samesite="Lax")
    return response


def act_as() -> BaseResponse | None:
    """Sign in the person of ``?as=`` and come back without it; ``None`` if there is none."""
    wanted = request.args.get("as", "")
    if not wanted:
        return None
    people = platform().state.people
    if not wanted.isdigit() or int(wanted) not in people:
        raise PageError("invaliduser", "There is no such person.")
    rest = request.args.to_dict()
    rest.pop("as")
    query = "&".join(f"{key}={value}" for key, value in rest.items())
    target = request.path + (f"?{query}" if query else "")
    return sign_in_as(int(wanted), redirect(target, 303))


def require_person() -> Person:
    """Return who is signed in, or end on a page that says to choose somebody."""
    person = signed_in()
    if person is None:
        raise PageError("requireloginerror", "Nobody is signed in. Choose a person first.", 403)
    return person


def require_administrator(*, sesskey: bool = False) -> Person:
    """Return the site administrator who is signed in; with ``sesskey`` also check the form's."""
    person = require_person()
    if not person.site_admin:
        raise PageError("nopermissions", "Only a site administrator may do this.", 403)
    if sesskey:
        require_sesskey()
    return person


def require_sesskey() -> None:
    """Check that a form or address was made for this session."""
    found = session()
    if found is None or request.values.get("sesskey") != found.sesskey:
        raise PageError("invalidsesskey", "Your session has timed out. Open the page again.", 403)


def auto_post(action: str, fields: Mapping[str, str], *, form_id: str) -> Response:
    """Return a page whose form posts itself."""
    return make_response(
        render_template("auto_post.html", action=action, fields=fields, form_id=form_id)
    )


def repost() -> Response:
    """Post the same request again from this site, so that the browser sends its cookie."""
    fields = {**request.form.to_dict(), "repost": "true"}
    return auto_post(request.full_path.rstrip("?"), fields, form_id="repostform")


def authorise(*scopes: str) -> Tool:
    """Return the tool whose bearer token holds one of ``scopes``; raises :class:`ServiceError`."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    held = platform().token(bearer.strip()) if kind.lower() == "bearer" else None
    if held is None:
        raise ServiceError(401, "Unauthorized")
    tool = platform().state.tools.get(held.tool_id)
    # A service that was switched off after the token was made is off at once.
    allowed = set(held.scopes) & set(tool.permitted_scopes() if tool else [])
    if tool is None or not allowed & set(scopes):
        raise ServiceError(401 if platform().quirks.missing_scope_is_401 else 403, "Unauthorized")
    if tool.state == "pending" and not platform().quirks.pending_tools_work:
        raise ServiceError(403, "The tool is not active")
    g.tool = tool
    return tool


def whole_number(name: str) -> int:
    """Return a query parameter as PHP would read it: 0 if it is missing or no number."""
    value = request.args.get(name, "0")
    return int(value) if value.lstrip("-").isdigit() else 0
