"""Where a person of a roster stands, and what that means in plain words."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa

from lti_tool.sis.entities import EnrollmentStatus, PersonStatus
from lti_tool.sync.models import RosterRow, RosterState

ATTENDING = [status.value for status in EnrollmentStatus if status.attends]
ENDED = [status.value for status in EnrollmentStatus if status.ended]
LEFT = [status.value for status in EnrollmentStatus if not status.attends and not status.ended]
_AWAY = [
    status.value
    for status in PersonStatus
    if status not in (PersonStatus.ACTIVE, PersonStatus.GRADUATED, PersonStatus.UNKNOWN)
]

_LEFT_AS = {
    EnrollmentStatus.DROPPED: "dropped the class",
    EnrollmentStatus.WITHDRAWN: "withdrew from the class",
    EnrollmentStatus.NO_SHOW_ACADEMIC: "was entered as never having come",
    EnrollmentStatus.NO_SHOW_LANGUAGE: "was entered as never having come",
}
_ENDED_AS = {
    EnrollmentStatus.COMPLETED: "completed the class",
    EnrollmentStatus.FAILED: "did not pass the class",
    EnrollmentStatus.INCOMPLETE: "has not finished the class yet",
}


class Explanation(NamedTuple):
    """Why a row stands where it does, and what to do about it, if anything."""

    code: str
    reason: str
    remedy: str | None = None


def rank(status: sa.SQLColumnExpression[str | None]) -> sa.ColumnElement[int]:
    """0 for who attends, 1 for who has finished, 2 for who left: of several classes, the least.

    Written out without bound values, which an ``INSERT`` of many rows cannot have beside them.
    """
    zero, one, two = (sa.literal_column(str(number), sa.Integer) for number in range(3))
    return sa.case(
        (status.in_(_written_out(ATTENDING)), zero),
        (status.in_(_written_out(ENDED)), one),
        else_=two,
    )


def _written_out(values: list[str]) -> list[sa.ColumnClause[str]]:
    return [sa.literal_column(f"'{value}'", sa.String) for value in values]


def classification(linked_people: sa.Select[str]) -> sa.ColumnElement[Any]:
    """The state of a staged :class:`RosterRow`, as one SQL expression over its columns."""
    row = RosterRow
    return sa.case(
        (
            row.user_id.is_(None) & row.person_key.in_(linked_people),
            sa.literal(RosterState.MISSING, row.state.type),
        ),
        (row.user_id.is_(None), sa.literal(RosterState.MISSING_ACCOUNT, row.state.type)),
        (row.instructor, sa.literal(RosterState.TEACHER, row.state.type)),
        (row.person_key.is_(None), sa.literal(RosterState.UNLINKED, row.state.type)),
        (row.enrollment_status.is_(None), sa.literal(RosterState.NOT_IN_SIS, row.state.type)),
        (row.enrollment_status.in_(LEFT), sa.literal(RosterState.LEFT, row.state.type)),
        (
            row.enrollment_status.in_(ATTENDING)
            & ((row.member_status != "Active") | row.person_status.in_(_AWAY)),
            sa.literal(RosterState.SUSPENDED, row.state.type),
        ),
        else_=sa.literal(RosterState.PRESENT, row.state.type),
    )


def explain(row: RosterRow, *, known: bool) -> Explanation:
    """Say in plain words why ``row`` is in its state. ``known``: the SIS has this person."""
    match row.state:
        case RosterState.PRESENT:
            return _present(row)
        case RosterState.MISSING:
            return Explanation(
                "not_in_course",
                "Enrolled in the SIS, but not in this course.",
                "Enrol their account in the course, or wait for the next synchronisation.",
            )
        case RosterState.MISSING_ACCOUNT:
            return Explanation(
                "no_account",
                "Enrolled in the SIS, but no account of this platform is linked to them.",
                "They open the tool once from a course, or an administrator links their account.",
            )
        case RosterState.SUSPENDED:
            return _suspended(row)
        case RosterState.LEFT:
            how = _LEFT_AS.get(EnrollmentStatus(row.enrollment_status or ""), "left the class")
            return Explanation(
                "left",
                f"In this course, but {how}{_since(row.since)} according to the SIS.",
                "Suspend them in the course. Do not remove them: their grades would go too.",
            )
        case RosterState.NOT_IN_SIS if known:
            return Explanation(
                "not_enrolled",
                "In this course, but not enrolled in this class in the SIS.",
                "Enrol them in the SIS, or remove them from the course if they are a guest.",
            )
        case RosterState.NOT_IN_SIS:
            return Explanation(
                "person_gone",
                "In this course; the person that the account was linked to is no longer in the "
                "SIS.",
                "An administrator links the account to the right person.",
            )
        case RosterState.UNLINKED:
            return Explanation(
                "unlinked",
                "In this course, but the SIS does not know whose account this is.",
                "An administrator links the account to a person of the SIS.",
            )
        case RosterState.TEACHER:
            return _teacher(row)


def _present(row: RosterRow) -> Explanation:
    if row.enrollment_status == EnrollmentStatus.AUDIT:
        return Explanation("audit", "In both. Sits in without credit (audit): no grades are sent.")
    if row.enrollment_status in ENDED:
        how = _ENDED_AS[EnrollmentStatus(row.enrollment_status)]
        return Explanation("ended", f"In both; {how}{_since(row.since)}.")
    return Explanation("present", "In both.")


def _suspended(row: RosterRow) -> Explanation:
    if row.person_status in _AWAY:
        return Explanation(
            "person_inactive",
            f"In both, but the SIS has this person as {(row.person_status or '').lower()}.",
            "Ask the registrar whether they should still take part.",
        )
    return Explanation(
        "account_inactive",
        "Enrolled in the SIS, but inactive in this course: they cannot open it.",
        "Make their enrolment in the course active again.",
    )


def _teacher(row: RosterRow) -> Explanation:
    if row.enrollment_status in ATTENDING:
        return Explanation(
            "teacher_and_student",
            "Teaches this course here, but is enrolled as a student in the SIS.",
            "Check which of the two is right.",
        )
    if row.person_key is None:
        return Explanation(
            "teacher_unlinked",
            "Teaches this course. The SIS does not know whose account this is.",
            "They choose their class, or an administrator links the account.",
        )
    return Explanation("teacher", "Teaches this course.")


def _since(since: dt.datetime | None) -> str:
    return f" (since {since:%Y-%m-%d})" if since else ""
