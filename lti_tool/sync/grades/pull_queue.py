"""Which courses' grades are to be read: requested by whoever knows, read by one process each."""

from __future__ import annotations

import datetime as dt
import random
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.models import MoodleEvent, MoodleSite
from lti_tool.sis.bulk import chunks
from lti_tool.sync.grades.models import GradePull
from lti_tool.sync.provisioning.models import SyncedDocument, SyncMark

_marks = cast(sa.Table, SyncMark.__table__)
_events = cast(sa.Table, MoodleEvent.__table__)
_pulls = cast(sa.Table, GradePull.__table__)
_synced = cast(sa.Table, SyncedDocument.__table__)

# A course whose gradebook is just to be changed: what a part's item holds now may not be what it
# will hold, and would look withdrawn then. It is read after that.
_REBUILT = sa.exists().where(
    _marks.c.site_id == _pulls.c.site_id,
    _marks.c.kind == "gradebook",
    _marks.c.key == _pulls.c.course_key,
    _marks.c.not_before.is_(None),
)
# Events that say no more than that something about grades happened in their course: what counts is
# what stands there when it is read.
EVENTS = (
    "grade.changed",
    "grade.deleted",
    "grade_item.created",
    "grade_item.updated",
    "grade_item.deleted",
    "assign.graded",
    "quiz.graded",
    "course.deleted",
    "course.restored",
)
_EVENTS_AT_ONCE = 5000
# Courses that are read in one go.
_COURSES = 20
# Whoever reads a course shows with each page that it lives.
_LEASE = dt.timedelta(seconds=120)
_FIRST_RETRY = 2.0
_LONGEST_RETRY = 300.0
_SOON = dt.timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Claim:
    """Courses that this process alone reads now, with the change for which it reads them."""

    holder: str
    courses: Mapping[str, dt.datetime]
    attempts: int


class ClaimLostError(Exception):
    """Another process has claimed the course meanwhile: what this one has read may be old."""


