"""Which account is which person, and which course is which class, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError
from lti_tool.lti.models import Launch, LaunchOutcome
from lti_tool.sync.models import CourseLink
from lti_tool.web.administrator_scope import scope
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import ngettext
from lti_tool.web.paging import PAGE
from lti_tool.web.viewer import SharingOffError
from lti_tool.wiring import services

# How many launches are looked through for courses and accounts that nobody has connected.
_SEEN = 500


@dataclass(frozen=True, slots=True)
class SeenCourse:
    """A course that launched this tool. ``members_from``: its latest launch with a roster."""

    context_id: str
    title: str | None
    class_keys: tuple[str, ...]
    nrps: dict[str, Any] | None


# -- people


def people(registration_id: int | None = None) -> str:
    """Connected accounts; accounts that came and are not connected; a search of the SIS."""
    within = scope()
    registration = within.registration(registration_id)
    text = request.args.get("q", "").strip()[:100]
    linked = services().people.linked(
        registration.id, after=request.args.get("after", "")[:255], limit=PAGE + 1
    )
    return render_template(
        "administrator/people.html",
        scope=within,
        registration=registration,
        linked=linked[:PAGE],
        after=linked[PAGE - 1][0].subject if len(linked) > PAGE else None,
        waiting=_unknown_accounts(registration.id),
        subject=request.args.get("subject", "").strip()[:255],
        text=text,
        found=services().sis.find_people(text) if text else [],
        courses=[course for course in _seen_courses(registration.id) if course.nrps],
    )


def link_person(registration_id: int | None = None) -> Response:
    """Connect one account to one person."""
    within = scope()
    registration = within.registration(registration_id)
    subject = request.form.get("subject", "").strip()
    within.check_subject(subject)
    services().people.link(
        registration.id,
        subject,
        request.form.get("person_key", ""),
        method="administrator",
        actor=within.actor,
    )
    flash(_("The account is connected. It works from their next page on."), "good")
    return redirect(within.url("people", registration))


def unlink_person(registration_id: int | None = None) -> Response:
    """Forget whose account this is."""
    within = scope()
    registration = within.registration(registration_id)
    services().people.unlink(registration.id, request.form.get("subject", ""), actor=within.actor)
    flash(_("The account is no longer connected."), "good")
    return redirect(within.url("people", registration))


def suggestions(registration_id: int | None = None) -> str:
    """Who the unconnected members of a course may be, to be confirmed."""
    within = scope()
    registration = within.registration(registration_id)
    context_id = request.args.get("course", "")
    course = next(
        (each for each in _seen_courses(registration.id) if each.context_id == context_id), None
    )
    if course is None or course.nrps is None:
        raise SharingOffError("Nobody has opened the tool in this course with its roster shared.")
    found = services().people.suggestions(
        registration.id,
        services().names_roles.members(registration, course.nrps),
        class_keys=course.class_keys,
    )
    return render_template(
        "administrator/suggestions.html",
        scope=within,
        registration=registration,
        course=course,
        suggestions=[each for each in found if each.subject != within.own_subject],
        reason_text={
            "sourced_id": _("Moodle's ID number is this person's key in the SIS"),
            "student_id": _("Moodle's ID number is this student's number"),
            "school_email": _("Same school e-mail address"),
        },
    )


def confirm_people(registration_id: int | None = None) -> Response:
    """Connect the suggestions that were ticked."""
    within = scope()
    registration = within.registration(registration_id)
    pairs: list[tuple[str, str]] = []
    for value in request.form.getlist("pair"):
        subject, mark, person_key = value.partition("\t")
        if not mark:
            raise InvalidInputError("A pair is not complete.", field="pair")
        within.check_subject(subject)
        pairs.append((subject, person_key))
    done = services().people.confirm(registration.id, pairs, actor=within.actor)
    message = ngettext(
        "%(num)s account is connected.", "%(num)s accounts are connected.", done.linked
    )
    left = len(done.conflicts) + len(done.unknown)
    if left:
        message += " " + ngettext(
            "%(num)s was left out: the account or the person is connected already.",
            "%(num)s were left out: the account or the person is connected already.",
            left,
        )
    flash(message, "warning" if left else "good")
    return redirect(within.url("people", registration))


# -- courses


def courses(registration_id: int | None = None) -> str:
    """Courses that launched the tool, and their classes."""
    within = scope()
    registration = within.registration(registration_id)
    text = request.args.get("q", "").strip()[:100]
    seen = _seen_courses(registration.id)
    keys = {key for course in seen for key in course.class_keys}
    return render_template(
        "administrator/courses.html",
        scope=within,
        registration=registration,
        courses=seen,
        labels={key: class_.label for key in keys if (class_ := services().sis.class_(key))},
        context_id=request.args.get("course", "")[:255],
        text=text,
        found=services().sis.find_classes(text) if text else [],
    )


def link_course(registration_id: int | None = None) -> Response:
    """Connect a course to a class, with those that are combined with it."""
    within = scope()
    registration = within.registration(registration_id)
    context_id = request.form.get("course", "").strip()
    if not context_id or len(context_id) > 255:
        raise InvalidInputError("The course's id must have 1 to 255 characters.", field="course")
    services().courses.link(
        registration.id, context_id, [request.form.get("class_key", "")], actor=within.actor
    )
    flash(_("The course is connected to its class."), "good")
    return redirect(within.url("courses", registration))


def unlink_course(registration_id: int | None = None) -> Response:
    """Disconnect a course; what was sent to it stays there."""
    within = scope()
    registration = within.registration(registration_id)
    services().courses.unlink(registration.id, request.form.get("course", ""), actor=within.actor)
    flash(_("The course is no longer connected."), "good")
    return redirect(within.url("courses", registration))


def _recent(registration_id: int) -> list[Launch]:
    return services().launches.recent(
        registration_id=registration_id, outcome=LaunchOutcome.ACCEPTED, limit=_SEEN
    )


def _unknown_accounts(registration_id: int) -> list[Launch]:
    """The latest launch of each account that came and is not connected to anybody."""
    latest: dict[str, Launch] = {}
    for launch in _recent(registration_id):
        if launch.subject:
            latest.setdefault(launch.subject, launch)
    with services().database.read() as session:
        linked = services().people.links(session, registration_id, list(latest))
    return [launch for subject, launch in latest.items() if subject not in linked][:PAGE]


def _seen_courses(registration_id: int) -> list[SeenCourse]:
    with services().database.read() as session:
        links = session.execute(
            sa.select(CourseLink.context_id, CourseLink.class_key)
            .where(CourseLink.registration_id == registration_id)
            .order_by(CourseLink.context_id, CourseLink.class_key)
        ).all()
    classes: dict[str, list[str]] = {}
    for context_id, class_key in links:
        classes.setdefault(context_id, []).append(class_key)
    titles: dict[str, str | None] = dict.fromkeys(classes)
    rosters: dict[str, dict[str, Any]] = {}
    for launch in _recent(registration_id):
        if launch.context_id:
            titles[launch.context_id] = titles.get(launch.context_id) or launch.services.get(
                "title"
            )
            if nrps := launch.services.get("nrps"):
                rosters.setdefault(launch.context_id, nrps)
    found = [
        SeenCourse(context_id, title, tuple(classes.get(context_id, ())), rosters.get(context_id))
        for context_id, title in titles.items()
    ]
    # What waits for an administrator comes first.
    return sorted(found, key=lambda course: (bool(course.class_keys), course.title or ""))
