"""Sessions by path: each launch has its own under ``/l/<reference>``; people who signed in to the
tool itself have one at ``/admin`` and ``/my``.

The cookie of a launch is signed and scoped to the path, so that two courses open in two tabs, or
two embedded links on one page, never take each other's session. Where a browser blocks cookies in
frames, the page hands the same signed value back in the header ``X-Naga-Session``. What the cookie
proves is judged by the database at each request: a disabled platform's sessions end at once.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Request, current_app, g, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from lti_tool.core.errors import NagaError
from lti_tool.identity.admin_sessions import AdminSession
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.launch import AcceptedLaunch
from lti_tool.lti.launch_sessions import LaunchSession
from lti_tool.wiring import services

LAUNCH_COOKIE = "__Secure-naga-launch"
# Pages of the tool itself stand in nobody's frame. Lax: it comes along when the identity provider,
# or a link in a message, leads here, and with no form, frame or script of another site. One for all
# of them, as it is one session with all its rights: the path of a cookie keeps no page of the same
# origin from another, while "__Host-" (which needs the whole origin) keeps neighbours in the domain
# from setting one.
OWN_COOKIE = "__Host-naga-signed-in"
HEADER = "X-Naga-Session"
LOCATION_HEADER = "X-Naga-Location"
_OWN_PATHS = ("/admin", "/my", "/sign-in")
_LAUNCH_PREFIX = "/l/"
_SECRET = "secret"  # noqa: S105 - the name of a member, not a secret
_REFERENCE = "reference"
_CSRF = "csrf_token"


class AdminSessionError(NagaError):
    """Nobody is signed in here, or not any more."""

    code = "admin_session_missing"
    status = 401
    title = "You are not signed in"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a session holds: its cookie and path. ``reference`` is ``None`` without a launch."""

    cookie: str
    path: str
    reference: str | None


class ScopedSession(SecureCookieSession):
    """Flask's session, knowing where it holds. Without a scope it is forgotten at once."""

    scope: Scope | None = None
    by_header = False


class ScopedSessions(SecureCookieSessionInterface):
    """Opens and saves the session of the path that is asked for."""

    session_class = ScopedSession

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The serializer, made once: the app's keys stay as they are while it runs."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def open_session(self, app: Flask, request: Request) -> ScopedSession:
        """Return the session that the cookie or header proves, else an empty one."""
        scope = scope_of(request.path)
        value = None
        by_header = False
        if scope is not None:
            if scope.reference is not None:
                value = request.headers.get(HEADER)
                by_header = value is not None
            value = value or request.cookies.get(scope.cookie)
        opened = ScopedSession(self._load(app, scope, value) if value and scope else None)
        opened.scope = scope
        opened.by_header = by_header
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie if the session was changed; one in a header goes back in a header."""
        if not isinstance(session, ScopedSession) or session.scope is None:
            return
        response.vary.add("Cookie")
        if not session.modified:
            return
        scope = session.scope
        if session.by_header:
            response.headers[HEADER] = self.dump(app, session)
            if "Location" in response.headers:
                # A script never sees a redirect that its browser follows, and it would be followed
                # with the former session: the page is told where to go, and goes with this one.
                response.headers[LOCATION_HEADER] = response.headers.pop("Location")
                response.status_code = 200
            return
        if not session:
            _delete_cookie(response, scope)
            return
        if scope.reference is not None:
            session[_REFERENCE] = scope.reference
            set_cookie(response, scope.cookie, self.dump(app, session), path=scope.path)
        else:
            _set_own(response, self.dump(app, session))

    def dump(self, app: Flask, content: Mapping[str, object]) -> str:
        """Sign a session's content."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:  # pragma: no cover - create_app always sets the key
            raise RuntimeError("SECRET_KEY is not set")
        return str(serializer.dumps(dict(content)))

    def _load(self, app: Flask, scope: Scope, value: str) -> dict[str, object] | None:
        serializer = self.get_signing_serializer(app)
        try:
            content = serializer.loads(value) if serializer is not None else None
        except BadSignature:
            return None
        # A value signed for one launch says nothing about another.
        if not isinstance(content, dict) or content.get(_REFERENCE) != scope.reference:
            return None
        return content


def init_app(app: Flask) -> None:
    """Give the app sessions by path."""
    app.session_interface = ScopedSessions()


def scope_of(path: str) -> Scope | None:
    """Return where the session of a path holds, or ``None`` where there are no sessions."""
    if path.startswith(_LAUNCH_PREFIX):
        reference = path[len(_LAUNCH_PREFIX) :].split("/", 1)[0]
        if reference.isalnum() and reference.isascii():
            return Scope(LAUNCH_COOKIE, _LAUNCH_PREFIX + reference, reference)
    return _OWN if is_own(path) else None


_OWN = Scope(OWN_COOKIE, "/", None)


