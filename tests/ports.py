"""Ports for servers that are given theirs before they listen, or listen again where they did."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_GIVEN: set[int] = set()


def free_port() -> int:
    """A port of this machine that nobody has, never the same one twice.

    It is below those that the system gives outgoing connections (which ``bind(0)`` takes from): one
    of theirs may be somebody's own end of a connection by the time that the server listens.
    """
    first = int(_OUTGOING.read_text().split()[0]) if _OUTGOING.exists() else 32768
    while True:
        port = random.randrange(first // 2, first)
        if port not in _GIVEN and _is_free(port):
            _GIVEN.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
