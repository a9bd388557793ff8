"""The administrator's pages: one implementation, for the whole tool and for one Moodle."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask import Response as HtmlResponse
from werkzeug.wrappers import Response

from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.lti.models import Standing
from lti_tool.web import (
    administrator_grades,
    administrator_launches,
    administrator_links,
    administrator_sites,
    administrator_sync,
    rights,
)
from lti_tool.web.administrator_scope import scope
from lti_tool.web.errors import on_naga_error, wants_problem
from lti_tool.web.i18n import gettext as _
from lti_tool.web.sessions import (
    AdminSessionError,
    current_admin,
    end_own,
    provider_sign_out,
    start_own,
)
from lti_tool.web.sign_in import begin_sign_in, wanted
from lti_tool.web.viewer import in_course
from lti_tool.wiring import services

admin = Blueprint("admin", __name__, url_prefix="/admin")
site = in_course(Blueprint("site", __name__, url_prefix="/l/<reference>"))
blueprints = (admin, site)

_FIELDS = ("name", "issuer", "client_id", "auth_url", "token_url", "jwks_url", "deployment_id")


admin.app_context_processor(lambda: {"may_everything": rights.may_everything})


@admin.before_request
def _require_right() -> None:
    if (request.endpoint or "").removeprefix("admin.") not in rights.OPEN:
        scope()
        rights.require(current_admin())


@site.before_request
def _require_site_administrator() -> None:
    scope()


# -- signing in


@admin.errorhandler(AdminSessionError)
def not_signed_in(error: AdminSessionError) -> Response | tuple[str, int]:
    """The ways to sign in, instead of the page that was asked for."""
    if wants_problem() or "HX-Request" in request.headers:
        return on_naga_error(error)
    return _account_page(told=error.detail), error.status


@admin.errorhandler(rights.StepUpError)
def confirm(error: rights.StepUpError) -> Response | tuple[str, int]:
    """The button to prove once more who one is."""
    if wants_problem() or "HX-Request" in request.headers:
        return on_naga_error(error)
    return _account_page(told=error.detail, again=True), error.status


@admin.get("/sign-in/<token>")
def sign_in(token: str) -> str:
    """A page with a button: programs that follow links in messages must not use the link up."""
    return render_template("administrator/sign_in.html", token=token)


@admin.post("/sign-in/<token>")
def redeem(token: str) -> Response:
    """Use the link up and begin the session."""
    secret, expires_at = services().admin_sessions.redeem(token)
    response = redirect(url_for("admin.registrations"))
    start_own(response, secret, expires_at)
    return response


@admin.get("/sign-in")
def account() -> str:
    """How one signs in: with the school account, where there is one, or by a link."""
    return _account_page()


def _account_page(*, told: str | None = None, again: bool = False) -> str:
    return render_template(
        "administrator/account.html",
        provider=services().signing_in is not None,
        told=_(told) if told else None,
        again=again,
        onward=wanted() if told else "",
    )


@admin.post("/sign-in")
def begin() -> Response:
    """Begin to sign in at the school's identity provider."""
    return begin_sign_in(
        step_up="again" in request.form, onward=request.form.get("onward", "") or "/admin/"
    )


@admin.post("/sign-out")
def sign_out() -> Response:
    """End the session; where it began at the provider, there too."""
    onward = provider_sign_out(back_to=url_for("admin.account", _external=True))
    response = HtmlResponse(mimetype="text/html")
    end_own(response)
    g.pop("admin", None)
    response.set_data(render_template("administrator/signed_out.html", onward=onward))
    return response


# -- the whole tool


@admin.get("/")
def index() -> Response:
    """Where administrators begin."""
    return redirect(url_for("admin.registrations"))


@admin.get("/registrations")
def registrations() -> str:
    """All platforms; those that wait for approval first."""
    found = sorted(
        services().registrations.list(), key=lambda each: each.standing is not Standing.PENDING
    )
    return render_template("administrator/registrations.html", registrations=found, scope=scope())


@admin.get("/registrations/new")
def new_registration() -> str:
    """The ways to connect a Moodle: an invitation, or a form."""
    return _new_page({}, {})


@admin.post("/registrations/invite")
def invite() -> str:
    """Make a one-time address; it is shown now and never again."""
    address = services().dynamic_registration.invite(actor=scope().actor)
    return render_template("administrator/invite.html", address=address, scope=scope())


