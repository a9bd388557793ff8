"""``nagasis grades``: grades between the SIS and Moodle, and what a person has to decide."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import actor, chosen_moodle, connected_moodles, open_services
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.grading import GradeEntry
from lti_tool.sync.grades.log import LogEntry
from lti_tool.sync.grades.models import ConflictState
from lti_tool.sync.grades.values import score
from lti_tool.sync.rendering import host_of

_site_option = click.option("--site", "site_id", type=int, help="Only needed with several Moodles.")
_reason = click.option("--reason", required=True, help="Why, in a sentence; it is kept for ever.")
_conflict = click.argument("conflict_id", type=int)
# What a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@click.group()
def grades() -> None:
    """Grades between the SIS and Moodle: what moved, and what a person has to decide."""


@grades.command()
@_site_option
def status(site_id: int | None) -> None:
    """Show each site: what waits, what moved in the last day."""
    services = open_services()
    console = Console(markup=False)
    parts = services.grades
    since = services.clock.now() - dt.timedelta(days=1)
    for site in [services.sites.moodle(site_id)] if site_id else connected_moodles(services):
        console.print(f"{site.name} ({site.url}): {site.standing.value}")
        counts = parts.conflicts.counts(site.id)
        waiting = sum(counts.values())
        asked = sum(n for (state, _), n in counts.items() if state is ConflictState.ASKED)
        console.print(f"  to decide: {waiting} grades, of which {asked} asked of a teacher")
        for (_, reason), number in sorted(counts.items(), key=lambda each: each[0][1]):
            console.print(f"    {number} {reason}")
        console.print(f"  courses to be read: {len(parts.pulls.waiting(site.id))}")
        table = Table("in the last 24 hours", "what became of it", "number")
        for (direction, movement), number in sorted(parts.log.counts(site.id, since=since).items()):
            table.add_row(direction.replace("_", " "), movement.value, str(number))
        if table.row_count:
            console.print(table)


@grades.command()
@_site_option
@click.option("--class", "class_key", help="Only of this class.")
@click.option("--reason", help="Only for this reason (locked, withdrawn, …).")
@click.option("--asked", is_flag=True, help="Only what a teacher was asked.")
@click.option("--limit", default=200, show_default=True)
def conflicts(
    site_id: int | None, class_key: str | None, reason: str | None, asked: bool, limit: int
) -> None:
    """List the grades that wait for a decision, the oldest first."""
    found = open_services().grades.conflicts.undecided(
        site_id,
        class_keys=[class_key] if class_key else None,
        reason=reason,
        state=ConflictState.ASKED if asked else None,
        limit=limit,
    )
    table = Table("id", "student", "class", "item", "SIS", "Moodle", "why", "state", "since")
    for each in found:
        state = "answered" if each.answered_at is not None else each.state.value
        table.add_row(
            str(each.id),
            each.student_id or each.person_key,
            each.class_key,
            each.item_name,
            _told(each.sis_value),
            _told(each.moodle_value),
            each.reason,
            state,
            f"{each.since:%Y-%m-%d %H:%M}",
        )
    Console(markup=False).print(table)


@grades.command()
@_conflict
def show(conflict_id: int) -> None:
    """Show one conflict: both grades, who gave them and when, and what moved before."""
    parts = open_services().grades
    found = parts.conflicts.get(conflict_id)
    rows = {
        "Student": f"{found.person_name} ({found.student_id or found.person_key})",
        "Class": found.class_label,
        "Item": f"{found.item_name} ({found.item_key})",
        "State": found.state.value,
        "Why": found.reason,
        "What to do": found.remedy,
        "In the SIS": f"{_told(found.sis_value)} {found.sis_status or ''}".rstrip(),
        "  by": f"{found.sis_name or 'not known'}, {_at(found.sis_at)}",
        "In Moodle": _told(found.moodle_value),
        "  by ": f"{found.moodle_name or 'not known'}, {_at(found.moodle_at)}",
    }
    if found.question:
        rows["Asked"] = f"{found.question} ({found.asked_by}, {_at(found.asked_at)})"
    if found.answered_at:
        side = "Moodle's" if found.proposes_take else "the SIS's"
        rows["Answer"] = f"{side}: {found.answer or ''} ({_at(found.answered_at)})"
    if found.decided_at:
        rows["Decided"] = f"{found.decided_by}, {_at(found.decided_at)}: {found.note or ''}"
    for key, value in rows.items():
        click.echo(f"{key:>12}  {value}")
    _print(parts.log.of_grade(found.site_id, found.person_key, found.item_key))


@grades.command()
@_conflict
@click.option("--note", default="", help="Kept with the decision.")
def keep(conflict_id: int, note: str) -> None:
    """Keep the SIS's grade; it is sent to Moodle again."""
    open_services().grades.conflicts.keep(conflict_id, actor=actor(), note=note)
    click.echo("Kept.")


