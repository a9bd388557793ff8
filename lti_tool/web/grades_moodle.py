"""The teacher's gradebook where the plugin keeps grades equal: both sides of each grade."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lti_tool.core.errors import NotFoundError
from lti_tool.sync.grades.cells import DIFFERENT, SENDABLE, Cell, CellState
from lti_tool.sync.grades.views import Column, Row, Table
from lti_tool.web import display, grade_words
from lti_tool.web.grades_course import (
    GradedCourse,
    automatic,
    inbox_url,
    names_of,
    require_graded_course,
)
from lti_tool.web.i18n import gettext as _
from lti_tool.web.paging import PAGE, Slice, slice_of
from lti_tool.web.viewer import in_course
from lti_tool.wiring import services

blueprint = in_course(Blueprint("grades_moodle", __name__, url_prefix="/l/<reference>"))
# All students of nearly every class on one page, for whoever wants to compare.
_WHOLE = 200
# What a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_Thing = TypeVar("_Thing")


def page(course: GradedCourse, part_key: str | None) -> str:
    """The gradebook: a grid of students, or a list of the grades in one state."""
    wanted = request.args.get("state", "")
    text = request.args.get("q", "").strip()[:100]
    size = _WHOLE if request.args.get("show") == str(_WHOLE) else PAGE
    with services().database.snapshot():
        table = course.table(text=text, part_key=part_key)
        sendings = services().grades.views.sendings(course.site, table.course_key, course.item_keys)
        lines = list(_chosen(table, wanted)) if wanted else []
        total = len(lines) if wanted else len(table.rows)
        page_ = slice_of(
            total,
            "grades.gradebook",
            size=size,
            part=part_key,
            state=wanted,
            q=text,
            show=size if size != PAGE else None,
        )
        lines = _cut(lines, page_)
        names = names_of(
            [each.asked_by for each in sendings]
            + [cell.receipt.sent_by for _row, _column, cell in lines if cell.receipt]
        )
    return render_template(
        "grades/moodle.html",
        who=course.who,
        course=course,
        part=course.part(part_key) if part_key else None,
        table=table,
        rows=_cut(table.rows, page_),
        lines=lines,
        wanted=wanted,
        text=text,
        slice=page_,
        whole=_WHOLE if PAGE < total <= _WHOLE and size == PAGE else None,
        sendings=sendings,
        names=names,
        automatic=automatic(),
        switched_on=services().settings.moodle_sync_enabled,
        combined=len(course.who.classes) > 1,
        column_name=column_name,
        titles={column.item_key: column_name(column) for column in table.columns},
        inbox=inbox_url(),
        **_words(),
    )


def _words() -> dict[str, object]:
    """What the pages of grades have in common."""
    return {
        "states": grade_words.states(),
        "statuses": display.grade_statuses(),
        "why": partial(grade_words.why, automatic=automatic()),
        "refusal": grade_words.refusal,
        "CellState": CellState,
        "SENDABLE": SENDABLE,
    }


def _chosen(table: Table, wanted: str) -> Iterator[tuple[Row, Column, Cell]]:
    states = DIFFERENT if wanted == "different" else {wanted}
    for row, column, cell in table.cells():
        if cell.state in states:
            yield row, column, cell


def _cut(things: Sequence[_Thing], page_: Slice) -> list[_Thing]:
    return list(things[page_.offset : page_.offset + page_.size])


def column_name(column: Column) -> str:
    """What a column is called: totals say that they are totals."""
    match column.kind:
        case "total":
            return _("Final grade")
        case "session":
            return _("Total of %(session)s", session=column.name) if column.name else _("Total")
        case _:
            return column.name


@blueprint.get("/grades/student")
def student() -> str:
    """One student's grades with their receipts: when each was sent, by whom, with what result."""
    course = require_graded_course()
    person_key = request.args.get("person", "")
    with services().database.snapshot():
        table = course.table()
        rows = [row for row in table.rows if row.person_key == person_key]
        if not rows:
            raise NotFoundError(
                "This student is not in the class.", remedy="Go back to the gradebook."
            )
        receipts = [cell.receipt for row in rows for cell in row.cells.values() if cell.receipt]
        names = names_of([each.sent_by for each in receipts])
        graders = services().grades.views.graders(
            course.site, {each.seen_by for each in receipts if each.seen_by}
        )
    return render_template(
        "grades/student.html",
        who=course.who,
        person=rows[0].entry.person,
        lines=list(Table(table.course_key, table.columns, tuple(rows), table.state).cells()),
        names=names,
        graders=graders,
        column_name=column_name,
        inbox=inbox_url(),
        **_words(),
    )


@blueprint.post("/grades/read")
def read() -> BaseResponse:
    """Have the grades brought over from Moodle now."""
    course = require_graded_course()
    if course.item_keys:
        services().grades.pulls.request(
            course.site.id, [course.key], actor=course.who.person.person_key
        )
        flash(
            _("The grades are being read from Moodle. This page shows when they were read last."),
            "good",
        )
    return redirect(url_for("grades.gradebook"))


@blueprint.get("/grades/reading")
def reading() -> str:
    """When grades were last read: the part of the page that changes while they are."""
    course = require_graded_course()
    return render_template("grades/reading.html", state=course.state())


@blueprint.get("/grades/export.csv")
def export() -> Response:
    """All that the page shows, for a spreadsheet."""
    course = require_graded_course()
    with services().database.snapshot():
        table = course.table()
        names = names_of(
            {cell.receipt.sent_by for _row, _column, cell in table.cells() if cell.receipt}
        )
    body = "".join(_csv(table, names))
    return Response(
        body,
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename={_file_name(table)}.csv"},
    )


def _file_name(table: Table) -> str:
    kept = "".join(each if each.isascii() and each.isalnum() else "-" for each in table.course_key)
    return f"grades-{kept[:80]}"


def _csv(table: Table, names: dict[str, str]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # Without this mark spreadsheets take Khmer for another alphabet.
    buffer.write("\ufeff")
    writer.writerow(
        [
            _("Student number"), _("Student"), _("Name in Khmer"), _("Class"), _("Item"),
            _("In the SIS"), _("Letter"), _("Status"), _("In Moodle"), _("State"), _("Sent"),
            _("Sent by"), _("Why"), _("What to do"),
        ]
    )  # fmt: skip
    states, statuses = grade_words.states(), display.grade_statuses()
    for row, column, cell in table.cells():
        if not cell.known:
            continue
        person, receipt = row.entry.person, cell.receipt
        sent_by = receipt.sent_by if receipt else None
        sent_at = (
            receipt.sent_at.isoformat(timespec="seconds") if receipt and receipt.sent_at else ""
        )
        values = [
            person.student_id or "",
            person.full_name,
            person.khmer_name or "",
            row.view.label,
            column_name(column),
            _number(cell.sis.score),
            cell.sis.letter or "",
            statuses[cell.sis.status].label if cell.sis.status else "",
            cell.moodle_letter or _number(cell.moodle),
            states[cell.state].label,
            sent_at,
            names.get(sent_by or "", sent_by or ""),
            *grade_words.why(cell, automatic=automatic()),
        ]
        writer.writerow([harmless(value) for value in values])
        if buffer.tell() > 65536:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _number(value: Decimal | None) -> str:
    # A machine reads this: a point, no thousands.
    return "" if value is None else f"{value:.2f}"


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
