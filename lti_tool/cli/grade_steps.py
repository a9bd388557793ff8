"""``nagasis sis grade …``: the steps of grades, and what the registrar decides."""

from __future__ import annotations

from collections.abc import Callable

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lti_tool.cli.session import actor, open_services
from lti_tool.core.errors import InvalidInputError
from lti_tool.sis.grading import Grading
from lti_tool.sis.registrar import Registrar

_reason = click.option("--reason", required=True, help="Why, in a sentence; it is kept for ever.")


@click.group()
def grade() -> None:
    """Grades: from draft to final, exemptions, special final grades."""


@grade.command()
@click.argument("part_keys", nargs=-1, required=True)
def submit(part_keys: tuple[str, ...]) -> None:
    """Submit the drafts of these class parts: students see them, totals count them."""
    _step(lambda grading: grading.submit(part_keys, actor=actor()), "submit")


@grade.command()
@click.argument("part_keys", nargs=-1, required=True)
def approve(part_keys: tuple[str, ...]) -> None:
    """Approve the submitted grades of these class parts; from then on they are locked."""
    _step(lambda grading: grading.approve(part_keys, actor=actor()), "approve")


@grade.command()
@click.argument("part_keys", nargs=-1, required=True)
def finalize(part_keys: tuple[str, ...]) -> None:
    """Finalise the approved grades of these class parts."""
    _step(lambda grading: grading.finalize(part_keys, actor=actor()), "finalize")


@grade.command()
@click.argument("class_key")
@click.argument("person_key")
@click.argument("letter", required=False)
@click.option("--clear", is_flag=True, help="Take it back: the grades speak again.")
@_reason
def special(class_key: str, person_key: str, letter: str | None, clear: bool, reason: str) -> None:
    """Give a student the final grade LETTER (I, IP, P, CR, NC), or --clear it."""
    registrar = _registrar()
    if clear:
        registrar.clear_special(person_key, class_key, actor=actor(), reason=reason)
    else:
        registrar.set_special(person_key, class_key, letter or "", actor=actor(), reason=reason)
    click.echo("Done.")


@grade.command()
@click.argument("class_key")
@click.argument("person_key")
@click.argument("session_number", type=int)
@click.option("--revoke", is_flag=True, help="The session counts again.")
@_reason
def exempt(class_key: str, person_key: str, session_number: int, revoke: bool, reason: str) -> None:
    """Leave session SESSION_NUMBER of the class out of a student's final grade, or --revoke it."""
    registrar = _registrar()
    decide = registrar.revoke_exemption if revoke else registrar.exempt
    decide(person_key, class_key, session_number, actor=actor(), reason=reason)
    click.echo("Done.")


@grade.command()
@click.argument("class_key")
@click.argument("person_key")
def decisions(class_key: str, person_key: str) -> None:
    """Show what was decided about a student in a class: exemptions and special grades."""
    table = Table("When", "What", "Session", "Before", "After", "By", "Why")
    for one in _registrar().history(person_key, class_key):
        cells = (
            f"{one.at:%Y-%m-%d %H:%M}",
            one.kind.value.replace("_", " ").lower(),
            "" if one.session_number is None else str(one.session_number),
            one.old_letter or "",
            one.new_letter or "",
            one.changed_by,
            one.reason,
        )
        table.add_row(*map(escape, cells))
    Console().print(table)


def _registrar() -> Registrar:
    services = open_services()
    return Registrar(services.database, services.clock)


def _step(take: Callable[[Grading], int], name: str) -> None:
    services = open_services()
    moved = take(Grading(services.database, services.clock))
    if not moved:
        raise InvalidInputError(
            "No grade of these parts is waiting for this step.",
            remedy="Check the keys; the steps are submit, approve, finalize, in this order.",
        )
    click.echo(f"{moved} grades: {name} done.")
