"""``nagasis registration``: the platforms that may launch this tool."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from lti_tool.cli.session import actor, open_services
from lti_tool.lti.models import Standing


@click.group()
def registration() -> None:
    """Platforms that may launch this tool."""


@registration.command()
@click.option("--name", required=True, help="What people call the platform.")
@click.option("--issuer", required=True, help="Its issuer; for Moodle, the site's address.")
@click.option("--client-id", required=True)
@click.option("--deployment-id", "deployment_ids", multiple=True, help="May be repeated.")
@click.option("--auth-url", help="Default for Moodle: <issuer>/mod/lti/auth.php")
@click.option("--token-url", help="Default for Moodle: <issuer>/mod/lti/token.php")
@click.option("--jwks-url", help="Default for Moodle: <issuer>/mod/lti/certs.php")
@click.option("--token-audience", help="Audience of the client assertion, if not the token URL.")
@click.option("--family", default="moodle", show_default=True, help="moodle or generic")
@click.option(
    "--trust-sourcedid",
    is_flag=True,
    help="People cannot edit the identifier that the platform sends (Moodle: idnumber is locked).",
)
def add(
    name: str,
    issuer: str,
    client_id: str,
    deployment_ids: tuple[str, ...],
    auth_url: str | None,
    token_url: str | None,
    jwks_url: str | None,
    token_audience: str | None,
    family: str,
    trust_sourcedid: bool,
) -> None:
    """Register a platform and make it active."""
    urls = {"auth_url": auth_url, "token_url": token_url, "jwks_url": jwks_url}
    pages = {"auth_url": "auth.php", "token_url": "token.php", "jwks_url": "certs.php"}
    for key, page in pages.items():
        if urls[key] is None:
            if family != "moodle":
                raise click.UsageError(f"--{key.replace('_', '-')} is needed for this family.")
            urls[key] = f"{issuer.rstrip('/')}/mod/lti/{page}"
    created = open_services().registrations.create(
        actor=actor(),
        name=name,
        issuer=issuer,
        client_id=client_id,
        auth_url=str(urls["auth_url"]),
        token_url=str(urls["token_url"]),
        jwks_url=str(urls["jwks_url"]),
        token_audience=token_audience,
        platform_family=family,
        deployment_ids=deployment_ids,
        sourcedid_trusted=trust_sourcedid,
    )
    click.echo(f"Registration {created.id} is active.")


@registration.command("list")
def list_() -> None:
    """List the registrations."""
    table = Table("id", "name", "issuer", "client id", "standing", "deployments")
    for item in open_services().registrations.list():
        table.add_row(
            str(item.id),
            item.name,
            item.issuer,
            item.client_id,
            item.standing.value,
            ", ".join(f"{d.deployment_id} ({d.standing.value})" for d in item.deployments),
        )
    Console().print(table)


@registration.command()
@click.argument("registration_id", type=int)
def show(registration_id: int) -> None:
    """Show one registration and the addresses to enter at the platform."""
    services = open_services()
    item = services.registrations.get(registration_id)
    base = services.settings.public_url
    rows = {
        "Name": item.name,
        "Issuer": item.issuer,
        "Client id": item.client_id,
        "Family": item.platform_family,
        "Standing": item.standing.value,
        "Identifier trusted": "yes" if item.sourcedid_trusted else "no",
        "Authentication": item.auth_url,
        "Token": item.token_url,
        "Key set": item.jwks_url,
        "Deployments": ", ".join(
            f"{d.deployment_id} ({d.standing.value})" for d in item.deployments
        ),
        "Our login": f"{base}/lti/login",
        "Our launch": f"{base}/lti/launch",
        "Our key set": f"{base}/lti/keys",
    }
    for key, value in rows.items():
        click.echo(f"{key:>20}  {value}")


@registration.command()
@click.argument("registration_id", type=int)
def approve(registration_id: int) -> None:
    """Make a pending or disabled registration active."""
    open_services().registrations.set_standing(registration_id, Standing.ACTIVE, actor=actor())
    click.echo("Active.")


@registration.command()
@click.argument("registration_id", type=int)
def disable(registration_id: int) -> None:
    """Refuse all launches of a registration from now on, and end its sessions."""
    open_services().registrations.set_standing(registration_id, Standing.DISABLED, actor=actor())
    click.echo("Disabled.")


@registration.command()
@click.option("--minutes", default=60, show_default=True, type=click.IntRange(1, 10080))
def invite(minutes: int) -> None:
    """Print a one-time address for Dynamic Registration, to paste into the platform."""
    click.echo(open_services().dynamic_registration.invite(actor=actor(), lifetime=minutes * 60))


@registration.command()
@click.option("--now", is_flag=True, help="Sign with the next key at once, not on schedule.")
def rotate(now: bool) -> None:
    """Rotate the tool's signing keys, which all registrations share."""
    open_services().tool_keys.rotate(actor=actor(), now=now)
    click.echo("Rotated." if now else "Rotated as the schedule asks.")
