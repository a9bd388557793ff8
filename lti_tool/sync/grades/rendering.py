"""How a course's grades add up, and the grades themselves, as documents for one site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from pydantic import ValidationError

from lti_tool.core.database import Database
from lti_tool.moodle.documents import (
    TOTAL,
    Grade,
    Grades,
)
from lti_tool.sis.bulk import chunks
from lti_tool.sis.entities import (
    ClassGrades,
    ClassTotals,
    ClassView,
    EnrollmentStatus,
    GradeSource,
    Membership,
    PartGradeView,
)
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.authors import authors_of, note_of
from lti_tool.sync.grades.cells import SisGrade, awaited, session_key, sis_grades
from lti_tool.sync.grades.gradebooks import gradebook
from lti_tool.sync.grades.models import (
    ConflictState,
    GradeConflict,
    GradeConnection,
    GradeReceipt,
)
from lti_tool.sync.grades.values import CellKey
from lti_tool.sync.lifecycle import Lifecycle, place
from lti_tool.sync.rendered import Nothing, Rendered, fit, tried

_receipts = cast(sa.Table, GradeReceipt.__table__)
_connections = cast(sa.Table, GradeConnection.__table__)
_conflicts = cast(sa.Table, GradeConflict.__table__)
_UNDECIDED = (ConflictState.OPEN, ConflictState.ASKED)
_TEXT_LENGTH = 20
_NOBODY = SisGrade()

Groups = Mapping[str, list[ClassView]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a site has of the grades of some courses, by course and then by person and item."""

    receipts: Mapping[str, Mapping[CellKey, Any]]
    # Nothing is written while a person is to decide.
    undecided: Mapping[str, Collection[CellKey]]


@dataclass(slots=True)
class _Student:
    """One student in one course, with what the SIS has of them there, by item."""

    grades: dict[str, SisGrade] = field(default_factory=dict)
    # Who answers for a grade, and how.
    authors: dict[str, tuple[str, str]] = field(default_factory=dict)


