"""Connected Moodles and realms: a code to connect a Moodle, how each is, and the end of a
connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError
from lti_tool.identity.keycloak.models import Realm
from lti_tool.moodle.checks import worst
from lti_tool.moodle.messages import Problem
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.web import administrator_realms
from lti_tool.web.administrator_scope import scope
from lti_tool.web.i18n import gettext as _
from lti_tool.web.site_words import check_badge, check_summary, site_badge
from lti_tool.wiring import services

# The plugin's own findings, on the checklist of a site.
_PLUGIN = "moodle:"


def sites() -> str:
    """All that was connected, whatever became of it."""
    found = [(each, worst(_checklist(each))) for each in services().sites.list()]
    return render_template(
        "administrator/sites.html",
        scope=scope(),
        sites=[(each, how) for each, how in found if isinstance(each, MoodleSite)],
        realms=[(each, how) for each, how in found if isinstance(each, Realm)],
        **_words(),
    )


def connect() -> str:
    """Make a code; it is shown now and never again."""
    made = services().pairing.code(actor=scope().actor)
    return render_template("administrator/site_code.html", scope=scope(), code=made, found=None)


def awaited(reference: str) -> str:
    """The part of the code's page that waits for a Moodle to use it."""
    return render_template(
        "administrator/site_awaited.html",
        reference=reference,
        found=services().pairing.connected(reference),
        alive=services().pairing.alive(reference),
    )


def site(site_id: int) -> str:
    """How one Moodle, or realm, is, and what can be done about it."""
    other = services().sites.get(site_id)
    if isinstance(other, Realm):
        return administrator_realms.realm_page(other)
    found = services().sites.moodle(site_id)
    lines = _checklist(found)
    return render_template(
        "administrator/site.html",
        scope=scope(),
        site=found,
        worst=worst(lines),
        linked=services().registrations.get(found.registration_id),
        here=[each for each in lines if not each.name.startswith(_PLUGIN)],
        there=[each for each in lines if each.name.startswith(_PLUGIN)],
        SiteStanding=SiteStanding,
        **_words(),
    )


def check_site(site_id: int) -> Response:
    """Try the connection by a real call, now."""
    found = worst(services().site_checks.check(site_id))
    if found == "error":
        flash(_("Something does not work; the checklist says what."), "bad")
    elif found == "warning":
        flash(_("The connection works; the checklist says what is left to do."), "warning")
    elif found == "unknown":
        flash(_("It was not asked: the connection is paused or ended."), "warning")
    else:
        flash(_("Everything works."), "good")
    return redirect(url_for("admin.site", site_id=site_id))


def resume_site(site_id: int) -> Response:
    """Call a paused site again."""
    services().sites.resume(site_id, actor=scope().actor)
    return check_site(site_id)


def disconnect_site(site_id: int) -> Response:
    """End the connection; a tick says that it is meant."""
    if request.form.get("meant") != "yes":
        raise InvalidInputError("Tick the box first: this ends the connection.", field="meant")
    services().sites.disconnect(site_id, actor=scope().actor)
    flash(_("The connection is ended."), "good")
    return redirect(url_for("admin.site", site_id=site_id))


def _checklist(found: Site) -> list[Problem]:
    return [Problem.model_validate(each) for each in found.checklist]


def _words() -> dict[str, Callable[..., Any]]:
    return {
        "site_badge": site_badge,
        "check_badge": check_badge,
        "check_summary": check_summary,
    }


def add_to(blueprint: Blueprint) -> None:
    """Give the administration of the whole tool these pages."""
    administrator_realms.add_to(blueprint)
    for path, view, method in (
        ("", sites, "GET"),
        ("/connect", connect, "POST"),
        ("/codes/<reference>", awaited, "GET"),
        ("/<int:site_id>", site, "GET"),
        ("/<int:site_id>/check", check_site, "POST"),
        ("/<int:site_id>/resume", resume_site, "POST"),
        ("/<int:site_id>/disconnect", disconnect_site, "POST"),
    ):
        blueprint.add_url_rule(f"/sites{path}", view_func=view, methods=[method])
