"""Activity from Moodle to the SIS: sign-ins by event, the rest by a daily reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.clock import Clock
from lti_tool.core.database import Base, Database
from lti_tool.moodle.models import MoodleEvent, MoodleSite
from lti_tool.sis.activity import Activity, Seen
from lti_tool.sis.bulk import chunks
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.models import SyncedDocument

_events = cast(sa.Table, MoodleEvent.__table__)
_synced = cast(sa.Table, SyncedDocument.__table__)
EVENTS = ("user.loggedin",)
_AT_ONCE = 5000
_COURSES_AT_ONCE = 200
# Moodle notes times with up to a minute's delay, and clocks differ.
_OVERLAP = dt.timedelta(hours=1)


class ActivityReading(Base):
    """Until when a site's activity has been read."""

    __tablename__ = "activity_reading"

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    read_until: Mapped[dt.datetime]


class ActivitySync:
    """Brings to the SIS when people were last seen in Moodle."""

    def __init__(
        self, database: Database, clock: Clock, client: MoodleAPIClient, activity: Activity
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._activity = activity

    def take_events(self, site: MoodleSite) -> int:
        """Take sign-ins that Moodle has told of; returns how many."""
        taken = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    sa.select(_events.c.epoch, _events.c.seq, _events.c.user, _events.c.at)
                    .where(
                        _events.c.site_id == site.id,
                        _events.c.taken_at.is_(None),
                        _events.c.type.in_(EVENTS),
                    )
                    .order_by(_events.c.received_at, _events.c.seq)
                    .limit(_AT_ONCE)
                ).all()
            if not rows:
                return taken
            people = self._people(site.id, {row.user for row in rows if row.user is not None})
            latest: dict[str, dt.datetime] = {}
            for row in rows:
                key = people.get(row.user)
                if key is not None:
                    latest[key] = max(latest.get(key, row.at), row.at)
            # Noted first: if we die in between, they are noted once more, which changes nothing.
            self._activity.note_people({key: Seen(at, at) for key, at in latest.items()})
            with self._database.writing() as connection:
                for some in chunks(rows, 1000):
                    connection.execute(
                        sa.update(_events)
                        .where(
                            _events.c.site_id == site.id,
                            sa.tuple_(_events.c.epoch, _events.c.seq).in_(
                                [(row.epoch, row.seq) for row in some]
                            ),
                        )
                        .values(taken_at=self._clock.now())
                    )
            taken += len(rows)

    def read(self, site: MoodleSite) -> None:
        """Read what happened since the last reading, in pages."""
        began = self._clock.now()
        with self._database.reading() as connection:
            until = connection.scalar(
                sa.select(ActivityReading.read_until).where(ActivityReading.site_id == site.id)
            )
        since = int((until - _OVERLAP).timestamp()) if until else 0
        for page in self._client.pages(site, "activity", {"since": since}):
            self._activity.note_people(
                {
                    item["user"]: Seen(_time(item.get("lastlogin")), _time(item.get("lastaccess")))
                    for item in page
                    if item.get("user")
                }
            )
        for courses in chunks(self._courses(site.id), _COURSES_AT_ONCE):
            scope = {"since": since, "courses": courses}
            for page in self._client.pages(site, "access", scope):
                self._activity.note_classes(_accesses(page))
        with self._database.writing() as connection:
            insert = self._database.upsert(ActivityReading).values(
                site_id=site.id, read_until=began
            )
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["site_id"], set_={"read_until": insert.excluded.read_until}
                )
            )

    def _people(self, site_id: int, moodle_ids: Iterable[int]) -> dict[int, str]:
        query = sa.select(_synced.c.moodle_id, _synced.c.key).where(
            _synced.c.site_id == site_id, _synced.c.kind == "user"
        )
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for some in chunks(sorted(moodle_ids), 1000):
                rows = connection.execute(query.where(_synced.c.moodle_id.in_(some)))
                found.update((row[0], row[1]) for row in rows)
        return found

    def _courses(self, site_id: int) -> list[str]:
        query = (
            sa.select(_synced.c.key)
            .where(_synced.c.site_id == site_id, _synced.c.kind == "course")
            .order_by(_synced.c.key)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))


def _accesses(page: Iterable[dict[str, Any]]) -> Iterable[tuple[str, str, dt.datetime]]:
    for item in page:
        at = _time(item.get("at"))
        if item.get("course") and item.get("user") and at is not None:
            yield item["course"], item["user"], at


def _time(seconds: int | None) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds else None
