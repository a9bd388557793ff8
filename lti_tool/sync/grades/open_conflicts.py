"""The conflicts of some courses while their grades are judged: raised, renewed, closed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.sis.bulk import chunks
from lti_tool.sync.grades.models import ConflictState, GradeConflict
from lti_tool.sync.grades.reasons import Reason
from lti_tool.sync.grades.values import CellKey

_conflicts = cast(sa.Table, GradeConflict.__table__)
UNDECIDED = (ConflictState.OPEN, ConflictState.ASKED)


@dataclass(frozen=True, slots=True)
class Standing:
    """A conflict that is not decided yet, as far as judging needs it."""

    id: int
    reason: str
    sis_value: int | None
    sis_status: str | None
    moodle_value: int | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a person is to decide: both values, with their authors and times."""

    course_key: str
    class_key: str
    person_key: str
    item_key: str
    reason: Reason
    sis_value: int | None
    sis_status: str | None
    sis_by: str | None
    sis_at: dt.datetime | None
    moodle_value: int | None
    moodle_by: str | None
    moodle_at: dt.datetime | None


class OpenConflicts:
    """Reads what is undecided in these courses, and stores at the end what became of it."""

    def __init__(
        self, session: Session, site_id: int, course_keys: Sequence[str], *, now: dt.datetime
    ) -> None:
        self._session = session
        self._site_id = site_id
        self._now = now
        self._open: dict[str, dict[CellKey, Standing]] = defaultdict(dict)
        self._left: set[CellKey] = set()
        self._new: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []
        self._closed: list[int] = []
        self._read(course_keys)

    def of_course(self, course_key: str) -> Mapping[CellKey, Standing]:
        """What is undecided in this course, by person and item."""
        return self._open.get(course_key, {})

    def left_alone(self, cell: CellKey) -> bool:
        """Whether somebody has decided to leave it that Moodle gives no number here."""
        return cell in self._left

    def raise_(self, standing: Standing | None, dispute: Dispute) -> bool:
        """Have a person decide; true if that is news: the same is not said again each time."""
        values = asdict(dispute) | {"reason": dispute.reason.value}
        if standing is None:
            self._new.append({"site_id": self._site_id, "since": self._now, **values})
            return True
        news = (standing.moodle_value, standing.reason) != (dispute.moodle_value, dispute.reason)
        if news or (standing.sis_value, standing.sis_status) != (
            dispute.sis_value,
            dispute.sis_status,
        ):
            self._changed.append({"the_id": standing.id, **values})
        return news

    def close(self, standing: Standing) -> None:
        """There is nothing to decide any more."""
        self._closed.append(standing.id)

    def store(self) -> None:
        """Write what was raised, renewed and closed."""
        if self._new:
            # The defaults of the table's columns, written out: many rows are one statement.
            self._session.execute(
                sa.insert(_conflicts), [{"state": ConflictState.OPEN, **row} for row in self._new]
            )
        if self._changed:
            names = [name for name in self._changed[0] if name != "the_id"]
            self._session.connection().execute(
                sa.update(_conflicts)
                .where(_conflicts.c.id == sa.bindparam("the_id"))
                .values({name: sa.bindparam(f"new_{name}") for name in names}),
                [
                    {"the_id": row["the_id"], **{f"new_{name}": row[name] for name in names}}
                    for row in self._changed
                ],
            )
        for some in chunks(self._closed, 1000):
            self._session.execute(
                sa.update(_conflicts)
                .where(_conflicts.c.id.in_(some))
                .values(state=ConflictState.CLOSED, decided_at=self._now)
            )

    def _read(self, course_keys: Sequence[str]) -> None:
        query = sa.select(
            _conflicts.c.course_key,
            _conflicts.c.person_key,
            _conflicts.c.item_key,
            _conflicts.c.state,
            _conflicts.c.id,
            _conflicts.c.reason,
            _conflicts.c.sis_value,
            _conflicts.c.sis_status,
            _conflicts.c.moodle_value,
        ).where(
            _conflicts.c.site_id == self._site_id,
            sa.or_(
                _conflicts.c.state.in_(UNDECIDED),
                sa.and_(
                    _conflicts.c.state == ConflictState.KEPT,
                    _conflicts.c.reason == Reason.NO_NUMBER.value,
                ),
            ),
        )
        for some in chunks(course_keys, 1000):
            for row in self._session.execute(query.where(_conflicts.c.course_key.in_(some))):
                course, person, item, state, *known = row
                if state in UNDECIDED:
                    self._open[course][person, item] = Standing(*known)
                else:
                    self._left.add((person, item))
