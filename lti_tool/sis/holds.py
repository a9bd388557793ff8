"""What the registrar holds: by whom, since when, and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.models import ClassHeader, ClassPart, Enrollment, Person


@dataclass(frozen=True, slots=True)
class Hold:
    """One grade that is held."""

    held_by: str
    held_at: dt.datetime | None
    reason: str


class Holds:
    """Reads the holds of one student."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, person_key: str, class_key: str) -> dict[str, Hold]:
        """The held grades of a student in a class, by part key; one statement."""
        query = (
            sa.select(
                ClassPart.sourced_id,
                ClassPartGrade.held_by,
                ClassPartGrade.held_at,
                ClassPartGrade.held_reason,
            )
            .join(ClassPart, ClassPart.id == ClassPartGrade.part_id)
            .join(Enrollment, Enrollment.id == ClassPartGrade.enrollment_id)
            .join(Person, Person.id == Enrollment.person_id)
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .where(
                Person.sourced_id == person_key,
                ClassHeader.sourced_id == class_key,
                ClassPartGrade.held_by.is_not(None),
            )
        )
        with self._database.reading() as connection:
            return {
                part_key: Hold(held_by or "", held_at, reason or "")
                for part_key, held_by, held_at, reason in connection.execute(query)
            }
