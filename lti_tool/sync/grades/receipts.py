"""Receipts: where each grade stands on both sides, kept with the result of each sending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.documents import TOTAL, Document, Grade, Grades, MemberResult, Result
from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import ClassView
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.cells import awaited, session_key
from lti_tool.sync.grades.log import GradeLog, Moved
from lti_tool.sync.grades.models import (
    ConflictState,
    Direction,
    GradeConflict,
    GradeReceipt,
    Movement,
)
from lti_tool.sync.grades.pull_queue import PullQueue
from lti_tool.sync.grades.values import CellKey
from lti_tool.sync.provisioning.models import SyncRun
from lti_tool.sync.taught import taught_with

_receipts = cast(sa.Table, GradeReceipt.__table__)
_conflicts = cast(sa.Table, GradeConflict.__table__)
# Somebody graded in Moodle: what stands there is read, and decided upon.
CHANGED = "changed_in_moodle"
# What a sending says of a receipt; what a teacher asked for stays.
_SENT = ("class_key", "sent", "sent_text", "sent_at", "sent_by", "code")
_ASKED = ("asked", "asked_text", "asked_by", "asked_at")
_AGREED = ("base", "agreed_at", "seen", "seen_at", "seen_by")
_NOTHING_THERE: dict[str, Any] = {
    "base": None,
    "agreed_at": None,
    "seen": None,
    "seen_at": None,
    "seen_by": None,
    "sent": None,
    "sent_text": "",
    "code": None,
}


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose grades the items of some courses hold: ``classes`` by course and item; where several
    classes have one total, ``people`` by course and person."""

    classes: Mapping[str, Mapping[str, str]]
    people: Mapping[str, Mapping[str, str]]

    def class_of(self, course_key: str, cell: CellKey) -> str:
        """The class to which a grade belongs; the course's own where nobody knows."""
        person_key, item_key = cell
        found = self.classes.get(course_key, {}).get(item_key)
        return found or self.people.get(course_key, {}).get(person_key, course_key)


class Receipts:
    """Stores what became of grades that were sent."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sis: SisExtracts,
        log: GradeLog,
        queue: PullQueue,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sis = sis
        self._log = log
        self._queue = queue

    def belonging(self, documents: Sequence[Document]) -> Belonging:
        """To which classes the grades of these documents belong; read before the transaction that
        stores their results."""
        courses = {each.course for each in documents if isinstance(each, Grades)}
        if not courses:
            return Belonging({}, {})
        together = taught_with(self._sis, courses)
        shared = [view.class_key for views in together.values() for view in views[1:]]
        memberships = self._sis.memberships(shared)
        return Belonging(
            classes={
                key: {item: view.class_key for view in views for item in _items(view)}
                for key, views in together.items()
            },
            people={
                key: {
                    member.person_key: view.class_key
                    for view in reversed(views[1:])
                    for member in memberships.get(view.class_key, ())
                }
                for key, views in together.items()
            },
        )

    def stored(
        self,
        connection: sa.Connection,
        run: SyncRun,
        documents: Sequence[tuple[Grades, Result]],
        belonging: Belonging,
    ) -> None:
        """Store what became of each grade, within the transaction of the results.

        What was taken is what both sides agree on from now on; where Moodle holds something else
        than was expected, the course is to be read.
        """
        courses = [document.course for document, _ in documents]
        before = self._before(connection, run.site_id, courses)
        now = self._clock.now()
        agreed: list[dict[str, Any]] = []
        refused: list[dict[str, Any]] = []
        moved: list[Moved] = []
        read: set[str] = set()
        for document, result in documents:
            of_cell = {(each.user, each.item): each for each in result.members}
            for grade in document.grades:
                member = of_cell.get((grade.user, grade.item))
                if member is None:
                    continue
                last = before.get((document.course, grade.user, grade.item))
                class_key = belonging.class_of(document.course, (grade.user, grade.item))
                row = _row(run, document.course, class_key, grade, member, last, now)
                if member.code == CHANGED:
                    read.add(document.course)
                if not _same(row, last):
                    (refused if member.result == "refused" else agreed).append(row)
                if _news(row, member, last):
                    moved.append(_moved(run, row, member))
        self._put(connection, agreed, (*_SENT, *_AGREED))
        self._put(connection, refused, _SENT)
        self._log.write(connection, moved)
        self._queue.request_within(connection, run.site_id, read)

    def asked(
        self,
        connection: sa.Connection,
        site_id: int,
        document: Grades,
        belonging: Belonging,
        *,
        actor: str,
    ) -> None:
        """Note that somebody asked for these grades to be in Moodle, as they are now."""
        now = self._clock.now()
        rows = [
            {
                "site_id": site_id,
                "course_key": document.course,
                "person_key": grade.user,
                "item_key": grade.item,
                "class_key": belonging.class_of(document.course, (grade.user, grade.item)),
                "sent_text": "",
                "asked": grade.value,
                "asked_text": grade.text,
                "asked_by": actor,
                "asked_at": now,
            }
            for grade in document.grades
        ]
        self._put(connection, rows, _ASKED)

    def gradebooks_stored(
        self, connection: sa.Connection, site_id: int, results: Sequence[Result]
    ) -> set[str]:
        """Forget what stood in items that were made anew, or that are others now: nobody took those
        grades away. Returns the courses whose grades are to be sent again; they are read too, for
        a teacher's own item may hold some already."""
        touched: set[str] = set()
        for result in results:
            items = _new_items(result)
            if items is None or items:
                query = sa.update(_receipts).where(
                    _receipts.c.site_id == site_id, _receipts.c.course_key == result.key
                )
                if items is not None:
                    query = query.where(_receipts.c.item_key.in_(items))
                connection.execute(query.values(_NOTHING_THERE))
                self._close_withdrawn(
                    connection,
                    _conflicts.c.site_id == site_id,
                    _conflicts.c.course_key == result.key,
                    _conflicts.c.item_key.in_(items) if items is not None else sa.true(),
                )
                touched.add(result.key)
        self._queue.request_within(connection, site_id, touched)
        return touched

    def accounts_made(
        self, connection: sa.Connection, site_id: int, person_keys: Collection[str]
    ) -> set[str]:
        """The same for people whose accounts were made: if they had one before, it was deleted, and
        their grades with it. Returns the courses."""
        touched: set[str] = set()
        for some in chunks(sorted(person_keys), 1000):
            theirs = sa.and_(_receipts.c.site_id == site_id, _receipts.c.person_key.in_(some))
            courses = set(
                connection.scalars(sa.select(_receipts.c.course_key).where(theirs).distinct())
            )
            if courses:
                connection.execute(sa.update(_receipts).where(theirs).values(_NOTHING_THERE))
                self._close_withdrawn(
                    connection,
                    _conflicts.c.site_id == site_id,
                    _conflicts.c.person_key.in_(some),
                )
                touched |= courses
        return touched

    def _close_withdrawn(self, connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
        """What looked like grades that were taken away was something that was deleted."""
        connection.execute(
            sa.update(_conflicts)
            .where(
                *which,
                _conflicts.c.reason == "withdrawn",
                _conflicts.c.state.in_([ConflictState.OPEN, ConflictState.ASKED]),
            )
            .values(state=ConflictState.CLOSED, decided_at=self._clock.now())
        )

    def _before(
        self, connection: sa.Connection, site_id: int, courses: Collection[str]
    ) -> dict[tuple[str, str, str], Any]:
        found: dict[tuple[str, str, str], Any] = {}
        for some in chunks(sorted(set(courses)), 1000):
            query = sa.select(_receipts).where(
                _receipts.c.site_id == site_id, _receipts.c.course_key.in_(some)
            )
            for row in connection.execute(query):
                found[row.course_key, row.person_key, row.item_key] = row
        return found

    def _put(
        self, connection: sa.Connection, rows: Sequence[dict[str, Any]], columns: Sequence[str]
    ) -> None:
        if not rows:
            return
        insert = self._database.upsert(_receipts)
        # Row by row, in one go: one statement of all rows costs more to put together than to run.
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "course_key", "person_key", "item_key"],
                set_={name: getattr(insert.excluded, name) for name in columns},
            ),
            rows,
        )


