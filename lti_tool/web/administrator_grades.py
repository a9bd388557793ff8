"""The registrar's inbox: grades that changed in Moodle and wait for a person's decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError, NagaError
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.models import ConflictState
from lti_tool.web import administrator_grade_log, rights
from lti_tool.web.administrator_scope import scope
from lti_tool.web.conflict_words import told, words
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import ngettext
from lti_tool.web.paging import PAGE
from lti_tool.wiring import services

# As many of one decision as somebody can still look through.
_MOST = 200
_CLASSES = 200
# More failures than these nobody reads in a message; the grades stay in the list anyway.
_FAILURES = 5

Shown = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the inbox is shown."""

    site_id: int | None
    text: str
    reason: str
    state: str

    def arguments(self, **changed: str | int | None) -> dict[str, str | int]:
        """The filter as an address carries it, with some of it ``changed``."""
        kept = {"site": self.site_id, "c": self.text, "reason": self.reason, "state": self.state}
        return {name: value for name, value in (kept | changed).items() if value}


def grades() -> str:
    """What waits for a decision, of all Moodles, the oldest first."""
    wanted = Filter(
        request.args.get("site", type=int),
        request.args.get("c", "").strip()[:255],
        request.args.get("reason", "")[:60],
        request.args.get("state", ""),
    )
    state = ConflictState(wanted.state) if wanted.state in ("open", "asked") else None
    after = request.args.get("after", type=int)
    conflicts = services().grades.conflicts
    with services().database.snapshot():
        class_keys = (
            [each.class_key for each in services().sis.find_classes(wanted.text, limit=_CLASSES)]
            if wanted.text
            else None
        )
        counts = conflicts.counts(wanted.site_id, class_keys=class_keys)
        found = conflicts.undecided(
            wanted.site_id,
            class_keys=class_keys,
            state=state,
            reason=wanted.reason or None,
            after=after,
            limit=PAGE + 1,
        )
        sites = services().sites.moodles()
    shown = found[:PAGE]
    return render_template(
        "administrator/grades.html",
        scope=scope(),
        may_decide=rights.may("grades_keep"),
        sites={site.id: site.name for site in sites},
        wanted=wanted,
        total=sum(counts.values()),
        by_state=_summed((state.value, number) for (state, _reason), number in counts.items()),
        by_reason=_summed((reason, number) for (_state, reason), number in counts.items()),
        conflicts=shown,
        after=after,
        next=shown[-1].id if len(found) > PAGE else None,
        chosen=ticket,
        **words(),
    )


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in pairs:
        found[name] = found.get(name, 0) + number
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def conflict(conflict_id: int) -> str:
    """One conflict: both grades, who gave them and when, what moved before, and the decision."""
    with services().database.snapshot():
        found = services().grades.conflicts.get(conflict_id)
        moved = services().grades.log.of_grade(found.site_id, found.person_key, found.item_key)
        names = administrator_grade_log.names_in(moved)
        site = services().sites.moodle(found.site_id)
    return render_template(
        "administrator/grades_conflict.html",
        scope=scope(),
        may_decide=rights.may("grades_keep"),
        conflict=found,
        site=site,
        moved=moved,
        names=names,
        **words(),
    )


def keep(conflict_id: int) -> Response:
    """The SIS's grade stands, and goes to Moodle again."""
    services().grades.conflicts.keep(
        conflict_id, actor=scope().actor, note=_text("note"), shown=_shown()
    )
    flash(_("The SIS's grade is kept. It is sent to Moodle again."), "good")
    return redirect(url_for("admin.grades"))


def take(conflict_id: int) -> Response:
    """Moodle's grade becomes the SIS's, as a correction with a reason."""
    services().grades.conflicts.take(
        conflict_id, actor=scope().actor, reason=_reason(), shown=_shown()
    )
    flash(_("Moodle's grade is taken. It stands in the SIS as a correction."), "good")
    return redirect(url_for("admin.grades"))


def ask(conflict_id: int) -> Response:
    """Put a question to the teachers of the class; they answer in the course."""
    question = _text("question")
    if not question:
        raise InvalidInputError("Write what you want to know.", field="question")
    services().grades.conflicts.ask(conflict_id, actor=scope().actor, question=question)
    flash(_("The question stands in the course, on the teacher's page of grades."), "good")
    return redirect(url_for("admin.grades_conflict", conflict_id=conflict_id))