@grades.command()
@_conflict
@_reason
def take(conflict_id: int, reason: str) -> None:
    """Take Moodle's grade: a correction in the SIS."""
    open_services().grades.conflicts.take(conflict_id, actor=actor(), reason=reason)
    click.echo("Taken.")


@grades.command()
@_conflict
@click.option("--question", required=True, help="What the teacher is asked.")
def ask(conflict_id: int, question: str) -> None:
    """Ask the teachers of the class; they answer in the course."""
    open_services().grades.conflicts.ask(conflict_id, actor=actor(), question=question)
    click.echo("Asked.")


@grades.command()
@click.argument("person_key")
@click.argument("part_key")
@click.argument("points", metavar="[SCORE]", required=False)
@_reason
def hold(person_key: str, part_key: str, points: str | None, reason: str) -> None:
    """Let a grade stand whatever comes from Moodle, until it is lifted.

    Without SCORE (0 to 100) it is held as it stands.
    """
    try:
        value = None if points is None else Decimal(points)
    except InvalidOperation as error:
        raise InvalidInputError("The score is not a number.", field="score") from error
    entry = GradeEntry(person_key, part_key, score=value)
    open_services().grading.hold(entry, actor=actor(), reason=reason)
    click.echo("Held.")


@grades.command()
@click.argument("person_key")
@click.argument("part_key")
@_reason
def lift(person_key: str, part_key: str, reason: str) -> None:
    """Hold a grade no longer."""
    open_services().grading.lift(person_key, part_key, actor=actor(), reason=reason)
    click.echo("Lifted.")


@grades.command()
@_site_option
@click.option("--course", "classes", multiple=True, help="A class's key; may be repeated.")
def pull(site_id: int | None, classes: tuple[str, ...]) -> None:
    """Read grades from Moodle now; without --course of all courses."""
    services = open_services()
    site = chosen_moodle(services, site_id)
    pulls = services.grades.pulls
    if classes:
        views = services.sis_extracts.classes(classes)
        unknown = sorted(set(classes) - set(views))
        if unknown:
            raise NotFoundError(f"The SIS has no such class: {', '.join(unknown)}.")
        courses = {host_of(view) for view in views.values()}
        pulls.request(site.id, courses, actor=actor())
    else:
        courses = None
        pulls.request_all(site)
    click.echo(f"{pulls.run(site)} grades compared.")
    left = pulls.waiting(site.id, courses)
    if left:
        click.echo(f"Still to be read, by themselves: {', '.join(sorted(left))}", err=True)
        raise SystemExit(1)


@grades.command()
@click.argument("person_key")
@click.argument("class_key")
@click.option("--csv", "as_csv", is_flag=True, help="As a table for a spreadsheet, all of it.")
def log(person_key: str, class_key: str, as_csv: bool) -> None:
    """Show what moved of a student's grades in a class, the newest first."""
    entries = open_services().grades.log
    if as_csv:
        _csv(entries.every(person_key=person_key, class_key=class_key))
    else:
        _print(entries.of_person(person_key, class_key))


def _told(value: int | None) -> str:
    return "-" if value is None else f"{score(value):.2f}"


def _at(value: dt.datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if value else "time not known"


def _print(entries: Iterable[LogEntry]) -> None:
    table = Table("at (UTC)", "item", "direction", "what", "before", "after", "by", "why")
    for each in entries:
        table.add_row(
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.item_key,
            each.direction.replace("_", " "),
            each.movement.value,
            _told(each.before),
            each.text or _told(each.after),
            each.actor,
            each.code or "",
        )
    if table.row_count:
        Console(markup=False).print(table)
    else:
        click.echo("Nothing has moved yet.")


def _csv(entries: Iterable[LogEntry]) -> None:
    """Keys and not names: programs read this too."""
    columns = tuple(LogEntry.__dataclass_fields__)
    writer = csv.writer(sys.stdout)
    writer.writerow(columns)
    for each in entries:
        values = {name: getattr(each, name) for name in columns}
        values["at"] = each.at.isoformat(timespec="seconds")
        values["before"], values["after"] = _plain(each.before), _plain(each.after)
        writer.writerow([_harmless(value) for value in values.values()])


def _plain(value: int | None) -> str:
    return "" if value is None else f"{score(value):.2f}"


def _harmless(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text
