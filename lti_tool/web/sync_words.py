"""How the engine's things, outcomes and states are put in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from lti_tool.core.clock import Clock
from lti_tool.moodle.documents import TOTAL
from lti_tool.moodle.models import Site, System
from lti_tool.sync.order_models import Act, OrderState
from lti_tool.sync.order_results import Line
from lti_tool.sync.provisioning.models import (
    BreakerState,
    RunState,
    RunTrigger,
    SiteGate,
    SyncRun,
)
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import per_language, when
from lti_tool.wiring import services

# The columns of a table of counts, in the order in which people ask for them.
OUTCOMES = ("created", "updated", "suspended", "refused", "unchanged")
# What needs no call is unchanged too.
_SAME = {"skipped": "unchanged"}


@per_language
def kinds() -> dict[str, str]:
    """What each kind of document is."""
    return {
        "category": _("Terms"),
        "user": _("People"),
        "course": _("Courses"),
        "roster": _("Rosters"),
        "gradebook": _("Gradebooks"),
        "grades": _("Grades of courses"),
        "account": _("Accounts"),
    }


class Things:
    """What the things of one page are called: by student number and class, not by key.

    People have no names here: who needs one follows the link.
    """

    def __init__(self, things: Iterable[tuple[str, str]] = ()) -> None:
        keys: dict[str, set[str]] = {}
        for kind, key in things:
            keys.setdefault(kind, set()).add(key)
        sis = services().sis_extracts
        of_classes = ("course", "roster", "gradebook", "grades")
        classes = {key for kind in of_classes for key in keys.get(kind, ())}
        labels = {key: view.label for key, view in sis.classes(classes).items()} if classes else {}
        of_people = keys.get("user", set()) | keys.get("account", set())
        people = sis.people(of_people) if of_people else {}
        numbers = {key: view.student_id for key, view in people.items() if view.student_id}
        self._labels = {
            **dict.fromkeys(("user", "account"), numbers),
            **dict.fromkeys(of_classes, labels),
        }

    def __call__(self, kind: str, key: str) -> str:
        """One thing: what it is, and what it is called."""
        name = self._labels.get(kind, {}).get(key, key)
        names = {
            "category": _("Term %(key)s", key=name),
            "user": _("Person %(key)s", key=name),
            "course": _("Course %(key)s", key=name),
            "roster": _("Roster of %(key)s", key=name),
            "gradebook": _("Gradebook of %(key)s", key=name),
            "grades": _("Grades of %(key)s", key=name),
            "account": _("Person %(key)s", key=name),
        }
        return names.get(kind, f"{kind} {name}")


def outcome_badge(value: str, *, system: str = "Moodle") -> Badge:
    """What became, or would become, of one thing."""
    match value:
        case "missing":
            return Badge(_("Missing in %(system)s", system=system), "!", "bad")
        case "different":
            return Badge(_("Different in %(system)s", system=system), "~", "warn")
        case _:
            return _outcomes().get(value, Badge(value, "?", "calm"))


@per_language
def _outcomes() -> dict[str, Badge]:
    return {
        "created": Badge(_("New"), "+", "good"),
        "updated": Badge(_("Changed"), "✎", "info"),
        "suspended": Badge(_("Suspended"), "‖", "warn"),
        "refused": Badge(_("Refused"), "✕", "bad"),
        "unchanged": Badge(_("Unchanged"), "=", "calm"),
    }


def count_rows(counts: Mapping[str, Mapping[str, int]]) -> list[tuple[str, dict[str, int]]]:
    """Counts as rows: a label, and a number for each of :data:`OUTCOMES`."""
    rows: list[tuple[str, dict[str, int]]] = []
    for kind, label in kinds().items():
        things: dict[str, int] = {}
        places: dict[str, int] = {}
        for outcome, number in counts.get(kind, {}).items():
            into = places if outcome.startswith(("people_", "grades_")) else things
            name = outcome.removeprefix("people_").removeprefix("grades_")
            name = _SAME.get(name, name)
            if name in OUTCOMES:
                into[name] = into.get(name, 0) + number
        if things:
            rows.append((label, things))
        if places:
            rows.append((_of_people(kind), places))
    return rows


def _of_people(kind: str) -> str:
    """What is counted of the people whom a document of this kind names."""
    match kind:
        case "grades":
            return _("Grades")
        case "account":
            return _("E-mail addresses of accounts")
        case _:
            return _("Places in courses")


def run_badge(run: SyncRun) -> Badge:
    """Where a run stands."""
    if run.state is RunState.WAITING:
        if run.guard.get("approved_by"):
            return Badge(_("Approved"), "✓", "info")
        return Badge(_("Waits for a yes"), "!", "warn")
    if run.state is RunState.DONE and run.error:
        return Badge(_("Stopped early"), "!", "warn")
    return {
        RunState.RUNNING: Badge(_("Under way"), "→", "info"),
        RunState.DONE: Badge(_("Done"), "✓", "good"),
        RunState.FAILED: Badge(_("Failed"), "✕", "bad"),
    }[run.state]


def stopped_by(error: str) -> str:
    """Why a run ended before its end; a code that nobody has words for stays a code."""
    return _ends().get(error, error)


@per_language
def _ends() -> dict[str, str]:
    away = _("%(system)s did not answer; what is left is sent when it does.", system="Moodle")
    return {
        **_ends_at_keycloak(),
        "held": _("Somebody stopped the changes."),
        "interrupted": _("Its worker ended; another one goes on with what is left."),
        "moodle_unavailable": away,
        "moodle_maintenance": _("Moodle is in maintenance; what is left is sent afterwards."),
        "moodle_busy": away,
        "moodle_malformed": _("Moodle's answer was none that can be read."),
        "moodle_token_refused": _("Moodle refused the token; the connection is paused."),
        "moodle_not_allowed": _("Moodle does not allow it to its service account."),
        "moodle_web_services_off": _("Web services are switched off in Moodle."),
        "moodle_contract_unsupported": _("Moodle's plugin is too old, or too new, for this tool."),
    }


def _ends_at_keycloak() -> dict[str, str]:
    return {
        "keycloak_unavailable": _(
            "%(system)s did not answer; what is left is sent when it does.", system="Keycloak"
        ),
        "keycloak_forbidden": _(
            "Keycloak does not let the service account do it; the connection is paused."
        ),
        "keycloak_unprepared": _(
            "The realm lacks a group, or the attribute of people's keys; the connection is paused."
        ),
        "keycloak_failed": _("Keycloak refused a call that is about nobody in particular."),
    }


def trigger(value: RunTrigger, *, system: str = "Moodle") -> str:
    """Why a run began."""
    return {
        RunTrigger.CHANGES: _("Changes in the SIS"),
        RunTrigger.MANUAL: _("An administrator asked"),
        RunTrigger.RECONCILE: _("Comparison with %(system)s", system=system),
        RunTrigger.UNDO: _("Undo of a run"),
    }[value]


def act_title(value: Act, *, system: str = "Moodle") -> str:
    """What was asked for."""
    return {
        Act.PREVIEW: _("What would change"),
        Act.APPLY: _("Apply now"),
        Act.COMPARE: _("Comparison with %(system)s", system=system),
        Act.REPAIR: _("Comparison with %(system)s, and repair", system=system),
        Act.UNDO_PREVIEW: _("What an undo would bring back"),
        Act.UNDO: _("Undo"),
    }[value]


def order_badge(value: OrderState) -> Badge:
    """Where an order stands."""
    return {
        OrderState.QUEUED: Badge(_("Waiting"), "…", "info"),
        OrderState.RUNNING: Badge(_("Under way"), "→", "info"),
        OrderState.DONE: Badge(_("Done"), "✓", "good"),
        OrderState.FAILED: Badge(_("Failed"), "✕", "bad"),
    }[value]


def gate_words(gate: SiteGate | None, *, system: str = "Moodle") -> tuple[Badge, str]:
    """Whether the site answers, in plain words (the circuit breaker)."""
    if gate is None or gate.breaker is BreakerState.CLOSED:
        if gate is not None and gate.failures:
            return Badge(_("Unsure"), "!", "warn"), _("The last call failed; it is tried again.")
        return Badge(_("Answers"), "✓", "good"), ""
    if gate.breaker is BreakerState.HALF_OPEN:
        return (
            Badge(_("Trying"), "…", "info"),
            _("One call is looking whether %(system)s is back.", system=system),
        )
    return (
        Badge(_("Does not answer"), "✕", "bad"),
        _(
            "%(system)s is left alone until %(time)s, then tried again by itself. Nothing is lost "
            "meanwhile.",
            system=system,
            time=when(gate.probe_at),
        ),
    )


def busy(gate: SiteGate | None, clock: Clock) -> bool:
    """Whether a worker runs this site now."""
    return bool(gate and gate.lease_until and gate.lease_until > clock.now())


def awaited(reason: str) -> tuple[str, str] | None:
    """The thing for which another waits; ``None`` if it is the code of a passing error."""
    kind, colon, key = reason.partition(":")
    return (kind, key) if colon and kind in kinds() else None


def value_shown(value: Any) -> str:
    """A field's value before or after."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {value_shown(each)}" for name, each in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(map(value_shown, value)) or "–"
    return str(value)


def graded(item_key: str) -> str:
    """What holds grades in a course."""
    if item_key == TOTAL:
        return _("Final grade")
    return _("Grade item %(key)s", key=item_key)


def things_of(lines: Iterable[Line]) -> Iterator[tuple[str, str]]:
    """The things that these lines name."""
    for line in lines:
        yield line["kind"], line["key"]
        if line["person"]:
            yield "user", line["person"]


def words(site: Site, things: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """What the templates of a site's pages use; ``things`` (kind, key) are those that they name."""
    system = site.product
    return {
        "system": system,
        "realm": site.system == System.KEYCLOAK,
        "kinds": kinds(),
        "thing": Things(things),
        "outcome_badge": partial(outcome_badge, system=system),
        "count_rows": count_rows,
        "OUTCOMES": OUTCOMES,
        "run_badge": run_badge,
        "trigger": partial(trigger, system=system),
        "stopped_by": stopped_by,
        # As text: what failed may carry words of the site; a page takes words of `_` for its own.
        "said": _,
        "act_title": partial(act_title, system=system),
        "order_badge": order_badge,
        "awaited": awaited,
        "value_shown": value_shown,
        "graded": graded,
        "RunState": RunState,
        "OrderState": OrderState,
        "Act": Act,
    }
