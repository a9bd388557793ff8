"""The student's page: this class and one's own grades; nobody else's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from flask import render_template

from lti_tool.core.errors import NagaError
from lti_tool.sis.entities import (
    ClassView,
    PartGradeView,
    PartView,
    SessionGradeView,
    SessionView,
    StudentGrades,
)
from lti_tool.sync.grades.own_grades import OwnGrades
from lti_tool.web.viewer import Viewer
from lti_tool.wiring import services


class NotEnrolledError(NagaError):
    """A student of the course on the platform, without an enrolment in its class."""

    code = "not_enrolled"
    status = 403
    title = "You are not in this class"


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part as its student sees it. ``counts`` is its share of the final grade, 0 to 1."""

    part: PartView
    grade: PartGradeView | None
    counts: Decimal


@dataclass(frozen=True, slots=True)
class SessionBlock:
    """A session with its parts and its total."""

    session: SessionView
    lines: tuple[PartLine, ...]
    total: SessionGradeView | None


@dataclass(frozen=True, slots=True)
class Report:
    """A class and one student's grades in it."""

    class_: ClassView
    blocks: tuple[SessionBlock, ...]
    grades: StudentGrades
    is_audit: bool

    @property
    def is_complete(self) -> bool:
        """Whether the final grade can no more change by a grade that is still to come."""
        final = self.grades.final
        if final is not None and final.score is None:
            return True
        lines = (line for block in self.blocks for line in block.lines if line.counts)
        return all(line.grade is not None and line.grade.score is not None for line in lines)


def class_page(who: Viewer, *, highlight: str | None = None) -> str:
    """The page of the class that this person is enrolled in (one, even of combined classes).

    ``highlight`` is the key of the part that the link which they followed is about.
    """
    for class_ in who.classes:
        entry = services().sis.enrollment(who.person.person_key, class_.class_key)
        if entry is not None and (entry.status.attends or entry.status.ended):
            return render_template(
                "student/class.html",
                who=who,
                brought=OwnGrades(services().database).brought(
                    who.registration.id, who.class_keys, who.person.person_key
                ),
                report=report(class_, who.person.person_key, is_audit=entry.is_audit),
                highlight=highlight,
            )
    raise NotEnrolledError(
        "You are in the course, but the SIS has no enrolment of yours in its class.",
        reference=who.launch.reference,
    )


def report(class_: ClassView, person_key: str, *, is_audit: bool = False) -> Report:
    """What one student has in one class."""
    grades = services().sis.student_grades(person_key, class_.class_key)
    by_part = {grade.part_key: grade for grade in grades.parts}
    totals = {total.session_number: total for total in grades.sessions}
    blocks = tuple(
        SessionBlock(
            session,
            tuple(PartLine(part, by_part.get(part.part_key), part.share) for part in session.parts),
            totals.get(session.number),
        )
        for session in class_.sessions
        if session.parts
    )
    return Report(class_, blocks, grades, is_audit)


def only_parts(found: Report, part_keys: Collection[str], *, whole: bool) -> Report:
    """The report with these parts alone; totals only where ``whole``: they give the rest away."""
    return Report(
        found.class_,
        tuple(
            SessionBlock(block.session, lines, block.total if whole else None)
            for block in found.blocks
            if (lines := tuple(line for line in block.lines if line.part.part_key in part_keys))
        ),
        found.grades if whole else replace(found.grades, final=None),
        found.is_audit,
    )
