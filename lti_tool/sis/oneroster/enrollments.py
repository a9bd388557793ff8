"""Lands enrolments: students in classes, and who teaches them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.models import ClassHeader, Enrollment, Person, Sourced, Teaching
from lti_tool.sis.oneroster.files import NAGA
from lti_tool.sis.oneroster.landing import Landed, Landing, known
from lti_tool.sis.oneroster.reading import Row, Sheet
from lti_tool.sis.oneroster.report import FieldError

_ATTENDING = [status for status in EnrollmentStatus if status.attends]
_TAUGHT = ("teacher",)


def land_enrollments(landing: Landing, sheet: Sheet) -> None:
    """``enrollments.csv``. Students end in one table, teachers in another; proctors in none."""
    rows = [row for row in sheet.rows if not row.deleted]
    headers = landing.ids(ClassHeader.sourced_id, (row.values["classSourcedId"] for row in rows))
    people = landing.ids(Person.sourced_id, (row.values["userSourcedId"] for row in rows))
    before = _stored_statuses(landing, [row.key for row in rows])

    def pair(row: Row) -> dict[str, Any]:
        values = row.values
        begin, end = values["beginDate"], values["endDate"]
        if begin and end and end < begin:
            raise FieldError("endDate", "The enrolment ends before it begins.", "Correct it.")
        return {
            "person_id": known(people, values["userSourcedId"], "userSourcedId", "user"),
            "header_id": known(headers, values["classSourcedId"], "classSourcedId", "class"),
        }

    def student(row: Row) -> dict[str, Any]:
        audit = bool(row.values[NAGA + "audit"])
        old, since = before.get(row.key, (None, None))
        status = _status(row.values[NAGA + "status"], old, audit=audit)
        return pair(row) | {
            "status": status,
            "is_audit": audit,
            "status_since": since if old is status and since else landing.now,
        }

    def teacher(row: Row) -> dict[str, Any]:
        return pair(row) | {"is_primary": bool(row.values["primary"])}

    late = _late(landing, sheet)
    students = landing.prepare(
        sheet,
        Enrollment,
        student,
        only=lambda row: row.key not in late and (row.deleted or row.values["role"] == "student"),
    )
    teachers = landing.prepare(
        sheet,
        Teaching,
        teacher,
        only=lambda row: row.key not in late and (row.deleted or row.values["role"] in _TAUGHT),
    )
    settled = {*students.deleted, *teachers.deleted, *students.stale, *teachers.stale}
    landing.report.files[sheet.name].skipped += len(late) + sum(
        row.deleted and row.key not in settled | late for row in sheet.rows
    )
    others = [
        row
        for row in rows
        if row.values["role"] not in ("student", *_TAUGHT)
        if row.key not in late
    ]
    if others:
        landing.report.files[sheet.name].skipped += len(others)
        landing.report.notes.append(
            f"{sheet.name}.csv: {len(others)} rows of other roles than student and teacher."
        )
    _land(landing, sheet, Enrollment, students)
    _land(landing, sheet, Teaching, teachers)
    _change_roles(landing, sheet, Enrollment, [*others, *(row for row, _ in teachers.rows)])
    _change_roles(landing, sheet, Teaching, [*others, *(row for row, _ in students.rows)])
    landing.remove(
        sheet,
        [Enrollment, Teaching],
        students.deleted | teachers.deleted,
        lambda model, ids: _leave(landing, model, ids),
        # Who finished a class stays in it: an export of the running term no longer names them.
        lambda model: Enrollment.status.in_(_ATTENDING) if model is Enrollment else sa.true(),
    )


def _late(landing: Landing, sheet: Sheet) -> set[str]:
    """Rows of a delta that are older than what is stored, be it under another role."""
    if sheet.mode != "delta":
        return set()
    newest: dict[str, dt.datetime] = {}
    for model in (Enrollment, Teaching):
        for some in chunks([row.key for row in sheet.rows]):
            for key, modified in landing.session.execute(
                sa.select(model.sourced_id, model.source_modified_at).where(
                    model.sourced_id.in_(some)
                )
            ):
                if modified is not None:
                    newest[key] = max(modified, newest.get(key, modified))
    return {
        row.key
        for row in sheet.rows
        if row.modified and row.key in newest and row.modified < newest[row.key]
    }


def _change_roles(
    landing: Landing,
    sheet: Sheet,
    model: type[Enrollment] | type[Teaching],
    rows: Collection[Row],
) -> None:
    """Take away what these rows were before their role changed: it stands in ``model``'s table."""
    present: sa.ColumnElement[bool] = model.active.expression
    if model is Enrollment:
        present = sa.and_(present, Enrollment.status != EnrollmentStatus.DROPPED)
    modified = {row.key: row.modified for row in rows}
    going: list[tuple[str, int]] = []
    for some in chunks(modified):
        found = landing.session.execute(
            sa.select(model.sourced_id, model.id).where(model.sourced_id.in_(some), present)
        )
        going += [(key, id_) for key, id_ in found]
    if not going:
        return
    _leave(landing, model, [id_ for _, id_ in going])
    known_times = [
        {"id": id_, "source_modified_at": modified[key]} for key, id_ in going if modified[key]
    ]
    if known_times:
        # A row of the old role that arrives late must not bring it back.
        landing.session.execute(sa.update(model), known_times)
    landing.report.files[sheet.name].removed += len(going)


