"""Conflicts and movements of grades, in the words of registrars and teachers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import flask_babel
from babel import dates

from lti_tool.core.errors import NagaError
from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import ClassView, GradeStatus
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.log import LogEntry
from lti_tool.sync.grades.models import ConflictState, Direction, Movement
from lti_tool.sync.grades.reasons import reason_of
from lti_tool.sync.grades.values import score as score_of
from lti_tool.web import grade_words, reasons
from lti_tool.web.display import Badge, grade_status
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import per_language, score, when


@dataclass(frozen=True, slots=True)
class Why:
    """Why a person has to decide: a few words, a sentence, and what each decision does."""

    label: str
    text: str
    remedy: str


@per_language
def _whys() -> dict[str, Why]:
    return {
        "locked": Why(
            _("Changed after approval"),
            _("The grade is approved in the SIS, and somebody changed it in Moodle afterwards."),
            _("Keep the SIS's, take Moodle's as a correction, or ask the teacher."),
        ),
        "withdrawn": Why(
            _("Taken away in Moodle"),
            _("The grade was taken away in Moodle. In the SIS it still stands."),
            _("Keep the SIS's, which is then sent again, or take it away in the SIS too."),
        ),
        "out_of_range": Why(
            _("Out of range"),
            _("The grade in Moodle is not between 0 and 100 percent."),
            _("Correct the grade, or the range of its item, in Moodle: then this ends by itself."),
        ),
        "no_number": Why(
            _("Not a number"),
            _("Moodle has a grade there that is no number."),
            _("Give the item points in Moodle, or connect the part to another item."),
        ),
        "unknown_person": Why(
            _("Unknown account"),
            _("The SIS does not know whose Moodle account this is."),
            _("Give the account the person's ID number, or let the person use their own account."),
        ),
        "not_enrolled": Why(
            _("Not enrolled"),
            _("The student is not enrolled in the class."),
            _("Enrol the student in the SIS, or remove the grade in Moodle."),
        ),
        "other_class": Why(
            _("Another class's item"),
            _("The student is in another class that is taught in the same course."),
            _("Grade the student in an item of their own class."),
        ),
        "not_attending": Why(
            _("Left the class"),
            _("The student has left the class."),
            _("Enrol the student again, or keep the SIS's."),
        ),
        "audit": Why(
            _("Auditor"),
            _("The student audits the class and gets no grade."),
            _("Change the enrolment in the SIS, or remove the grade in Moodle."),
        ),
    }


def why(reason: str) -> Why:
    """Why somebody has to decide."""
    return _whys().get(
        reason,
        Why(
            _("Refused by the SIS"),
            _("The SIS does not take this grade."),
            _("Correct the grade in Moodle, or keep the SIS's."),
        ),
    )


def state_badge(conflict: ConflictView) -> Badge:
    """Where a conflict stands."""
    match conflict.state:
        case ConflictState.OPEN if conflict.answered_at is not None:
            return Badge(_("The teacher has answered"), "←", "info")
        case ConflictState.OPEN:
            return Badge(_("Waits for a decision"), "!", "warn")
        case ConflictState.ASKED:
            return Badge(_("The teacher was asked"), "?", "calm")
        case ConflictState.KEPT:
            return Badge(_("The SIS's was kept"), "✓", "good")
        case ConflictState.TAKEN:
            return Badge(_("Moodle's was taken"), "✓", "good")
        case _:
            return Badge(_("Ended by itself"), "=", "calm")


def proposal(conflict: ConflictView) -> str:
    """What the teacher who was asked proposes; empty before the answer."""
    if conflict.answered_at is None:
        return ""
    return _("Take Moodle's grade") if conflict.proposes_take else _("Keep the SIS's grade")


def points(value: int | None, text: str = "") -> str:
    """A value of hundredths, or a letter without a number; none is said, as it is not 0."""
    if text:
        return text
    return _("no grade") if value is None else score(score_of(value))


def status_badge(value: str | None) -> Badge | None:
    """The status of the SIS's grade, as it was kept with the conflict."""
    return grade_status(GradeStatus(value)) if value in list(GradeStatus) else None


def who(key: str | None, name: str | None = None) -> str:
    """Who acts by this key: a person by name, an account, an administrator, the command line."""
    if not key:
        return _("not known")
    if name and name != key:
        return name
    kind, colon, rest = key.partition(":")
    match kind if colon else "":
        case "moodle":
            return _("Moodle account no. %(number)s", number=rest)
        case "admin":
            return _("Administrator %(name)s", name=rest)
        case "cli":
            return _("Command line (%(name)s)", name=rest)
        case _:
            return _actors().get(key, key)


@per_language
def _actors() -> dict[str, str]:
    return {"moodle": _("Moodle"), "worker": _("The tool itself"), "sync": _("The tool itself")}


def moment(value: dt.datetime | None) -> str:
    """A time with its zone: the two sides' are compared by whoever decides."""
    if value is None:
        return _("time not known")
    local = flask_babel.to_user_timezone(value)
    return f"{when(value)} ({dates.get_timezone_gmt(local, 'long', locale='en')})"


@per_language
def _movements() -> dict[Movement, Badge]:
    return {
        Movement.SENT: Badge(_("Sent to Moodle"), "→", "good"),
        Movement.IMPORTED: Badge(_("Came from Moodle"), "←", "good"),
        Movement.REFUSED: Badge(_("Refused"), "✕", "bad"),
        Movement.CONFLICT: Badge(_("Waits for a decision"), "!", "warn"),
        Movement.KEPT: Badge(_("The SIS's was kept"), "✓", "info"),
        Movement.TAKEN: Badge(_("Moodle's was taken"), "✓", "info"),
    }


def movement(value: Movement) -> Badge:
    """What became of a grade that moved."""
    return _movements()[value]


def direction(value: Direction) -> str:
    """Which way a grade moved."""
    return _("SIS to Moodle") if value is Direction.TO_MOODLE else _("Moodle to SIS")


def code_words(entry: LogEntry) -> str:
    """Why a movement was refused, or needs a decision."""
    if not entry.code:
        return ""
    if entry.direction is Direction.TO_MOODLE:
        return grade_words.refusal(entry.code)[0]
    return why(entry.code).text


def item_name(item_key: str, class_: ClassView | None) -> str:
    """What an item is called: a part, a session's total, or the final grade."""
    if item_key == TOTAL:
        return _("Final grade")
    if class_ is not None:
        for session in class_.sessions:
            if item_key == f"{class_.class_key}#{session.number}":
                return _("Total of %(session)s", session=session.name)
            for part in session.parts:
                if part.part_key == item_key:
                    return part.name
    return item_key


def told(error: NagaError) -> str:
    """What went wrong with one decision of several, in a sentence."""
    words = reasons.explain(error.code, detail=error.detail, remedy=error.remedy)
    return " ".join(filter(None, (words.detail, words.remedy)))


def words() -> dict[str, Any]:
    """What the templates of these pages use."""
    return {
        "why": why,
        "takeable": lambda reason: not reason_of(reason).refusal,
        "state_badge": state_badge,
        "proposal": proposal,
        "points": points,
        "status_badge": status_badge,
        "person": who,
        "moment": moment,
        "movement": movement,
        "direction": direction,
        "code_words": code_words,
        "item_name": item_name,
        "ConflictState": ConflictState,
    }
