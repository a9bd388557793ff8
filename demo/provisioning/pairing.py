"""Pairing with the tool by one code, and its end."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import string
import uuid
from dataclasses import dataclass
from typing import Any

from demo.model import Tool
from demo.provisioning.service import VERSIONS
from demo.provisioning.tool import ToolError, post
from demo.state import Platform

_DAY = 86_400
TOKEN_DAYS, RENEWED_BEFORE_DAYS = 30, 10
_LETTERS = string.ascii_letters + string.digits


class CodeError(ValueError):
    """What was pasted is not a code; the message says what to do."""


@dataclass(frozen=True)
class Code:
    """What a code holds."""

    tool_url: str
    secret: str


def read_code(text: str) -> Code:
    """Read a pasted code; a code that was cut is told apart from something else."""
    text = re.sub(r"\s", "", text)
    body, _, check = text.rpartition(".")
    if not text.startswith("naga1."):
        raise CodeError("This is not a code of Naga SIS. It begins with naga1.")
    if hashlib.sha256(body.encode()).hexdigest()[:6] != check:
        raise CodeError("This code is not whole. Copy it again, to its last character.")
    packed = body.removeprefix("naga1.")
    try:
        found = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        return Code(str(found["u"]).rstrip("/"), str(found["s"]))
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise CodeError("This code cannot be read. Make a new one.") from error


def offer(host: Platform, code: Code) -> dict[str, Any]:
    """Ask the tool what it is; the answer is shown before anything is done."""
    return post(host, code.tool_url, "/api/v1/moodle/offer", {"secret": code.secret})


def pair(host: Platform, text: str) -> list[dict[str, Any]]:
    """Connect with the tool that made the code; returns the tool's checklist.

    Once more repairs what is wrong. Raises :class:`CodeError` or ``ToolError``; a connection that
    was there is left as it was.
    """
    code = read_code(text)
    offered = offer(host, code)
    tool = _tool(host, code.tool_url, offered)
    token, expires = _new_token(host)
    with host.change() as state:
        held = state.connection
        before = (held.token, held.token_expires)
        held.epoch = held.epoch or str(uuid.uuid4())
        # The tool tries the token before it answers.
        held.token, held.token_expires = token, expires
    try:
        answer = post(
            host,
            code.tool_url,
            "/api/v1/moodle/pair",
            {
                "secret": code.secret,
                "url": host.base_url,
                "name": host.state.site_name,
                "epoch": held.epoch,
                "lti": {
                    "issuer": host.base_url,
                    "client_id": tool.client_id,
                    "deployment_id": tool.deployment_id,
                    "auth_url": host.url("/mod/lti/auth.php"),
                    "token_url": host.url("/mod/lti/token.php"),
                    "jwks_url": host.url("/mod/lti/certs.php"),
                },
                "token": {"token": token, "expires_at": expires},
                "versions": VERSIONS,
            },
            client_id=tool.client_id,
        )
    except ToolError:
        with host.change():
            held.token, held.token_expires = before
        raise
    with host.change():
        held.tool_url, held.tool_id = code.tool_url, tool.id
        held.checks = list(answer.get("checks", []))
        held.error = ""
    return held.checks


def unpair(host: Platform) -> None:
    """End the connection on both sides; on ours in any case, and then raise ``ToolError``."""
    held = host.state.connection
    try:
        call(host, "unpair", {})
    finally:
        with host.change():
            held.tool_url = held.token = held.next_token = held.epoch = held.error = ""
            held.tool_id, held.held_id = None, None
            held.last = held.held = held.token_expires = 0
            held.outbox, held.set_aside, held.checks = [], [], []


def call(host: Platform, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call the paired tool, signed; raises ``ToolError``."""
    held = host.state.connection
    tool = host.state.tools.get(held.tool_id or 0)
    if not held.paired or tool is None:
        raise ToolError("site_unknown", "This platform is not paired with a tool.")
    return post(host, held.tool_url, f"/api/v1/moodle/{name}", body, client_id=tool.client_id)


def renew_token(host: Platform) -> bool:
    """Hand a new token over before the old one ends; returns whether it was time."""
    held = host.state.connection
    if not held.paired or held.token_expires > host.epoch() + RENEWED_BEFORE_DAYS * _DAY:
        return False
    token, expires = _new_token(host)
    with host.change():
        held.next_token = token
    call(host, "token", {"token": {"token": token, "expires_at": expires}})
    with host.change():
        held.token, held.token_expires, held.next_token = token, expires, ""
    return True


def _new_token(host: Platform) -> tuple[str, int]:
    token = "".join(secrets.choice(_LETTERS) for _ in range(32))
    return token, host.epoch() + TOKEN_DAYS * _DAY


def _tool(host: Platform, tool_url: str, offered: dict[str, Any]) -> Tool:
    """The LTI tool with the offered addresses: the one that is there, mended, or a new one."""
    fields = {
        "login_uri": str(offered["login_url"]),
        "redirect_uris": [str(offered["launch_url"])],
        "jwks_uri": str(offered["keys_url"]),
        "target_link_uri": str(offered["launch_url"]),
        "deep_linking_uri": str(offered["launch_url"]),
    }
    known = [
        tool
        for tool in host.state.tools.values()
        if tool.login_uri == fields["login_uri"] or tool.login_uri.startswith(tool_url + "/")
    ]
    if not known:
        return host.add_tool(name=str(offered["tool_name"]), **fields)
    with host.change():
        for name, value in fields.items():
            setattr(known[0], name, value)
        known[0].state = "active"
    return known[0]
