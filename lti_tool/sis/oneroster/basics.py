"""Lands organisations, terms, courses, people and their roles."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import (
    Course,
    Cycle,
    Enrollment,
    Organisation,
    Person,
    PersonRole,
    Teaching,
    Term,
    TermType,
)
from lti_tool.sis.oneroster.files import NAGA
from lti_tool.sis.oneroster.landing import Landed, Landing, known
from lti_tool.sis.oneroster.reading import Row, Sheet
from lti_tool.sis.oneroster.report import FieldError
from lti_tool.sis.search import fold

_LANGUAGE = ("EHSS", "GESL", "IEAP", "EXPRESS", "IELTS")
_CYCLES = {TermType.ENG_A: Cycle.LANG, TermType.ENG_B: Cycle.LANG, TermType.BA: Cycle.BA}


def land_organisations(landing: Landing, sheet: Sheet) -> None:
    """``orgs.csv``."""
    landed = landing.prepare(
        sheet, Organisation, lambda row: {"name": row.values["name"], "kind": row.values["type"]}
    )
    landing.write(sheet, Organisation, landed)
    landing.remove(sheet, [Organisation], landed.deleted, landing.deactivate)


def land_terms(landing: Landing, sheet: Sheet) -> None:
    """``academicSessions.csv``."""
    landed = landing.prepare(sheet, Term, _term)
    landing.write(sheet, Term, landed)
    landing.remove(sheet, [Term], landed.deleted, landing.deactivate)


def _term(row: Row) -> dict[str, Any]:
    values = row.values
    if values["endDate"] < values["startDate"]:
        raise FieldError("endDate", "The term ends before it starts.", "Correct the dates.")
    kind = TermType(values[NAGA + "termType"] or TermType.SPECIAL)
    cycle = values[NAGA + "cycle"]
    code = values[NAGA + "code"] or values["title"][:100]
    return {
        "code": code,
        "title": values["title"],
        "cycle": Cycle(cycle) if cycle else _CYCLES.get(kind),
        "term_type": kind,
        "start_date": values["startDate"],
        "end_date": values["endDate"],
        "search": fold(row.key, code, values["title"]),
    }


def land_courses(landing: Landing, sheet: Sheet) -> None:
    """``courses.csv``."""
    organisations = landing.ids(
        Organisation.sourced_id, (row.values.get("orgSourcedId") for row in sheet.rows)
    )

    def build(row: Row) -> dict[str, Any]:
        values = row.values
        if values["orgSourcedId"]:
            known(organisations, values["orgSourcedId"], "orgSourcedId", "organisation")
        code = values["courseCode"] or row.key[:50]
        language = code.upper().startswith(_LANGUAGE)
        return {
            "code": code,
            "title": values["title"],
            "cycle": Cycle(values[NAGA + "cycle"] or (Cycle.LANG if language else Cycle.BA)),
            "credits": int(values[NAGA + "credits"] or 0),
            "search": fold(code, values["title"]),
        }

    landed = landing.prepare(sheet, Course, build)
    landing.write(sheet, Course, landed)
    landing.remove(sheet, [Course], landed.deleted, landing.deactivate)


def land_people(landing: Landing, sheet: Sheet) -> None:
    """``users.csv``. Phones, passwords and the like are not even looked at."""
    landed = landing.prepare(sheet, Person, _person)
    _settle_student_ids(landing, sheet, landed)
    landing.write(sheet, Person, landed)
    landing.remove(sheet, [Person], landed.deleted, landing.deactivate)


def _person(row: Row) -> dict[str, Any]:
    values = row.values
    if not values["givenName"] and not values["familyName"]:
        raise FieldError(
            "familyName", "The person has no name.", "Fill in a given or a family name."
        )
    status = values[NAGA + "status"]
    if status is None:
        status = PersonStatus.ACTIVE if values["enabledUser"] else PersonStatus.INACTIVE
    person = {
        "student_id": values[NAGA + "studentId"] or values["identifier"],
        "family_name": values["familyName"] or "",
        "personal_name": values["givenName"] or "",
        "khmer_name": values[NAGA + "khmerName"],
        "school_email": values["email"],
        "status": PersonStatus(status),
    }
    named = (person[name] for name in ("family_name", "personal_name", "khmer_name"))
    return person | {"search": fold(*named, person["student_id"], person["school_email"], row.key)}


def _settle_student_ids(landing: Landing, sheet: Sheet, landed: Landed) -> None:
    held: dict[Any, str] = {}
    wanted = {values["student_id"] for _, values in landed.rows} - {None}
    for some in chunks(wanted):
        found = landing.session.execute(
            sa.select(Person.student_id, Person.sourced_id).where(Person.student_id.in_(some))
        )
        held.update((student_id, key) for student_id, key in found)
    vacate = landing.settle(
        sheet,
        landed,
        lambda values: values["student_id"],
        held,
        FieldError(
            "identifier",
            "Another person has this student id.",
            "Give each person an id of their own, or leave it empty.",
        ),
    )
    for some in chunks(vacate):
        landing.session.execute(
            sa.update(Person)
            .where(Person.sourced_id.in_(some))
            .values(student_id=None)
            .execution_options(synchronize_session=False)
        )


def land_roles(landing: Landing, sheet: Sheet) -> None:
    """``roles.csv``: who studies and who teaches."""
    people = landing.ids(Person.sourced_id, (row.values.get("userSourcedId") for row in sheet.rows))
    organisations = landing.ids(
        Organisation.sourced_id, (row.values.get("orgSourcedId") for row in sheet.rows)
    )

    def build(row: Row) -> dict[str, Any]:
        values = row.values
        if values["orgSourcedId"]:
            known(organisations, values["orgSourcedId"], "orgSourcedId", "organisation")
        return {
            "person_id": known(people, values["userSourcedId"], "userSourcedId", "user"),
            "role": values["role"],
        }

    landed = landing.prepare(sheet, PersonRole, build)
    landing.write(sheet, PersonRole, landed)
    landing.remove(sheet, [PersonRole], landed.deleted, landing.deactivate)


def settle_roles(landing: Landing) -> None:
    """Bring ``is_student`` and ``is_teacher`` up to the roles, enrolments and classes taught.

    People of whom no import ever gave a role keep what they are.
    """
    for column, role, table in (
        (Person.is_student, "student", Enrollment),
        (Person.is_teacher, "teacher", Teaching),
    ):
        has_role = sa.exists().where(
            PersonRole.person_id == Person.id, PersonRole.role == role, PersonRole.active
        )
        busy = sa.exists().where(table.person_id == Person.id, table.active)
        should = sa.or_(has_role, busy)
        ruled = sa.exists().where(PersonRole.person_id == Person.id)
        for value, where in ((True, should), (False, sa.and_(ruled, sa.not_(should)))):
            landing.session.execute(
                sa.update(Person)
                .where(column.is_(not value), where)
                .values({column: value, Person.updated_at: landing.now})
                .execution_options(synchronize_session=False)
            )
