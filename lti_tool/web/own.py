"""People's own pages, without a launch: my classes as a student, and those that I teach.

A role opens them; whose class it is, the SIS says at each page.
"""

from __future__ import annotations

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask import Response as HtmlResponse
from werkzeug.wrappers import Response

from lti_tool.core.errors import NotFoundError
from lti_tool.identity.rights import Right
from lti_tool.sis.entities import ClassView, PersonView
from lti_tool.sync.course_addresses import CourseAddress, course_addresses
from lti_tool.sync.grades.own_grades import Brought, OwnGrades
from lti_tool.web import rights, student
from lti_tool.web.errors import on_naga_error, wants_problem
from lti_tool.web.own_roster import roster_lines
from lti_tool.web.paging import PAGE, offset, slice_of
from lti_tool.web.sessions import AdminSessionError, current_admin, end_own, provider_sign_out
from lti_tool.web.sign_in import wanted
from lti_tool.web.viewer import PersonLeftError, gradable_parts, person_left
from lti_tool.wiring import services

blueprint = Blueprint("own", __name__, url_prefix="/my")


@blueprint.before_request
def _require_right() -> None:
    if request.endpoint not in rights.OWN_OPEN:
        who = current_admin()
        rights.require(who)
        g.own = who


@blueprint.errorhandler(AdminSessionError)
def not_signed_in(error: AdminSessionError) -> Response:
    """The way in, and from there to the page that was asked for."""
    if wants_problem() or "HX-Request" in request.headers:
        return on_naga_error(error)
    return redirect(url_for("sign_in.page", onward=wanted() or None))


@blueprint.errorhandler(PersonLeftError)
def left(error: PersonLeftError) -> Response:
    """Their session ends here and now: nobody need wait for the worker to end it."""
    response = on_naga_error(error)
    end_own(response)
    return response


@blueprint.get("/")
def index() -> str:
    """My classes, the newest term first."""
    with services().database.snapshot():
        person = _person()
        taught = enrolled = None
        sizes: dict[str, int] = {}
        if Right.TEACH in g.own.rights:
            taught = services().sis.classes_taught_by(person.person_key)
            sizes = services().sis.class_sizes([class_.class_key for class_ in taught])
        if Right.LEARN in g.own.rights:
            enrolled = services().sis.enrollments_of(person.person_key)
    return render_template(
        "own/index.html", person=person, taught=taught, sizes=sizes, enrolled=enrolled
    )


@blueprint.get("/classes/<path:class_key>")
def class_(class_key: str) -> str:
    """A class that I am a student of, with my grades and nobody else's."""
    with services().database.snapshot():
        person = _person()
        entry = services().sis.enrollment(person.person_key, class_key)
        found = services().sis.class_(class_key) if entry is not None else None
        if entry is None or found is None or not (entry.status.attends or entry.status.ended):
            raise _not_yours()
        courses = course_addresses(services().database, found.host_key)
        return render_template(
            "own/class.html",
            person=person,
            report=student.report(found, person.person_key, is_audit=entry.is_audit),
            courses=courses,
            brought=_brought(found, courses, person),
        )


@blueprint.get("/teaching/<path:class_key>")
def taught(class_key: str) -> str:
    """A class that I teach: who is in it, or (``show=grades``) the grades that I may see."""
    with services().database.snapshot():
        person = _person()
        mine = services().sis.classes_taught_by(person.person_key)
        found = next((each for each in mine if each.class_key == class_key), None)
        if found is None:
            raise _not_yours()
        shown = _grades(found, person) if request.args.get("show") == "grades" else _roster(found)
        return render_template(
            "own/taught.html",
            person=person,
            class_=found,
            courses=course_addresses(services().database, found.host_key),
            **shown,
        )


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """End the session; here, and at the provider."""
    onward = provider_sign_out(back_to=url_for("sign_in.page", _external=True))
    response = HtmlResponse(mimetype="text/html")
    end_own(response)
    response.set_data(render_template("own/signed_out.html", onward=onward))
    return response


def _person() -> PersonView:
    key = g.own.person_key
    person = services().sis.person(key) if key else None
    if person is None or not person.status.may_sign_in:
        raise person_left()
    return person


def _brought(class_: ClassView, courses: list[CourseAddress], person: PersonView) -> Brought:
    """How the grades of the one course that there mostly is were brought over; as a launch says."""
    if not courses:
        return Brought()
    together = [class_.class_key, *class_.combined_with]
    return OwnGrades(services().database).brought(
        courses[0].registration_id, together, person.person_key
    )


def _not_yours() -> NotFoundError:
    # The same for a class of others and for none: nobody learns which there are.
    return NotFoundError(
        "You have no such class.",
        remedy="Go back to your classes. If one is missing there, ask the registrar.",
    )


def _roster(class_: ClassView) -> dict[str, object]:
    lines = roster_lines(
        entry for chunk in services().sis.roster(class_.class_key) for entry in chunk
    )
    page = slice_of(len(lines), "own.taught", class_key=class_.class_key)
    return {
        "show": "roster",
        "present": sum(line.present for line in lines),
        "lines": lines[page.offset : page.offset + page.size],
        "slice": page,
    }


def _grades(class_: ClassView, person: PersonView) -> dict[str, object]:
    keys = {part.part_key for part in gradable_parts([class_], person.person_key)}
    table = services().gradebook.table([class_.class_key], offset=offset(), limit=PAGE)
    return {
        "show": "grades",
        "table": table,
        "columns": [column for column in table.columns if column.part.part_key in keys],
        "whole": len(keys) == len(class_.parts),
        "slice": slice_of(table.total, "own.taught", class_key=class_.class_key, show="grades"),
    }
