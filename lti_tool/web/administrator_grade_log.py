"""A student's grades in a class: what moved, what the registrar holds; the log as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any

from flask import Response, flash, redirect, render_template, request, stream_with_context, url_for
from werkzeug.wrappers import Response as BaseResponse

from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.entities import ClassView, PartGradeView, PersonView
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.holds import Holds
from lti_tool.sync.grades.log import LogEntry
from lti_tool.sync.grades.values import score
from lti_tool.sync.rendering import host_of
from lti_tool.web import conflict_words, rights
from lti_tool.web.administrator_scope import scope
from lti_tool.web.administrator_search import newest_classes_of
from lti_tool.web.grades_moodle import harmless
from lti_tool.web.i18n import gettext as _
from lti_tool.web.paging import PAGE
from lti_tool.wiring import services

_FOUND = 20
# Rows whose names are looked up together.
_CHUNK = 2000


def student() -> str:
    """Find a student and a class; with both, the grades, what moved, and the registrar's hold."""
    person_key, class_key = _argument("person"), _argument("class")
    person_text, class_text = _argument("q"), _argument("c")
    sis = services().sis
    with services().database.snapshot():
        person = sis.person(person_key) if person_key else None
        class_ = sis.class_(class_key) if class_key else None
        both = person is not None and class_ is not None
        moved = (
            services().grades.log.of_person(person_key, class_key, before=_before(), limit=PAGE + 1)
            if both
            else []
        )
        grades = _grades(class_, person_key) if class_ and person else {}
        holds = Holds(services().database).of(person_key, class_key) if both else {}
        names = names_in(
            moved[:PAGE],
            (key for each in grades.values() for key in (each.held_by, each.entered_by)),
        )
        own = newest_classes_of(person_key) if person and not class_text and not class_ else []
        people = sis.find_people(person_text, limit=_FOUND) if person_text else []
        classes = sis.find_classes(class_text, limit=_FOUND) if class_text else []
        sites = {site.id: site.name for site in services().sites.moodles()} if class_ else {}
    return render_template(
        "administrator/grades_student.html",
        scope=scope(),
        may_hold=rights.may("grades_hold"),
        person_=person,
        class_=class_,
        person_text=person_text,
        class_text=class_text,
        people=people,
        classes=classes if class_text else own,
        grades=grades,
        holds=holds,
        moved=moved[:PAGE],
        next=moved[PAGE - 1].id if len(moved) > PAGE else None,
        before=_before(),
        names=names,
        sites=sites,
        course_key=host_of(class_) if class_ else None,
        **conflict_words.words(),
    )


def _grades(class_: ClassView, person_key: str) -> dict[str, PartGradeView]:
    keys = [part.part_key for part in class_.parts]
    return {
        grade.part_key: grade
        for grade in services().sis.part_grades(class_.class_key, keys)
        if grade.person_key == person_key
    }


def hold() -> BaseResponse:
    """Let a grade stand whatever comes from elsewhere, until it is lifted."""
    person, class_ = _both()
    services().grading.hold(
        GradeEntry(person.person_key, _part(class_), score=_score()),
        actor=scope().actor,
        reason=_reason(),
    )
    flash(_("The grade is held. Whatever comes from Moodle, it stands until you lift it."), "good")
    return _back(person, class_)


def lift() -> BaseResponse:
    """Hold a grade no longer."""
    person, class_ = _both()
    services().grading.lift(person.person_key, _part(class_), actor=scope().actor, reason=_reason())
    flash(_("The grade is held no longer: what changes in Moodle counts again."), "good")
    return _back(person, class_)


def _back(person: PersonView, class_: ClassView) -> BaseResponse:
    chosen: dict[str, Any] = {"person": person.person_key, "class": class_.class_key}
    return redirect(url_for("admin.grades_student", **chosen))


def _both() -> tuple[PersonView, ClassView]:
    person = services().sis.person(request.form.get("person", "")[:255])
    class_ = services().sis.class_(request.form.get("class", "")[:255])
    if person is None or class_ is None:
        raise NotFoundError("The SIS has no such student or class.")
    return person, class_


def _part(class_: ClassView) -> str:
    wanted = request.form.get("part", "")
    if wanted not in {part.part_key for part in class_.parts}:
        raise NotFoundError("The class has no such part.")
    return wanted


