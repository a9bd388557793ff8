"""``nagasis campus …`` and ``nagasis sis …``: filling the embedded SIS."""

from __future__ import annotations

import datetime as dt

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import open_services
from lti_tool.sis.campus.generate import SIZES, generate_campus


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
