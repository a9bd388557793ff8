"""Where a grade stands between the SIS and Moodle, in the words of a teacher."""

from __future__ import annotations

from typing import Any

from lti_tool.sync.grades.cells import Cell, CellState
from lti_tool.sync.grades.decisions import Action, Decision, Why
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import lazy_gettext as _l
from lti_tool.web.i18n import per_language


@per_language
def states() -> dict[CellState, Badge]:
    """All states, what wants a person first."""
    return {
        CellState.DECISION: Badge(_("Decision wanted"), "?", "bad"),
        CellState.REFUSED: Badge(_("Refused"), "✕", "bad"),
        CellState.DIFFERS: Badge(_("Differs"), "!", "warn"),
        CellState.CHANGED: Badge(_("Changed since sent"), "↻", "warn"),
        CellState.SENDING: Badge(_("Being sent"), "→", "info"),
        CellState.WAITS: Badge(_("Waits to be sent"), "…", "info"),
        CellState.SAME: Badge(_("Same"), "=", "good"),
        CellState.MOODLE: Badge(_("Comes from Moodle"), "←", "good"),
        CellState.STAYS: Badge(_("Stays in the SIS"), "·", "calm"),
        CellState.NONE: Badge(_("No grade"), "–", "calm"),
    }


@per_language
def stays() -> dict[str, str]:
    """Why a grade of the SIS is not for Moodle."""
    return {
        "draft": _("It is still a draft."),
        "unapproved": _("It is sent when all grades in it are approved."),
        "auditor": _("Auditors get no grades."),
        "suspended": _("The student has no active place in the course."),
    }


_ADMINISTRATOR = _l("Tell the administrator of the tool.")
# By the stable code of a refusal (docs/contract.md).
_REFUSALS: dict[str, tuple[Any, Any]] = {
    "item_locked": (
        _l("The item, its category or the course total is locked in Moodle."),
        _l("Unlock it in Moodle's gradebook setup, then try again."),
    ),
    "grade_locked": (
        _l("This one grade is locked in Moodle."),
        _l("Unlock it in Moodle's grader report. Then send it again."),
    ),
    "gradebook_missing": (
        _l("The course has no gradebook of the SIS in Moodle yet."),
        _l("Wait a minute and send it again. If it stays, tell the administrator of the tool."),
    ),
    "item_missing": (
        _l("The item is not in Moodle: somebody deleted it there."),
        _l("It is made again by itself. Wait a minute, then send it again."),
    ),
    "not_enrolled": (
        _l("The student is not active in the Moodle course."),
        _l("Look at the roster: it says what is missing."),
    ),
    "no_gradebook_role": (
        _l("The student has no role in the Moodle course that gets grades."),
        _l("Give them the role of a student in Moodle. Then send it again."),
    ),
    "user_missing": (
        _l("The student has no account in Moodle."),
        _l("Look at the roster: it says what is missing."),
    ),
    "changed_in_moodle": (
        _l("Somebody graded in Moodle after the last sending."),
        _l("Bring the grades over from Moodle: then it is clear which one counts."),
    ),
    "source_missing": (
        _l("What a part's grades should come from is no longer in Moodle."),
        _l("Connect the part with something else, or disconnect it."),
    ),
    "source_taken": (
        _l("It serves another part already, or belongs to the SIS's own gradebook."),
        _l("Connect the part with something else, or disconnect it."),
    ),
    "source_not_numeric": (
        _l("It has no numbers: it is not graded, is a text, or its scale is gone."),
        _l("Give it points or a scale in Moodle, or connect the part with something else."),
    ),
    "course_missing": (_l("The SIS's course is not in this Moodle."), _ADMINISTRATOR),
    "schema": (_l("What the SIS has does not fit Moodle."), _ADMINISTRATOR),
    "unfit": (_l("What the SIS has does not fit Moodle."), _ADMINISTRATOR),
    "unknown_kind": (_l("The plugin in this Moodle is too old for grades."), _ADMINISTRATOR),
    "failed": (_l("Moodle could not write it."), _ADMINISTRATOR),
}
_OTHER = (_l("Moodle did not take it."), _ADMINISTRATOR)


def refusal(code: str) -> tuple[str, str]:
    """Why Moodle refused a grade or a gradebook, and what to do."""
    why, remedy = _REFUSALS.get(code, _OTHER)
    return str(why), str(remedy)


def why(cell: Cell, *, automatic: bool) -> tuple[str, str]:
    """Why a grade stands where it does, and what to do; empty where there is nothing to say.

    ``automatic``: whether grades go to Moodle by themselves.
    """
    match cell.state:
        case CellState.REFUSED:
            return refusal(cell.receipt.code or "" if cell.receipt else "")
        case CellState.DIFFERS:
            if not cell.sis.there:
                return (
                    _("Moodle has a grade, and the SIS has none."),
                    _("Bring the grades over from Moodle."),
                )
            return refusal("changed_in_moodle")
        case CellState.DECISION:
            return (
                _("It was changed in Moodle, and the SIS may not follow by itself."),
                _("Somebody has to say which grade counts."),
            )
        case CellState.STAYS:
            return stays().get(cell.sis.stays or "", ""), ""
        case CellState.CHANGED if cell.sis.cleared:
            return _("The SIS has none any more: sending takes it back."), ""
        case CellState.CHANGED if not cell.sis.due:
            return _("It was sent and no longer counts: sending takes it back."), ""
        case CellState.WAITS | CellState.CHANGED:
            return "", _("It goes to Moodle by itself.") if automatic else _("Send it.")
        case _:
            return "", ""


@per_language
def item_kinds() -> dict[str, str]:
    """What kinds of things Moodle grades, by module or type."""
    return {
        "quiz": _("Quiz"),
        "assign": _("Assignment"),
        "forum": _("Forum"),
        "lesson": _("Lesson"),
        "workshop": _("Workshop"),
        "lti": _("External tool"),
        "category": _("Category, its total"),
        "manual": _("Graded by hand"),
        "mod": _("Activity"),
    }


@per_language
def outcomes() -> dict[Action, Badge]:
    """What would become of a grade."""
    return {
        Action.IMPORT: Badge(_("Comes to the SIS"), "←", "good"),
        Action.SEND: Badge(_("Goes to Moodle"), "→", "info"),
        Action.CONFLICT: Badge(_("Decision wanted"), "?", "bad"),
        Action.NONE: Badge(_("Nothing changes"), "=", "calm"),
    }


def decided(decision: Decision) -> str:
    """Why that would become of it; empty where it needs no words."""
    return str(_RULES.get(decision.why, ""))


_RULES: dict[Why, Any] = {
    Why.HELD: _l("The registrar holds the grade of the SIS."),
    Why.LOCKED: _l("The grade of the SIS is approved: somebody has to decide."),
    Why.MOODLE_LATER: _l("The grade in Moodle is the later one."),
    Why.SIS_LATER: _l("The grade in the SIS is the later one."),
    Why.SIS_CHANGED: _l("Moodle has no grade yet."),
}