def _score() -> Decimal | None:
    text = request.form.get("score", "").strip().replace(",", ".")
    if not text:
        return None
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise InvalidInputError(
            "The grade is not a number.", field="score", remedy="Write it as 87.5."
        ) from error


def _reason() -> str:
    reason = request.form.get("reason", "").strip()[:500]
    if not reason:
        raise InvalidInputError("Say why; it is kept with the grade.", field="reason")
    return reason


# -- the log


def course_log() -> str:
    """The movements of all grades in one course, the newest first."""
    site_id, class_key = request.args.get("site", type=int), _argument("class")
    if site_id is None:
        raise InvalidInputError("Say which Moodle.", field="site")
    with services().database.snapshot():
        site = services().sites.moodle(site_id)
        class_ = services().sis.class_(class_key)
        if class_ is None:
            raise NotFoundError("The SIS has no such class.")
        moved = services().grades.log.of_course(
            site.id, class_key, before=_before(), limit=PAGE + 1
        )
        shown = moved[:PAGE]
        names = names_in(shown)
        classes = services().sis_extracts.classes({entry.class_key for entry in shown})
    return render_template(
        "administrator/grades_log.html",
        scope=scope(),
        site=site,
        class_=class_,
        classes=classes,
        moved=shown,
        next=shown[-1].id if len(moved) > PAGE else None,
        before=_before(),
        names=names,
        **conflict_words.words(),
    )


def names_in(moved: Iterable[LogEntry], more: Iterable[str | None] = ()) -> dict[str, str]:
    """Names of all people whom these movements name, by key."""
    keys = {key for entry in moved for key in (entry.person_key, entry.actor)}
    keys |= {key for key in more if key}
    people = services().sis_extracts.people(keys) if keys else {}
    return {key: person.full_name for key, person in people.items()}


def export() -> Response:
    """The log as a table, of any size: all of it, a Moodle's, a course's, or a student's."""
    wanted: dict[str, Any] = {
        "site_id": request.args.get("site", type=int),
        "course_key": _argument("course") or None,
        "person_key": _argument("person") or None,
        "class_key": _argument("class") or None,
    }
    return Response(
        stream_with_context(_csv(services().grades.log.every(**wanted))),
        mimetype="text/csv",
        headers={"Content-Disposition": "attachment; filename=grades-log.csv"},
    )


def _csv(entries: Iterator[LogEntry]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # Without this mark spreadsheets take Khmer for another alphabet.
    buffer.write("\ufeff")
    writer.writerow(
        [
            _("Number"), _("Time (UTC)"), _("Moodle"), _("Direction"), _("What became of it"),
            _("Class"), _("Student number"), _("Student"), _("Item"), _("Before"), _("After"),
            _("Letter"), _("By"), _("Why"), _("Run"),
        ]
    )  # fmt: skip
    sites = {site.id: site.name for site in services().sites.moodles()}
    while chunk := list(islice(entries, _CHUNK)):
        sis = services().sis_extracts
        keys = {key for entry in chunk for key in (entry.person_key, entry.actor)}
        people = sis.people(keys)
        classes = sis.classes({entry.class_key for entry in chunk})
        for entry in chunk:
            writer.writerow([harmless(value) for value in _row(entry, sites, people, classes)])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _row(
    entry: LogEntry,
    sites: Mapping[int, str],
    people: Mapping[str, PersonView],
    classes: Mapping[str, ClassView],
) -> list[str]:
    student, class_ = people.get(entry.person_key), classes.get(entry.class_key)
    actor = people.get(entry.actor)
    return [
        str(entry.id),
        entry.at.isoformat(timespec="seconds"),
        sites.get(entry.site_id, str(entry.site_id)),
        conflict_words.direction(entry.direction),
        conflict_words.movement(entry.movement).label,
        class_.label if class_ else entry.class_key,
        (student.student_id or "") if student else "",
        conflict_words.who(entry.person_key, student.full_name if student else None),
        conflict_words.item_name(entry.item_key, class_),
        _number(entry.before),
        _number(entry.after),
        entry.text,
        conflict_words.who(entry.actor, actor.full_name if actor else None),
        conflict_words.code_words(entry),
        "" if entry.run_id is None else str(entry.run_id),
    ]


def _number(value: int | None) -> str:
    # A machine reads this: a point, no thousands.
    found = score(value)
    return "" if found is None else f"{found:.2f}"


def _before() -> int | None:
    return request.args.get("before", type=int)


def _argument(name: str) -> str:
    return request.args.get(name, "").strip()[:255]
