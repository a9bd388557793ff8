"""The gradebook as the teacher sees it: students of a course by the parts of its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lti_tool.sis.entities import (
    ClassTotals,
    ClassView,
    EnrollmentStatus,
    FinalGradeView,
    PartGradeView,
    PartView,
    PersonView,
    RosterEntry,
    SessionGradeView,
)
from lti_tool.sis.interfaces import StudentInformationSystem

_ROSTER_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class GradebookColumn:
    """A class part as a column; ``class_label`` tells combined classes apart."""

    class_key: str
    class_label: str
    part: PartView


@dataclass(frozen=True, slots=True)
class GradebookRow:
    """A student in one class. ``grades`` is by part key and holds drafts too.

    Totals are the SIS's own, which the student sees too: drafts do not count. ``final`` is ``None``
    before the first grade that counts.
    """

    person: PersonView
    class_key: str
    status: EnrollmentStatus
    is_audit: bool
    grades: Mapping[str, PartGradeView]
    sessions: tuple[SessionGradeView, ...]
    final: FinalGradeView | None


@dataclass(frozen=True, slots=True)
class GradebookTable:
    """One page of the gradebook; ``total`` counts the students of all pages."""

    classes: tuple[ClassView, ...]
    columns: tuple[GradebookColumn, ...]
    rows: tuple[GradebookRow, ...]
    total: int
    offset: int


class Gradebook:
    """Reads the gradebook from the SIS: a few statements per class, however many students."""

    def __init__(self, sis: StudentInformationSystem) -> None:
        self._sis = sis

    def table(
        self, class_keys: Sequence[str], *, offset: int = 0, limit: int = 50
    ) -> GradebookTable:
        """Students by name, ``limit`` of them from ``offset``; those who left are not shown."""
        classes = tuple(
            class_ for key in class_keys if (class_ := self._sis.class_(key)) is not None
        )
        students = sorted(
            (
                (class_, entry)
                for class_ in classes
                for chunk in self._sis.roster(class_.class_key, chunk=_ROSTER_CHUNK)
                for entry in chunk
                if entry.status.attends or entry.status.ended
            ),
            key=lambda pair: (pair[1].person.full_name.casefold(), pair[1].person.person_key),
        )
        page = students[offset : offset + limit]
        grades, totals = self._grades(page), self._totals(page)
        return GradebookTable(
            classes=classes,
            columns=tuple(
                GradebookColumn(class_.class_key, class_.label, part)
                for class_ in classes
                for part in class_.parts
            ),
            rows=tuple(
                _row(class_, entry, grades.get(key, {}), totals.get(key, ClassTotals()))
                for class_, entry in page
                for key in [(class_.class_key, entry.person.person_key)]
            ),
            total=len(students),
            offset=offset,
        )

    def _grades(
        self, page: Sequence[tuple[ClassView, RosterEntry]]
    ) -> dict[tuple[str, str], dict[str, PartGradeView]]:
        shown = {(class_.class_key, entry.person.person_key) for class_, entry in page}
        found: dict[tuple[str, str], dict[str, PartGradeView]] = {}
        for class_ in {class_.class_key: class_ for class_, _ in page}.values():
            part_keys = [part.part_key for part in class_.parts]
            for grade in self._sis.part_grades(class_.class_key, part_keys):
                key = (class_.class_key, grade.person_key)
                if key in shown:
                    found.setdefault(key, {})[grade.part_key] = grade
        return found

    def _totals(
        self, page: Sequence[tuple[ClassView, RosterEntry]]
    ) -> dict[tuple[str, str], ClassTotals]:
        people: dict[str, list[str]] = {}
        for class_, entry in page:
            people.setdefault(class_.class_key, []).append(entry.person.person_key)
        return {
            (class_key, person_key): totals
            for class_key, person_keys in people.items()
            for person_key, totals in self._sis.class_totals(class_key, person_keys).items()
        }


def _row(
    class_: ClassView,
    entry: RosterEntry,
    grades: Mapping[str, PartGradeView],
    totals: ClassTotals,
) -> GradebookRow:
    return GradebookRow(
        person=entry.person,
        class_key=class_.class_key,
        status=entry.status,
        is_audit=entry.is_audit,
        grades=grades,
        sessions=totals.sessions,
        final=totals.final,
    )
