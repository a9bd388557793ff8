"""Receipts: where each grade stands on both sides, kept with the result of each sending."""

from __future__ import annotations

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database


class Receipts:
    """Stores what became of grades that were sent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
