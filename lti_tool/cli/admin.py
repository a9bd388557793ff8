"""``nagasis admin``: the administrator's way in without an identity provider."""

from __future__ import annotations

import click

from lti_tool.cli.session import actor, open_services


@click.group()
def admin() -> None:
    """Administrators."""


@admin.command("sign-in-link")
@click.option("--name", default=None, help="Whose link it is, for the audit log.")
@click.option("--minutes", default=15, show_default=True, type=click.IntRange(1, 1440))
def sign_in_link(name: str | None, minutes: int) -> None:
    """Print a link that signs one administrator in, once."""
    services = open_services()
    click.echo(services.admin_sessions.sign_in_link(name or actor(), minutes=minutes))