class PullQueue:
    """The courses of all sites that are to be read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def take_events(self, site: MoodleSite) -> int:
        """Request pulls of our courses in which Moodle told of grades; returns how many events.

        Requesting and noting that an event was dealt with is one transaction.
        """
        taken = 0
        while True:
            with self._database.writing() as connection:
                rows = connection.execute(
                    sa.select(_events.c.epoch, _events.c.seq, _events.c.course)
                    .where(
                        _events.c.site_id == site.id,
                        _events.c.taken_at.is_(None),
                        _events.c.type.in_(EVENTS),
                    )
                    .order_by(_events.c.received_at, _events.c.seq)
                    .limit(_EVENTS_AT_ONCE)
                    # Another worker takes the others.
                    .with_for_update(skip_locked=True)
                ).all()
                if not rows:
                    return taken
                # In other courses nothing is the SIS's.
                ids = {row.course for row in rows if row.course is not None}
                courses = keys_of(connection, site.id, "gradebook", ids)
                self.request_within(connection, site.id, courses.values())
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
        rows = [
            {
                "site_id": site_id,
                "course_key": key,
                "changed_at": self._clock.now(),
                "requested_by": actor,
            }
            for key in sorted(set(course_keys))
        ]
        if not rows:
            return
        insert = self._database.upsert(_pulls)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "course_key"],
                set_={
                    "changed_at": insert.excluded.changed_at,
                    "requested_by": sa.func.coalesce(
                        insert.excluded.requested_by, _pulls.c.requested_by
                    ),
                    "attempts": 0,
                    "not_before": None,
                },
            ),
            rows,
        )

    def request_all(self, site: MoodleSite) -> int:
        """Have every course of a site read that has a gradebook of ours; returns how many."""
        query = sa.select(_synced.c.key).where(
            _synced.c.site_id == site.id, _synced.c.kind == "gradebook"
        )
        with self._database.writing() as connection:
            courses = connection.scalars(query).all()
            self.request_within(connection, site.id, courses)
        return len(courses)

    def waiting(self, site_id: int, course_keys: Collection[str] | None = None) -> set[str]:
        """Which courses (of these) are still to be read."""
        query = sa.select(_pulls.c.course_key).where(_pulls.c.site_id == site_id)
        if course_keys is not None:
            query = query.where(_pulls.c.course_key.in_(course_keys))
        with self._database.reading() as connection:
            return set(connection.scalars(query))

    # -- the lease of a course

    def claim(self, site_id: int) -> Claim | None:
        """Take courses that are due and that nobody reads; one that failed before comes alone."""
        now = self._clock.now()
        holder = secrets.token_hex(16)
        query = (
            sa.select(_pulls.c.course_key, _pulls.c.changed_at, _pulls.c.attempts)
            .where(
                _pulls.c.site_id == site_id,
                sa.or_(_pulls.c.not_before.is_(None), _pulls.c.not_before <= now),
                sa.or_(_pulls.c.taken_until.is_(None), _pulls.c.taken_until <= now),
                ~_REBUILT,
            )
            .order_by(_pulls.c.attempts, _pulls.c.changed_at, _pulls.c.course_key)
            .limit(_COURSES)
        )
        with self._database.reading() as connection:
            # Where nothing is due, nothing is written.
            if connection.execute(query).first() is None:
                return None
        with self._database.writing() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            if not rows:
                return None
            attempts = rows[0].attempts
            rows = rows[:1] if attempts else [row for row in rows if not row.attempts]
            connection.execute(
                sa.update(_pulls)
                .where(
                    _pulls.c.site_id == site_id,
                    _pulls.c.course_key.in_([row.course_key for row in rows]),
                )
                .values(taken_by=holder, taken_until=now + _LEASE)
            )
        return Claim(holder, {row.course_key: row.changed_at for row in rows}, attempts)

    def keep(self, site_id: int, claim: Claim) -> None:
        """Show that the claim's holder lives."""
        with self._database.writing() as connection:
            connection.execute(_of(site_id, claim).values(taken_until=self._clock.now() + _LEASE))

    def held(
        self,
        connection: sa.Connection,
        site_id: int,
        claim: Claim,
        course_keys: Sequence[str],
        *,
        lock: bool = False,
    ) -> set[str]:
        """Which of these courses are still ours to store: what another has read since is newer,
        and where the gradebook is to be changed it is read again.

        ``lock``: and stay so until the transaction ends.
        """
        query = sa.select(_pulls.c.course_key).where(
            _pulls.c.site_id == site_id,
            _pulls.c.taken_by == claim.holder,
            _pulls.c.course_key.in_(course_keys),
        )
        # What is stored may itself ask for the gradebook to be mended.
        query = query.with_for_update() if lock else query.where(~_REBUILT)
        return set(connection.scalars(query))

    def settle(
        self,
        connection: sa.Connection,
        site_id: int,
        claim: Claim,
        done: Collection[str],
        again: Collection[str],
    ) -> None:
        """Forget what was read, unless something came meanwhile."""
        connection.execute(
            sa.delete(_pulls).where(
                _pulls.c.site_id == site_id,
                sa.tuple_(_pulls.c.course_key, _pulls.c.changed_at).in_(
                    [(key, claim.courses[key]) for key in done]
                ),
            )
        )
        free = {"taken_by": None, "taken_until": None, "attempts": 0, "last_error": None}
        connection.execute(_of(site_id, claim, done).values(free))
        if again:
            soon = free | {"not_before": self._clock.now() + _SOON}
            connection.execute(_of(site_id, claim, again).values(soon))

    def postpone(self, site_id: int, claim: Claim, code: str) -> None:
        """Try what could not be read again later: later each time, not all at the same moment."""
        attempts = claim.attempts + 1
        pause = min(_LONGEST_RETRY, _FIRST_RETRY * 2 ** min(attempts, 20))
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, protects nothing
        with self._database.writing() as connection:
            for changed in set(claim.courses.values()):
                keys = [key for key, at in claim.courses.items() if at == changed]
                # What was asked for meanwhile need not wait for what failed.
                later = sa.case(
                    (
                        _pulls.c.changed_at == changed,
                        self._clock.now() + dt.timedelta(seconds=pause * jitter),
                    ),
                    else_=None,
                )
                connection.execute(
                    _of(site_id, claim, keys).values(
                        taken_by=None,
                        taken_until=None,
                        attempts=attempts,
                        not_before=later,
                        last_error=code[:60],
                    )
                )


def _of(site_id: int, claim: Claim, course_keys: Collection[str] | None = None) -> sa.Update:
    """The rows of a claim, or some of them, as far as they are still held."""
    keys = claim.courses if course_keys is None else course_keys
    return sa.update(_pulls).where(
        _pulls.c.site_id == site_id,
        _pulls.c.taken_by == claim.holder,
        _pulls.c.course_key.in_(list(keys)),
    )


def keys_of(
    connection: sa.Connection, site_id: int, kind: str, moodle_ids: Iterable[int]
) -> dict[int, str]:
    """The SIS's keys of what has these ids in Moodle."""
    query = sa.select(_synced.c.moodle_id, _synced.c.key).where(
        _synced.c.site_id == site_id, _synced.c.kind == kind
    )
    found: dict[int, str] = {}
    for some in chunks(sorted(set(moodle_ids)), 1000):
        rows = connection.execute(query.where(_synced.c.moodle_id.in_(some)))
        found.update((row[0], row[1]) for row in rows)
    return found
