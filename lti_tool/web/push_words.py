"""Why a grade is not sent, or was not taken, in the reader's language."""

from __future__ import annotations

from typing import Any

from lti_tool.sync.push_reasons import PushReason
from lti_tool.sync.push_views import PushLine
from lti_tool.web.i18n import lazy_gettext as _l

_WORDS: dict[PushReason, tuple[Any, Any]] = {
    PushReason.COLUMN_NEW: (_l("A column will be made in Moodle's gradebook."), None),
    PushReason.NOT_LINKED: (
        _l("We do not know this student's Moodle account."),
        _l("Let them open this tool once, or ask an administrator to connect the account."),
    ),
    PushReason.NOT_IN_COURSE: (
        _l("The student is not in this Moodle course."),
        _l("Enrol them in the Moodle course."),
    ),
    PushReason.NO_GRADE: (
        _l("There is no grade in the SIS yet."),
        _l("Enter the grade in the SIS."),
    ),
    PushReason.DRAFT: (
        _l("The grade is still a draft in the SIS."),
        _l("Submit the grade in the SIS."),
    ),
    PushReason.AUDIT: (_l("Auditors get no grades."), None),
    PushReason.DROPPED: (_l("The student has left the class."), None),
    PushReason.OUT_OF_RANGE: (
        _l("The grade is not between 0 and 100."),
        _l("Correct the grade in the SIS."),
    ),
    PushReason.CHANGED_SINCE_PREVIEW: (
        _l("The grade in the SIS changed after the preview."),
        _l("Press “Retry failed” to send what the SIS has now."),
    ),
    PushReason.NEWER_IN_PLATFORM: (
        _l("Somebody changed this grade in Moodle after it was sent last."),
        _l("Decide which grade is right; a new preview shows both."),
    ),
    PushReason.OVERRIDDEN_IN_PLATFORM: (
        _l("Moodle took this grade but shows another: a teacher set it there by hand."),
        _l("Take the override back in Moodle's gradebook and retry, or leave it as it is."),
    ),
    PushReason.PLATFORM_REFUSED: (
        _l("Moodle did not take this grade."),
        _l("Check that the person is a student in the Moodle course, then retry."),
    ),
    PushReason.PLATFORM_UNAVAILABLE: (
        _l("Moodle did not answer as it should."),
        _l("Wait a little, then press “Retry failed”."),
    ),
    PushReason.COLUMN_GONE: (
        _l("The column in Moodle disappeared while grades were sent."),
        _l("Press “Retry failed”: the column is made again."),
    ),
    PushReason.NO_ACCESS: (
        _l("Moodle does not let this tool write to its gradebook."),
        _l("Ask the Moodle administrator to look at the tool's grade settings, then retry."),
    ),
}


def why(line: PushLine) -> str:
    """Why this item is where it is; empty where there is nothing to say."""
    return str(_WORDS[PushReason(line.item.reason)][0]) if line.item.reason else ""


def what_to_do(line: PushLine) -> str:
    """What to do about it; empty where there is nothing to do."""
    remedy = _WORDS[PushReason(line.item.reason)][1] if line.item.reason else None
    return str(remedy) if remedy else ""
