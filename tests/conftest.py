"""Fixtures that every room uses. The database is SQLite, or what the environment names."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Playwright, sync_playwright

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring, load_keyring
from lti_tool.core.database import Base, Database
from lti_tool.core.http import HttpClient

for _room in (
    "core.audit",
    "lti.models",
    "identity.models",
    "moodle.models",
    "sync.models",
    "sis.models",
):
    if find_spec(f"lti_tool.{_room}") is not None:
        import_module(f"lti_tool.{_room}")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC))


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({"testkey1": b"k" * 32})


@pytest.fixture
def keys_dir(tmp_path: Path) -> Path:
    """A directory with an encryption key: only with SQLite does the tool make one by itself."""
    load_keyring(tmp_path / "keys", create=True)
    return tmp_path / "keys"


@pytest.fixture
def http() -> HttpClient:
    return HttpClient(allow_private=True, allow_http=True, total_timeout=5)


@pytest.fixture
def audit(clock: FixedClock) -> AuditLog:
    return AuditLog(clock)


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An address of an empty database: a file, or a schema of its own on PostgreSQL."""
    server = os.environ.get("NAGASIS_TEST_DATABASE_URL")
    if not server:
        yield f"sqlite:///{tmp_path}/naga.db"
        return
    schema = f"test_{uuid.uuid4().hex[:16]}"
    engine = sa.create_engine(server, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
    yield (
        sa.make_url(server)
        .update_query_dict({"options": f"-csearch_path={schema}"})
        .render_as_string(hide_password=False)
    )
    with engine.begin() as connection:
        connection.execute(sa.schema.DropSchema(schema, cascade=True))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with all tables."""
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def playwright_() -> Iterator[Playwright]:
    """Playwright's driver: there can be only one in a thread, so all tests share it."""
    with sync_playwright() as playwright:
        yield playwright
