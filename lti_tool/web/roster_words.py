"""Why somebody stands where they do in the roster, and what to do, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lti_tool.sync.rosters import RosterLine
from lti_tool.web import display
from lti_tool.web.i18n import day
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import lazy_gettext as _l

# By the stable code of a line: why, and what to do.
_WORDS: dict[str, tuple[Any, Any]] = {
    "present": (_l("In Moodle and in the SIS."), None),
    "audit": (_l("In both, as an auditor: no grades are sent."), None),
    "ended": (_l("In both; the class is over for this student."), None),
    "not_in_course": (
        _l("Enrolled in the SIS, but not in this Moodle course."),
        _l("Enrol them in the Moodle course."),
    ),
    "no_account": (
        _l("Enrolled in the SIS, but we do not know their Moodle account."),
        _l(
            "Enrol them in the Moodle course and let them open this tool once, or ask an "
            "administrator to connect the account."
        ),
    ),
    "left": (
        _l("In the Moodle course, but left the class in the SIS."),
        _l("Suspend them in Moodle. Do not remove them: their grades would be lost."),
    ),
    "not_enrolled": (
        _l("In the Moodle course, but not in this class in the SIS."),
        _l("Ask the registrar to enrol them. If they are a guest, leave it."),
    ),
    "person_gone": (
        _l("The person of this account is no longer in the SIS."),
        _l("Ask an administrator to connect the account to the right person."),
    ),
    "unlinked": (
        _l("In the Moodle course, but we do not know whose account this is."),
        _l("Ask an administrator to connect the account."),
    ),
    "person_inactive": (
        _l("In both, but the SIS says that this person is not active."),
        _l("Ask the registrar whether they should still take part."),
    ),
    "account_inactive": (
        _l("Enrolled in the SIS, but suspended in Moodle: they cannot open the course."),
        _l("Make their enrolment in Moodle active again."),
    ),
    "teacher": (_l("Teaches this Moodle course."), None),
    "teacher_and_student": (
        _l("Teacher in Moodle, but a student of this class in the SIS."),
        _l("Check which of the two is right."),
    ),
    "teacher_unlinked": (
        _l("Teaches this Moodle course; we do not know whose account this is."),
        _l("Ask an administrator to connect the account."),
    ),
}


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """A line of the roster as the page shows it."""

    name: str
    khmer_name: str | None
    student_id: str | None
    sis: str
    platform: str
    state: display.Badge
    reason: str
    remedy: str | None


def explained(line: RosterLine) -> ExplainedLine:
    """Put a line into words."""
    why, todo = _WORDS.get(line.code, (line.reason, line.remedy))
    row = line.row
    reason = str(why)
    if row.since and line.code in ("left", "ended"):
        reason += " " + _("Since %(date)s.", date=day(row.since.date()))
    return ExplainedLine(
        name=line.name or _("Name unknown"),
        khmer_name=line.khmer_name,
        student_id=line.student_id,
        sis=display.enrollment(row.enrollment_status),
        platform=display.member_status(row.member_status if row.user_id else None),
        state=display.roster_state(row.state),
        reason=reason,
        remedy=str(todo) if todo else None,
    )
