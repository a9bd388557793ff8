"""``nagasis sync``: sites made equal to the SIS, seen before, watched, undone."""

from __future__ import annotations

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from lti_tool.cli.session import actor, chosen_site, connected_sites, open_services
from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.documents import KINDS, Change, Result
from lti_tool.sync.order_results import as_shown
from lti_tool.sync.provisioning.explain import StepState
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun

_MARKS = {StepState.DONE: "✓", StepState.WAITING: "…", StepState.STOPPED: "✕"}
_site_option = click.option(
    "--site", "site_id", type=int, help="Only needed with several Moodles, or for a realm."
)


@click.group()
def sync() -> None:
    """Keep Moodles, and Keycloak realms, equal to the SIS."""


@sync.command()
@_site_option
@click.option("--all", "everything", is_flag=True, help="Compare everything, not only changes.")
@click.option("--details/--counts", default=True, help="Down to one field of one person.")
def plan(site_id: int | None, everything: bool, details: bool) -> None:
    """Show what would change; change nothing."""
    services = open_services()
    site = chosen_site(services, site_id)
    console = Console()
    with _bar() as bar:
        task = bar.add_task(f"asking {site.product}")
        preview = services.provisioning.previews.preview(
            site,
            everything=everything,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if details:
        for result in preview.results:
            _show_result(console, result)
    _show_counts(console, preview.counts)
    if preview.empty:
        console.print("Nothing would change.")


@sync.command()
@_site_option
@click.option("--all", "everything", is_flag=True, help="Send everything, not only changes.")
def apply(site_id: int | None, everything: bool) -> None:
    """Make the site equal to the SIS now."""
    services = open_services()
    site = chosen_site(services, site_id)
    console = Console()
    if everything:
        services.provisioning.marks.mark_all(site)
    with _bar() as bar:
        task = bar.add_task(f"making {site.product} equal")

        def show(run: SyncRun) -> None:
            bar.update(task, completed=run.done, total=run.total)

        run = services.provisioning.engine.run(
            site, trigger=RunTrigger.MANUAL, actor=actor(), progress=show
        )
    _show_run(console, run)


@sync.command()
@click.argument("run_id", type=int)
@click.option("--plan", is_flag=True, help="Only show what would be brought back.")
def undo(run_id: int, plan: bool) -> None:
    """Bring back what a run changed, and hold further changes until `nagasis sync resume`."""
    services = open_services()
    site = services.sites.get(services.provisioning.runs.get(run_id).site_id)
    with _bar() as bar:
        task = bar.add_task("bringing back")

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        undone = services.provisioning.undo.undo(
            site, run_id, actor=actor(), plan=plan, progress=show
        )
    console = Console()
    for result in undone.results:
        _show_result(console, result)
    for kind, key, why in undone.left:
        console.print(f"{kind} {key}: left as it is, {why}", markup=False)
    if undone.run is not None:
        console.print(f"Undone by run {undone.run.id}. Changes are held: nagasis sync resume.")


@sync.command()
@_site_option
def status(site_id: int | None) -> None:
    """Show each site: queue, failures, last runs."""
    services = open_services()
    console = Console()
    sites = [chosen_site(services, site_id)] if site_id else connected_sites(services)
    for site in sites:
        parts = services.provisioning
        gate = parts.gates.state(site.id)
        console.print(f"{site.name} ({site.url}): {site.standing.value}", markup=False)
        if gate is not None and gate.held_by:
            console.print(f"  held by {gate.held_by}: {gate.held_for or ''}", markup=False)
        if gate is not None and gate.breaker != "closed":
            console.print(f"  breaker {gate.breaker.value}: {gate.last_error}", markup=False)
        elif gate is not None and gate.last_error:
            console.print(f"  {gate.last_error}", markup=False)
        marks, letters = parts.marks.counts(site.id), parts.letters.counts(site.id)
        console.print(f"  waiting: {_told(marks)}", markup=False)
        console.print(f"  refused: {_told(letters)}", markup=False)
        table = Table("run", "began", "why", "by", "state", "done")
        for run in parts.runs.recent(site.id, limit=5):
            table.add_row(
                str(run.id),
                f"{run.started_at:%Y-%m-%d %H:%M:%S}",
                run.trigger.value,
                run.actor,
                run.state.value,
                f"{run.done}/{run.total}",
            )
        console.print(table)


@sync.command()
@_site_option
@click.option("--code", help="Only what was refused for this reason.")
@click.option("--search", default="", help="Words in the keys of things and people.")
@click.option("--page", default=1, show_default=True, type=click.IntRange(1))
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1))
def failures(site_id: int | None, code: str | None, search: str, page: int, limit: int) -> None:
    """List what the site refused, why, and what to do; the newest first."""
    services = open_services()
    site = chosen_site(services, site_id)
    letters = services.provisioning.letters
    total = letters.count(site.id, code=code, search=search)
    offset = (page - 1) * limit
    for letter in letters.list(site.id, code=code, search=search, offset=offset, limit=limit):
        what = f"{letter.kind} {letter.key}" + (f", {letter.item}" if letter.item else "")
        click.echo(f"{letter.since:%Y-%m-%d %H:%M}  {what}  [{letter.code}] {letter.message}")
    if total > offset + limit:
        click.echo(f"{total - offset - limit} more: --page {page + 1}")


@sync.command()
@_site_option
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.argument("key", required=False)
def retry(site_id: int | None, kind: str | None, key: str | None) -> None:
    """Try again what was refused: everything, or one thing."""
    services = open_services()
    site = chosen_site(services, site_id)
    count = services.provisioning.ledger.retry(site.id, kind=kind, key=key)
    click.echo(f"{count} will be tried again.")


