"""The intake of events, and a site that may send it some."""

from __future__ import annotations

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.moodle.events import EventIntake
from lti_tool.moodle.messages import RECORD_TYPES
from lti_tool.moodle.models import MoodleSite
from tests.moodle.signing import connect


@pytest.fixture
def intake(database: Database, clock: FixedClock) -> EventIntake:
    return EventIntake(database, clock, awaited=RECORD_TYPES)


@pytest.fixture
def site(database: Database, clock: FixedClock) -> MoodleSite:
    return connect(database, clock)
