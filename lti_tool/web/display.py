"""How states, days and times are written: a label, an icon and a tone, never colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from lti_tool.lti.models import LaunchOutcome, Standing
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus, PartView, TimeOfDay
from lti_tool.sync.models import ItemState, PushState, RosterState
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import per_language


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as people see it. ``tone``: good, warn, bad, info or calm."""

    label: str
    icon: str
    tone: str


def init_app(app: Flask) -> None:
    """Register the filters."""
    app.jinja_env.filters.update(
        days=days,
        daytime=daytime,
        grade_status=grade_status,
        enrollment=enrollment,
        roster_state=roster_state,
        push_state=push_state,
        item_state=item_state,
        standing=standing,
        outcome=outcome,
        member_status=member_status,
    )


def days(part: PartView) -> str:
    """The days on which a part meets."""
    names = _weekdays()
    return ", ".join(names.get(code.upper(), code) for code in part.meeting_days)


@per_language
def _weekdays() -> dict[str, str]:
    return {
        "MON": _("Mon"),
        "TUE": _("Tue"),
        "WED": _("Wed"),
        "THU": _("Thu"),
        "FRI": _("Fri"),
        "SAT": _("Sat"),
        "SUN": _("Sun"),
    }


def daytime(value: TimeOfDay) -> str:
    """When a class meets."""
    return {
        TimeOfDay.MORN: _("morning"),
        TimeOfDay.AFT: _("afternoon"),
        TimeOfDay.EVE: _("evening"),
        TimeOfDay.NIGHT: _("night"),
        TimeOfDay.ALL: _("all day"),
    }[value]


def grade_status(value: GradeStatus) -> Badge:
    """Life of a grade."""
    return grade_statuses()[value]


@per_language
def grade_statuses() -> dict[GradeStatus, Badge]:
    """All of them, for pages that show many."""
    return {
        GradeStatus.DRAFT: Badge(_("Draft"), "✎", "calm"),
        GradeStatus.SUBMITTED: Badge(_("Submitted"), "↑", "info"),
        GradeStatus.APPROVED: Badge(_("Approved"), "✓", "good"),
        GradeStatus.FINALIZED: Badge(_("Final"), "✓", "good"),
    }


def enrollment(value: str | None) -> str:
    """A student's enrolment in the SIS."""
    if not value:
        return "–"
    names: dict[str, str] = {
        EnrollmentStatus.ENROLLED: _("Enrolled"),
        EnrollmentStatus.ACTIVE: _("Enrolled"),
        EnrollmentStatus.DROPPED: _("Dropped"),
        EnrollmentStatus.COMPLETED: _("Completed"),
        EnrollmentStatus.FAILED: _("Failed"),
        EnrollmentStatus.INCOMPLETE: _("Incomplete"),
        EnrollmentStatus.WITHDRAWN: _("Withdrawn"),
        EnrollmentStatus.AUDIT: _("Auditor"),
        EnrollmentStatus.NO_SHOW_ACADEMIC: _("Never came"),
        EnrollmentStatus.NO_SHOW_LANGUAGE: _("Never came"),
    }
    return names.get(value, value)


def member_status(value: str | None) -> str:
    """A member's state in the course on the platform."""
    if not value:
        return _("Not in the course")
    return {"Active": _("Active"), "Inactive": _("Suspended"), "Deleted": _("Removed")}.get(
        value, value
    )


def roster_state(value: RosterState) -> Badge:
    """Where a person stands between SIS and platform."""
    return {
        RosterState.PRESENT: Badge(_("In both"), "✓", "good"),
        RosterState.MISSING: Badge(_("Missing in Moodle"), "!", "bad"),
        RosterState.MISSING_ACCOUNT: Badge(_("No Moodle account known"), "!", "bad"),
        RosterState.SUSPENDED: Badge(_("Suspended in Moodle"), "‖", "warn"),
        RosterState.LEFT: Badge(_("Left the class"), "→", "warn"),
        RosterState.NOT_IN_SIS: Badge(_("Not in the class"), "?", "warn"),
        RosterState.UNLINKED: Badge(_("Account not connected"), "?", "warn"),
        RosterState.TEACHER: Badge(_("Teacher"), "★", "info"),
    }[value]


def item_state(value: ItemState) -> Badge:
    """What became of one grade of a push."""
    return {
        ItemState.SEND: Badge(_("Will be sent"), "→", "info"),
        ItemState.SENT: Badge(_("Sent"), "✓", "good"),
        ItemState.UNCHANGED: Badge(_("Unchanged"), "=", "calm"),
        ItemState.REFUSED: Badge(_("Not sent"), "✕", "warn"),
        ItemState.FAILED: Badge(_("Failed"), "✕", "bad"),
    }[value]


def push_state(value: PushState) -> Badge:
    """Where a push stands."""
    return {
        PushState.PREVIEW: Badge(_("Preview"), "…", "calm"),
        PushState.QUEUED: Badge(_("Waiting"), "…", "info"),
        PushState.RUNNING: Badge(_("Sending"), "→", "info"),
        PushState.DONE: Badge(_("Done"), "✓", "good"),
        PushState.FAILED: Badge(_("Stopped"), "✕", "bad"),
    }[value]


def standing(value: Standing) -> Badge:
    """Whether a registration or deployment may be used."""
    return {
        Standing.PENDING: Badge(_("Waiting for approval"), "!", "warn"),
        Standing.ACTIVE: Badge(_("In use"), "✓", "good"),
        Standing.DISABLED: Badge(_("Switched off"), "✕", "bad"),
    }[value]


def outcome(value: LaunchOutcome) -> Badge:
    """What became of a launch."""
    return {
        LaunchOutcome.ACCEPTED: Badge(_("Accepted"), "✓", "good"),
        LaunchOutcome.REFUSED: Badge(_("Refused"), "✕", "bad"),
        LaunchOutcome.PARKED: Badge(_("Waiting for approval"), "!", "warn"),
    }[value]
