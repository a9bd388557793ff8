"""Proves that a site equals the SIS, and repairs what does not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Document, Kind, MemberResult, Result
from lti_tool.moodle.models import MoodleEvent, Site
from lti_tool.sis.bulk import chunks
from lti_tool.sync.grades.pull_queue import PullQueue
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.client import MoodleAPIClient
from lti_tool.sync.provisioning.engine import Engine
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.provisioning.models import RunTrigger, SyncRun
from lti_tool.sync.rendered import Former, Nothing, Unfit
from lti_tool.sync.rendering import Rendering

_events = cast(sa.Table, MoodleEvent.__table__)
# Foreign things are counted; so many are named.
_NAMED = 50
# Things whose differences are asked for in one call.
_ASKED = 100
_BY_HAND: dict[Kind, tuple[str, tuple[str, ...]]] = {
    "category": ("object", ("category.updated", "category.deleted")),
    "user": ("user", ("user.updated", "user.deleted")),
    "course": (
        "course",
        ("course.updated", "course.deleted", "section.updated", "section.deleted"),
    ),
    "roster": (
        "course",
        (
            "enrolment.updated",
            "enrolment.deleted",
            "role.unassigned",
            "role.assigned",
            "group.member_removed",
            "group.member_added",
        ),
    ),
    "gradebook": (
        "course",
        ("grade_item.created", "grade_item.updated", "grade_item.deleted"),
    ),
}


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing at the site that is not as it should be. ``by`` is Moodle's id of who changed it
    last by hand, as far as its events say."""

    kind: Kind
    key: str
    missing: bool
    moodle_id: int | None
    by: int | None = None
    how: str | None = None


@dataclass(slots=True)
class Reconciliation:
    """What was compared, what differs, and what is there that the SIS does not know."""

    checked: dict[str, int] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    foreign: dict[str, int] = field(default_factory=dict)
    foreign_keys: dict[str, list[str]] = field(default_factory=dict)
    run: SyncRun | None = None


