"""A class's roster as the SIS has it: who, where they stand, and why somebody is absent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lti_tool.sis.entities import EnrollmentStatus, PersonView, RosterEntry
from lti_tool.web import display
from lti_tool.web.i18n import day
from lti_tool.web.i18n import gettext as _

_NEVER_CAME = (EnrollmentStatus.NO_SHOW_ACADEMIC, EnrollmentStatus.NO_SHOW_LANGUAGE)


@dataclass(frozen=True, slots=True)
class RosterLine:
    """One student of a class. ``present``: they attend, and may."""

    person: PersonView
    state: display.Badge
    reason: str
    present: bool


def roster_lines(entries: Iterable[RosterEntry]) -> list[RosterLine]:
    """Everybody with an enrolment, by name; those who are absent come last."""
    lines = [_line(entry) for entry in entries]
    return sorted(
        lines,
        key=lambda line: (
            not line.present,
            line.person.full_name.casefold(),
            line.person.person_key,
        ),
    )


def _line(entry: RosterEntry) -> RosterLine:
    present = entry.status.attends and entry.person.status.may_sign_in
    label = display.enrollment(entry.status)
    if present:
        state = display.Badge(label, "✓", "good")
    elif entry.status.ended:
        state = display.Badge(label, "=", "calm")
    else:
        state = display.Badge(label, "!", "warn")
    return RosterLine(entry.person, state, _reason(entry), present)


def _reason(entry: RosterEntry) -> str:
    if entry.status.attends and not entry.person.status.may_sign_in:
        return _("Enrolled, but the school's system says that their account is closed.")
    if entry.status.attends:
        return _("As an auditor: no grades are recorded.") if entry.is_audit else ""
    since = day(entry.since.date())
    if entry.status.ended:
        return _("The class is over for them since %(date)s.", date=since)
    if entry.status in _NEVER_CAME:
        return _("Enrolled, but never came; noted on %(date)s.", date=since)
    return _("Left the class on %(date)s.", date=since)
