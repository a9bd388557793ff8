"""``nagasis keycloak``: the realm in which people sign in."""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import open_services
from lti_tool.identity.keycloak.connection import as_administrator
from lti_tool.identity.keycloak.realm import RealmPlan, realm_file
from lti_tool.identity.keycloak.setup import Change, RealmSetup


@click.group()
def keycloak() -> None:
    """The Keycloak realm in which people sign in once."""


@keycloak.command()
@click.argument("server")
@click.option("--realm", default="school", show_default=True, help="The realm's name.")
@click.option("--moodle", "moodles", multiple=True, help="Address of a Moodle; may be repeated.")
@click.option("--user", default="admin", show_default=True, help="An administrator of Keycloak.")
@click.option(
    "--password",
    envvar="KEYCLOAK_PASSWORD",
    help="That administrator's password, used once and kept nowhere; asked for if not given.",
)
@click.option("--plan", is_flag=True, help="Show what would change; change nothing.")
@click.option(
    "--export",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the realm as a file to import instead; Keycloak is not called.",
)
def setup(
    server: str,
    realm: str,
    moodles: tuple[str, ...],
    user: str,
    password: str | None,
    plan: bool,
    export: Path | None,
) -> None:
    """Prepare the realm at SERVER (https://login.example.edu): clients, roles, groups, mappers.

    Asked again it changes nothing; what others made in the realm is left alone.
    """
    services = open_services()
    wanted = RealmPlan(
        realm=realm,
        tool_url=services.settings.public_url,
        moodle_urls=moodles or tuple(each.url for each in services.sites.list()),
        claim=services.settings.oidc_person_claim,
    )
    if export is not None:
        export.write_text(json.dumps(realm_file(wanted), indent=2) + "\n", encoding="utf-8")
        click.echo(f"Written to {export}. Import it with `kc.sh import --file {export.name}`.")
        return
    password = password or click.prompt(f"Password of {user}", hide_input=True, err=True)
    admin = as_administrator(services.http, server, realm=realm, username=user, password=password)
    prepared = RealmSetup(admin, wanted)
    changes = prepared.changes() if plan else prepared.apply()
    _show(changes, plan=plan)
    if not plan:
        click.echo(
            f"\nNow set NAGASIS_OIDC_ISSUER={server.rstrip('/')}/realms/{realm} and "
            "NAGASIS_OIDC_CLIENT_ID=naga-tool, and restart."
        )


def _show(changes: list[Change], *, plan: bool) -> None:
    if not changes:
        click.echo("The realm is as it should be; nothing to change.")
        return
    table = Table("What", "Field", "Before", "After")
    for each in changes:
        made = each.field is None and each.before is None
        table.add_row(
            each.thing,
            "" if made else each.field or "",
            "" if made else _words(each.before),
            ("would be made" if plan else "made") if made else _words(each.after),
        )
    Console().print(table)


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
