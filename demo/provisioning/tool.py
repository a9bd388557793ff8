"""Requests to the paired tool, signed with the platform's LTI key."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import uuid
from typing import Any

import requests

from demo.state import Platform

CONTRACT = 1
_SECONDS = 60


class ToolError(Exception):
    """The tool refused, or could not be reached (``code`` is ``unreachable`` then)."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


def post(
    host: Platform, tool_url: str, path: str, body: dict[str, Any], *, client_id: str | None = None
) -> dict[str, Any]:
    """Post to the tool; signed if ``client_id`` names us. Raises :class:`ToolError`.

    Not to be called with the platform's lock held: the tool calls back before it answers.
    """
    address = tool_url + path
    packed = gzip.compress(json.dumps({"contract": CONTRACT, **body}).encode(), mtime=0)
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    if client_id is not None:
        headers["Authorization"] = f"Bearer {_token(host, address, packed, client_id)}"
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(
                address, data=packed, headers=headers, timeout=_SECONDS, allow_redirects=False
            )
        found = answer.json()
    except requests.RequestException as error:
        raise ToolError("unreachable", f"{tool_url} does not answer: {error}") from error
    if not isinstance(found, dict):
        raise ToolError("unreachable", f"{tool_url} answered with something else than an object.")
    if answer.status_code != 200:
        said = found.get("detail") or found.get("title") or f"status {answer.status_code}"
        raise ToolError(str(found.get("code", "")), str(said), str(found.get("field") or ""))
    return found


def _token(host: Platform, address: str, packed: bytes, client_id: str) -> str:
    now = host.epoch()
    claims = {
        "iss": host.base_url,
        "sub": client_id,
        "aud": address,
        "iat": now,
        "exp": now + 60,
        "jti": str(uuid.uuid4()),
        "bh": _base64url(hashlib.sha256(packed).digest()),
    }
    return host.signing.sign(claims)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