class GradeRendering:
    """Renders gradebooks and grades, many courses per statement.

    Args:
        on_request: grades go to Moodle only when a teacher sends them, and as they were then.
    """

    def __init__(
        self,
        database: Database,
        sis: SisExtracts,
        lifecycle: Lifecycle,
        *,
        on_request: bool = False,
    ) -> None:
        self._database = database
        self._sis = sis
        self._lifecycle = lifecycle
        self._on_request = on_request

    def gradebooks(self, site_id: int, groups: Groups) -> dict[str, Rendered]:
        """The gradebooks of these courses, each with the classes that are taught in it."""
        class_keys = [view.class_key for views in groups.values() for view in views]
        letters = self._sis.letters(class_keys)
        sources = self._sources(site_id, class_keys)
        return {
            key: shown
            if isinstance(shown := self._shown(key, views), Nothing)
            else tried(gradebook, key, shown, letters, sources)
            for key, views in groups.items()
        }

    def grades(
        self,
        site_id: int,
        groups: Groups,
        *,
        at_once: bool | None = None,
        cells: Collection[CellKey] | None = None,
    ) -> dict[str, Rendered]:
        """The grades of these courses, each with the classes that are taught in it.

        Args:
            at_once: as they are now, as if nobody had to ask; by default as the setting says.
            cells: only these, as if somebody asked for them.
        """
        class_keys = [view.class_key for views in groups.values() for view in views]
        memberships = self._sis.memberships(class_keys)
        grades = self._sis.grades(class_keys)
        known = self._known(site_id, groups)
        asked = self._on_request if at_once is None else not at_once
        students = {
            key: self._students(views, memberships, grades) for key, views in groups.items()
        }
        names = self._names(students.values(), known if asked else None)
        return {
            key: tried(self._grades, key, views, students[key], known, names, asked, cells)
            for key, views in groups.items()
        }

    def agreed(self, site_id: int, documents: Mapping[str, Grades]) -> set[str]:
        """Courses of which every grade of these documents stands in Moodle already, as sent."""
        receipts = self._known(site_id, documents).receipts
        return {
            key
            for key, document in documents.items()
            if all(
                _stands(receipts.get(key, {}).get((each.user, each.item)), each)
                for each in document.grades
            )
        }

    def _grades(
        self,
        key: str,
        classes: list[ClassView],
        students: Mapping[str, _Student],
        known: _Known,
        names: Mapping[str, str],
        asked: bool,
        cells: Collection[CellKey] | None,
    ) -> Rendered:
        shown = self._shown(key, classes)
        if isinstance(shown, Nothing):
            return shown
        receipts = known.receipts.get(key, {})
        undecided = known.undecided.get(key, ())
        order = list(_item_keys(shown))
        parts = {part.part_key for view in shown for part in view.parts}
        found: list[Grade] = []
        for person_key in sorted(students):
            student = students[person_key]
            for item_key in order:
                cell = (person_key, item_key)
                if cell in undecided or (cells is not None and cell not in cells):
                    continue
                receipt = receipts.get(cell)
                sis = student.grades.get(item_key, _NOBODY)
                wished = cells is not None or awaited(receipt)
                values = _wanted(sis, receipt, asked=asked, wished=wished)
                if values is None:
                    continue
                author = student.authors.get(item_key)
                if asked and receipt is not None:
                    author = ("sent", receipt.asked_by or "")
                # Totals are the SIS's, whatever stands there.
                expected = receipt.seen if receipt is not None and item_key in parts else None
                grade = _grade(cell, values, expected, note_of(author, names))
                if grade is not None:
                    found.append(grade)
        return fit(Grades, course=key, grades=found)

    def _shown(self, key: str, classes: list[ClassView]) -> list[ClassView] | Nothing:
        """The classes whose grades stand in a course."""
        if classes and classes[0].host_key != key:
            # The course of its own goes on without grades: they are where the class is taught.
            return Nothing("taught with others")
        shown = [view for view in classes if self._lifecycle.exists(view)]
        if not shown:
            return Nothing("draft" if classes else "unknown")
        return shown if any(view.parts for view in shown) else Nothing("no parts")

    def _students(
        self,
        classes: list[ClassView],
        memberships: Mapping[str, list[Membership]],
        grades: Mapping[str, ClassGrades],
    ) -> dict[str, _Student]:
        """Everybody with a place in the course; an auditor has nothing that is due."""
        found: dict[str, _Student] = {}
        for view in classes:
            own = grades.get(view.class_key) or ClassGrades()
            by_person: dict[str, dict[str, PartGradeView]] = defaultdict(dict)
            for grade in own.parts:
                by_person[grade.person_key][grade.part_key] = grade
            for membership in memberships.get(view.class_key, ()):
                # Who left keeps what stands there, and finds it when coming back.
                if place(membership) != "active":
                    continue
                person_key = membership.person_key
                student = found.setdefault(person_key, _Student())
                if membership.is_audit or membership.status is EnrollmentStatus.AUDIT:
                    continue
                parts = by_person.get(person_key, {})
                of_class = sis_grades(view, parts, own.totals.get(person_key, ClassTotals()))
                # In two classes of one course the first that has a final grade gives the total.
                if student.grades.get(TOTAL, _NOBODY).due:
                    of_class.pop(TOTAL, None)
                student.grades |= of_class
                student.authors |= authors_of(view, parts)
        return found

    def _names(
        self, courses: Iterable[Mapping[str, _Student]], known: _Known | None
    ) -> dict[str, str]:
        """The names of those who answer for grades, by what the SIS calls them."""
        actors = {
            actor
            for students in courses
            for student in students.values()
            for _, actor in student.authors.values()
        }
        if known is not None:
            actors |= {
                receipt.asked_by
                for receipts in known.receipts.values()
                for receipt in receipts.values()
                if receipt.asked_by
            }
        people = self._sis.people(actors)
        return {
            # What happened in Moodle is called by an id there, which tells nobody anything.
            actor: people[actor].full_name if actor in people else actor
            for actor in actors
            if actor in people or not actor.startswith("moodle:")
        }

    def _sources(self, site_id: int, class_keys: Collection[str]) -> dict[str, int]:
        query: sa.Select[Any] = sa.select(_connections.c.part_key, _connections.c.item_id).where(
            _connections.c.site_id == site_id
        )
        return {
            row.part_key: row.item_id
            for row in self._rows(query, _connections.c.class_key, class_keys)
        }

    def _known(self, site_id: int, course_keys: Collection[str]) -> _Known:
        receipts: dict[str, dict[CellKey, Any]] = defaultdict(dict)
        query: sa.Select[Any] = sa.select(
            _receipts.c.course_key,
            _receipts.c.person_key,
            _receipts.c.item_key,
            _receipts.c.base,
            _receipts.c.agreed_at,
            _receipts.c.seen,
            _receipts.c.sent,
            _receipts.c.sent_text,
            _receipts.c.sent_at,
            _receipts.c.asked,
            _receipts.c.asked_text,
            _receipts.c.asked_by,
            _receipts.c.asked_at,
        ).where(_receipts.c.site_id == site_id)
        for row in self._rows(query, _receipts.c.course_key, course_keys):
            receipts[row.course_key][row.person_key, row.item_key] = row
        undecided: dict[str, set[CellKey]] = defaultdict(set)
        waiting = sa.and_(_conflicts.c.site_id == site_id, _conflicts.c.state.in_(_UNDECIDED))
        open_ = sa.select(_conflicts).where(waiting)
        for row in self._rows(open_, _conflicts.c.course_key, course_keys):
            undecided[row.course_key].add((row.person_key, row.item_key))
        return _Known(receipts, undecided)

    def _rows(
        self, query: sa.Select[Any], column: sa.ColumnElement[Any], keys: Collection[str]
    ) -> Iterator[Any]:
        for some in chunks(sorted(set(keys)), 1000):
            with self._database.reading() as connection:
                yield from connection.execute(query.where(column.in_(some))).all()


