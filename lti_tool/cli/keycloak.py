"""``nagasis keycloak``: the realm in which people sign in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import actor, open_services
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.identity.keycloak.connection import as_administrator
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.realm import RealmPlan, moodle_client, realm_file
from lti_tool.identity.keycloak.realm_checks import NEEDED_FOR
from lti_tool.identity.keycloak.setup import Change, RealmSetup
from lti_tool.sync.provisioning.first_look import first_look
from lti_tool.wiring import Services

_user = click.option(
    "--user", default="admin", show_default=True, help="An administrator of Keycloak."
)
_password = click.option(
    "--password",
    envvar="KEYCLOAK_PASSWORD",
    help="That administrator's password, used once and kept nowhere; asked for if not given.",
)

_FETCHES = "Moodle fetches it within minutes; the code of a new pairing does it at once."


@click.group()
def keycloak() -> None:
    """The Keycloak realm in which people sign in once."""


@keycloak.command()
@click.argument("server")
@click.option("--realm", default="school", show_default=True, help="The realm's name.")
@click.option("--moodle", "moodles", multiple=True, help="Address of a Moodle; may be repeated.")
@_user
@_password
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
    issuer = f"{server.rstrip('/')}/realms/{realm}"
    wanted = RealmPlan(
        realm=realm,
        tool_url=services.settings.public_url,
        moodle_urls=_moodles(services, issuer, moodles),
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
    if plan:
        return
    for number, url in enumerate(wanted.moodle_urls):
        client = moodle_client(number)
        if services.sign_in_clients.keep(
            url,
            issuer=issuer,
            client_id=client,
            secret=prepared.moodle_secret(client),
            person_claim=wanted.claim,
            actor=actor(),
        ):
            click.echo(f"People sign in to {url} by the client {client}. {_FETCHES}")
    click.echo(
        f"\nNow set NAGASIS_OIDC_ISSUER={issuer} and NAGASIS_OIDC_CLIENT_ID=naga-tool, and restart."
    )


@keycloak.command()
@click.argument("server")
@click.option("--realm", default="school", show_default=True, help="The realm's name.")
@click.option("--hold", is_flag=True, help="Change nothing before `nagasis sync resume`.")
@click.option("--plan", is_flag=True, help="Say what connecting would mean; store nothing.")
def connect(server: str, realm: str, hold: bool, plan: bool) -> None:
    """Keep the accounts of the realm at SERVER equal to the people of the SIS, from now on.

    The realm was prepared with `nagasis keycloak setup`. Accounts that others made are left alone.
    """
    services = open_services()
    if plan:
        _show_look(services, server, realm)
        return
    known = services.realms.known(server, realm)
    if hold and known is not None:
        # What it had to be sent when it was connected before would go at once.
        services.provisioning.runs.hold(known.id, actor=actor(), reason="connected with --hold")
    site = services.realms.connect(
        server, realm, public_url=services.settings.public_url, actor=actor()
    )
    if hold and known is None:
        services.provisioning.runs.hold(site.id, actor=actor(), reason="connected with --hold")
    services.provisioning.marks.mark_all(site)
    for each in services.site_checks.check(site.id):
        click.echo(f"{each.status:8} {each.summary} {each.details}".rstrip())
    click.echo(
        f"\nThe realm is site {site.id}. `nagasis sync plan --site {site.id}` shows what will "
        "change; the worker does it."
    )


@keycloak.command()
@click.argument("site_id", type=int)
def rights(site_id: int) -> None:
    """Ask the realm with this number what the tool may do there: each right, what it is needed for,
    and whether it is given. Exit code 1 if one is lacking, or is more than needed."""
    services = open_services()
    site = services.sites.get(site_id)
    if not isinstance(site, Realm):
        raise InvalidInputError(f"{site.name} is no realm.", field="site_id")
    found = services.keycloak_directory.rights(site)
    if found.has is None:
        click.echo("The realm's tokens do not say which rights the service account has.")
        raise SystemExit(1)
    for each in found.needs:
        click.echo(f"{'✕' if each in found.lacking else '✓'} {each}: {NEEDED_FOR[each]}")
    for each in found.beyond:
        click.echo(f"! {each}: more than needed; nagasis keycloak setup takes it away.")
    if found.lacking or found.beyond:
        raise SystemExit(1)


@keycloak.command("moodle-client")
@click.argument("site")
@click.option("--issuer", required=True, help="The provider's address, as it writes it itself.")
@click.option("--client-id", required=True, help="The client that Moodle is there.")
@click.option("--claim", help="The claim of the user info with the person's key in the SIS.")
def moodle_client_(site: str, issuer: str, client_id: str, claim: str | None) -> None:
    """Let people sign in to the Moodle at SITE (its address) by a client that was made by hand, at
    any OpenID provider. Its secret is read from the standard input."""
    services = open_services()
    secret = sys.stdin.readline().strip()
    if not secret:
        raise InvalidInputError(
            "There is no secret.",
            field="secret",
            remedy="Write the client's secret to the standard input.",
        )
    new = services.sign_in_clients.keep(
        site,
        issuer=issuer,
        client_id=client_id,
        secret=secret,
        person_claim=claim or services.settings.oidc_person_claim,
        actor=actor(),
    )
    click.echo(f"Kept. {_FETCHES}" if new else "Nothing is new.")


@keycloak.command("rotate-secret")
@click.argument("site")
@_user
@_password
def rotate_secret(site: str, user: str, password: str | None) -> None:
    """Let Keycloak make another secret for the Moodle at SITE (its address). The old one ends at
    once, and nobody can sign in there until Moodle has fetched the new one."""
    services = open_services()
    known = services.sign_in_clients.of(site.rstrip("/"))
    if known is None:
        raise NotFoundError(
            "Nothing is known of how people sign in to this Moodle.",
            remedy="Run nagasis keycloak setup, or give the Moodle's address as it stands there.",
        )
    server, found, realm = known.issuer.rpartition("/realms/")
    if not found:
        raise InvalidInputError(
            f"{known.issuer} is no Keycloak.",
            remedy="Renew the secret there, and run nagasis keycloak moodle-client.",
        )
    password = password or click.prompt(f"Password of {user}", hide_input=True, err=True)
    admin = as_administrator(services.http, server, realm=realm, username=user, password=password)
    services.sign_in_clients.keep(
        site,
        issuer=known.issuer,
        client_id=known.client_id,
        secret=RealmSetup(admin, RealmPlan(realm, services.settings.public_url)).new_moodle_secret(
            known.client_id
        ),
        person_claim=known.person_claim,
        actor=actor(),
    )
    click.echo(f"The secret is a new one. {_FETCHES}")


def _show_look(services: Services, server: str, realm: str) -> None:
    site = services.realms.unconnected(server, realm, public_url=services.settings.public_url)
    found = first_look(
        site, services.keycloak_directory, services.provisioning.rendering, services.clock.now()
    )
    for words, number in {
        "accounts there": found.accounts,
        "nobody's of the SIS, left alone": found.foreign,
        "people of the SIS": found.people,
        "have an account that is as it should be": found.unchanged,
        "have one that would be changed": found.changed,
        "have none: one would be made": found.created,
        "closed by their status in the SIS": found.closed,
        "fit no account": found.unfit,
    }.items():
        click.echo(f"{number:8} {words}")


def _moodles(services: Services, issuer: str, asked: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses in the order of their clients. Whoever has one keeps it, also where only another
    Moodle is asked for."""
    known = services.sign_in_clients.addresses(issuer)
    urls: list[str] = []
    while (client := moodle_client(len(urls))) in known:
        urls.append(known[client])
    more = asked or [each.url for each in services.sites.moodles()]
    return tuple(dict.fromkeys([*urls, *(url.rstrip("/") for url in more)]))


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
