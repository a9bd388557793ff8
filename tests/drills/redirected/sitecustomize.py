"""Leads a process of the tool to the door when it looks for Moodle.

Python loads this by its name from ``PYTHONPATH``. All else is as in production: the tool knows
Moodle by its own address, and checks the certificate for its name.
"""

from __future__ import annotations

import os
import socket
from typing import Any

_real = socket.getaddrinfo


def _getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
    if f"{host}:{port}" == os.environ.get("DOOR_FROM"):
        host, port = os.environ["DOOR_TO"].split(":")
    return _real(host, port, *more, **named)


socket.getaddrinfo = _getaddrinfo
