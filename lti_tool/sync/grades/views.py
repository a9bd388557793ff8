"""The grades of a course beside Moodle's, as pages show them: a flat number of statements."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.documents import TOTAL, MemberStatus
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis.entities import ClassTotals, ClassView, Membership, PartGradeView, RosterEntry
from lti_tool.sis.interfaces import StudentInformationSystem
from lti_tool.sis.search import fold
from lti_tool.sync.grades.cells import (
    DIFFERENT,
    NOTHING,
    Cell,
    CellState,
    Receipt,
    session_key,
    sis_grades,
    state_of,
)
from lti_tool.sync.grades.course_tables import (
    CourseState,
    course_state,
    read_conflicts,
    read_connections,
    read_receipts,
)
from lti_tool.sync.grades.models import GradeReceipt
from lti_tool.sync.lifecycle import place
from lti_tool.sync.provisioning.models import SyncedDocument
from lti_tool.sync.rendering import host_of

_receipts = cast(sa.Table, GradeReceipt.__table__)
_synced = cast(sa.Table, SyncedDocument.__table__)
_sites = cast(sa.Table, MoodleSite.__table__)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ROSTER_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of the gradebook is: a ``part``, a ``session``'s total, or the ``total`` (the
    final grade, of every class of the course). ``connected`` is the name of the item in Moodle
    from which its grades come."""

    item_key: str
    kind: str
    name: str
    class_key: str | None
    class_label: str
    connected: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A student in one class; ``cells`` by item key."""

    entry: RosterEntry
    view: ClassView
    cells: Mapping[str, Cell]

    @property
    def person_key(self) -> str:
        """The student."""
        return self.entry.person.person_key


@dataclass(frozen=True, slots=True)
class Table:
    """The whole gradebook of a course, as far as somebody may see it."""

    course_key: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    state: CourseState
    counts: Mapping[CellState, int] = field(default_factory=dict)

    def cells(self) -> Iterator[tuple[Row, Column, Cell]]:
        """All cells, student by student."""
        for row in self.rows:
            for column in self.columns:
                cell = row.cells.get(column.item_key)
                if cell is not None and column.class_key in (None, row.view.class_key):
                    yield row, column, cell

    @property
    def different(self) -> int:
        """How many grades are not the same on both sides."""
        return sum(self.counts.get(state, 0) for state in DIFFERENT)


@dataclass(frozen=True, slots=True)
class Sending:
    """What somebody asked to be sent, all at one moment: how many grades, and how many of them
    were sent since."""

    asked_at: dt.datetime
    asked_by: str | None
    total: int
    done: int
    refused: int

    @property
    def stamp(self) -> int:
        """The moment as a number, for addresses: microseconds since 1970."""
        return (self.asked_at - _EPOCH) // dt.timedelta(microseconds=1)


class CourseGrades:
    """Reads grades with their receipts."""

    def __init__(self, database: Database, sis: StudentInformationSystem) -> None:
        self._database = database
        self._sis = sis

    def site(
        self, registration_id: int, context_id: str, views: Sequence[ClassView]
    ) -> MoodleSite | None:
        """The connected Moodle in which this course is the SIS's own; ``None`` where grades go
        another way (no plugin, or a course that the tool does not keep)."""
        if not views:
            return None
        query = (
            sa.select(MoodleSite)
            .join(_synced, _synced.c.site_id == _sites.c.id)
            .where(
                _sites.c.registration_id == registration_id,
                # One that is paused is still the only way: two would undo each other's work.
                _sites.c.standing != SiteStanding.DISCONNECTED,
                _synced.c.kind == "course",
                _synced.c.key == course_key_of(views),
                sa.cast(_synced.c.moodle_id, sa.String) == context_id,
            )
        )
        with self._database.read() as session:
            found = session.scalar(query)
        # An older plugin knows nothing of grades.
        return found if found is not None and found.takes("grades") else None

    def table(
        self,
        site: MoodleSite,
        views: Sequence[ClassView],
        *,
        part_keys: Collection[str],
        totals: bool,
        text: str = "",
    ) -> Table:
        """The gradebook of the classes of one course, students by name.

        Args:
            part_keys: the parts that are shown, and no others.
            totals: whether totals of sessions and final grades are shown.
            text: only students whose name or number holds these words.
        """
        course_key = course_key_of(views)
        with self._database.snapshot():
            with self._database.reading() as connection:
                receipts = read_receipts(connection, site.id, course_key)
                conflicts = read_conflicts(connection, site.id, course_key)
                connected = read_connections(
                    connection, site.id, [view.class_key for view in views]
                )
                state = course_state(connection, site.id, course_key)
            columns = tuple(_columns(views, part_keys, totals=totals, connected=connected))
            rows = tuple(
                _row(student, columns, receipts, conflicts, waits=state.waits)
                for student in self._students(views, text)
            )
        counts = Counter(cell.state for row in rows for cell in row.cells.values())
        return Table(course_key, columns, rows, state, counts)

    def sendings(
        self,
        site: MoodleSite,
        course_key: str,
        item_keys: Collection[str],
        *,
        asked_at: dt.datetime | None = None,
        limit: int = 5,
    ) -> list[Sending]:
        """What was asked for in this course of these items, the latest first; with ``asked_at``
        what was asked for at that moment."""
        sent = _receipts.c.sent_at >= _receipts.c.asked_at
        refused = sa.and_(sent, _receipts.c.code.is_not(None))
        query = (
            sa.select(
                _receipts.c.asked_at,
                _receipts.c.asked_by,
                sa.func.count(),
                sa.func.sum(sa.case((sent, 1), else_=0)),
                sa.func.sum(sa.case((refused, 1), else_=0)),
            )
            .where(
                _receipts.c.site_id == site.id,
                _receipts.c.course_key == course_key,
                _receipts.c.item_key.in_(item_keys),
                _receipts.c.asked_at.is_not(None)
                if asked_at is None
                else _receipts.c.asked_at == asked_at,
            )
            .group_by(_receipts.c.asked_at, _receipts.c.asked_by)
            .order_by(_receipts.c.asked_at.desc())
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [Sending(*row) for row in connection.execute(query)]

    def sending(
        self, site: MoodleSite, course_key: str, item_keys: Collection[str], stamp: int
    ) -> Sending | None:
        """What was asked for at one moment (``Sending.stamp``)."""
        try:
            asked_at = _EPOCH + dt.timedelta(microseconds=stamp)
        except OverflowError:
            return None
        found = self.sendings(site, course_key, item_keys, asked_at=asked_at, limit=1)
        return found[0] if found else None

    def state(self, site: MoodleSite, course_key: str) -> CourseState:
        """How the course as a whole stands."""
        with self._database.reading() as connection:
            return course_state(connection, site.id, course_key)

    def graders(self, site: MoodleSite, moodle_ids: Collection[int]) -> dict[int, str]:
        """Names of these users of a Moodle, as far as they are people of the SIS."""
        query = sa.select(_synced.c.moodle_id, _synced.c.key).where(
            _synced.c.site_id == site.id,
            _synced.c.kind == "user",
            _synced.c.moodle_id.in_(moodle_ids),
        )
        if not moodle_ids:
            return {}
        with self._database.reading() as connection:
            keys = {row[0]: row[1] for row in connection.execute(query)}
        people = self._sis.people(keys.values())
        return {user: people[key].full_name for user, key in keys.items() if key in people}

    def _students(self, views: Sequence[ClassView], text: str) -> list[_Student]:
        words = fold(text).split()
        found: list[_Student] = []
        for view in views:
            entries = [
                entry
                for chunk in self._sis.roster(view.class_key, chunk=_ROSTER_CHUNK)
                for entry in chunk
                if (entry.status.attends or entry.status.ended) and _named(entry, words)
            ]
            grades: dict[str, dict[str, PartGradeView]] = defaultdict(dict)
            keys = [part.part_key for part in view.parts]
            for grade in self._sis.part_grades(view.class_key, keys):
                grades[grade.person_key][grade.part_key] = grade
            people = [entry.person.person_key for entry in entries]
            totals = self._sis.class_totals(view.class_key, people)
            found += [
                _Student(view, entry, grades.get(key, {}), totals.get(key, ClassTotals()))
                for key, entry in zip(people, entries, strict=True)
            ]
        return sorted(
            found,
            key=lambda each: (
                each.entry.person.full_name.casefold(),
                each.entry.person.person_key,
                each.view.class_key,
            ),
        )


def course_key_of(views: Sequence[ClassView]) -> str:
    """The class in whose course these are taught."""
    return min(host_of(view) for view in views)


@dataclass(frozen=True, slots=True)
class _Student:
    view: ClassView
    entry: RosterEntry
    grades: Mapping[str, PartGradeView]
    totals: ClassTotals

    @property
    def stays(self) -> str | None:
        """Why nothing of this student is for Moodle."""
        if self.entry.is_audit:
            return "auditor"
        return None if place_of(self.view.class_key, self.entry) == "active" else "suspended"


def place_of(class_key: str, entry: RosterEntry) -> MemberStatus:
    """Whether a student has an active place in the course: only they have grades there."""
    person = entry.person
    return place(
        Membership(class_key, person.person_key, entry.status, entry.is_audit, person.status)
    )


def moment(seconds: int | None) -> dt.datetime | None:
    """A time as Moodle gives it; 0 is none."""
    return _EPOCH + dt.timedelta(seconds=seconds) if seconds else None


def _named(entry: RosterEntry, words: Sequence[str]) -> bool:
    if not words:
        return True
    person = entry.person
    folded = fold(person.family_name, person.personal_name, person.khmer_name, person.student_id)
    return all(word in folded for word in words)


def _columns(
    views: Sequence[ClassView],
    part_keys: Collection[str],
    *,
    totals: bool,
    connected: Mapping[str, str],
) -> Iterator[Column]:
    for view in views:
        label = f"{view.course_code} {view.section}" if len(views) > 1 else ""
        for session in view.sessions:
            for part in session.parts:
                if part.part_key in part_keys:
                    yield Column(
                        part.part_key,
                        "part",
                        part.name,
                        view.class_key,
                        label,
                        connected.get(part.part_key),
                    )
            if totals:
                key = session_key(view.class_key, session.number)
                yield Column(key, "session", session.name, view.class_key, label)
    if totals:
        yield Column(TOTAL, "total", "", None, "")


def _row(
    student: _Student,
    columns: Sequence[Column],
    receipts: Mapping[tuple[str, str], Receipt],
    conflicts: Mapping[tuple[str, str], int],
    *,
    waits: bool,
) -> Row:
    person_key = student.entry.person.person_key
    grades = sis_grades(student.view, student.grades, student.totals, stays=student.stays)
    cells: dict[str, Cell] = {}
    for column in columns:
        if column.class_key not in (None, student.view.class_key):
            continue
        key = (person_key, column.item_key)
        sis = grades.get(column.item_key, NOTHING)
        receipt, conflict = receipts.get(key), conflicts.get(key)
        state = state_of(sis, receipt, undecided=conflict is not None, waits=waits)
        cells[column.item_key] = Cell(*key, sis, state, receipt, conflict)
    return Row(student.entry, student.view, cells)
