"""Grades from Moodle: what is to be read, read as it is now, compared, and acted on."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.grading import Grading
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger


class GradePulls:
    """Brings grades from Moodle to the SIS, whole courses at a time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        client: MoodleAPIClient,
        sis: SisExtracts,
        grading: Grading,
        ledger: Ledger,
        log: GradeLog,
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._sis = sis
        self._grading = grading
        self._ledger = ledger
        self._log = log

    def take_events(self, site: MoodleSite) -> int:
        """Request pulls of the courses in which Moodle told of grades; returns how many events."""
        raise NotImplementedError

    def request(
        self, site_id: int, course_keys: Collection[str], *, actor: str | None = None
    ) -> None:
        """Have these courses read soon; ``actor``: who asked, if it was a person."""
        with self._database.writing() as connection:
            self.request_within(connection, site_id, course_keys, actor=actor)

    def request_within(
        self,
        connection: sa.Connection,
        site_id: int,
        course_keys: Collection[str],
        *,
        actor: str | None = None,
    ) -> None:
        """As :meth:`request`, within the caller's transaction."""
        raise NotImplementedError

    def request_all(self, site: MoodleSite) -> int:
        """Have every course of a site read; returns how many."""
        raise NotImplementedError

    def waiting(self, site_id: int, course_keys: Collection[str] | None = None) -> set[str]:
        """Which courses (of these) are still to be read."""
        raise NotImplementedError

    def run(self, site: MoodleSite) -> int:
        """Read what is due, and act on it; returns how many grades were compared.

        What Moodle does not answer now is tried again later; nothing raises for that.
        """
        raise NotImplementedError
