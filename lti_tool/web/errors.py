"""What people and programs see when something is wrong: a page in plain words, or RFC 9457."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from lti_tool.core.errors import NagaError
from lti_tool.web import reasons
from lti_tool.web.i18n import gettext as _

log = structlog.get_logger(__name__)

# No letters or digits that a tired person confuses when reading them to somebody.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What an error page says, already in the reader's language."""

    status: int
    title: str
    detail: str
    remedy: str | None = None
    reference: str | None = None


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(NagaError, on_naga_error)
    app.register_error_handler(CSRFError, on_csrf_error)
    app.register_error_handler(HTTPException, on_http_error)
    app.register_error_handler(Exception, on_unexpected)


def new_reference() -> str:
    """A reference number for an error that is not a launch's."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def on_naga_error(error: NagaError) -> Response:
    """Answer an expected error."""
    given = getattr(error, "reference", None) or error.context.get("reference")
    reference = str(given) if given else new_reference()
    emit = log.error if error.status >= 500 else log.info
    emit(
        "web.error",
        code=error.code,
        status=error.status,
        reference=reference,
        detail=error.detail,
        field=error.field,
        route=request.endpoint,
    )
    if wants_problem():
        return problem(error.problem(reference=reference), error.status)
    # Not everything that is wrong is worth a call: a missing page needs no number.
    shown = reference if given or error.status >= 500 or error.status == 403 else None
    told = reasons.explain(error.code, detail=error.detail, remedy=error.remedy)
    again = _("Try again. If it happens again, ask your administrator.")
    return page(
        ErrorPage(
            error.status,
            told.title if reasons.known(error.code) else _(error.title),
            told.detail,
            told.remedy or (again if error.status >= 500 else None),
            shown,
        )
    )


def on_csrf_error(error: CSRFError) -> Response:
    """A form without its token: it was kept too long, or came from elsewhere."""
    if wants_problem():
        return problem(
            {
                "type": "urn:naga:error:csrf",
                "title": "The form is out of date",
                "status": 400,
                "detail": str(error.description),
                "code": "csrf",
            },
            400,
        )
    return page(
        ErrorPage(
            400,
            _("This form is out of date"),
            _("The form was open for too long or was not sent from its own page. Nothing changed."),
            _("Open the tool again from your course, then send the form again."),
        )
    )


def on_http_error(error: HTTPException) -> Response:
    """Answer what Flask itself refuses: 404, 405, 413 and the like. Redirects pass through."""
    response = error.get_response()
    status = error.code or 500
    if status < 400:
        return Response(response=response.get_data(), status=status, headers=response.headers)
    title, detail, remedy = {
        404: (
            _("Page not found"),
            _("There is no page at this address."),
            _("Go back to your course and open the tool from there."),
        ),
        405: (
            _("This address does not work that way"),
            _("The page was opened in a way that it does not answer to."),
            _("Go back to your course and open the tool from there."),
        ),
        413: (
            _("Too much was sent"),
            _("The request is larger than this tool accepts."),
            _("Send less at once."),
        ),
    }.get(
        status,
        (
            _("Something went wrong"),
            _("The request could not be answered."),
            _("Go back and try again. If it happens again, ask your administrator."),
        ),
    )
    if wants_problem():
        answer = problem(
            {
                "type": "about:blank",
                "title": error.name,
                "status": status,
                "detail": error.description or error.name,
                "code": error.name.lower().replace(" ", "_"),
            },
            status,
        )
    else:
        answer = page(ErrorPage(status, title, detail, remedy))
    if "Allow" in response.headers:
        answer.headers["Allow"] = response.headers["Allow"]
    return answer


def on_unexpected(error: Exception) -> Response:
    """A bug: its trace goes to the log under the reference number, never to the page."""
    reference = new_reference()
    log.error("web.unexpected", reference=reference, route=request.endpoint, exc_info=error)
    if wants_problem():
        return problem(
            {
                "type": "urn:naga:error:internal",
                "title": "Something went wrong",
                "status": 500,
                "detail": "An unexpected error occurred; it was logged under the reference.",
                "code": "internal",
                "reference": reference,
            },
            500,
        )
    return page(
        ErrorPage(
            500,
            _("Something went wrong"),
            _("This is a fault of the tool, not yours. It has been logged."),
            _("Try again in a minute. If it happens again, send the number below for help."),
            reference,
        )
    )


def wants_problem() -> bool:
    """Whether the client is a program: under ``/api`` or asking for JSON rather than HTML."""
    if request.path.startswith("/api/"):
        return True
    accept = request.accept_mimetypes
    json_types = ("application/problem+json", "application/json")
    if not any(kind in accept.values() for kind in json_types):
        return False
    best = accept.best_match([*json_types, "text/html"])
    return best in json_types


def problem(document: dict[str, object], status: int) -> Response:
    """An RFC 9457 answer."""
    response = jsonify(document)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def page(content: ErrorPage) -> Response:
    """The error as a page, or as the part of a page that htmx asked for."""
    partial = "HX-Request" in request.headers and "HX-Boosted" not in request.headers
    template = "error_body.html" if partial else "error.html"
    return Response(
        render_template(template, page=content), status=content.status, mimetype="text/html"
    )