def several() -> str:
    """What a decision about the ticked grades would do; nothing is changed by looking."""
    taking = _taking()
    tickets = _tickets()
    with services().database.snapshot():
        found = _chosen(tickets)
        sites = {site.id: site.name for site in services().sites.moodles()}
    return render_template(
        "administrator/grades_several.html",
        scope=scope(),
        sites=sites,
        taking=taking,
        conflicts=found,
        gone=len(tickets) - len(found),
        chosen=ticket,
        **words(),
    )


def decide_several() -> Response:
    """Decide about many grades alike; one that cannot be decided so keeps none of the others."""
    taking = _taking()
    reason = _reason() if taking else ""
    conflicts = services().grades.conflicts
    done = 0
    failures: list[str] = []
    for conflict_id, shown in _tickets().items():
        try:
            if taking:
                conflicts.take(conflict_id, actor=scope().actor, reason=reason, shown=shown)
            else:
                conflicts.keep(conflict_id, actor=scope().actor, note=_text("note"), shown=shown)
            done += 1
        except NagaError as error:
            failures.append(told(error))
    if done:
        flash(ngettext("%(num)s grade is decided.", "%(num)s grades are decided.", done), "good")
    if failures:
        flash(
            ngettext(
                "%(num)s grade could not be decided so:",
                "%(num)s grades could not be decided so:",
                len(failures),
            )
            + " "
            + " ".join(list(dict.fromkeys(failures))[:_FAILURES]),
            "warning",
        )
    return redirect(url_for("admin.grades"))


def ticket(found: ConflictView) -> str:
    """A conflict with both grades as somebody saw them: a decision is about these and no others."""
    return ":".join("" if value is None else str(value) for value in (found.id, *found.shown))


def _tickets() -> dict[int, Shown]:
    wanted = request.form.getlist("conflict")[:_MOST]
    if not wanted:
        raise InvalidInputError("Tick at least one grade.", field="conflict")
    return dict(_read(each) for each in wanted)


def _read(text: str) -> tuple[int, Shown]:
    try:
        number, sis, moodle = text.split(":")
        return int(number), (_value(sis), _value(moodle))
    except ValueError as error:
        raise InvalidInputError("This is no grade of the list.", field="conflict") from error


def _value(text: str) -> int | None:
    return int(text) if text else None


def _chosen(tickets: dict[int, Shown]) -> Sequence[ConflictView]:
    """Those of the ticked that are still undecided, read at once: they come from one page."""
    found = services().grades.conflicts.undecided(after=min(tickets) - 1, limit=1000)
    return [each for each in found if each.id in tickets]


def _taking() -> bool:
    what = request.form.get("what", "")
    if what not in ("keep", "take"):
        raise InvalidInputError("Choose which grades are to stand.", field="what")
    return what == "take"


def _shown() -> Shown | None:
    seen = request.form.get("seen")
    return _read(seen)[1] if seen else None


def _reason() -> str:
    reason = _text("reason")
    if not reason:
        raise InvalidInputError("Say why Moodle's grade is taken.", field="reason")
    return reason


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:1000]


def waiting(site_id: int | None = None) -> int:
    """How many grades wait for a decision."""
    return sum(services().grades.conflicts.counts(site_id).values())


def add_to(blueprint: Blueprint) -> None:
    """Give the administration of the whole tool these pages."""
    blueprint.app_context_processor(lambda: {"grades_waiting": waiting})
    log = administrator_grade_log
    for path, name, view, method in (
        ("", "grades", grades, "GET"),
        ("/conflicts/<int:conflict_id>", "grades_conflict", conflict, "GET"),
        ("/conflicts/<int:conflict_id>/keep", "grades_keep", keep, "POST"),
        ("/conflicts/<int:conflict_id>/take", "grades_take", take, "POST"),
        ("/conflicts/<int:conflict_id>/ask", "grades_ask", ask, "POST"),
        ("/several", "grades_several", several, "POST"),
        ("/several/decide", "grades_decide_several", decide_several, "POST"),
        ("/student", "grades_student", log.student, "GET"),
        ("/hold", "grades_hold", log.hold, "POST"),
        ("/lift", "grades_lift", log.lift, "POST"),
        ("/log", "grades_log", log.course_log, "GET"),
        ("/log.csv", "grades_log_csv", log.export, "GET"),
    ):
        blueprint.add_url_rule(f"/grades{path}", name, view, methods=[method])
