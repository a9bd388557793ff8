"""Conflicts as people see them: with names, in a flat number of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.sis.entities import PersonView
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.models import ConflictState, GradeConflict
from lti_tool.sync.grades.open_conflicts import UNDECIDED
from lti_tool.sync.grades.reasons import remedy_of

_conflicts = cast(sa.Table, GradeConflict.__table__)


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict as people see it. Values are hundredths of a percent.

    ``*_by``: a person's key, ``moodle:ID`` of an account that is no person of the SIS, or ``None``;
    ``*_name``: what to call them. ``person_key`` is ``moodle:ID`` too for an account without an ID
    number. Times: the SIS's by its clock, Moodle's by Moodle's.
    """

    id: int
    site_id: int
    course_key: str
    class_key: str
    class_label: str
    person_key: str
    person_name: str
    student_id: str | None
    item_key: str
    item_name: str
    reason: str
    remedy: str
    state: ConflictState
    sis_value: int | None
    sis_status: str | None
    sis_by: str | None
    sis_name: str | None
    sis_at: dt.datetime | None
    moodle_value: int | None
    moodle_by: str | None
    moodle_name: str | None
    moodle_at: dt.datetime | None
    since: dt.datetime
    asked_by: str | None
    asked_at: dt.datetime | None
    question: str | None
    answer: str | None
    proposes_take: bool | None
    answered_at: dt.datetime | None
    decided_by: str | None
    decided_at: dt.datetime | None
    note: str | None

    @property
    def undecided(self) -> bool:
        """Whether a person is still to decide."""
        return self.state in UNDECIDED

    @property
    def shown(self) -> tuple[int | None, int | None]:
        """Both values, to be handed back with the decision."""
        return self.sis_value, self.moodle_value


_PLAIN = (
    "id",
    "site_id",
    "course_key",
    "class_key",
    "person_key",
    "item_key",
    "reason",
    "state",
    "sis_value",
    "sis_status",
    "sis_by",
    "sis_at",
    "moodle_value",
    "moodle_by",
    "moodle_at",
    "since",
    "asked_by",
    "asked_at",
    "question",
    "answer",
    "proposes_take",
    "answered_at",
    "decided_by",
    "decided_at",
    "note",
)


class ConflictLists:
    """Reads the conflicts of all sites."""

    def __init__(self, database: Database, sis: SisExtracts) -> None:
        self._database = database
        self._sis = sis

    def undecided(
        self,
        site_id: int | None = None,
        course_key: str | None = None,
        *,
        class_keys: Collection[str] | None = None,
        person_key: str | None = None,
        item_key: str | None = None,
        state: ConflictState | None = None,
        reason: str | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[ConflictView]:
        """A page of what is to be decided, the oldest first; ``after``: the last id before it."""
        query = sa.select(*_conflicts.c).where(_conflicts.c.state.in_(UNDECIDED))
        for column, value in (
            (_conflicts.c.site_id, site_id),
            (_conflicts.c.course_key, course_key),
            (_conflicts.c.person_key, person_key),
            (_conflicts.c.item_key, item_key),
            (_conflicts.c.state, state),
            (_conflicts.c.reason, reason),
        ):
            if value is not None:
                query = query.where(column == value)
        if class_keys is not None:
            query = query.where(_conflicts.c.class_key.in_(class_keys))
        if after is not None:
            query = query.where(_conflicts.c.id > after)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(_conflicts.c.id).limit(limit)).all()
        return conflict_views(self._sis, rows)

    def get(self, conflict_id: int) -> ConflictView:
        """One conflict, decided or not; raises :class:`NotFoundError`."""
        with self._database.reading() as connection:
            row = connection.execute(
                sa.select(*_conflicts.c).where(_conflicts.c.id == conflict_id)
            ).one_or_none()
        if row is None:
            raise unknown(conflict_id)
        return conflict_views(self._sis, [row])[0]

    def counts(
        self, site_id: int | None = None, *, class_keys: Collection[str] | None = None
    ) -> dict[tuple[ConflictState, str], int]:
        """How many are undecided, by state and reason."""
        query = (
            sa.select(_conflicts.c.state, _conflicts.c.reason, sa.func.count())
            .where(_conflicts.c.state.in_(UNDECIDED))
            .group_by(_conflicts.c.state, _conflicts.c.reason)
        )
        if site_id is not None:
            query = query.where(_conflicts.c.site_id == site_id)
        if class_keys is not None:
            query = query.where(_conflicts.c.class_key.in_(class_keys))
        with self._database.reading() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def conflict_views(sis: SisExtracts, rows: Sequence[Any]) -> list[ConflictView]:
    """These rows of conflicts with the names of people, classes and parts; keys stand for what the
    SIS does not know any more."""
    if not rows:
        return []
    people = sis.people(
        {key for row in rows for key in (row.person_key, row.sis_by, row.moodle_by) if key}
    )
    classes = sis.classes({row.class_key for row in rows})
    parts = {part.part_key: part.name for view in classes.values() for part in view.parts}
    found: list[ConflictView] = []
    for row in rows:
        person, view = people.get(row.person_key), classes.get(row.class_key)
        found.append(
            ConflictView(
                **{name: getattr(row, name) for name in _PLAIN},
                class_label=view.label if view else row.class_key,
                person_name=person.full_name if person else row.person_key,
                student_id=person.student_id if person else None,
                item_name=parts.get(row.item_key, row.item_key),
                remedy=remedy_of(row.reason),
                sis_name=_name(row.sis_by, people.get(row.sis_by or "")),
                moodle_name=_name(row.moodle_by, people.get(row.moodle_by or "")),
            )
        )
    return found


def _name(key: str | None, person: PersonView | None) -> str | None:
    return person.full_name if person else key


def unknown(conflict_id: int) -> NotFoundError:
    """The error for a conflict that there is not."""
    return NotFoundError("There is no such conflict.", conflict=conflict_id)
