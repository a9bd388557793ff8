"""One person, one course: why is this student (not) in the course, or cannot sign in; resync."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.models import Site
from lti_tool.sync.provisioning.explain import Step
from lti_tool.web.administrator_placements import placement_of
from lti_tool.web.administrator_scope import scope
from lti_tool.web.administrator_search import newest_classes_of
from lti_tool.web.administrator_sync_lists import sent_when
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _
from lti_tool.web.sync_reasons import step_badge, step_words
from lti_tool.web.sync_words import words
from lti_tool.wiring import services

_FOUND = 20


def sync_things(site_id: int) -> str:
    """Find a person and a class; with both, every step from the SIS to the course. Of a realm a
    person alone, with every step to their account."""
    site = services().sites.get(site_id)
    if site.takes("account"):
        return _person(site)
    sis = services().sis
    person_key, class_key = _argument("person"), _argument("class")
    person_text, class_text = _argument("q"), _argument("c")
    person = sis.person(person_key) if person_key else None
    class_ = sis.class_(class_key) if class_key else None
    steps = (
        services().provisioning.explanations.explain(site, person_key, class_key)
        if person and class_
        else []
    )
    return render_template(
        "administrator/sync_things.html",
        scope=scope(),
        site=site,
        refused=sum(services().provisioning.letters.counts(site_id).values()),
        person=person,
        class_=class_,
        person_key=person.person_key if person else None,
        class_key=class_.class_key if class_ else None,
        person_text=person_text,
        class_text=class_text,
        people=sis.find_people(person_text, limit=_FOUND) if person_text else [],
        classes=sis.find_classes(class_text, limit=_FOUND) if class_text else [],
        own_classes=newest_classes_of(person_key) if person and not class_text else [],
        placement=placement_of(class_),
        steps=_told(site, steps),
        **words(site),
    )


def _person(site: Site) -> str:
    sis = services().sis
    person_key, person_text = _argument("person"), _argument("q")
    person = sis.person(person_key) if person_key else None
    parts = services().provisioning
    return render_template(
        "administrator/sync_person.html",
        scope=scope(),
        site=site,
        person=person,
        person_text=person_text,
        people=sis.find_people(person_text, limit=_FOUND) if person_text else [],
        steps=_told(site, parts.explanations.explain_account(site, person_key) if person else []),
        **words(site),
    )


def _told(site: Site, steps: list[Step]) -> list[tuple[Step, Badge, str, str]]:
    return [(step, step_badge(step), *step_words(step, system=site.product)) for step in steps]


def sync_resync(site_id: int) -> Response:
    """Send one person, or one class, again."""
    site = services().sites.get(site_id)
    person_key, class_key = request.form.get("person", ""), request.form.get("class", "")
    if request.form.get("what") == "person" and services().sis.person(person_key):
        services().orders.resync_person(site.id, person_key, actor=scope().actor)
    elif (
        request.form.get("what") == "course"
        and site.takes("course")
        and services().sis.class_(class_key)
    ):
        services().orders.resync_course(site.id, class_key, actor=scope().actor)
    else:
        raise InvalidInputError("Choose a person or a class first.", field="what")
    services().broker.announce_changes()
    flash(_("Marked to be sent again.") + " " + sent_when(site_id), "good")
    chosen: dict[str, Any] = {"person": person_key or None, "class": class_key or None}
    return redirect(url_for("admin.sync_things", site_id=site_id, **chosen))


def _argument(name: str) -> str:
    return request.args.get(name, "").strip()[:255]
