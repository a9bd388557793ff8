"""Sending grades to a Moodle with the plugin: a preview, then progress, then results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.moodle.documents import MemberResult
from lti_tool.moodle.plugin_errors import PluginError
from lti_tool.sync.grades.cells import SENDABLE, Cell, CellState
from lti_tool.sync.grades.values import CellKey, score
from lti_tool.sync.grades.views import Column, Row, Sending, Table
from lti_tool.web import display, grade_words
from lti_tool.web.grades_course import GradedCourse, inbox_url, names_of, require_graded_course
from lti_tool.web.grades_moodle import column_name
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import score as written_score
from lti_tool.web.viewer import in_course
from lti_tool.wiring import services

blueprint = in_course(Blueprint("grades_send", __name__, url_prefix="/l/<reference>"))
# So many lines a page shows, and so many grades one form sends: what is beyond comes next time.
_SHOWN = 500
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Line:
    """One grade of a preview: what stands in Moodle, what would stand there, or why not."""

    row: Row
    column: Column
    cell: Cell
    result: MemberResult | None

    @property
    def changes(self) -> bool:
        """Whether sending would change something."""
        return self.result is not None and self.result.result in ("created", "updated")

    @property
    def refused(self) -> bool:
        """Whether Moodle would refuse it."""
        return self.result is not None and self.result.result == "refused"

    @property
    def before(self) -> str:
        """What stands in Moodle."""
        return self._side("before")

    @property
    def after(self) -> str:
        """What would stand there."""
        return self._side("after")

    def _side(self, side: str) -> str:
        for change in self.result.changes if self.result else ():
            value = getattr(change, side)
            if change.field.endswith("text") and value:
                return str(value)
            if change.field.endswith("value"):
                return _shown(value)
        return _shown(None)


def _shown(value: object) -> str:
    return written_score(score(value) if isinstance(value, int) else None)


@blueprint.post("/grades/sending/preview")
def preview() -> str | Response:
    """What would change in Moodle; nothing does."""
    course = require_graded_course()
    return _preview(course, _wanted(course))


@blueprint.post("/grades/sending")
def send() -> str | Response:
    """Ask for exactly what the preview showed."""
    course = require_graded_course()
    table = course.table()
    wanted = _listed(table, request.form.get("cells", ""))
    if request.form.get("seal") != _seal(wanted):
        flash(_("Grades changed after the preview. This is what would change now."), "warning")
        return _preview(course, wanted)
    return _ask(course, set(wanted))


@blueprint.post("/grades/sending/again")
def again() -> Response:
    """Ask once more for what was refused."""
    course = require_graded_course()
    wanted = _listed(course.table(), request.form.get("cells", ""))
    return _ask(course, set(wanted))


@blueprint.get("/grades/sending/<int:stamp>")
def sending(stamp: int) -> str:
    """How a sending goes on, or what became of it. Closing the browser loses nothing."""
    course = require_graded_course()
    return render_template("grades/sending.html", who=course.who, **_progress(course, stamp))


@blueprint.get("/grades/sending/<int:stamp>/body")
def sending_body(stamp: int) -> str:
    """The part of that page that changes."""
    course = require_graded_course()
    return render_template("grades/sending_body.html", who=course.who, **_progress(course, stamp))


def _ask(course: GradedCourse, cells: set[CellKey]) -> Response:
    if not cells:
        flash(_("No grade was chosen."), "warning")
        return redirect(url_for("grades.gradebook"))
    parts = services().grades
    asked = parts.sync.push(course.site, course.key, cells, actor=course.who.person.person_key)
    latest = parts.views.sendings(course.site, course.key, course.item_keys, limit=1)
    if not asked or not latest:
        flash(_("There was nothing to send."), "warning")
        return redirect(url_for("grades.gradebook"))
    return redirect(url_for("grades_send.sending", stamp=latest[0].stamp))


def _wanted(course: GradedCourse) -> dict[CellKey, Cell]:
    """The grades that a form of the gradebook names, as far as they are for this teacher."""
    what = request.form.get("what", "")
    part_key = request.form.get("part") or None
    table = course.table(part_key=part_key)
    cells = {(cell.person_key, cell.item_key): cell for _row, _column, cell in table.cells()}
    if what == "all":
        return {key: cell for key, cell in cells.items() if _sends(cell)}
    if what == "people":
        people = set(request.form.getlist("person"))
        return {key: cell for key, cell in cells.items() if key[0] in people and _sends(cell)}
    if what == "cells":
        chosen = {tuple(text.split("\t", 1)) for text in request.form.getlist("cell")}
        return {key: cell for key, cell in cells.items() if key in chosen}
    raise InvalidInputError("The form does not say which grades are meant.", field="what")


def _sends(cell: Cell) -> bool:
    """Whether sending everything means this grade too: what is there from Moodle does not travel,
    and what waits for a decision waits."""
    return cell.state in SENDABLE or cell.state in (CellState.SAME, CellState.SENDING)


def _listed(table: Table, text: str) -> dict[CellKey, Cell]:
    """The grades that our own page has listed: ``{item: [people]}``; others' items are not among
    those of the table, whoever wrote the list."""
    try:
        given = json.loads(text)
        chosen = {(str(person), str(item)) for item, people in given.items() for person in people}
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInputError(
            "The list of grades cannot be read.", field="cells", remedy="Make a new preview."
        ) from error
    return {
        (cell.person_key, cell.item_key): cell
        for _row, _column, cell in table.cells()
        if (cell.person_key, cell.item_key) in chosen
    }


def _list(cells: Mapping[CellKey, Cell] | list[CellKey]) -> str:
    found: dict[str, list[str]] = {}
    for person_key, item_key in cells:
        found.setdefault(item_key, []).append(person_key)
    return json.dumps(found, separators=(",", ":"))


def _seal(cells: Mapping[CellKey, Cell]) -> str:
    """What the SIS had when a preview was made, in short."""
    state = sorted((*key, cell.sis.value, cell.sis.text) for key, cell in cells.items())
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]


def _preview(course: GradedCourse, wanted: Mapping[CellKey, Cell]) -> str | Response:
    if not wanted:
        flash(_("No grade was chosen."), "warning")
        return redirect(url_for("grades.gradebook"))
    try:
        results = services().grades.sync.preview(course.site, course.key, set(wanted))
    except PluginError:
        flash(_("Moodle does not answer at this moment. Try again in a minute."), "bad")
        return redirect(url_for("grades.gradebook"))
    said = {(result.user, result.item): result for result in results}
    lines = [
        Line(row, column, cell, said.get((cell.person_key, cell.item_key)))
        for row, column, cell in course.table().cells()
        if (cell.person_key, cell.item_key) in wanted
    ]
    changing = [line for line in lines if line.changes]
    sent = {(line.cell.person_key, line.cell.item_key): line.cell for line in changing[:_AT_ONCE]}
    refused = [line for line in lines if line.refused]
    return render_template(
        "grades/preview.html",
        who=course.who,
        changing=changing,
        refused=refused,
        same=len(lines) - len(changing) - len(refused),
        shown=_SHOWN,
        number=len(sent),
        cells=_list(sent),
        seal=_seal(sent),
        column_name=column_name,
        refusal=grade_words.refusal,
        statuses=display.grade_statuses(),
    )


def _progress(course: GradedCourse, stamp: int) -> dict[str, object]:
    parts = services().grades
    with services().database.snapshot():
        found = parts.views.sending(course.site, course.key, course.item_keys, stamp)
        if found is None:
            raise NotFoundError("Nothing was sent at that time.")
        state = course.state()
        # What nothing waits for any more has been looked at: there was nothing to send of it.
        active = found.done < found.total and state.waits
        lines = [] if active else _told(course, found)
        names = names_of([found.asked_by])
    refused = [line for line in lines if line.cell.receipt and line.cell.receipt.code]
    return {
        "sending": found,
        "state": state,
        "active": active,
        "lines": lines[:_SHOWN],
        "refused": refused,
        "cells": _list([(line.cell.person_key, line.cell.item_key) for line in refused]),
        "names": names,
        "column_name": column_name,
        "refusal": grade_words.refusal,
        "states": grade_words.states(),
        "CellState": CellState,
        "inbox": inbox_url(),
        "switched_on": services().settings.moodle_sync_enabled,
    }


def _told(course: GradedCourse, found: Sending) -> list[Line]:
    """The grades of a sending, what was refused first."""
    lines = [
        Line(row, column, cell, None)
        for row, column, cell in course.table().cells()
        if cell.receipt and cell.receipt.asked_at == found.asked_at
    ]
    return sorted(lines, key=lambda line: not (line.cell.receipt and line.cell.receipt.code))