class Reconciler:
    """Compares fingerprints: cheap when nothing differs, however large the site is."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        client: MoodleAPIClient,
        rendering: Rendering,
        marks: Marks,
        ledger: Ledger,
        engine: Engine,
        queue: PullQueue,
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._rendering = rendering
        self._marks = marks
        self._ledger = ledger
        self._engine = engine
        self._queue = queue

    def reconcile(
        self,
        site: Site,
        *,
        courses: Collection[str] | None = None,
        repair: bool = True,
        actor: str = "reconciliation",
        progress: Callable[[str], None] = lambda _: None,
    ) -> Reconciliation:
        """Compare everything, or some courses with their rosters and gradebooks; then repair under
        the guard, and have their grades read.

        ``courses``: keys of classes. Things that the SIS does not know are left alone; what is
        marked is on its way already, and no drift.
        """
        found = Reconciliation()
        missed_since = self._missed_since(site)
        self._marks.gather()
        wanted = None if courses is None else self._rendering.hosts(courses)
        of_courses: tuple[Kind, ...] = ("course", "roster", "gradebook")
        kinds = [
            kind
            for kind in (site.kinds if wanted is None else of_courses)
            # Grades have no digest: they are read, and compared one by one.
            if kind != "grades" and site.takes(kind)
        ]
        for kind in kinds:
            progress(kind)
            self._compare(site, kind, wanted, found)
        if repair:
            with self._database.writing() as connection:
                for kind in kinds:
                    keys = [drift.key for drift in found.drift if drift.kind == kind]
                    self._ledger.send_again(connection, site.id, kind, keys)
                if site.takes("grades"):
                    self._queue_grades(connection, site, wanted)
                if wanted is None and missed_since is not None:
                    self._seen_whole(connection, site, missed_since)
        if repair and found.drift:
            found.run = self._engine.run(site, trigger=RunTrigger.RECONCILE, actor=actor)
        return found

    def _queue_grades(
        self, connection: sa.Connection, site: Site, wanted: list[str] | None
    ) -> None:
        if wanted is None:
            wanted = sorted(self._ledger.keys(site.id, "gradebook"))
        self._queue.request_within(connection, site.id, wanted)

    def _compare(
        self, site: Site, kind: Kind, wanted: list[str] | None, found: Reconciliation
    ) -> None:
        keys = self._rendering.all_keys(kind) if wanted is None else wanted
        rendered = self._rendering.render(kind, keys, now=self._clock.now(), site_id=site.id)
        # Asked after the rendering: what came to Moodle in between is not called foreign.
        actual = {
            item.key: item
            for item in self._client.digests(site, kind, () if wanted is None else keys)
        }
        documents: dict[str, Document] = {}
        for key, document in rendered.items():
            if isinstance(document, Nothing | Unfit | Former):
                continue
            there = actual.get(key)
            if there is None or there.fingerprint != fingerprint(document):
                documents[key] = document
        known = self._ledger.known(site.id, kind, documents)
        marked = self._marks.waiting(site.id, kind, documents)
        # Of what is marked only that is on its way which is not as it was last sent.
        coming = {
            key
            for key in marked
            if key not in known or known[key].fingerprint != fingerprint(documents[key])
        }
        documents = {key: each for key, each in documents.items() if key not in coming}
        same = self._same(site, [each for key, each in documents.items() if key in actual])
        different = [
            Drift(
                kind,
                key,
                key not in actual,
                actual[key].id
                if key in actual
                else (known[key].moodle_id if key in known else None),
            )
            for key in documents
            if key not in same
        ]
        found.checked[kind] = len(rendered)
        found.drift += self._blamed(
            site, kind, different, {key: each.updated_at for key, each in known.items()}
        )
        if wanted is None:
            ours = rendered.keys() | self._rendering.own_keys(kind)
            foreign = sorted(actual.keys() - ours)
            found.foreign[kind] = len(foreign)
            found.foreign_keys[kind] = foreign[:_NAMED]

    def _same(self, site: Site, documents: Collection[Document]) -> set[str]:
        """Which of these differ in nothing that is ours: there is more in the fingerprint, as the
        groups of a class that has left the course, or what a teacher named in our way."""
        same: set[str] = set()
        for batch in batches(documents, most=_ASKED):
            results = self._client.apply(site, batch, dryrun=True).results
            same.update(result.key for result in results if _untouched(result))
        return same

    def _blamed(
        self, site: Site, kind: Kind, drift: list[Drift], since: Mapping[str, dt.datetime]
    ) -> list[Drift]:
        """Who changed these things in Moodle since they were made equal, by its events."""
        if kind not in _BY_HAND:
            return drift
        column_name, types = _BY_HAND[kind]
        column = _events.c[column_name]
        ids = [each.moodle_id for each in drift if each.moodle_id is not None]
        equal = {each.moodle_id: since.get(each.key) for each in drift}
        last: dict[int, tuple[int | None, str]] = {}
        with self._database.reading() as connection:
            for some in chunks(ids, 1000):
                for thing, actor, how, at in connection.execute(
                    sa.select(column, _events.c.actor, _events.c.type, _events.c.at)
                    .where(
                        _events.c.site_id == site.id,
                        _events.c.type.in_(types),
                        column.in_(some),
                    )
                    .order_by(_events.c.at, _events.c.seq)
                ):
                    made = equal[thing]
                    # Moodle's times are whole seconds.
                    if made is None or at >= made.replace(microsecond=0):
                        last[thing] = (actor, how)
        return [
            Drift(each.kind, each.key, each.missing, each.moodle_id, *last[each.moodle_id])
            if each.moodle_id in last
            else each
            for each in drift
        ]

    def _missed_since(self, site: Site) -> dt.datetime | None:
        with self._database.reading() as connection:
            query = sa.select(Site.reconcile_since).where(Site.id == site.id)
            return connection.scalar(query)

    def _seen_whole(self, connection: sa.Connection, site: Site, missed_since: dt.datetime) -> None:
        """What was known to be missed when this began has been looked at; not what is since."""
        connection.execute(
            sa.update(Site)
            .where(Site.id == site.id, Site.reconcile_since == missed_since)
            .values(reconcile_since=None)
        )


def _untouched(result: Result) -> bool:
    every: list[Result | MemberResult] = [result, *result.members]
    return all(each.result == "unchanged" for each in every)
