"""What every command begins with: the settings read, the logs set, the services built."""

from __future__ import annotations

import getpass

from lti_tool.core.logging import configure_logging
from lti_tool.settings import load_settings
from lti_tool.wiring import Services, build_services


def open_services() -> Services:
    """Build the services of this process; logs go to standard error, warnings and worse."""
    settings = load_settings()
    configure_logging(level="WARNING", json=False)
    return build_services(settings)


def actor() -> str:
    """Who runs this command, for the audit log."""
    return f"cli:{getpass.getuser()}"
