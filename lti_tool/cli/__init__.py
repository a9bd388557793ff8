"""``nagasis``: the command line, a file per group of commands."""

from __future__ import annotations

import sys

import click

from lti_tool.cli.admin import admin
from lti_tool.cli.database import database, init
from lti_tool.cli.errors import errors
from lti_tool.cli.example import example
from lti_tool.cli.grades import grades
from lti_tool.cli.keycloak import keycloak
from lti_tool.cli.keys import keys
from lti_tool.cli.place import place
from lti_tool.cli.registration import registration
from lti_tool.cli.server import serve, worker
from lti_tool.cli.settings import settings
from lti_tool.cli.sis import campus, sis
from lti_tool.cli.site import site
from lti_tool.cli.sync import sync
from lti_tool.core.errors import NagaError


@click.group()
@click.version_option(package_name="naga-moodle")
def nagasis() -> None:
    """Naga SIS as an LTI tool: settings come from the environment (docs/settings.md)."""


for _command in (
    admin,
    campus,
    database,
    errors,
    grades,
    init,
    keycloak,
    keys,
    registration,
    serve,
    settings,
    sis,
    site,
    sync,
    worker,
):
    nagasis.add_command(_command)

campus.add_command(example)
sync.add_command(place)


def main() -> None:
    """Run the command line; expected errors become one plain message and exit code 2."""
    try:
        nagasis.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except NagaError as error:
        for line in error.detail.splitlines():
            click.echo(f"nagasis: {line}", err=True)
        if error.remedy:
            click.echo(f"nagasis: {error.remedy}", err=True)
        sys.exit(2)
