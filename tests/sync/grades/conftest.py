"""A school whose courses and grades stand in a platform that keeps them as Moodle's plugin does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo import Platform
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from tests.sync.grades.grade_world import GradeWorld, build_world
from tests.sync.provisioning.conftest import served_platform


@pytest.fixture
def platform(clock: FixedClock) -> Iterator[Platform]:
    with served_platform(clock) as found:
        yield found


@pytest.fixture
def world(
    database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient, platform: Platform
) -> GradeWorld:
    """The class is in Moodle, with its gradebook and without a grade."""
    found = build_world(database, clock, keyring, http, platform)
    found.send()
    return found
