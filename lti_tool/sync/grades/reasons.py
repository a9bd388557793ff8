"""Why a grade from Moodle is not the SIS's at once, and what to do about it."""

from __future__ import annotations

import enum
from typing import Any


class Reason(enum.StrEnum):
    """The reasons of conflicts. The first two wait for a decision; the others are the SIS's
    refusals, which end by themselves when what they name is put right."""

    LOCKED = "locked"
    WITHDRAWN = "withdrawn"
    OUT_OF_RANGE = "out_of_range"
    NO_NUMBER = "no_number"
    UNKNOWN_PERSON = "unknown_person"
    NOT_ENROLLED = "not_enrolled"
    OTHER_CLASS = "other_class"
    NOT_ATTENDING = "not_attending"
    AUDIT = "audit"
    REFUSED = "refused"

    @property
    def refusal(self) -> bool:
        """Whether the SIS cannot take the grade as things are."""
        return self not in (self.LOCKED, self.WITHDRAWN)


REMEDIES = {
    Reason.LOCKED: "The grade is approved. Keep it, take Moodle's as a correction, or ask the "
    "teacher.",
    Reason.WITHDRAWN: "The grade was taken away in Moodle. Keep the SIS's, which is then sent "
    "again, or take it away here too.",
    Reason.OUT_OF_RANGE: "The SIS takes grades from 0 to 100 percent. Correct the grade, or the "
    "range of its item, in Moodle.",
    Reason.NO_NUMBER: "The item in Moodle gives no number. Give it points, or connect another.",
    Reason.UNKNOWN_PERSON: "This account is nobody whom the SIS knows. Give it the person's key as "
    "its ID number, or let the person use their own account.",
    Reason.NOT_ENROLLED: "Enrol the student in the class, or remove the grade in Moodle.",
    Reason.OTHER_CLASS: "The student is in another class that is taught in the same course. Grade "
    "them in an item of that class.",
    Reason.NOT_ATTENDING: "The student has left the class. Enrol them again, or keep the SIS's.",
    Reason.AUDIT: "Who audits a class gets no grade. Change the enrolment, or remove the grade in "
    "Moodle.",
    Reason.REFUSED: "Correct the grade in Moodle.",
}


def reason_of(code: str | None) -> Reason:
    """The reason for a code of the SIS's."""
    known: Any = Reason.__members__.values()
    return next((reason for reason in known if reason == code), Reason.REFUSED)


def remedy_of(reason: str) -> str:
    """What to do about it, in a sentence or two."""
    return REMEDIES[reason_of(reason)]
