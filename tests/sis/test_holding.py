"""Grades that the registrar holds, and who gave a grade and when."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import GradeSource, GradeStatus, PartGradeView
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.grade_models import ChangeKind, GradeChange
from lti_tool.sis.grade_rows import standing_grades
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.oneroster.importer import OneRosterImporter
from lti_tool.sis.rules import GradeRefusedError

_WHEN = dt.datetime(2026, 3, 1, 10, 0, tzinfo=dt.UTC)


@pytest.fixture
def grading(
    database: Database, clock: FixedClock, package: Any, importer: OneRosterImporter
) -> Grading:
    importer.run(package.write())
    return Grading(database, clock)


def entry(score: str | None = None, person: str = "P1", **more: Any) -> GradeEntry:
    """An entry for a part of class K1."""
    return GradeEntry(person, "K1/1.1", None if score is None else Decimal(score), **more)


def grade(sis: EmbeddedSis, person: str = "P1") -> PartGradeView:
    """What stands there now."""
    found = {each.person_key: each for each in sis.part_grades("K1", ["K1/1.1"])}
    return found[person]


def history(database: Database) -> list[tuple[ChangeKind, Decimal | None, str | None, str]]:
    """All changes."""
    with database.read() as session:
        rows = session.scalars(sa.select(GradeChange).order_by(GradeChange.id))
        return [(each.kind, each.new_score, each.reason, each.changed_by) for each in rows]


def test_held_as_it_stands(grading: Grading, sis: EmbeddedSis, database: Database) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    grading.hold(entry(), actor="registrar", reason="Under appeal.")
    assert (grade(sis).score, grade(sis).held_by) == (Decimal(70), "registrar")
    assert history(database)[-1] == (ChangeKind.HELD, Decimal(70), "Under appeal.", "registrar")


@pytest.mark.parametrize("source", GradeSource)
def test_nothing_enters_over_a_held_grade(
    grading: Grading, sis: EmbeddedSis, source: GradeSource
) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    grading.hold(entry(), actor="registrar", reason="Under appeal.")
    outcome = grading.enter([entry("90")], actor="moodle", source=source, submitted=True)[0]
    assert (outcome.state, outcome.reason) == ("refused", "grade_held")
    assert grade(sis).score == 70


def test_held_with_another_value_totals_follow(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    grading.approve(["K1/1.1"], actor="registrar")
    grading.hold(entry("50"), actor="registrar", reason="Copied work.")
    assert (grade(sis).score, grade(sis).status) == (Decimal(50), GradeStatus.APPROVED)
    final = sis.student_grades("P1", "K1").final
    assert final is not None
    assert final.score == 50


def test_zero_is_a_value_to_hold(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    grading.hold(entry("0"), actor="registrar", reason="Copied work.")
    assert grade(sis).score == 0


def test_held_where_there_was_none(grading: Grading, sis: EmbeddedSis) -> None:
    with pytest.raises(NotFoundError):
        grading.hold(entry(), actor="registrar", reason="Nothing there.")
    grading.hold(entry("40"), actor="registrar", reason="By commission.")
    held = grade(sis)
    assert (held.score, held.status, held.source, held.held_by) == (
        Decimal(40),
        GradeStatus.SUBMITTED,
        GradeSource.MANUAL_CLERK,
        "registrar",
    )


def test_who_is_not_in_the_class_has_no_grade_to_hold(grading: Grading) -> None:
    with pytest.raises(GradeRefusedError) as caught:
        grading.hold(entry("40", person="P4"), actor="registrar", reason="No.")
    assert caught.value.context["reason"] == "not_enrolled"


def test_a_correction_changes_it_all_the_same(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    grading.hold(entry(), actor="registrar", reason="Under appeal.")
    grading.correct(entry("75"), actor="registrar", reason="Appeal granted.")
    assert (grade(sis).score, grade(sis).held_by) == (Decimal(75), "registrar")


def test_lifted(grading: Grading, sis: EmbeddedSis, database: Database) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    with pytest.raises(NotFoundError):
        grading.lift("P1", "K1/1.1", actor="registrar", reason="Not held.")
    grading.hold(entry(), actor="registrar", reason="Under appeal.")
    grading.lift("P1", "K1/1.1", actor="registrar", reason="Settled.")
    assert grade(sis).held_by is None
    assert history(database)[-1] == (ChangeKind.LIFTED, Decimal(70), "Settled.", "registrar")
    assert grading.enter([entry("90")], actor="P4", submitted=True)[0].state == "entered"
    with database.read() as session:
        told = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [(each.action, each.actor, each.target, each.detail) for each in told] == [
            ("grade.held", "registrar", "grade:K1/1.1", {"person": "P1"}),
            ("grade.lifted", "registrar", "grade:K1/1.1", {"person": "P1"}),
        ]


def test_holding_and_lifting_need_a_reason(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("70")], actor="P4", submitted=True)
    with pytest.raises(InvalidInputError):
        grading.hold(entry(), actor="registrar", reason="")
    grading.hold(entry(), actor="registrar", reason="Under appeal.")
    with pytest.raises(InvalidInputError):
        grading.lift("P1", "K1/1.1", actor="registrar", reason=" ")
    assert grade(sis).held_by == "registrar"


def test_who_gave_it_and_when(grading: Grading, sis: EmbeddedSis, database: Database) -> None:
    given = entry("70", actor="P4", graded_at=_WHEN)
    grading.enter([given], actor="moodle", source=GradeSource.MOODLE_IMPORT, submitted=True)
    assert (grade(sis).entered_by, grade(sis).graded_at) == ("P4", _WHEN)
    assert history(database)[-1][3] == "P4"
    grading.enter([entry("71")], actor="P2", submitted=True)
    assert (grade(sis).entered_by, grade(sis).graded_at) == ("P2", None)


def test_every_view_tells_the_same(
    grading: Grading, sis: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    given = entry("70", actor="P4", graded_at=_WHEN)
    grading.enter([given], actor="moodle", source=GradeSource.MOODLE_IMPORT, submitted=True)
    grading.approve(["K1/1.1"], actor="registrar")
    grading.hold(entry(), actor="dean", reason="Under appeal.")
    shown = grade(sis)
    assert (shown.approved_by, shown.graded_at, shown.held_by) == ("registrar", _WHEN, "dean")
    assert sis.student_grades("P1", "K1").parts == (shown,)
    assert Extracts(database).grades(["K1"])["K1"].parts == (shown,)
    with database.write() as session:
        assert standing_grades(session, ["K1/1.1"]) == {("P1", "K1/1.1"): shown}
        assert standing_grades(session, ["K1/1.1"], person_keys=["P2"]) == {}