def is_own(path: str) -> bool:
    """Whether a path is one of the tool's own pages: of the administration, of people, of signing
    in. Nobody frames them."""
    return any(path == own or path.startswith(own + "/") for own in _OWN_PATHS)


def set_cookie(
    response: Response, name: str, value: str, *, path: str = "/", max_age: int | None = None
) -> None:
    """Set a cookie as those of launches are: it must work in a frame on another site, and only
    there."""
    response.set_cookie(
        name,
        value,
        path=path,
        max_age=max_age,
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )


def open_launch(response: Response, reference: str, secret: str) -> str:
    """Put the session of a launch just accepted into its cookie; returns the value for a header."""
    value = _interface().dump(current_app, _content(reference, secret))
    set_cookie(response, LAUNCH_COOKIE, value, path=_LAUNCH_PREFIX + reference)
    return value


def enter_launch(accepted: AcceptedLaunch) -> None:
    """Make this very request one of the session that a launch just accepted is.

    Its answer sets the session's cookie; what has just been judged is not read again.
    """
    reference = accepted.launch.reference
    if isinstance(session, ScopedSession):
        session.scope = Scope(LAUNCH_COOKIE, _LAUNCH_PREFIX + reference, reference)
    session.update(_content(reference, accepted.secret))
    g.launch_session = LaunchSession(accepted.launch, accepted.registration)


def _content(reference: str, secret: str) -> dict[str, str]:
    # The seed of form tokens is there from the start: a page without cookies could not keep it.
    return {_REFERENCE: reference, _SECRET: secret, _CSRF: secrets.token_hex(20)}


def current_launch() -> LaunchSession:
    """Return the launch session of this request, read once.

    Raises:
        LaunchError: ``session_missing``, ``session_expired``, ``session_foreign``,
            ``registration_disabled`` or ``deployment_disabled``.
    """
    found: LaunchSession | None = g.get("launch_session")
    if found is not None:
        return found
    scope = getattr(session, "scope", None)
    secret = session.get(_SECRET)
    if scope is None or scope.reference is None or not isinstance(secret, str):
        raise LaunchError("session_missing")
    launches = services().launches
    found = launches.session(scope.reference, secret)
    if found is None:
        error = launches.session_problem(scope.reference, secret)
        error.reference = scope.reference
        raise error
    g.launch_session = found
    return found


def start_own(response: Response, secret: str, expires_at: dt.datetime) -> None:
    """Keep the secret of a session that has begun; the one that this browser had before ends."""
    before = session.get(_SECRET)
    if isinstance(before, str):
        services().admin_sessions.end(before)
    content = {_SECRET: secret, _CSRF: secrets.token_hex(20)}
    seconds = (expires_at - services().clock.now()).total_seconds()
    _set_own(response, _interface().dump(current_app, content), max_age=max(int(seconds), 0))
    # What was in the session before signing in must not be saved over it.
    session.modified = False


def provider_sign_out(*, back_to: str) -> str | None:
    """Where this session goes on to sign out at its identity provider, if it came from there."""
    secret, parts = session.get(_SECRET), services().signing_in
    if not isinstance(secret, str) or parts is None:
        return None
    return parts.sessions.sign_out_url(secret, back_to=back_to)


def end_own(response: Response) -> None:
    """End the session, in the database and in the browser."""
    secret = session.get(_SECRET)
    if isinstance(secret, str):
        services().admin_sessions.end(secret)
    _delete_cookie(response, _OWN)
    session.clear()
    session.modified = False
    g.pop("admin_session", None)


def found_own() -> AdminSession | None:
    """Who is signed in to the tool itself, read once a request; ``None``: nobody."""
    found: AdminSession | None = g.get("admin_session")
    if found is not None:
        return found
    scope = getattr(session, "scope", None)
    secret = session.get(_SECRET)
    if scope is not None and scope.reference is None and isinstance(secret, str):
        found = g.admin_session = services().admin_sessions.session(secret)
    return found


def current_admin() -> AdminSession:
    """Who is signed in; raises :class:`AdminSessionError`."""
    found = found_own()
    if found is None:
        raise AdminSessionError(
            "Nobody is signed in here, or the session has ended.",
            remedy="Sign in again: with your school account at /admin/sign-in, or by a new link "
            "(`nagasis admin sign-in-link`).",
        )
    return found


def _interface() -> ScopedSessions:
    interface = current_app.session_interface
    if not isinstance(interface, ScopedSessions):  # pragma: no cover - init_app has set it
        raise TypeError("sessions.init_app was not called")
    return interface


def _set_own(response: Response, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(
        OWN_COOKIE, value, max_age=max_age, secure=True, httponly=True, samesite="Lax"
    )


def _delete_cookie(response: Response, scope: Scope) -> None:
    framed = scope.reference is not None
    response.delete_cookie(
        scope.cookie,
        path=scope.path,
        secure=True,
        httponly=True,
        samesite="None" if framed else "Lax",
        partitioned=framed,
    )
