"""What the platform remembers of its connection with the tool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Outgoing:
    """An event that waits. ``seq`` is given when it is first sent, 0 before."""

    id: str
    type: str
    at: int
    fields: dict[str, Any]
    seq: int = 0
    reason: str = ""


@dataclass
class Connection:
    """The tool that the platform is paired with, its token for calls, and what waits to be sent.

    ``held`` and ``held_id``: the last event that the tool says it has. ``last``: the last number
    that was given in this ``epoch``. ``token_expires``: seconds since 1970. ``next_token`` works
    beside the token until the tool has it.
    """

    tool_url: str = ""
    tool_id: int | None = None
    token: str = ""
    token_expires: int = 0
    next_token: str = ""
    epoch: str = ""
    last: int = 0
    held: int = 0
    held_id: str | None = None
    outbox: list[Outgoing] = field(default_factory=list)
    set_aside: list[Outgoing] = field(default_factory=list)
    error: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def paired(self) -> bool:
        """Whether there is a tool to talk with."""
        return bool(self.tool_url and self.token)
