"""Grades from Moodle: what is to be read, read as it is now, and handed on to be judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
import structlog

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleSite
from lti_tool.moodle.plugin_errors import DataError, PluginError
from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import ClassView
from lti_tool.sis.grading import Grading
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.arrivals import Arrivals, Reading
from lti_tool.sync.grades.judging import Item, Seen
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.models import GradeReading, GradeReceipt
from lti_tool.sync.grades.pull_queue import Claim, ClaimLostError, PullQueue, keys_of
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.rendering import host_of
from lti_tool.sync.taught import taught_with

log = structlog.get_logger(__name__)

_readings = cast(sa.Table, GradeReading.__table__)
_receipts = cast(sa.Table, GradeReceipt.__table__)

# Grades stored in one transaction.
_GRADES = 4000
# Rounds at one site before the next site has its turn.
_AT_A_STRETCH = 50


class GradePulls(PullQueue):
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
        super().__init__(database, clock)
        self._client = client
        self._sis = sis
        self._ledger = ledger
        self._arrivals = Arrivals(database, clock, sis, grading, ledger, log)

    def run(self, site: MoodleSite) -> int:
        """Read what is due, and act on it; returns how many grades were compared.

        What Moodle does not answer now is tried again later, later each time; that raises nothing.
        """
        compared = 0
        for _ in range(_AT_A_STRETCH):
            claim = self.claim(site.id)
            if claim is None:
                break
            try:
                compared += self._pull(site, claim)
            except ClaimLostError:
                continue
            except PluginError as error:
                self.postpone(site.id, claim, error.code)
                log.warning("grades.pull_failed", site=site.id, code=error.code)
                if not isinstance(error, DataError):
                    break
            except Exception:
                self.postpone(site.id, claim, "failed")
                raise
        return compared

    def _pull(self, site: MoodleSite, claim: Claim) -> int:
        began = self._clock.now()
        classes = self._classes(claim.courses)
        wanted = sorted(classes)
        seen: dict[str, dict[tuple[str, str], Seen]] = {key: {} for key in wanted}
        if wanted:
            scope = {"courses": wanted, "keyed": True}
            for page in self._client.pages(site, "grades", scope):
                for item in page:
                    if item.get("key") and item.get("course") in seen:
                        found = _seen(item)
                        seen[item["course"]][found.person_key, item["key"]] = found
                self.keep(site.id, claim)
        items = self._items(site, self._unclear(site.id, seen))
        readings = [
            Reading(
                key,
                classes[key],
                seen[key],
                items=items.get(key),
                # A course always has items, from its total on.
                gone=key in items and not items[key] and not seen[key],
            )
            for key in wanted
        ]
        readings += [Reading(key, [], {}) for key in claim.courses if key not in classes]
        graders = {each.by for cells in seen.values() for each in cells.values() if each.by}
        with self._database.reading() as connection:
            people = keys_of(connection, site.id, "user", graders)
        return sum(self._store(site, claim, some, people, began) for some in _in_portions(readings))

    def _classes(self, course_keys: Collection[str]) -> dict[str, list[ClassView]]:
        """The classes of each course, by its host; what is no class's course now is absent: the
        former course of one that is taught with others."""
        found = taught_with(self._sis, course_keys)
        return {key: views for key, views in found.items() if host_of(views[0]) == key}

    def _unclear(
        self, site_id: int, seen: Mapping[str, Mapping[tuple[str, str], Seen]]
    ) -> set[str]:
        """Courses of which the items must be known too: a grade that was there is absent
        (withdrawn, or its item or the whole course was deleted), or what we wrote is not quite
        what stands there (a scale has no more than its words)."""
        query = sa.select(
            _receipts.c.course_key,
            _receipts.c.person_key,
            _receipts.c.item_key,
            _receipts.c.base,
            _receipts.c.sent,
        ).where(
            _receipts.c.site_id == site_id,
            sa.or_(_receipts.c.seen.is_not(None), _receipts.c.base.is_not(None)),
        )
        unclear: set[str] = set()
        with self._database.reading() as connection:
            for some in chunks(sorted(seen), 1000):
                for row in connection.execute(query.where(_receipts.c.course_key.in_(some))):
                    found = seen[row.course_key].get((row.person_key, row.item_key))
                    ours = row.base is not None and row.base == row.sent
                    if found is None or (ours and found.value != row.base):
                        unclear.add(row.course_key)
        return unclear

    def _items(self, site: MoodleSite, course_keys: Collection[str]) -> dict[str, dict[str, Item]]:
        """The items of these courses by key; ``""`` stands for those without one."""
        found: dict[str, dict[str, Item]] = {key: {} for key in course_keys}
        if found:
            for page in self._client.pages(site, "items", {"courses": sorted(found)}):
                for item in page:
                    if item.get("course") in found:
                        found[item["course"]][item.get("key") or ""] = _item(item)
        return found

    def _store(
        self,
        site: MoodleSite,
        claim: Claim,
        readings: Sequence[Reading],
        people: Mapping[int, str],
        began: dt.datetime,
    ) -> int:
        with self._database.write() as session:
            connection = session.connection()
            held = self.held(connection, site.id, claim, [each.course_key for each in readings])
            done = self._arrivals.store(
                session,
                site,
                [each for each in readings if each.course_key in held],
                people,
                began=began,
            )
            # What is no number (a letter that stands alone) is not read: a backup may lack it too.
            anew = self._first_since_restored(connection, site, done.compared)
            self._ledger.send_again(connection, site.id, "grades", anew)
            # Locked last: the engine, which may ask for these courses at the end of its own
            # transaction, must not wait for us while we wait for it.
            if self.held(connection, site.id, claim, sorted(held), lock=True) != held:
                raise ClaimLostError
            self.settle(connection, site.id, claim, held - done.again, done.again)
            self._note(connection, site.id, done.compared, began)
        return sum(done.compared.values())

    def _first_since_restored(
        self, connection: sa.Connection, site: MoodleSite, course_keys: Collection[str]
    ) -> set[str]:
        if site.restored_at is None:
            return set()
        read = sa.select(_readings.c.course_key).where(
            _readings.c.site_id == site.id,
            _readings.c.course_key.in_(list(course_keys)),
            _readings.c.read_at >= site.restored_at,
        )
        return set(course_keys) - set(connection.scalars(read))

    def _note(
        self,
        connection: sa.Connection,
        site_id: int,
        compared: Mapping[str, int],
        read_at: dt.datetime,
    ) -> None:
        if not compared:
            return
        insert = self._database.upsert(_readings)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "course_key"],
                set_={
                    "read_at": insert.excluded.read_at,
                    "compared": insert.excluded.compared,
                },
            ),
            [
                {"site_id": site_id, "course_key": key, "read_at": read_at, "compared": count}
                for key, count in sorted(compared.items())
            ],
        )


def _seen(item: Mapping[str, Any]) -> Seen:
    at = item.get("at")
    value = item.get("percent")
    return Seen(
        person_key=item.get("user") or f"moodle:{item.get('id')}",
        known=bool(item.get("user")),
        value=value,
        number=value is not None or item.get("final") is None,
        at=dt.datetime.fromtimestamp(at, dt.UTC) if at else None,
        by=item.get("by"),
    )


def _item(item: Mapping[str, Any]) -> Item:
    if item.get("scale") is None:
        return Item()
    return Item(steps=round(item.get("max", 0) - item.get("min", 0)))


def _in_portions(readings: Sequence[Reading]) -> Iterator[list[Reading]]:
    """Whole courses, as many as one transaction should hold."""
    portion: list[Reading] = []
    size = 0
    for reading in readings:
        if portion and size + len(reading.cells) > _GRADES:
            yield portion
            portion, size = [], 0
        portion.append(reading)
        size += len(reading.cells)
    if portion:
        yield portion
