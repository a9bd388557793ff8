"""``nagasis errors``: every error code, what it means and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import click

from lti_tool import web, wiring
from lti_tool.core.errors import NagaError
from lti_tool.lti.errors import REASONS, LaunchError

# Named so that every room's errors are loaded before they are listed.
ROOMS = (web, wiring)


def _subclasses(parent: type[NagaError]) -> Iterator[type[NagaError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


def error_codes() -> dict[str, tuple[int, str, str]]:
    """Every code, with its HTTP status, its meaning and what to do about it."""
    found = {
        code: (reason.status, reason.detail, reason.remedy) for code, reason in REASONS.items()
    }
    for error in _subclasses(NagaError):
        if issubclass(error, LaunchError) or "code" not in vars(error):
            continue
        meaning = (error.__doc__ or "").strip().splitlines()[0]
        found.setdefault(error.code, (error.status, meaning, "The answer itself says what to do."))
    return dict(sorted(found.items()))


def errors_page() -> str:
    """Return ``docs/errors.md``."""
    lines = [
        "# Errors",
        "",
        "Every error has a stable code. Programs get it in an RFC 9457 problem document (`code`,",
        "`detail`, and where they apply `field` and `remedy`); people get a page in plain words",
        "with a reference number, by which an administrator finds the record under *Launches*.",
        "This page is written by `nagasis errors --markdown`.",
        "",
        "| Code | HTTP | What it means | What to do |",
        "|---|---|---|---|",
    ]
    for code, (status, meaning, remedy) in error_codes().items():
        lines.append(f"| `{code}` | {status} | {meaning} | {remedy} |")
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--markdown", is_flag=True, help="Print docs/errors.md.")
@click.argument("code", required=False)
def errors(code: str | None, markdown: bool) -> None:
    """List the error codes, or explain CODE."""
    if markdown:
        click.echo(errors_page(), nl=False)
        return
    codes = error_codes()
    if code is not None and code not in codes:
        raise click.ClickException(f"There is no error code {code!r}.")
    for name in [code] if code else codes:
        status, meaning, remedy = codes[name]
        click.echo(f"{name} ({status}): {meaning} {remedy}")
