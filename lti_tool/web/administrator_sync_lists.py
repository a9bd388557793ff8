"""What a site refused, and the runs of the engine with their journals."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.moodle.documents import KINDS
from lti_tool.sync.order_results import Line
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun
from lti_tool.sync.provisioning_views import JournalLine
from lti_tool.web.administrator_scope import scope
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import ngettext
from lti_tool.web.paging import slice_of
from lti_tool.web.sync_reasons import refusal
from lti_tool.web.sync_words import things_of, words
from lti_tool.wiring import services


def sync_refused(site_id: int) -> str:
    """Dead letters with reason, field and remedy; by kind or by reason."""
    site = services().sites.get(site_id)
    letters = services().provisioning.letters
    by_code = letters.counts(site_id)
    kind, code = _kind(request.args.get("kind", "")), request.args.get("code", "")[:50]
    search = request.args.get("q", "").strip()[:255]
    people = [each.person_key for each in services().sis.find_people(search)] if search else []
    total = letters.count(site_id, kind=kind, code=code or None, search=search, people=people)
    page = slice_of(total, "admin.sync_refused", site_id=site_id, kind=kind, code=code, q=search)
    shown = letters.list(
        site_id,
        kind=kind,
        code=code or None,
        search=search,
        people=people,
        offset=page.offset,
        limit=page.size,
    )
    named = [(letter.kind, letter.key) for letter in shown]
    named += [("user", letter.person) for letter in shown if letter.person]
    return render_template(
        "administrator/sync_refused.html",
        scope=scope(),
        site=site,
        refused=sum(by_code.values()),
        by_code=sorted(by_code.items(), key=lambda each: (-each[1], each[0])),
        kind=kind,
        code=code,
        q=search,
        letters=shown,
        slice=page,
        refusal=partial(refusal, system=site.product),
        **words(site, named),
    )


def sync_retry(site_id: int) -> Response:
    """Try again what was refused: everything, or one thing."""
    site = services().sites.get(site_id)
    kind, key = _kind(request.form.get("kind", "")), request.form.get("key", "")[:255]
    if bool(kind) != bool(key):
        raise InvalidInputError("Say which thing, or none for all.", field="key")
    number = services().orders.retry(site.id, kind=kind, key=key or None, actor=scope().actor)
    services().broker.announce_changes()
    flash(
        ngettext("%(num)s thing is tried again.", "%(num)s things are tried again.", number)
        + " "
        + sent_when(site_id),
        "good",
    )
    return redirect(url_for("admin.sync_refused", site_id=site_id))


def by_itself(site_id: int) -> bool:
    """Whether a site's changes are sent without anybody's asking."""
    enabled = services().settings.moodle_sync_enabled
    return enabled and not services().provisioning.runs.held(site_id)


def sent_when(site_id: int) -> str:
    """When what was just marked travels."""
    if by_itself(site_id):
        return _("It is sent within seconds; this page then shows what came of it.")
    return _("Changes are stopped at the moment: press “Apply now” to send it.")


def sync_runs(site_id: int) -> str:
    """The runs of a site, the newest first."""
    site = services().sites.get(site_id)
    views = services().provisioning_views
    page = slice_of(views.run_count(site_id), "admin.sync_runs", site_id=site_id)
    return render_template(
        "administrator/sync_runs.html",
        scope=scope(),
        site=site,
        refused=_refused(site_id),
        runs=views.runs(site_id, offset=page.offset, limit=page.size),
        slice=page,
        **words(site),
    )


def run_of(site_id: int, run_id: int) -> SyncRun:
    """A run of this site; raises NotFoundError."""
    run = services().provisioning.runs.get(run_id)
    if run.site_id != site_id:
        raise NotFoundError("There is no such run.", run=run_id)
    return run


def sync_run(site_id: int, run_id: int) -> str:
    """One run: counts, what it waits for, its journal, and the way back."""
    return _run("administrator/sync_run.html", site_id, run_id)


def sync_run_body(site_id: int, run_id: int) -> str:
    """The part of that page that changes by itself."""
    return _run("administrator/sync_run_body.html", site_id, run_id)


def _run(template: str, site_id: int, run_id: int) -> str:
    site = services().sites.get(site_id)
    run = run_of(site_id, run_id)
    views = services().provisioning_views
    numbers = views.journal_counts(run_id)
    outcome = request.args.get("outcome", "")
    total = numbers.get(outcome, 0) if outcome else sum(numbers.values())
    page = slice_of(total, "admin.sync_run", site_id=site_id, run_id=run_id, outcome=outcome)
    entries = [
        (entry, list(_lines(entry)))
        for entry in views.journal(
            run_id, outcome=outcome or None, offset=page.offset, limit=page.size
        )
    ]
    ended = run.state in (RunState.DONE, RunState.FAILED)
    return render_template(
        template,
        scope=scope(),
        site=site,
        run=run,
        refused=_refused(site_id),
        numbers=numbers,
        outcome=outcome,
        entries=entries,
        slice=page,
        may_undo=ended and run.trigger is not RunTrigger.UNDO and bool(numbers),
        **words(site, (thing for _entry, lines in entries for thing in things_of(lines))),
    )


def _lines(entry: JournalLine) -> Iterator[Line]:
    """An entry's people, or the thing itself; an account beside what it could not get."""
    detail = entry.detail
    members = detail.get("members", [])
    if not members or (entry.kind == "account" and entry.outcome != "unchanged"):
        yield _line(entry, {"result": entry.outcome, "code": entry.code, **detail}, person="")
    for member in members:
        yield _line(entry, member, person=member["user"])


def _line(entry: JournalLine, told: dict[str, Any], *, person: str) -> Line:
    return {
        "kind": entry.kind,
        "key": entry.key,
        "person": person,
        "outcome": told["result"],
        "changes": [
            (change["field"], change.get("before"), change.get("after"))
            for change in told.get("changes", [])
        ],
        "code": told.get("code") or "",
        "message": told.get("message") or "",
    }


def _refused(site_id: int) -> int:
    return sum(services().provisioning.letters.counts(site_id).values())


def _kind(value: str) -> str | None:
    return value if value in KINDS else None