@admin.post("/registrations/new")
def create_registration() -> str | Response:
    """Register a platform by its addresses; errors stand beside their field."""
    values = {name: request.form.get(name, "").strip() for name in _FIELDS}
    fields: dict[str, Any] = {name: values[name] for name in _FIELDS[:-1]}
    try:
        registration = services().registrations.create(
            actor=scope().actor,
            platform_family=request.form.get("platform_family", "moodle"),
            deployment_ids=[values["deployment_id"]] if values["deployment_id"] else [],
            **fields,
        )
    except (InvalidInputError, ConflictError) as error:
        field = "deployment_id" if error.field == "deployment_ids" else error.field
        return _new_page(values, {field or "name": _(error.detail)})
    flash(_("The Moodle is registered."), "good")
    return redirect(scope().url("registration", registration))


def _new_page(values: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "administrator/new.html", values=values, errors=errors, scope=scope(), tool=tool_addresses()
    )


# -- one registration, in either scope


def registration(registration_id: int | None = None) -> str:
    """What is known of a platform, and what can be done with it."""
    found = scope().registration(registration_id)
    return render_template(
        "administrator/registration.html",
        registration=found,
        scope=scope(),
        tool=tool_addresses(),
        Standing=Standing,
    )


def rename(registration_id: int | None = None) -> Response:
    """Give a platform another name."""
    found = scope().registration(registration_id)
    services().registrations.update(
        found.id, actor=scope().actor, name=request.form.get("name", "")
    )
    flash(_("The name is changed."), "good")
    return redirect(scope().url("registration", found))


def set_standing(registration_id: int | None = None) -> Response:
    """Approve or switch off a platform."""
    scope().require_all()
    found = scope().registration(registration_id)
    services().registrations.set_standing(found.id, _standing(), actor=scope().actor)
    flash(_("Changed. It holds from the next launch on."), "good")
    return redirect(scope().url("registration", found))


def set_trust(registration_id: int | None = None) -> Response:
    """Say whether people cannot edit the ID number that the platform sends."""
    scope().require_all()
    found = scope().registration(registration_id)
    services().registrations.update(
        found.id, actor=scope().actor, sourcedid_trusted=request.form.get("trusted") == "yes"
    )
    flash(_("Changed. It holds from the next launch on."), "good")
    return redirect(scope().url("registration", found))


def set_deployment(registration_id: int | None = None) -> Response:
    """Approve or switch off one deployment."""
    found = scope().registration(registration_id)
    services().registrations.set_deployment_standing(
        found.id, request.form.get("deployment_id", ""), _standing(), actor=scope().actor
    )
    flash(_("Changed. It holds from the next launch on."), "good")
    return redirect(scope().url("registration", found))


def _standing() -> Standing:
    try:
        return Standing(request.form.get("standing", ""))
    except ValueError as error:
        raise InvalidInputError("This is no standing.", field="standing") from error


def tool_addresses() -> list[tuple[str, str, str]]:
    """The tool's addresses for a set-up by hand: id, what Moodle calls it, the address."""
    base = services().settings.public_url
    return [
        ("tool-url", _("Tool URL"), f"{base}/lti/launch"),
        ("tool-keyset", _("Public keyset"), f"{base}/lti/keys"),
        ("tool-login", _("Initiate login URL"), f"{base}/lti/login"),
        ("tool-redirect", _("Redirection URI(s)"), f"{base}/lti/launch"),
        ("tool-content", _("Content selection URL"), f"{base}/lti/launch"),
    ]


_VIEWS: tuple[tuple[str, str, Any, str], ...] = (
    ("", "registration", registration, "GET"),
    ("/rename", "rename", rename, "POST"),
    ("/standing", "set_standing", set_standing, "POST"),
    ("/trust", "set_trust", set_trust, "POST"),
    ("/deployments", "set_deployment", set_deployment, "POST"),
    ("/launches", "registration_launches", administrator_launches.launches, "GET"),
    ("/launches/<launch_reference>", "launch", administrator_launches.launch, "GET"),
    ("/people", "people", administrator_links.people, "GET"),
    ("/people/link", "link_person", administrator_links.link_person, "POST"),
    ("/people/unlink", "unlink_person", administrator_links.unlink_person, "POST"),
    ("/people/suggestions", "suggestions", administrator_links.suggestions, "GET"),
    ("/people/confirm", "confirm_people", administrator_links.confirm_people, "POST"),
    ("/courses", "courses", administrator_links.courses, "GET"),
    ("/courses/link", "link_course", administrator_links.link_course, "POST"),
    ("/courses/unlink", "unlink_course", administrator_links.unlink_course, "POST"),
)
for _blueprint, _prefix in (
    (admin, "/registrations/<int:registration_id>"),
    (site, "/registration"),
):
    for _path, _name, _view, _method in _VIEWS:
        _blueprint.add_url_rule(_prefix + _path, _name, _view, methods=[_method])
admin.add_url_rule("/launches", "launches", administrator_launches.launches, methods=["GET"])
administrator_sites.add_to(admin)
administrator_sync.add_to(admin)
administrator_grades.add_to(admin)