@sync.command()
@_site_option
@click.option("--course", "courses", multiple=True, help="A class's key; may be repeated.")
@click.option("--report", is_flag=True, help="Only say what differs; repair nothing.")
def reconcile(site_id: int | None, courses: tuple[str, ...], report: bool) -> None:
    """Compare the site with the SIS, and repair what differs."""
    services = open_services()
    site = chosen_site(services, site_id)
    if courses and not site.takes("course"):
        raise InvalidInputError(f"{site.name} has no courses.", field="course")
    found = services.provisioning.reconciler.reconcile(
        site, courses=courses or None, repair=not report, actor=actor()
    )
    console = Console()
    for drift in found.drift:
        how = "is missing" if drift.missing else "differs"
        by = f" ({drift.how} by {site.product}'s user {drift.by})" if drift.how else ""
        console.print(f"{drift.kind} {drift.key} {how}{by}", markup=False)
    console.print(f"Compared: {_told(found.checked)}", markup=False)
    console.print(f"Left alone, not of the SIS: {_told(found.foreign)}", markup=False)
    for kind, keys in found.foreign_keys.items():
        if keys:
            console.print(f"{kind} that the SIS does not know: {', '.join(keys)}", markup=False)
    if not found.drift:
        console.print(f"{site.product} is equal to the SIS.")
    _show_run(console, found.run)


@sync.command()
@_site_option
@click.argument("person_key")
def resync(site_id: int | None, person_key: str) -> None:
    """Send one person again: the account, and in a Moodle the places in courses."""
    services = open_services()
    site = chosen_site(services, site_id)
    services.orders.resync_person(site.id, person_key, actor=actor())
    click.echo("Marked to be sent again: by the worker, or `nagasis sync apply`.")


@sync.command()
@_site_option
@click.argument("person_key")
@click.argument("class_key", required=False)
def explain(site_id: int | None, person_key: str, class_key: str | None) -> None:
    """Why is this person (not) in the course? Every step, and where it stands. Of a realm, without
    a class: why can this person not sign in?"""
    services = open_services()
    site = chosen_site(services, site_id)
    explanations = services.provisioning.explanations
    if site.takes("account"):
        steps = explanations.explain_account(site, person_key)
    elif class_key is None:
        raise InvalidInputError("Say which class.", field="class_key")
    else:
        steps = explanations.explain(site, person_key, class_key)
    for step in steps:
        since = f" (since {step.since:%Y-%m-%d %H:%M} UTC)" if step.since else ""
        click.echo(f"{_MARKS[step.state]} {step.text}{since}")
        if step.remedy and step.state is not StepState.DONE:
            click.echo(f"  → {step.remedy}")


@sync.command()
@click.argument("run_id", type=int)
def approve(run_id: int) -> None:
    """Say yes to the mass change that a run waits for, as it was counted."""
    run = open_services().provisioning.runs.approve(run_id, actor=actor())
    click.echo(f"Approved: up to {run.guard['suspended']} people may be suspended.")


@sync.command()
@_site_option
@click.option("--reason", default="", help="Shown to whoever asks why nothing happens.")
def hold(site_id: int | None, reason: str) -> None:
    """Stop the changes that come by themselves."""
    services = open_services()
    services.provisioning.runs.hold(chosen_site(services, site_id).id, actor=actor(), reason=reason)


@sync.command()
@_site_option
def resume(site_id: int | None) -> None:
    """Let changes come by themselves again."""
    services = open_services()
    services.provisioning.runs.go_on(chosen_site(services, site_id).id, actor=actor())


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items())) or "nothing"


def _show_run(console: Console, run: SyncRun | None) -> None:
    if run is None:
        console.print("Nothing was due.")
        return
    _show_counts(console, run.counts)
    if run.state is RunState.WAITING:
        console.print(
            f"Run {run.id} waits: it would suspend {run.guard['suspended']} people, "
            f"{_recently(run)}{run.guard['limit']} are allowed without asking. If this is right: "
            f"nagasis sync approve {run.id}",
            markup=False,
        )
    else:
        stopped = f" ({run.error})" if run.error else ""
        console.print(f"Run {run.id}: {run.state.value}{stopped}", markup=False)


def _recently(run: SyncRun) -> str:
    before = run.guard.get("before")
    return f"{before} were within the last ten minutes, " if before else ""


def _show_counts(console: Console, counts: dict[str, dict[str, int]]) -> None:
    table = Table("", "outcome", "number")
    for kind in KINDS:
        for outcome, number in sorted(counts.get(kind, {}).items()):
            table.add_row(kind, outcome.replace("_", " "), str(number))
    if table.row_count:
        console.print(table)


def _show_result(console: Console, result: Result) -> None:
    if result.result != "unchanged":
        console.print(f"{result.kind} {result.key}: {result.result}", markup=False)
    _show_changes(console, result.changes, "  ")
    if result.message:
        console.print(f"  {result.message}", markup=False)
    for member in result.members:
        if member.result == "unchanged":
            continue
        of_item = f" {member.item}" if member.item else ""
        console.print(f"  {result.key}: {member.user}{of_item} {member.result}", markup=False)
        _show_changes(console, as_shown(member), "    ")
        if member.message:
            console.print(f"    {member.message}", markup=False)


def _show_changes(console: Console, changes: list[Change], before: str) -> None:
    for change in changes:
        console.print(f"{before}{change.field}: {change.before!r} → {change.after!r}", markup=False)