def as_it_stays(document: Document, result: Result) -> Document:
    """The document without what it has taken back: there is nothing more to say of that, and the
    next one says nothing."""
    if not isinstance(document, Grades):
        return document
    refused = {(each.user, each.item) for each in result.members if each.result == "refused"}
    staying = [
        each
        for each in document.grades
        if each.value is not None or each.text or (each.user, each.item) in refused
    ]
    return document.model_copy(update={"grades": staying})


def _new_items(result: Result) -> list[str] | None:
    """Keys of the items of a gradebook that are new, or another grade item than before; ``None``:
    all of them."""
    if result.result == "created":
        return None
    found = []
    for change in result.changes:
        _, items, key = change.field.partition("items/")
        other = isinstance(change.before, dict) and "source" in change.before
        if items and change.after is not None and (change.before is None or other):
            found.append(key)
        # Its total is made with a category.
        _, categories, key = change.field.partition("categories/")
        if categories and change.before is None:
            found.append(key)
    return found


def _items(view: ClassView) -> list[str]:
    found = [part.part_key for part in view.parts]
    found += [session_key(view.class_key, session.number) for session in view.sessions]
    return found if view.combined_with else [*found, TOTAL]


def _row(
    run: SyncRun,
    course_key: str,
    class_key: str,
    grade: Grade,
    member: MemberResult,
    last: Any,
    now: dt.datetime,
) -> dict[str, Any]:
    asked_by = last.asked_by if awaited(last) else None
    row: dict[str, Any] = {
        "site_id": run.site_id,
        "course_key": course_key,
        "person_key": grade.user,
        "item_key": grade.item,
        "class_key": class_key,
        "sent": grade.value,
        "sent_text": grade.text,
        "sent_at": now,
        "sent_by": asked_by or run.actor,
        "code": None,
    }
    if member.result == "refused":
        return row | {"code": member.code or "refused"}
    return row | {
        "base": grade.value,
        "agreed_at": now,
        "seen": grade.value,
        "seen_at": now,
        "seen_by": None,
    }


def _same(row: Mapping[str, Any], last: Any) -> bool:
    """Whether a receipt says this already: that it was said again is no news."""
    if last is None or awaited(last):
        return False
    names = ["class_key", "sent", "sent_text", "code"]
    if row["code"] is None:
        names += ["base", "seen"]
        if last.agreed_at is None:
            return False
    return all(getattr(last, name) == row[name] for name in names)


def _news(row: Mapping[str, Any], member: MemberResult, last: Any) -> bool:
    if member.result == "unchanged":
        return False
    return member.result != "refused" or last is None or not _same(row, last)


def _moved(run: SyncRun, row: Mapping[str, Any], member: MemberResult) -> Moved:
    refused = member.result == "refused"
    before = next((each.before for each in member.changes if each.field == "value"), None)
    return Moved(
        site_id=run.site_id,
        course_key=row["course_key"],
        class_key=row["class_key"],
        person_key=row["person_key"],
        item_key=row["item_key"],
        direction=Direction.TO_MOODLE,
        movement=Movement.REFUSED if refused else Movement.SENT,
        before=before if isinstance(before, int) else None,
        after=row["sent"],
        actor=row["sent_by"],
        text=row["sent_text"],
        code=row["code"],
        run_id=run.id,
    )
