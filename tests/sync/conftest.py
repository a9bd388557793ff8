"""A school, a platform, and what is between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from tests.sync.world import World, open_world


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """Every SQL statement from now on; what only begins a transaction is left out."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    sa.event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine, "before_cursor_execute", note)
