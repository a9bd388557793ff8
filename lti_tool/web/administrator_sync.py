"""How a site is kept equal to the SIS: its state, what an administrator asks for, the answers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.moodle.models import Site, SiteStanding
from lti_tool.sync.order_models import Act, OrderState, SyncOrder
from lti_tool.sync.order_results import Line
from lti_tool.sync.provisioning.models import RunState
from lti_tool.web import administrator_sync_lists, administrator_sync_things
from lti_tool.web.administrator_placements import sync_place
from lti_tool.web.administrator_scope import scope
from lti_tool.web.i18n import gettext as _
from lti_tool.web.paging import slice_of
from lti_tool.web.site_words import site_badge
from lti_tool.web.sync_words import awaited, busy, gate_words, things_of, words
from lti_tool.wiring import services

_SCOPES = ("changes", "everything", "again")
_RECENT = 5


def sync(site_id: int) -> str:
    """The state of one site, and what can be done."""
    return _page("administrator/sync.html", services().sites.get(site_id))


def sync_state(site_id: int) -> str:
    """The parts of that page that change by themselves."""
    part = "history" if request.args.get("part") == "history" else "state"
    return _page(f"administrator/sync_{part}.html", services().sites.get(site_id))


def _page(template: str, site: Site) -> str:
    parts = services().provisioning
    gate = parts.gates.state(site.id)
    runs = services().provisioning_views.runs(site.id, offset=0, limit=_RECENT)
    orders = services().orders.recent(site.id, limit=_RECENT)
    queue = services().provisioning_views.queue(site.id)
    running = next((run for run in runs if run.state is RunState.RUNNING), None)
    is_busy = busy(gate, services().clock)
    waiting = parts.runs.waiting(site.id)
    asked = any(order.state in (OrderState.QUEUED, OrderState.RUNNING) for order in orders)
    return render_template(
        template,
        scope=scope(),
        site=site,
        site_badge=site_badge(site),
        connected=site.standing is not SiteStanding.DISCONNECTED,
        called=site.standing is SiteStanding.ACTIVE,
        gate=gate,
        answers=gate_words(gate, system=site.product),
        held=gate is not None and gate.held_by is not None,
        by_itself=services().settings.moodle_sync_enabled,
        waiting=waiting,
        running=running if is_busy else None,
        moving=is_busy or asked or bool(queue),
        queue=queue,
        unseen=services().provisioning_views.unseen_changes(),
        refused=sum(parts.letters.counts(site.id).values()),
        runs=runs,
        orders=orders,
        **words(
            site,
            (
                found
                for line in queue
                for reason, _number in line.waiting
                if (found := awaited(reason))
            ),
        ),
    )


def sync_ask(site_id: int) -> Response:
    """Ask for a preview, an apply, a comparison, a repair or an undo; a worker does it."""
    try:
        act = Act(request.form.get("act", ""))
    except ValueError as error:
        raise InvalidInputError("This cannot be asked for.", field="act") from error
    site = services().sites.get(site_id)
    arguments = _arguments(act, site)
    if (act is Act.UNDO or arguments.get("scope") == "again") and not _meant():
        raise InvalidInputError("Tick the box first: this changes much there.", field="meant")
    order = services().orders.ask(site_id, act, actor=scope().actor, arguments=arguments)
    # A lost message only costs time: workers also look for orders by themselves.
    services().broker.announce_order(order.id)
    return redirect(url_for("admin.sync_order", site_id=site_id, order_id=order.id))


def _arguments(act: Act, site: Site) -> dict[str, Any]:
    match act:
        case Act.PREVIEW | Act.APPLY:
            wanted = request.form.get("scope", "changes")
            if wanted not in _SCOPES or (act is Act.PREVIEW and wanted == "again"):
                raise InvalidInputError("This cannot be asked for.", field="scope")
            return {"scope": wanted}
        case Act.UNDO | Act.UNDO_PREVIEW:
            run_id = request.form.get("run", type=int)
            if run_id is None:
                raise InvalidInputError("Say which run.", field="run")
            return {"run": run_id}
        case _:
            course = request.form.get("course", "").strip()[:255]
            if course and not site.takes("course"):
                raise InvalidInputError("There are no courses here.", field="course")
            return {"courses": [course]} if course else {}


def sync_order(site_id: int, order_id: int) -> str:
    """What was asked, how far it is, and what it found."""
    return _order("administrator/sync_order.html", site_id, order_id)


def sync_order_body(site_id: int, order_id: int) -> str:
    """The part of that page that changes by itself."""
    return _order("administrator/sync_order_body.html", site_id, order_id)


def _order(template: str, site_id: int, order_id: int) -> str:
    site = services().sites.get(site_id)
    order = services().orders.get(site_id, order_id)
    found = services().orders.found(order)
    outcome = request.args.get("outcome", "")
    lines = found.get("lines", [])
    numbers: dict[str, int] = {}
    for line in lines:
        numbers[line["outcome"]] = numbers.get(line["outcome"], 0) + 1
    chosen: list[Line] = [line for line in lines if outcome in ("", line["outcome"])]
    page = slice_of(
        len(chosen), "admin.sync_order", site_id=site_id, order_id=order_id, outcome=outcome
    )
    shown = chosen[page.offset : page.offset + page.size]
    left = found.get("left", [])
    return render_template(
        template,
        scope=scope(),
        site=site,
        order=order,
        active=order.state in (OrderState.QUEUED, OrderState.RUNNING),
        found=found,
        numbers=numbers,
        outcome=outcome,
        lines=shown,
        slice=page,
        run=services().provisioning.runs.get(order.run_id) if order.run_id else None,
        next_act=_next(order),
        **words(site, [*things_of(shown), *((kind, key) for kind, key, _why in left)]),
    )


def _next(order: SyncOrder) -> tuple[str, dict[str, Any]] | None:
    """What a preview is followed by."""
    match order.act:
        case Act.PREVIEW:
            return _("Apply now"), {"act": Act.APPLY.value, "scope": order.arguments["scope"]}
        case Act.COMPARE:
            courses = order.arguments.get("courses") or [""]
            return _("Repair"), {"act": Act.REPAIR.value, "course": courses[0]}
        case Act.UNDO_PREVIEW:
            return _("Undo"), {"act": Act.UNDO.value, "run": order.arguments["run"]}
        case _:
            return None


def sync_hold(site_id: int) -> Response:
    """Stop the changes that come by themselves."""
    site = services().sites.get(site_id)
    reason = request.form.get("reason", "").strip()[:300]
    services().provisioning.runs.hold(site.id, actor=scope().actor, reason=reason)
    flash(_("Changes no longer come by themselves."), "good")
    return redirect(url_for("admin.sync", site_id=site_id))


def sync_go_on(site_id: int) -> Response:
    """Let changes come by themselves again."""
    site = services().sites.get(site_id)
    services().provisioning.runs.go_on(site.id, actor=scope().actor)
    services().broker.announce_changes()
    flash(_("Changes come by themselves again."), "good")
    return redirect(url_for("admin.sync", site_id=site_id))


def sync_approve(site_id: int, run_id: int) -> Response:
    """Say yes to a mass change, as it was counted; it is then done."""
    run = administrator_sync_lists.run_of(site_id, run_id)
    if not _meant():
        raise InvalidInputError("Tick the box first: this suspends people.", field="meant")
    if request.form.get("suspended", type=int) != run.guard.get("suspended"):
        raise ConflictError(
            "The mass change is another one meanwhile.", remedy="Look at the run again."
        )
    services().provisioning.runs.approve(run_id, actor=scope().actor)
    if administrator_sync_lists.by_itself(site_id):
        services().broker.announce_changes()
    else:
        wanted = {"scope": "changes"}
        order = services().orders.ask(site_id, Act.APPLY, actor=scope().actor, arguments=wanted)
        services().broker.announce_order(order.id)
    flash(_("Approved. It is done now."), "good")
    return redirect(url_for("admin.sync_run", site_id=site_id, run_id=run_id))


def _meant() -> bool:
    return request.form.get("meant") == "yes"


def add_to(blueprint: Blueprint) -> None:
    """Give the administration of the whole tool these pages."""
    lists, things = administrator_sync_lists, administrator_sync_things
    for path, view, method in (
        ("", sync, "GET"),
        ("/state", sync_state, "GET"),
        ("/orders", sync_ask, "POST"),
        ("/orders/<int:order_id>", sync_order, "GET"),
        ("/orders/<int:order_id>/body", sync_order_body, "GET"),
        ("/hold", sync_hold, "POST"),
        ("/go-on", sync_go_on, "POST"),
        ("/refused", lists.sync_refused, "GET"),
        ("/retry", lists.sync_retry, "POST"),
        ("/runs", lists.sync_runs, "GET"),
        ("/runs/<int:run_id>", lists.sync_run, "GET"),
        ("/runs/<int:run_id>/body", lists.sync_run_body, "GET"),
        ("/runs/<int:run_id>/approve", sync_approve, "POST"),
        ("/things", things.sync_things, "GET"),
        ("/resync", things.sync_resync, "POST"),
        ("/place", sync_place, "POST"),
    ):
        blueprint.add_url_rule(f"/sites/<int:site_id>/sync{path}", view_func=view, methods=[method])
