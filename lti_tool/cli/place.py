"""``nagasis sync place``: where a class is taught, whatever the SIS says."""

from __future__ import annotations

import click

from lti_tool.cli.session import actor, open_services


@click.command()
@click.argument("class_key", required=False)
@click.option("--with", "host", metavar="CLASS", help="Teach it in the course of this class.")
@click.option("--alone", is_flag=True, help="Give it a course of its own.")
@click.option("--host", "hosting", is_flag=True, help="Teach those combined with it in its course.")
@click.option("--as-sis", is_flag=True, help="Take the decision back.")
def place(
    class_key: str | None, host: str | None, alone: bool, hosting: bool, as_sis: bool
) -> None:
    """Decide where a class is taught; without options show it, without CLASS_KEY all decisions."""
    services = open_services()
    placements = services.placements
    if sum((host is not None, alone, hosting, as_sis)) > 1:
        raise click.UsageError("Choose one of --with, --alone, --host and --as-sis.")
    if class_key is None:
        for each in placements.list():
            other = f" {each.with_key}" if each.with_key else ""
            click.echo(
                f"{each.class_key}: {each.placing.value}{other} "
                f"({each.decided_by}, {each.decided_at:%Y-%m-%d})"
            )
        return
    if host is not None:
        placements.place_with(class_key, host, actor=actor())
    elif alone:
        placements.place_alone(class_key, actor=actor())
    elif hosting:
        placements.make_host(class_key, actor=actor())
    elif as_sis:
        placements.as_sis(class_key, actor=actor())
    view = services.sis_extracts.classes([class_key]).get(class_key)
    if view is None:
        raise click.ClickException(f"The SIS has no class with the key {class_key}.")
    where = "its own course" if view.host_key == class_key else f"the course of {view.host_key}"
    others = f", together with {', '.join(view.combined_with)}" if view.combined_with else ""
    click.echo(f"{class_key} is taught in {where}{others}.")
