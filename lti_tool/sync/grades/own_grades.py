"""What a student may know of how their own grades come and go between Moodle and the SIS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sync.grades.models import GradeConflict, GradeReading
from lti_tool.sync.grades.open_conflicts import UNDECIDED
from lti_tool.sync.grades.reasons import Reason

_sites = cast(sa.Table, MoodleSite.__table__)
_readings = cast(sa.Table, GradeReading.__table__)
_conflicts = cast(sa.Table, GradeConflict.__table__)
# The others are nothing that a student could do anything about, nor a change of a grade of theirs.
_TOLD = (Reason.LOCKED, Reason.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Brought:
    """``read_at``: when grades were last brought over; ``None``: never, or not by the plugin.
    ``undecided``: items whose grade was changed in Moodle, and somebody has to decide."""

    read_at: dt.datetime | None = None
    undecided: frozenset[str] = frozenset()


class OwnGrades:
    """Reads for one student, two statements.

    It gives no value of Moodle's away: a teacher may have hidden the grade there from the student.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def brought(
        self, registration_id: int, class_keys: Collection[str], person_key: str
    ) -> Brought:
        """How this student's grades stand in the course of these classes."""
        site = sa.and_(
            _sites.c.registration_id == registration_id, _sites.c.standing == SiteStanding.ACTIVE
        )
        read = (
            sa.select(sa.func.max(_readings.c.read_at))
            .join(_sites, _sites.c.id == _readings.c.site_id)
            .where(site, _readings.c.course_key.in_(class_keys))
        )
        open_ = (
            sa.select(_conflicts.c.item_key)
            .join(_sites, _sites.c.id == _conflicts.c.site_id)
            .where(
                site,
                _conflicts.c.course_key.in_(class_keys),
                _conflicts.c.person_key == person_key,
                _conflicts.c.state.in_(UNDECIDED),
                _conflicts.c.reason.in_(_TOLD),
            )
        )
        with self._database.reading() as connection:
            read_at = connection.scalar(read)
            if read_at is None:
                return Brought()
            return Brought(read_at, frozenset(connection.scalars(open_)))
