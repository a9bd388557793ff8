"""Where the tool is reached during these tests, and with which certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class ToolAddress:
    """The tool's public address and the certificate for its host."""

    url: str
    certificate: Path
    key: Path

    @property
    def host(self) -> str:
        """The host name alone."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port."""
        return urlsplit(self.url).port or 443

    @property
    def domain(self) -> str:
        """Host and port, as Moodle keeps a tool's domain."""
        return urlsplit(self.url).netloc.lower().removeprefix("www.")


def find_address(environment: Mapping[str, str]) -> ToolAddress | str:
    """The tool's address, or in plain words what is missing."""
    certificate, key = (environment.get(f"MOODLE_TOOL_{name}") for name in ("CERT", "KEY"))
    if not certificate or not key:
        return "the tool has no certificate: set MOODLE_TOOL_CERT and MOODLE_TOOL_KEY"
    for path in (certificate, key):
        if not Path(path).is_file():
            return f"the tool has no certificate: {path} is not there"
    url = environment.get("MOODLE_TOOL_URL", "https://tool.naga.test:8444").rstrip("/")
    return ToolAddress(url, Path(certificate), Path(key))
