"""The campus's enrolments and grades: every status, late drops, zeros, and grades not yet given."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from lti_tool.sis.campus.timetable import CampusClass
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sis.rules import quantised

_HOUR = 3


@dataclass(frozen=True, slots=True)
class CampusEnrollment:
    """A student's place in a class."""

    student: str
    status: EnrollmentStatus
    is_audit: bool
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class CampusGrade:
    """A student's grade for the part at ``part`` in the class's list of parts."""

    student: str
    part: int
    score: Decimal | None
    status: GradeStatus


class Marks:
    """Draws enrolments and grades; every choice comes from one seeded source."""

    def __init__(self, seed: int, size: int) -> None:
        self._rng = random.Random(f"marks/{seed}/{size}")  # noqa: S311 - reproducible, not secret
        self._class = 0

    def enrollments(self, class_: CampusClass, *, ended: bool) -> list[CampusEnrollment]:
        """One per student of the class: 11 % dropped late, some back again, a few auditing."""
        start = dt.datetime.combine(class_.term.start, dt.time(_HOUR), dt.UTC)
        return [
            self._enrollment(student, place, start, ended=ended)
            for place, student in enumerate(class_.students)
        ]

    def _enrollment(
        self, student: str, place: int, start: dt.datetime, *, ended: bool
    ) -> CampusEnrollment:
        # Even the smallest campus has somebody who dropped and somebody who audits.
        draw = {14: 0.14, 15: 0.05}.get(place, self._rng.random())
        since = start - dt.timedelta(days=self._rng.randint(1, 20))
        status, audit = EnrollmentStatus.ENROLLED, False
        if draw < 0.11:
            status, since = EnrollmentStatus.DROPPED, start + dt.timedelta(days=10)
        elif draw < 0.13:
            # Dropped and came back: the same row flipped twice.
            since = start + dt.timedelta(days=14)
        elif draw < 0.15:
            status, audit = EnrollmentStatus.AUDIT, True
        elif draw < 0.16:
            audit = True
        elif draw < 0.17:
            status, since = EnrollmentStatus.NO_SHOW_LANGUAGE, start + dt.timedelta(days=7)
        elif draw < 0.18:
            status, since = EnrollmentStatus.WITHDRAWN, start + dt.timedelta(days=21)
        elif ended:
            status = self._rng.choices(
                [EnrollmentStatus.COMPLETED, EnrollmentStatus.FAILED, EnrollmentStatus.INCOMPLETE],
                [18, 1, 1],
            )[0]
        elif draw < 0.5:
            status = EnrollmentStatus.ACTIVE
        return CampusEnrollment(student, status, audit, since)

    def grades(
        self, class_: CampusClass, enrolled: list[CampusEnrollment], *, ended: bool
    ) -> Iterator[CampusGrade]:
        """Grades of those who are graded; the first class shows every status at once."""
        self._class += 1
        graded = [
            one for one in enrolled if not one.is_audit and (one.status.attends or one.status.ended)
        ]
        for part in range(len(class_.parts)):
            status = self._status(part, ended=ended)
            if status is None:
                continue
            for number, one in enumerate(graded):
                score = self._score()
                if number == 0 and part == 0:
                    score = Decimal(0)
                if status is GradeStatus.DRAFT and number % 2:
                    continue
                # The last of each class has been handed in without a grade.
                if number == len(graded) - 1 and status is not GradeStatus.FINALIZED:
                    score = None
                yield CampusGrade(one.student, part, score, status)

    def _status(self, part: int, *, ended: bool) -> GradeStatus | None:
        if ended:
            return GradeStatus.FINALIZED
        if self._class % 4 == 1:
            return [GradeStatus.APPROVED, GradeStatus.SUBMITTED, GradeStatus.DRAFT][part % 3]
        return self._rng.choice(
            [None, GradeStatus.DRAFT, GradeStatus.SUBMITTED, GradeStatus.APPROVED]
        )

    def _score(self) -> Decimal | None:
        draw = self._rng.random()
        if draw < 0.01:
            return Decimal(0)
        if draw < 0.02:
            return None
        score = min(100.0, max(0.0, self._rng.gauss(76, 12)))
        return quantised(Decimal(str(round(score, 2))))
