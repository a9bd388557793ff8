"""What becomes of accounts, courses and places in them: small tables, explained in docs/sync.md."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from lti_tool.moodle.documents import MemberStatus
from lti_tool.sis.entities import (
    ClassStatus,
    ClassView,
    EnrollmentStatus,
    Membership,
    PersonStatus,
)

_TAUGHT = frozenset({ClassStatus.SCHEDULED, ClassStatus.ACTIVE, ClassStatus.COMPLETED})


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When courses open and close.

    Args:
        timezone: the school's; terms begin and end at its midnights.
        open_days: days before the term on which its courses become visible.
        archive_days: days after the term on which they are archived.
        archived: what archived means for students: ``readonly`` or ``hidden`` courses, or courses
            left ``open``.
    """

    timezone: ZoneInfo
    open_days: int = 7
    archive_days: int = 30
    archived: Literal["readonly", "hidden", "open"] = "readonly"

    def exists(self, view: ClassView) -> bool:
        """Whether this class has ever been ready to have a course: a draft has none."""
        return view.status is not ClassStatus.DRAFT

    def visible(self, view: ClassView, *, today: dt.date) -> bool:
        """Whether students see the course on this day."""
        if view.status not in _TAUGHT or today < self.opens(view):
            return False
        return self.archived != "hidden" or today < self.archived_from(view)

    def readonly(self, view: ClassView, *, today: dt.date) -> bool:
        """Whether the course of this class can only be read on this day."""
        return self.archived == "readonly" and today >= self.archived_from(view)

    def opens(self, view: ClassView) -> dt.date:
        """The first day on which students see the course."""
        return view.term_start - dt.timedelta(days=self.open_days)

    def archived_from(self, view: ClassView) -> dt.date:
        """The first day on which the course is archived."""
        return view.term_end + dt.timedelta(days=self.archive_days + 1)

    def starts(self, view: ClassView) -> int:
        """The term's first midnight, in seconds since 1970."""
        return self._midnight(view.term_start)

    def ends(self, view: ClassView) -> int:
        """The midnight after the term's last day."""
        return self._midnight(view.term_end + dt.timedelta(days=1))

    def today(self, now: dt.datetime) -> dt.date:
        """The school's day."""
        return now.astimezone(self.timezone).date()

    def _midnight(self, day: dt.date) -> int:
        return int(dt.datetime.combine(day, dt.time(), self.timezone).timestamp())


def account_suspended(status: PersonStatus) -> bool:
    """Whether a person of this status may not sign in."""
    return not status.may_sign_in


def place(membership: Membership) -> MemberStatus:
    """Whether an enrolment gives a place in the course.

    Who finished a class keeps it, to read; who dropped or withdrew is suspended, never removed: a
    student who comes back finds everything.
    """
    status: EnrollmentStatus = membership.status
    taking_part = status.attends or status.ended
    return (
        "active" if taking_part and not account_suspended(membership.person_status) else "suspended"
    )
