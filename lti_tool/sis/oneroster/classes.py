"""Lands classes with what OneRoster has no column for: sections, sessions, parts, combinations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from lti_tool.sis.bulk import chunks, write_rows
from lti_tool.sis.entities import ClassStatus, ClassType, TimeOfDay
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Course,
    Organisation,
    Person,
    Teaching,
    Term,
)
from lti_tool.sis.oneroster.fields import PartSpec
from lti_tool.sis.oneroster.files import NAGA
from lti_tool.sis.oneroster.landing import Landed, Landing, known
from lti_tool.sis.oneroster.reading import Row, Sheet
from lti_tool.sis.oneroster.report import FieldError
from lti_tool.sis.rules import session_weights
from lti_tool.sis.search import fold

_PARTS = NAGA + "parts"
_COMBINED = NAGA + "combined"
_DEFAULT = PartSpec(1, 1, "", "MAIN", Decimal(1), None, None, None, "", None, None)


def land_classes(landing: Landing, sheet: Sheet) -> None:
    """``classes.csv``. A class without parts gets one, unless it has some already."""
    rows = [row for row in sheet.rows if not row.deleted]
    courses = landing.ids(Course.sourced_id, (row.values["courseSourcedId"] for row in rows))
    terms = landing.ids(
        Term.sourced_id, (key for row in rows for key in row.values["termSourcedIds"])
    )
    schools = landing.ids(Organisation.sourced_id, (row.values["schoolSourcedId"] for row in rows))
    teachers = landing.ids(
        Person.sourced_id, (part.teacher for row in rows for part in row.values[_PARTS] or ())
    )
    owners = _part_owners(landing, rows)

    def build(row: Row) -> dict[str, Any]:
        values = row.values
        if values["schoolSourcedId"]:
            known(schools, values["schoolSourcedId"], "schoolSourcedId", "organisation")
        own = [_part_key(row, part) for part in values[_PARTS] or ()]
        if len(set(own)) < len(own):
            raise FieldError(_PARTS, "Two parts have the same id.", "Give each its own id.")
        for part in values[_PARTS] or ():
            if part.teacher:
                known(teachers, part.teacher, _PARTS, "user for a part's teacher")
            _claim(owners, _part_key(row, part), row.key)
        section = values[NAGA + "section"] or values["classCode"] or row.key
        # The first term is the class's own; OneRoster allows a class to lie in several.
        term_ids = [
            known(terms, key, "termSourcedIds", "academic session")
            for key in values["termSourcedIds"]
        ]
        return {
            "course_id": known(courses, values["courseSourcedId"], "courseSourcedId", "course"),
            "term_id": term_ids[0],
            "section": section,
            "time_of_day": TimeOfDay(values[NAGA + "timeOfDay"] or TimeOfDay.ALL),
            "class_type": ClassType(values[NAGA + "type"] or ClassType.STANDARD),
            "status": ClassStatus(values[NAGA + "status"] or ClassStatus.SCHEDULED),
            "max_enrollment": int(values[NAGA + "capacity"] or 30),
            "search": fold(row.key, section, values["title"]),
        }

    landed = landing.prepare(sheet, ClassHeader, build)
    _settle_natural_keys(landing, sheet, landed)
    _combine(landing, landed)
    landing.write(sheet, ClassHeader, landed)
    landing.remove(sheet, [ClassHeader], landed.deleted, landing.deactivate)
    _land_parts(landing, landed, teachers)


def _part_owners(landing: Landing, rows: list[Row]) -> dict[str, str]:
    """Part identifier → the class that has it now."""
    wanted = {_part_key(row, part) for row in rows for part in row.values[_PARTS] or (_DEFAULT,)}
    owners: dict[str, str] = {}
    for some in chunks(wanted):
        found = landing.session.execute(
            sa.select(ClassPart.sourced_id, ClassHeader.sourced_id)
            .join(ClassSession, ClassSession.id == ClassPart.session_id)
            .join(ClassHeader, ClassHeader.id == ClassSession.header_id)
            .where(ClassPart.sourced_id.in_(some))
        )
        owners.update((part, class_) for part, class_ in found)
    return owners


def _claim(owners: dict[str, str], part: str, class_key: str) -> None:
    if len(part) > 255 or owners.setdefault(part, class_key) != class_key:
        raise FieldError(
            _PARTS, "A part's id is too long or belongs to another class.", "Give it its own id."
        )


def _part_key(row: Row, part: PartSpec) -> str:
    return part.key or f"{row.key}/{part.session}.{part.code}"


def _natural(values: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(values[name] for name in ("course_id", "term_id", "section", "time_of_day"))


def _settle_natural_keys(landing: Landing, sheet: Sheet, landed: Landed) -> None:
    held: dict[Any, str] = {}
    for some in chunks({values["term_id"] for _, values in landed.rows}):
        for *natural, key in landing.session.execute(
            sa.select(
                ClassHeader.course_id,
                ClassHeader.term_id,
                ClassHeader.section,
                ClassHeader.time_of_day,
                ClassHeader.sourced_id,
            ).where(ClassHeader.term_id.in_(some))
        ):
            held[tuple(natural)] = key
    vacate = landing.settle(
        sheet,
        landed,
        _natural,
        held,
        FieldError(
            NAGA + "section",
            "Another class has this course, term, section and time of day.",
            "Give them different sections (metadata.naga.section or classCode).",
        ),
    )
    for some in chunks(vacate):
        landing.session.execute(
            sa.update(ClassHeader)
            .where(ClassHeader.sourced_id.in_(some))
            .values(section=sa.literal("~") + sa.cast(ClassHeader.id, sa.String))
            .execution_options(synchronize_session=False)
        )


def _combine(landing: Landing, landed: Landed) -> None:
    groups = {
        (values["term_id"], row.values[_COMBINED])
        for row, values in landed.rows
        if row.values[_COMBINED]
    }
    write_rows(
        landing.session,
        CombinedClass,
        [{"term_id": term_id, "name": name} for term_id, name in sorted(groups)],
        key=("term_id", "name"),
        now=landing.now,
    )
    found: dict[tuple[int, str], int] = {}
    for some in chunks({term_id for term_id, _ in groups}):
        for group in landing.session.scalars(
            sa.select(CombinedClass).where(CombinedClass.term_id.in_(some))
        ):
            found[group.term_id, group.name] = group.id
    for row, values in landed.rows:
        values["combined_class_id"] = found.get((values["term_id"], row.values[_COMBINED] or ""))


def _land_parts(landing: Landing, landed: Landed, teachers: dict[str, int]) -> None:
    session = landing.session
    headers = landing.ids(ClassHeader.sourced_id, landed.keys)
    codes: dict[int, str] = {}
    for some in chunks({values["course_id"] for _, values in landed.rows}):
        found = session.execute(sa.select(Course.id, Course.code).where(Course.id.in_(some)))
        codes.update((id_, code) for id_, code in found)
    having = _with_parts(landing, list(headers.values()))
    wanted: dict[str, tuple[PartSpec, ...]] = {}
    halves: dict[tuple[int, int], dict[str, Any]] = {}
    for row, values in landed.rows:
        header_id = headers[row.key]
        parts = row.values[_PARTS]
        if parts is None and header_id not in having:
            parts = (_DEFAULT,)
        weights = session_weights(codes[values["course_id"]])
        numbers = {*range(1, len(weights) + 1), *(part.session for part in parts or ())}
        for number in numbers:
            halves[header_id, number] = {
                "header_id": header_id,
                "number": number,
                "name": f"Session {number}" if len(numbers) > 1 else "",
                "weight": weights[number - 1] if number <= len(weights) else Decimal(1),
            }
        if parts is not None:
            wanted[row.key] = parts
    write_rows(
        session, ClassSession, list(halves.values()), key=("header_id", "number"), now=landing.now
    )
    sessions: dict[tuple[int, int], int] = {}
    for some in chunks(headers.values()):
        for header_id, number, id_ in session.execute(
            sa.select(ClassSession.header_id, ClassSession.number, ClassSession.id).where(
                ClassSession.header_id.in_(some)
            )
        ):
            sessions[header_id, number] = id_
    rows_by_key = {row.key: row for row, _ in landed.rows}
    rows: list[dict[str, Any]] = []
    for key, parts in wanted.items():
        row = rows_by_key[key]
        rows += [
            {
                "sourced_id": _part_key(row, part),
                "session_id": sessions[headers[key], part.session],
                "code": part.code,
                "name": part.name,
                "part_type": part.kind,
                "weight": part.weight,
                "teacher_named": part.teacher is not None,
                **({"teacher_id": teachers[part.teacher]} if part.teacher else {}),
                "room": part.room or row.values["location"],
                "meeting_days": part.days,
                "start_time": part.start,
                "end_time": part.end,
                "active": True,
            }
            for part in parts
        ]
    _vacate_parts(landing, [headers[key] for key in wanted], rows)
    # Two shapes of row: where no teacher is named, the one that follows from enrolments stays.
    for named in (True, False):
        some_rows = [row_ for row_ in rows if row_["teacher_named"] is named]
        write_rows(session, ClassPart, some_rows, key=("sourced_id",), now=landing.now)


def _with_parts(landing: Landing, header_ids: list[int]) -> set[int]:
    found: set[int] = set()
    for some in chunks(header_ids):
        found.update(
            landing.session.scalars(
                sa.select(ClassSession.header_id)
                .join(ClassPart, ClassPart.session_id == ClassSession.id)
                .where(ClassSession.header_id.in_(some), ClassPart.active)
            )
        )
    return found


def _vacate_parts(landing: Landing, header_ids: list[int], rows: list[dict[str, Any]]) -> None:
    """Parts that are no longer named go; those whose place another takes let go of it first."""
    places = {row["sourced_id"]: (row["session_id"], row["code"]) for row in rows}
    gone: list[dict[str, Any]] = []
    for some in chunks(header_ids):
        for part in landing.session.execute(
            sa.select(ClassPart.id, ClassPart.sourced_id, ClassPart.session_id, ClassPart.code)
            .join(ClassSession, ClassSession.id == ClassPart.session_id)
            .where(ClassSession.header_id.in_(some))
        ):
            gone_before = part.sourced_id not in places and part.code < 0
            if not gone_before and places.get(part.sourced_id) != (part.session_id, part.code):
                # Codes below zero are nobody's: the place is free, and grades keep their part.
                stays = part.sourced_id in places
                gone.append(
                    {"id": part.id, "code": -part.id, "active": stays, "updated_at": landing.now}
                )
    if gone:
        landing.session.execute(sa.update(ClassPart), gone)


def settle_teachers(landing: Landing) -> None:
    """Give each part without a teacher of its own the class's primary teacher, if it has one."""
    lead = (
        sa.select(Teaching.person_id)
        .join(ClassSession, ClassSession.header_id == Teaching.header_id)
        .where(ClassSession.id == ClassPart.session_id, Teaching.active)
        .order_by(Teaching.is_primary.desc(), Teaching.id)
        .limit(1)
        .correlate(ClassPart)
        .scalar_subquery()
    )
    landing.session.execute(
        sa.update(ClassPart)
        .where(
            sa.not_(ClassPart.teacher_named),
            ClassPart.active,
            ClassPart.teacher_id.is_distinct_from(lead),
        )
        .values(teacher_id=lead, updated_at=landing.now)
        .execution_options(synchronize_session=False)
    )
