"""``nagasis settings``: every setting, its default and what it is for."""

from __future__ import annotations

import os
from pathlib import Path

import click
from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo

from lti_tool.settings import Settings


def _name(field: str, info: FieldInfo) -> str:
    if isinstance(info.validation_alias, AliasChoices):
        return str(info.validation_alias.choices[0])
    return f"NAGASIS_{field.upper()}"


def _default(info: FieldInfo) -> str:
    value = info.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = value.as_posix()
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value in (None, "") else f"`{value}`"


def settings_page() -> str:
    """Return ``docs/settings.md``: a Markdown table of all settings."""
    lines = [
        "# Settings",
        "",
        "Read from the environment, and from a file `.env` in the working directory.",
        "A wrong one stops the start with one line that names it.",
        "This page is written by `nagasis settings --markdown`.",
        "",
        "| Setting | Default | What it is for |",
        "|---|---|---|",
    ]
    for field, info in Settings.model_fields.items():
        lines.append(f"| `{_name(field, info)}` | {_default(info)} | {info.description} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--markdown", is_flag=True, help="Print docs/settings.md.")
def settings(markdown: bool) -> None:
    """List the settings; those that the environment sets are marked."""
    if markdown:
        click.echo(settings_page(), nl=False)
        return
    for field, info in Settings.model_fields.items():
        name = _name(field, info)
        mark = "*" if name in os.environ else " "
        click.echo(f"{mark} {name:<32} {info.description}")
