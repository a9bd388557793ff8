"""Site administration: external tools."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request

from demo.answers import PageError, act_as, require_administrator, signed_in
from demo.model import Tool
from demo.pages import sesskey
from demo.state import platform

blueprint = Blueprint("administration", __name__)


def _tool() -> Tool:
    wanted = request.form.get("tool", "")
    tool = platform().state.tools.get(int(wanted)) if wanted.isdigit() else None
    if tool is None:
        raise PageError("invalidtool", "There is no such tool.")
    return tool


@blueprint.get("/admin/tools")
def tools() -> Any:
    """List the tools; with ``url`` show the registration in a frame."""
    changed = act_as()
    if changed is not None:
        return changed
    host, person = platform(), signed_in()
    if person is None or not person.site_admin:
        administrators = [p for p in host.state.people.values() if p.site_admin]
        return render_template("choose_administrator.html", administrators=administrators), 403
    return render_template(
        "tools.html",
        tools=list(host.state.tools.values()),
        url=request.args.get("url", "").strip(),
        sesskey=sesskey(),
        base_url=host.base_url,
    )


@blueprint.post("/admin/tools/activate")
def activate() -> Any:
    """Activate a pending tool."""
    require_administrator(sesskey=True)
    with platform().change():
        _tool().state = "active"
    return redirect("/admin/tools", 303)


@blueprint.post("/admin/tools/delete")
def delete() -> Any:
    """Delete a tool with its activities and columns."""
    require_administrator(sesskey=True)
    tool = _tool()
    with platform().change() as state:
        del state.tools[tool.id]
        for link in [held for held in state.links.values() if held.tool_id == tool.id]:
            del state.links[link.id]
        for item in [held for held in state.line_items.values() if held.tool_id == tool.id]:
            del state.line_items[item.id]
            state.grades.pop(item.id, None)
    return redirect("/admin/tools", 303)
