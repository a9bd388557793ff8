"""``nagasis init`` and ``nagasis database``: tables and keys."""

from __future__ import annotations

import click

from lti_tool import migrations
from lti_tool.cli.session import open_services
from lti_tool.core.audit import AuditLog
from lti_tool.core.crypto import load_keyring
from lti_tool.settings import load_settings


@click.command()
def init() -> None:
    """Make the encryption key, the tables and the signing keys; safe to repeat."""
    load_keyring(load_settings().keys_dir, create=True)
    services = open_services()
    migrations.upgrade(services.database)
    services.tool_keys.ensure()
    click.echo("Ready: keys, tables and signing keys are there.")


@click.group()
def database() -> None:
    """Tables and the audit log."""


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the tables up to REVISION (default: the newest)."""
    migrations.upgrade(open_services().database, revision)


@database.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Bring the tables back to REVISION; `base` drops them all."""
    migrations.downgrade(open_services().database, revision)


@database.command("verify-audit")
def verify_audit() -> None:
    """Check the hash chain of the audit log."""
    with open_services().database.read() as session:
        broken = AuditLog.first_broken(session)
    if broken is not None:
        raise click.ClickException(f"The audit log was changed at or before record {broken}.")
    click.echo("The audit log is whole.")
