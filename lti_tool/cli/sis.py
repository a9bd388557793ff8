"""``nagasis campus …`` and ``nagasis sis …``: filling the embedded SIS."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lti_tool.cli.grade_steps import grade
from lti_tool.cli.session import actor, open_services
from lti_tool.sis.campus.generate import SIZES, generate_campus
from lti_tool.sis.oneroster.importer import OneRosterImporter
from lti_tool.sis.oneroster.report import ImportReport

_SHOWN_ERRORS = 50


@click.group()
def campus() -> None:
    """A synthetic campus: nobody in it is real."""


@campus.command()
@click.option(
    "--size",
    type=click.Choice([str(size) for size in SIZES]),
    default="50",
    show_default=True,
    help="Number of students.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, other people.")
@click.option(
    "--around",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Terms that run on this day are under way; by default today.",
)
def generate(size: str, seed: int, around: dt.datetime | None) -> None:
    """Fill an empty SIS with a synthetic campus; the same seed again changes nothing."""
    services = open_services()
    console = Console()
    with console.status("Building the campus") as status:
        report = generate_campus(
            services.database,
            services.clock,
            size=int(size),
            seed=seed,
            around=around.date() if around else None,
            progress=lambda what: status.update(f"Building the campus: {what}"),
        )
    table = Table("What", "Created", "Changed", "As it was")
    for name, part in report.written.items():
        label = name.removeprefix("sis_").replace("_", " ")
        table.add_row(label, str(part.created), str(part.updated), str(part.unchanged))
    console.print(table)
    console.print(f"The campus stands around {report.around}.")


@click.group()
def sis() -> None:
    """The embedded SIS."""


@sis.command(name="import")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--plan", is_flag=True, help="Only say what would happen.")
@click.option(
    "--accept-removals", is_flag=True, help="Believe a whole bulk file that misses a great many."
)
def import_(path: Path, plan: bool, accept_removals: bool) -> None:
    """Import OneRoster 1.2 CSV from PATH, a zip or a folder (docs/oneroster.md).

    Good rows land, bad ones are listed. The exit code is 1 if any row failed.
    """
    services = open_services()
    console = Console()
    importer = OneRosterImporter(
        services.database,
        services.clock,
        removal_share=services.settings.import_removal_share,
        removal_count=services.settings.import_removal_count,
    )
    with console.status("Importing") as status:
        report = importer.run(
            path,
            actor=actor(),
            plan=plan,
            accept_removals=accept_removals,
            progress=lambda what: status.update(f"Importing: {what}"),
        )
    _show(console, report)
    if report.errors:
        sys.exit(1)


sis.add_command(grade)


def _show(console: Console, report: ImportReport) -> None:
    table = Table("File", "Mode", "Rows", "New", "Changed", "As it was", "Skipped", "Gone", "Wrong")
    for name, part in report.files.items():
        numbers = (
            part.rows,
            part.created,
            part.updated,
            part.unchanged,
            part.skipped,
            part.removed,
            part.failed,
        )
        table.add_row(name, part.mode, *map(str, numbers))
    console.print(table)
    for note in report.notes:
        console.print(escape(note))
    if report.errors:
        wrong = Table("File", "Line", "Field", "What is wrong", "What to do")
        for error in report.errors[:_SHOWN_ERRORS]:
            cells = (error.file, str(error.line), error.field, error.problem, error.remedy)
            wrong.add_row(*map(escape, cells))
        console.print(wrong)
        if len(report.errors) > _SHOWN_ERRORS:
            console.print(f"… and {len(report.errors) - _SHOWN_ERRORS} more.")
    if report.removals_waiting:
        console.print(f"{report.removals_waiting} removals wait for --accept-removals.")
    if report.planned:
        console.print("This was a plan: nothing was changed.")
