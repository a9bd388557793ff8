"""What every page carries for its safety: CSP with a nonce, framing, referrer, caching, CSRF."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.lti.registrations import origin_of
from lti_tool.web.sessions import is_own
from lti_tool.wiring import services

csrf = CSRFProtect()

_PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)


def init_app(app: Flask) -> None:
    """Add the headers to every answer and CSRF protection to every form."""
    app.config.setdefault("WTF_CSRF_HEADERS", ["X-CSRFToken"])
    # The token lives as long as the session whose cookie carries its seed.
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)
    csrf.init_app(app)
    app.after_request(_add_headers)
    app.jinja_env.globals["csp_nonce"] = csp_nonce


def csp_nonce() -> str:
    """The nonce of this answer's own inline scripts, made when a template first asks for it."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def sent_by_own_page() -> bool:
    """Whether this form came from a page of ours; no page of a stranger can forge these headers."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin") == origin_of(services().settings.public_url)


def allow_form_target(origin: str) -> None:
    """Let a form on this page post to ``origin``: a deep link's answer goes to the platform."""
    g.setdefault("csp_form_targets", []).append(origin)


def content_security_policy(
    frame_ancestors: Iterable[str], *, nonce: str | None, form_targets: Iterable[str] = ()
) -> str:
    """Build the policy: everything from this origin alone, framed only by the platforms.

    ``form-action`` is left open to ``form_targets`` only; a redirect after a form counts too.
    """
    script = "'self'" if nonce is None else f"'self' 'nonce-{nonce}'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {script}",
            "style-src 'self'",
            # Bootstrap draws its check marks and arrows from data: addresses.
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            " ".join(("form-action 'self'", *sorted(set(form_targets)))),
            " ".join(("frame-ancestors 'self'", *sorted(frame_ancestors))),
        )
    )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # The CSRF check of a form needs to know that it came from here; nobody else needs anything.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", _PERMISSIONS)
    if request.endpoint == "web.static":
        return response
    headers.setdefault("Cache-Control", "no-store")
    if response.mimetype == "text/html" and "Content-Security-Policy" not in headers:
        headers["Content-Security-Policy"] = content_security_policy(
            # Nobody frames the tool's own pages: their buttons are worth stealing.
            () if is_own(request.path) else _platforms(),
            nonce=g.get("csp_nonce"),
            form_targets=g.get("csp_form_targets", ()),
        )
    return response


def _platforms() -> frozenset[str]:
    try:
        return services().registrations.launch_url_origin_list()
    except SQLAlchemyError:
        # The page says that the database is away; nobody may frame it meanwhile.
        return frozenset()
