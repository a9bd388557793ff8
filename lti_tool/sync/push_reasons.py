"""Why a grade is not sent, or was not taken: stable codes, plain words, and what to do."""

from __future__ import annotations

import enum
from typing import NamedTuple


class PushReason(enum.StrEnum):
    """The ``reason`` of a push item."""

    COLUMN_NEW = "column_new"
    NOT_LINKED = "not_linked"
    NOT_IN_COURSE = "not_in_course"
    NO_GRADE = "no_grade"
    DRAFT = "draft"
    AUDIT = "audit"
    DROPPED = "dropped"
    OUT_OF_RANGE = "out_of_range"
    CHANGED_SINCE_PREVIEW = "changed_since_preview"
    NEWER_IN_PLATFORM = "newer_in_platform"
    OVERRIDDEN_IN_PLATFORM = "overridden_in_platform"
    PLATFORM_REFUSED = "platform_refused"
    PLATFORM_UNAVAILABLE = "platform_unavailable"
    COLUMN_GONE = "column_gone"
    NO_ACCESS = "no_access"

    @property
    def retryable(self) -> bool:
        """Whether sending the same item again, without a new preview, may help."""
        return self in RETRYABLE


RETRYABLE = frozenset(
    {
        PushReason.CHANGED_SINCE_PREVIEW,
        PushReason.OVERRIDDEN_IN_PLATFORM,
        PushReason.PLATFORM_REFUSED,
        PushReason.PLATFORM_UNAVAILABLE,
        PushReason.COLUMN_GONE,
        PushReason.NO_ACCESS,
    }
)


class Words(NamedTuple):
    """A reason in plain words, and what to do."""

    reason: str
    remedy: str | None = None


_AGAIN = "Try again later: press “Retry failed”."

WORDS: dict[PushReason, Words] = {
    PushReason.COLUMN_NEW: Words("A column will be created for this part."),
    PushReason.NOT_LINKED: Words(
        "No account of this platform is linked to this student.",
        "They open the tool once from a course, or an administrator links their account.",
    ),
    PushReason.NOT_IN_COURSE: Words(
        "The student's account is not in this course.", "Enrol the account in the course."
    ),
    PushReason.NO_GRADE: Words("There is no grade in the SIS yet.", "Enter the grade in the SIS."),
    PushReason.DRAFT: Words(
        "The grade is still a draft in the SIS.", "Submit the grade in the SIS."
    ),
    PushReason.AUDIT: Words("The student sits in without credit (audit)."),
    PushReason.DROPPED: Words("The student has left the class."),
    PushReason.OUT_OF_RANGE: Words(
        "The grade is not from 0 to 100.", "Correct the grade in the SIS."
    ),
    PushReason.CHANGED_SINCE_PREVIEW: Words(
        "The grade in the SIS changed after the preview.",
        "Make a new preview, or press “Retry failed” to send what the SIS has now.",
    ),
    PushReason.NEWER_IN_PLATFORM: Words(
        "The grade on the platform was changed later than the one sent.",
        "Decide which grade is right; a new preview shows both.",
    ),
    PushReason.OVERRIDDEN_IN_PLATFORM: Words(
        "The platform took the grade and shows another: somebody set it there by hand.",
        "Take the override back in the platform's gradebook, then retry; or leave it.",
    ),
    PushReason.PLATFORM_REFUSED: Words(
        "The platform did not take this grade.", "Check the person's enrolment and role."
    ),
    PushReason.PLATFORM_UNAVAILABLE: Words("The platform did not answer as it should.", _AGAIN),
    PushReason.COLUMN_GONE: Words(
        "The column on the platform disappeared while grades were sent.", _AGAIN
    ),
    PushReason.NO_ACCESS: Words(
        "The platform does not give this tool access to its grades.",
        "Ask an administrator to look at the tool's settings on the platform, then retry.",
    ),
}