def _item_keys(classes: Sequence[ClassView]) -> Iterator[str]:
    """Everything that holds grades in a course, parts before what adds them up."""
    for view in classes:
        yield from (part.part_key for part in view.parts)
    for view in classes:
        for session in view.sessions:
            if session.parts:
                yield session_key(view.class_key, session.number)
    yield TOTAL


def _stands(receipt: Any, grade: Grade) -> bool:
    """Whether this grade was sent, and is what Moodle holds as far as is known."""
    return (
        receipt is not None
        and receipt.sent_at is not None
        and not awaited(receipt)
        and (receipt.sent, receipt.sent_text) == (grade.value, grade.text)
        and receipt.base == receipt.seen == grade.value
    )


def _wanted(
    sis: SisGrade, receipt: Any, *, asked: bool, wished: bool
) -> tuple[int | None, str] | None:
    """What is to stand in Moodle, ``(None, "")`` to take back what stands there; ``None``: nothing
    is said of it.

    ``asked``: only what somebody asked for, as it was then; ``wished``: somebody wants just this.
    """
    value, text = sis.value, sis.text[:_TEXT_LENGTH]
    if asked:
        if receipt is None or receipt.asked_at is None:
            return None
        value, text = receipt.asked, receipt.asked_text
        # What came from Moodle after it was sent is newer than what was sent.
        if (
            receipt.base != value
            and receipt.agreed_at is not None
            and receipt.agreed_at > receipt.asked_at
        ):
            return None
    if value is None and not text:
        if receipt is None:
            return None
        was_sent = receipt.sent is not None or receipt.sent_text
        # What came from there, or was brought back by a backup, nobody has sent.
        stands_there = sis.cleared and receipt.seen is not None
        return (None, "") if was_sent or stands_there else None
    if (
        sis.source is GradeSource.MOODLE_IMPORT
        and not (sis.held or wished)
        and receipt is not None
        and receipt.base == receipt.seen == value
        and not receipt.sent_text
    ):
        # It came from there, and stands there.
        return None
    return value, text


def _grade(
    cell: CellKey, values: tuple[int | None, str], expected: int | None, note: str
) -> Grade | None:
    """A grade; ``None`` for a person whose key is none for Moodle, and who has no account there."""
    person_key, item_key = cell
    value, text = values
    try:
        grade = Grade(
            user=person_key,
            item=item_key,
            value=value,
            text=text,
            expected=expected,
            note=note,
        )
    except ValidationError:
        return None
    return grade if grade.user == person_key else None
