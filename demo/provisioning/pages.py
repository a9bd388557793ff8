"""The administrator's page of the connection: paste a code, see how it is, end it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request

from demo.answers import (
    PageError,
    act_as,
    require_administrator,
    session,
    signed_in,
)
from demo.provisioning.outbox import Sender
from demo.provisioning.pairing import CodeError, offer, pair, read_code, unpair
from demo.provisioning.tool import ToolError
from demo.state import platform

blueprint = Blueprint("connection", __name__)


@blueprint.get("/admin/sis")
def connection() -> Any:
    """Show the connection, or ask for a code; ``?as=`` signs in first."""
    changed = act_as()
    if changed is not None:
        return changed
    host, person = platform(), signed_in()
    if person is None or not person.site_admin:
        administrators = [p for p in host.state.people.values() if p.site_admin]
        return render_template("choose_administrator.html", administrators=administrators), 403
    return _page()


def _page(**shown: Any) -> str:
    found = session()
    return render_template(
        "sis.html",
        held=platform().state.connection,
        sesskey=found.sesskey if found else "",
        **{"offered": None, "code": "", **shown},
    )


@blueprint.post("/admin/sis/preview")
def preview() -> Any:
    """Show who made the code and what would be done."""
    require_administrator(sesskey=True)
    code = request.form.get("code", "")
    try:
        return _page(offered=offer(platform(), read_code(code)), code=code)
    except (CodeError, ToolError) as error:
        raise PageError("pairing", str(error), 400) from error


@blueprint.post("/admin/sis/pair")
def confirm() -> Any:
    """Connect."""
    require_administrator(sesskey=True)
    try:
        pair(platform(), request.form.get("code", ""))
    except (CodeError, ToolError) as error:
        raise PageError("pairing", str(error), 400) from error
    return redirect("/admin/sis", 303)


@blueprint.post("/admin/sis/send")
def send() -> Any:
    """Send what waits, now."""
    require_administrator(sesskey=True)
    try:
        Sender(platform()).send()
    except ToolError as error:
        raise PageError("sending", str(error), 502) from error
    return redirect("/admin/sis", 303)


@blueprint.post("/admin/sis/unpair")
def end() -> Any:
    """End the connection."""
    require_administrator(sesskey=True)
    try:
        unpair(platform())
    except ToolError as error:
        message = f"Ended on this side. The tool could not be told: {error}"
        raise PageError("unpairing", message, 502) from error
    return redirect("/admin/sis", 303)
