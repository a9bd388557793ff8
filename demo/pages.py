"""What people see: courses, activities, participants, the gradebook."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request

from demo.answers import (
    COOKIE,
    PageError,
    act_as,
    require_person,
    require_sesskey,
    session,
    sign_in_as,
    signed_in,
)
from demo.model import Course, Person
from demo.state import Platform, platform

blueprint = Blueprint("pages", __name__)


def open_course(course_id: int) -> Course:
    """Return the course or end on an error page."""
    course = platform().state.courses.get(course_id)
    if course is None:
        raise PageError("invalidcourseid", "There is no such course.")
    return course


def people_by_role(host: Platform, course: Course) -> dict[str, list[Person]]:
    """Return who can open the course: ``teachers``, ``students``, ``administrators``."""
    active = [pair for pair in host.members(course) if pair[1].status == "active"]
    teachers = [pair for pair in active if pair[1].role != "student"]
    teachers.sort(key=lambda pair: pair[1].role != "editingteacher")
    return {
        "teachers": [person for person, _ in teachers],
        "students": [person for person, member in active if member.role == "student"],
        "administrators": [p for p in host.state.people.values() if p.site_admin],
    }


def edits(course: Course, person: Person | None) -> bool:
    """Whether somebody may change the course and grade in it; nobody but administrators may
    change one that is read only."""
    if person is None:
        return False
    member = course.enrolment(person.id)
    frozen = course.readonly and platform().state.context_locking
    teaches = member is not None and member.role == "editingteacher" and not frozen
    return person.site_admin or teaches


def sesskey() -> str:
    """Return the session's form key, ``""`` if nobody is signed in."""
    found = session()
    return found.sesskey if found else ""


@blueprint.get("/")
def home() -> Any:
    """List the courses."""
    return render_template("courses.html", courses=list(platform().state.courses.values()))


@blueprint.get("/course/<int:course_id>")
def course_page(course_id: int) -> Any:
    """Show a course and its activities; ``?as=<user id>`` signs in first."""
    changed = act_as()
    if changed is not None:
        return changed
    host, course = platform(), open_course(course_id)
    links = host.links_of(course.id)
    active = [tool for tool in host.state.tools.values() if tool.state == "active"]
    return render_template(
        "course.html",
        course=course,
        links=[(link, host.state.tools.get(link.tool_id)) for link in links],
        tools=active,
        people=people_by_role(host, course),
        edits=edits(course, signed_in()),
        sesskey=sesskey(),
    )


@blueprint.post("/course/<int:course_id>/links")
def add_link(course_id: int) -> Any:
    """Add an activity of a tool without picking anything in it (``tool``)."""
    host, course, person = platform(), open_course(course_id), require_person()
    require_sesskey()
    wanted = request.form.get("tool", "")
    tool = host.state.tools.get(int(wanted)) if wanted.isdigit() else None
    if tool is None or not edits(course, person):
        raise PageError("nopermissions", "Only a teacher may add activities.", 403)
    host.add_link(course, tool, request.form.get("name", "").strip() or tool.name)
    return redirect(f"/course/{course.id}", 303)


@blueprint.get("/course/<int:course_id>/select/<int:tool_id>")
def select_content(course_id: int, tool_id: int) -> Any:
    """Show the tool's picker in a frame."""
    course = open_course(course_id)
    require_person()
    tool = platform().state.tools.get(tool_id)
    if tool is None:
        raise PageError("invalidtool", "There is no such tool.")
    source = f"/mod/lti/contentitem.php?course={course.id}&id={tool.id}"
    return render_template("frame.html", course=course, title=tool.name, source=source, link=None)


@blueprint.get("/link/<int:link_id>")
def link_page(link_id: int) -> Any:
    """Show an activity with the tool in a frame; ``?as=<user id>`` signs in first."""
    changed = act_as()
    if changed is not None:
        return changed
    host = platform()
    link = host.state.links.get(link_id)
    if link is None:
        raise PageError("invalidcoursemodule", "There is no such activity.")
    require_person()
    course = open_course(link.course_id)
    source = f"/mod/lti/launch.php?id={link.id}"
    return render_template("frame.html", course=course, title=link.title, source=source, link=link)


@blueprint.get("/course/<int:course_id>/participants")
def participants(course_id: int) -> Any:
    """List who is enrolled."""
    course = open_course(course_id)
    return render_template("participants.html", course=course, members=platform().members(course))


@blueprint.post("/signout")
def sign_out() -> Any:
    """Forget who is signed in."""
    response = redirect("/", 303)
    response.delete_cookie(COOKIE)
    return response


@blueprint.get("/signin")
def sign_in() -> Any:
    """Sign in by user name (``user``) and go to ``next`` on this site; for programs."""
    wanted, target = request.args.get("user", ""), request.args.get("next", "/")
    found = [p for p in platform().state.people.values() if p.username == wanted]
    if not found:
        raise PageError("invaliduser", "There is no such person.")
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        target = "/"
    return sign_in_as(found[0].id, redirect(target, 303))


@blueprint.get("/mod/lti/storage")
def storage_frame() -> Any:
    """The frame that keeps post-message storage for the tools' origins."""
    if not platform().quirks.storage_frame:
        raise PageError("invalidrequest", "This platform keeps nothing for tools.")
    return render_template("storage.html", origins=tool_origins(platform()))


def tool_origins(host: Platform) -> list[str]:
    """Return the origins that may use the storage."""
    found = {urlsplit(tool.login_uri) for tool in host.state.tools.values()}
    return sorted({f"{parts.scheme}://{parts.netloc}" for parts in found})
