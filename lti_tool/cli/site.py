"""``nagasis site``: the Moodles and realms that are connected."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import actor, open_services
from lti_tool.moodle.contract import schemas as contract_schemas
from lti_tool.moodle.messages import Problem
from lti_tool.moodle.models import MoodleSite
from lti_tool.moodle.unpaired import WITHOUT_PAIRING, lacking

_SCHEMAS = Path("moodle_plugin/local_nagasis/contract/schema")
_MARKS = {"ok": "✓", "warning": "!", "error": "✕", "unknown": "?"}


@click.group()
def site() -> None:
    """Moodles that are connected by the plugin local_nagasis, and Keycloak realms."""


@site.command()
def code() -> None:
    """Print a code that connects one Moodle, once, within 15 minutes."""
    services = open_services()
    made = services.pairing.code(actor=actor())
    click.echo(made.text)
    click.echo(
        "Paste it in Moodle: Site administration, Plugins, Local plugins, Naga SIS. "
        f"It works once, until {made.expires_at:%H:%M} UTC.",
        err=True,
    )


@site.command()
def add() -> None:
    """Keep the Moodle of MOODLE_BASE_URL and MOODLE_API_TOKEN equal to the SIS, without pairing."""
    services = open_services()
    settings = services.settings
    found, status = services.unpaired_sites.add(
        settings.moodle_base_url, settings.moodle_api_token.get_secret_value(), actor=actor()
    )
    click.echo(f"{found.name} ({found.url}) is site {found.id}.")
    for words in WITHOUT_PAIRING:
        click.echo(f"! {words}")
    if lacking(status):
        click.echo(f"! Its plugin takes no {', '.join(lacking(status))}. Update local_nagasis.")
    _print(services.site_checks.check(found.id))


@site.command("list")
def list_() -> None:
    """List what is connected."""
    table = Table("id", "name", "address", "standing", "last heard", "waiting")
    for each in open_services().sites.list():
        moodle = isinstance(each, MoodleSite)
        heard = f"{each.heard_at:%Y-%m-%d %H:%M} UTC" if each.heard_at else "never"
        table.add_row(
            str(each.id),
            each.name,
            each.url,
            each.standing.value,
            heard if moodle else "-",
            str(each.backlog) if moodle else "-",
        )
    Console().print(table)


@site.command()
@click.argument("site_id", type=int)
def show(site_id: int) -> None:
    """Show one Moodle, or realm, as it was at its last check."""
    found = open_services().sites.get(site_id)
    rows = {
        "What": found.product,
        "Name": found.name,
        "Address": found.url,
        "Standing": found.standing.value,
        **(_of_moodle(found) if isinstance(found, MoodleSite) else {}),
        "Last check": found.checked_at or "never",
        **{f"Version of {name}": value for name, value in found.versions.items()},
    }
    for key, value in rows.items():
        click.echo(f"{key:>24}  {value}")
    _print([Problem.model_validate(each) for each in found.checklist])


@site.command()
@click.argument("site_id", type=int)
def check(site_id: int) -> None:
    """Try the connection by a real call; exit code 1 if something is wrong."""
    found = open_services().site_checks.check(site_id)
    _print(found)
    if any(each.status == "error" for each in found):
        raise SystemExit(1)


@site.command()
@click.argument("site_id", type=int)
def resume(site_id: int) -> None:
    """Call a paused site again."""
    open_services().sites.resume(site_id, actor=actor())
    click.echo("Active.")


@site.command()
@click.argument("site_id", type=int)
def pause(site_id: int) -> None:
    """Call a site no more, until somebody resumes it. What changes in the SIS waits."""
    open_services().sites.pause(site_id, reason="asked for", actor=actor())
    click.echo("Paused.")


@site.command()
@click.argument("site_id", type=int)
@click.confirmation_option(prompt="End the connection with this site?")
def disconnect(site_id: int) -> None:
    """End the connection. Of a Moodle: forget its token, refuse its events and launches. Data stay;
    so do the accounts of a realm, as they are: whoever is in it goes on signing in."""
    open_services().sites.disconnect(site_id, actor=actor())
    click.echo("Disconnected.")


@site.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_SCHEMAS,
    show_default=True,
    help="Where the plugin keeps them.",
)
def schemas(folder: Path) -> None:
    """Write the JSON Schemas of the contract, from the models, into the plugin."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_files().items():
        (folder / name).write_text(text)
        click.echo(folder / name)


def schema_files() -> dict[str, str]:
    """The plugin's schemas as text, by file name."""
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in contract_schemas().items()
    }


def _of_moodle(found: MoodleSite) -> dict[str, object]:
    return {
        "Registration": found.registration_id,
        "Contract": found.contract,
        "Epoch": found.epoch or "-",
        "Events held up to": found.held,
        "Waiting in Moodle": found.backlog,
        "Last heard": found.heard_at or "never",
        "Token until": found.token_expires_at or "-",
    }


def _print(checklist: list[Problem]) -> None:
    for each in checklist:
        click.echo(f"{_MARKS[each.status]} {each.summary}")
        if each.details:
            click.echo(f"  {each.details}")
