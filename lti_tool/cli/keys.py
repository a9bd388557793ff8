"""``nagasis keys``: the tool's signing keys."""

from __future__ import annotations

import click

from lti_tool.cli.session import actor, open_services


@click.group()
def keys() -> None:
    """The tool's signing keys."""


@keys.command()
@click.option("--now", is_flag=True, help="Sign with the next key at once, not on schedule.")
def rotate(now: bool) -> None:
    """Do what the rotation schedule asks for; the next key is always published beforehand."""
    services = open_services()
    services.tool_keys.rotate(actor=actor(), now=now)
    for key in services.tool_keys.public_keyset()["keys"]:
        click.echo(key["kid"])
