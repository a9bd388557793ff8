"""Why did this launch fail? Records of launches, found by outcome or by reference number."""

from __future__ import annotations

import datetime as dt

from flask import render_template, request

from lti_tool.core.errors import NotFoundError
from lti_tool.lti.models import Launch, LaunchOutcome, Registration
from lti_tool.web.administrator_scope import Scope, scope
from lti_tool.web.paging import PAGE
from lti_tool.web.reasons import explain
from lti_tool.wiring import services


def launches(registration_id: int | None = None) -> str:
    """Launch records, the youngest first: of one platform, or of all and of none."""
    within = scope()
    registration = within.registration(registration_id) if within.only or registration_id else None
    outcome = _outcome(request.args.get("outcome", ""))
    reference = request.args.get("reference", "").strip()[:32]
    found = services().launches.recent(
        registration_id=registration.id if registration else None,
        outcome=outcome,
        reference=reference or None,
        limit=PAGE + 1,
        before=_moment(request.args.get("before", "")),
    )
    return render_template(
        "administrator/launches.html",
        scope=within,
        registration=registration,
        names={each.id: each.name for each in _registrations(within)},
        launches=found[:PAGE],
        older=found[PAGE - 1].at.isoformat() if len(found) > PAGE else None,
        outcome=outcome,
        outcomes=list(LaunchOutcome),
        reference=reference,
        explain=explain,
    )


def launch(launch_reference: str, registration_id: int | None = None) -> str:
    """One record: what happened in plain words, what to do, and the evidence."""
    within = scope()
    registration = within.registration(registration_id)
    found = services().launches.recent(
        registration_id=registration.id, reference=launch_reference, limit=1
    )
    if not found:
        raise NotFoundError("There is no launch with this reference number.")
    record: Launch = found[0]
    person_key = None
    if record.subject:
        with services().database.read() as session:
            links = services().people.links(session, registration.id, [record.subject])
        person_key = links.get(record.subject)
    return render_template(
        "administrator/launch.html",
        scope=within,
        registration=registration,
        launch=record,
        told=explain(record.reason),
        person=services().sis.person(person_key) if person_key else None,
        class_keys=(
            services().courses.class_keys(registration.id, record.context_id)
            if record.context_id
            else []
        ),
        LaunchOutcome=LaunchOutcome,
    )


def _registrations(within: Scope) -> list[Registration]:
    if within.only is not None:
        return [within.registration(None)]
    return services().registrations.list()


def _outcome(value: str) -> LaunchOutcome | None:
    return LaunchOutcome(value) if value in list(LaunchOutcome) else None


def _moment(value: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