def _status(named: str | None, old: EnrollmentStatus | None, *, audit: bool) -> EnrollmentStatus:
    """The status of a student whom the file names; one who had left comes back."""
    if named is not None:
        return EnrollmentStatus(named)
    if audit:
        return EnrollmentStatus.AUDIT
    # OneRoster cannot say how a class ended; a source that does not either must not undo it.
    if old is not None and old is not EnrollmentStatus.AUDIT and (old.attends or old.ended):
        return old
    return EnrollmentStatus.ENROLLED


def _land(
    landing: Landing, sheet: Sheet, model: type[Enrollment] | type[Teaching], landed: Landed
) -> None:
    held: dict[Any, str] = {}
    stored_ids: dict[str, int] = {}
    for some in chunks({values["header_id"] for _, values in landed.rows}):
        for person_id, header_id, key, id_ in landing.session.execute(
            sa.select(model.person_id, model.header_id, model.sourced_id, model.id).where(
                model.header_id.in_(some)
            )
        ):
            held[person_id, header_id] = key
            stored_ids[key] = id_
    _adopt(landing, model, landed, held, stored_ids)
    landing.settle(
        sheet,
        landed,
        _pair,
        held,
        FieldError(
            "userSourcedId",
            "Another row enrols this user in this class.",
            "Keep one row per user and class.",
        ),
        swaps=False,
    )
    landing.write(sheet, model, landed)


def _adopt(
    landing: Landing,
    model: type[Enrollment] | type[Teaching],
    landed: Landed,
    held: dict[Any, str],
    stored_ids: dict[str, int],
) -> None:
    """Who comes back under a new identifier flips the old row: its grades must not be lost."""
    keys = set(landed.keys)
    taken = landing.ids(model.sourced_id, keys)
    adopted: dict[int, str] = {}
    for row, values in landed.rows:
        holder = held.get(_pair(values))
        if holder is None or holder in keys or row.key in taken:
            continue
        adopted[stored_ids[holder]] = row.key
        held[_pair(values)] = row.key
    if adopted:
        landing.session.execute(
            sa.update(model), [{"id": id_, "sourced_id": key} for id_, key in adopted.items()]
        )


def _pair(values: dict[str, Any]) -> tuple[int, int]:
    return values["person_id"], values["header_id"]


def _leave(landing: Landing, model: type[Sourced], ids: list[int]) -> None:
    """A student who is gone is DROPPED, not inactive: the row stays in the class for ever."""
    if model is not Enrollment:
        landing.deactivate(model, ids)
        return
    for some in chunks(ids):
        landing.session.execute(
            sa.update(Enrollment)
            .where(Enrollment.id.in_(some), Enrollment.status != EnrollmentStatus.DROPPED)
            .values(
                status=EnrollmentStatus.DROPPED,
                status_since=landing.now,
                updated_at=landing.now,
            )
            .execution_options(synchronize_session=False)
        )


def _stored_statuses(landing: Landing, keys: list[str]) -> dict[str, tuple[Any, Any]]:
    found: dict[str, tuple[Any, Any]] = {}
    for some in chunks(keys):
        rows = landing.session.execute(
            sa.select(Enrollment.sourced_id, Enrollment.status, Enrollment.status_since).where(
                Enrollment.sourced_id.in_(some)
            )
        )
        found.update((key, (status, since)) for key, status, since in rows)
    return found
