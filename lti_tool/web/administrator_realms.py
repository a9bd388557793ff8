"""Keycloak realms whose accounts follow the SIS: how one is connected, how it is, what the tool may
do there. Looking at these pages calls nobody; what is shown is what the last check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import NagaError
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm_checks import Rights
from lti_tool.moodle.checks import worst
from lti_tool.moodle.messages import Problem
from lti_tool.moodle.models import SiteStanding
from lti_tool.sync.order_models import Act
from lti_tool.sync.provisioning.first_look import FirstLook, first_look
from lti_tool.web.administrator_scope import scope
from lti_tool.web.administrator_sync_lists import by_itself
from lti_tool.web.i18n import gettext as _
from lti_tool.web.realm_words import required_actions, right_rows
from lti_tool.web.site_words import check_badge, check_summary, site_badge
from lti_tool.wiring import services

_RIGHTS = "keycloak_rights"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the form says, as people paste it: the issuer's address does too."""

    server: str
    realm: str

    @classmethod
    def of(cls, form: Mapping[str, str]) -> _Asked:
        server = form.get("server", "").strip()[:400]
        realm = form.get("realm", "").strip()[:100]
        address, found, named = server.partition("/realms/")
        if found:
            server, realm = address, realm or named.strip("/")
        return cls(server.rstrip("/"), realm or "school")


def new_realm() -> str:
    """The form."""
    return _form(_Asked("", "school"))


def look_at_realm() -> str | tuple[str, int]:
    """Sign in there and say what connecting would mean; nothing is stored or changed."""
    asked = _Asked.of(request.form)
    try:
        site = services().realms.unconnected(
            asked.server, asked.realm, public_url=services().settings.public_url
        )
        found = first_look(
            site,
            services().keycloak_directory,
            services().provisioning.rendering,
            services().clock.now(),
        )
    except NagaError as error:
        return _form(asked, failure=error), 422
    return _form(asked, found=found)


def connect_realm() -> Response | tuple[str, int]:
    """Connect; what is to change waits for a yes unless somebody wanted otherwise."""
    asked = _Asked.of(request.form)
    actor = scope().actor
    parts = services().provisioning
    hold = request.form.get("hold") == "yes"
    reason = _("Newly connected: look first.")
    try:
        known = services().realms.known(asked.server, asked.realm)
        if hold and known is not None:
            # What it had to be sent when it was connected before would go at once.
            parts.runs.hold(known.id, actor=actor, reason=reason)
        site = services().realms.connect(
            asked.server, asked.realm, public_url=services().settings.public_url, actor=actor
        )
    except NagaError as error:
        return _form(asked, failure=error), 422
    if hold and known is None:
        parts.runs.hold(site.id, actor=actor, reason=reason)
    parts.marks.mark_all(site)
    services().site_checks.check(site.id)
    flash(_("The realm is connected."), "good")
    if not hold:
        services().broker.announce_changes()
        return redirect(url_for("admin.site", site_id=site.id))
    order = services().orders.ask(
        site.id, Act.PREVIEW, actor=actor, arguments={"scope": "everything"}
    )
    services().broker.announce_order(order.id)
    return redirect(url_for("admin.sync_order", site_id=site.id, order_id=order.id))


def pause_site(site_id: int) -> Response:
    """Call a site no more, until somebody resumes it."""
    services().sites.pause(site_id, reason="asked for", actor=scope().actor)
    flash(_("Paused: it is called no more, and what changes waits."), "good")
    return redirect(url_for("admin.site", site_id=site_id))


def realm_page(site: Realm) -> str:
    """How one realm is, what the tool may do there, and what can be done about it."""
    lines = [Problem.model_validate(each) for each in site.checklist]
    rights = _rights(site)
    gate = services().provisioning.gates.state(site.id)
    return render_template(
        "administrator/realm.html",
        scope=scope(),
        site=site,
        badge_of_site=site_badge(site, worst(lines)),
        lines=lines,
        rights=rights,
        rows=right_rows(rights) if rights else [],
        actions=required_actions(services().settings.keycloak_required_actions.split()),
        claim=services().settings.oidc_person_claim,
        held=gate is not None and gate.held_by is not None,
        gate=gate,
        by_itself=by_itself(site.id),
        refused=sum(services().provisioning.letters.counts(site.id).values()),
        waiting=sum(services().provisioning.marks.counts(site.id).values()),
        check_badge=check_badge,
        check_summary=check_summary,
        SiteStanding=SiteStanding,
    )


def _rights(site: Realm) -> Rights | None:
    """What the last check saw of the rights; ``None`` if it came to see nothing."""
    line: dict[str, Any] = next((each for each in site.checklist if each["name"] == _RIGHTS), {})
    has = line.get("has")
    return None if has is None else Rights(tuple(has))


def _form(
    asked: _Asked, *, found: FirstLook | None = None, failure: NagaError | None = None
) -> str:
    return render_template(
        "administrator/realm_new.html",
        scope=scope(),
        asked=asked,
        found=found,
        failure=failure,
        # As text: what failed may carry words of Keycloak; a page takes words of `_` for its own.
        said=_,
    )


def add_to(blueprint: Blueprint) -> None:
    """Give the administration of the whole tool these pages."""
    for path, view, method in (
        ("/realms/new", new_realm, "GET"),
        ("/realms/look", look_at_realm, "POST"),
        ("/realms", connect_realm, "POST"),
        ("/<int:site_id>/pause", pause_site, "POST"),
    ):
        blueprint.add_url_rule(f"/sites{path}", view_func=view, methods=[method])
