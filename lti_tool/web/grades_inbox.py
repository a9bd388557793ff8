"""A teacher's grades that changed in Moodle: what the registrar asks, and what they may decide."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from lti_tool.sis.entities import GradeStatus
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.models import ConflictState
from lti_tool.sync.grades.reasons import Reason
from lti_tool.web.conflict_words import words
from lti_tool.web.grades_course import GradedCourse, graded_course, require_graded_course
from lti_tool.web.i18n import gettext as _
from lti_tool.web.viewer import Viewer, in_course
from lti_tool.wiring import services

blueprint = in_course(Blueprint("grades_inbox", __name__, url_prefix="/l/<reference>"))

# No course has more students than these, and each has a part or two in question.
_MOST = 1000


@blueprint.get("/grades/questions")
def course() -> str:
    """What is undecided of this teacher's parts: asked, theirs to decide, or the registrar's."""
    graded = require_graded_course()
    with services().database.snapshot():
        found = undecided(graded)
    asked = [each for each in found if each.state is ConflictState.ASKED]
    own = [each for each in found if each not in asked and _own(each)]
    return render_template(
        "grades/inbox.html",
        who=graded.who,
        asked=asked,
        own=own,
        others=[each for each in found if each not in asked and each not in own],
        **words(),
    )


def undecided(graded: GradedCourse) -> list[ConflictView]:
    """What a person has to decide about the parts that this teacher may grade."""
    if not graded.item_keys:
        return []
    found = services().grades.conflicts.undecided(graded.site.id, graded.key, limit=_MOST)
    return [each for each in found if each.item_key in graded.item_keys]


def questions(who: Viewer) -> int:
    """How many grades the registrar asks this teacher about."""
    graded = graded_course(who)
    if graded is None or not graded.item_keys:
        return 0
    asked = services().grades.conflicts.undecided(
        graded.site.id, graded.key, state=ConflictState.ASKED, limit=_MOST
    )
    return sum(each.item_key in graded.item_keys for each in asked)


@blueprint.post("/grades/questions/<int:conflict_id>/answer")
def answer(conflict_id: int) -> Response:
    """Say which grade is right, to whoever asked; they decide."""
    graded, found = _mine(conflict_id)
    if found.state is not ConflictState.ASKED:
        raise NotFoundError(
            "Nobody asks about this grade any more.", remedy="Load the page of questions again."
        )
    services().grades.conflicts.answer(
        found.id, actor=graded.who.person.person_key, take=_taking(), words=_words()
    )
    flash(_("Thank you: the registrar sees your answer and decides."), "good")
    return redirect(url_for("grades_inbox.course"))


@blueprint.post("/grades/questions/<int:conflict_id>/decide")
def decide(conflict_id: int) -> Response:
    """Decide about a grade that nobody has approved yet: it is still the teacher's."""
    graded, found = _mine(conflict_id)
    if not _own(found) or _locked(found):
        raise ForbiddenError(
            "This grade is not yours to decide any more: it is approved, or held by the registrar.",
            remedy="If it is wrong, tell the registrar.",
        )
    actor, conflicts = graded.who.person.person_key, services().grades.conflicts
    shown = _shown()
    if _taking():
        conflicts.take(found.id, actor=actor, reason=_words(), shown=shown)
        flash(_("Moodle's grade is taken: the SIS has the same now."), "good")
    else:
        conflicts.keep(found.id, actor=actor, note=_words(required=False), shown=shown)
        flash(_("The SIS's grade is kept. It is sent to Moodle again."), "good")
    return redirect(url_for("grades_inbox.course"))


def _mine(conflict_id: int) -> tuple[GradedCourse, ConflictView]:
    """A conflict of this course and of this teacher's parts; whatever else there is, is not
    there for them."""
    graded = require_graded_course()
    found = services().grades.conflicts.get(conflict_id)
    if (
        found.site_id != graded.site.id
        or found.course_key != graded.key
        or found.item_key not in graded.item_keys
    ):
        raise NotFoundError("There is no such question.")
    return graded, found


def _own(conflict: ConflictView) -> bool:
    """Whether the teacher decides: nobody approved the grade, and the registrar asked nothing."""
    return (
        conflict.state is ConflictState.OPEN
        and conflict.asked_at is None
        and conflict.reason == Reason.WITHDRAWN
        and conflict.sis_status in (None, GradeStatus.DRAFT, GradeStatus.SUBMITTED)
    )


def _locked(conflict: ConflictView) -> bool:
    """Whether the grade was approved or held since."""
    grades = services().sis.part_grades(conflict.class_key, [conflict.item_key])
    return any(
        grade.person_key == conflict.person_key
        and (grade.status.locked or grade.held_by is not None)
        for grade in grades
    )


def _taking() -> bool:
    what = request.form.get("what", "")
    if what not in ("keep", "take"):
        raise InvalidInputError("Choose which grade is to stand.", field="what")
    return what == "take"


def _shown() -> tuple[int | None, int | None]:
    """Both grades as the page showed them: a decision is about these and no others."""
    try:
        sis, moodle = request.form["seen"].split(":")
        return (int(sis) if sis else None), (int(moodle) if moodle else None)
    except (KeyError, ValueError) as error:
        raise InvalidInputError("Load the page again, then decide.", field="seen") from error


def _words(*, required: bool = True) -> str:
    text = request.form.get("words", "").strip()[:500]
    if required and not text:
        raise InvalidInputError("Say why, in a sentence.", field="words")
    return text
