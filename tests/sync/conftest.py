"""A school, a platform, and what is between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from tests.sync.world import World, open_world


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world
