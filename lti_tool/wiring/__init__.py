"""Builds the services from the settings: the app, the CLI and the worker share this one place."""

from __future__ import annotations

from typing import cast

from flask import current_app

from lti_tool.core.clock import Clock, SystemClock
from lti_tool.core.crypto import load_keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.core.rate_limit import RateLimiter
from lti_tool.settings import Settings
from lti_tool.wiring.registry import Services

__all__ = ["Services", "build_services", "services"]


def build_services(
    settings: Settings, *, clock: Clock | None = None, create_keys: bool | None = None
) -> Services:
    """Build the services of one process.

    ``create_keys``: whether a missing encryption key is made; by default only with SQLite, the
    embedded set-up, where nobody else could have made it.
    """
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    keyring = load_keyring(
        settings.keys_dir, create=database.is_sqlite if create_keys is None else create_keys
    )
    http = HttpClient(
        allow_private=settings.outbound_allow_private,
        allow_http=settings.outbound_allow_http,
        ca_bundle=str(settings.ca_bundle) if settings.ca_bundle else None,
        total_timeout=settings.moodle_timeout,
        pool_size=settings.moodle_concurrency * 2,
    )
    return Services(
        settings=settings,
        clock=clock or SystemClock(),
        database=database,
        keyring=keyring,
        http=http,
        rate_limiter=RateLimiter(settings.rate_limit_storage),
    )


def services() -> Services:
    """The services of the current Flask application."""
    return cast(Services, current_app.extensions["naga"])
