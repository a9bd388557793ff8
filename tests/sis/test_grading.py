"""Entering grades, their way from draft to final, corrections, and totals that follow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sis.grade_models import ChangeKind, FinalGrade, GradeChange
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.models import ClassSession, Enrollment, SessionExemption
from lti_tool.sis.oneroster.importer import OneRosterImporter
from lti_tool.sis.totals import recompute_totals

TWO = '[{"name":"Grammar","weight":"1"},{"name":"Reading","weight":"1"}]'
HALVES = '[{"session":1,"code":1},{"session":2,"code":1}]'


@pytest.fixture
def grading(
    package: Any, importer: OneRosterImporter, database: Database, clock: FixedClock
) -> Grading:
    """K1 with two parts, weight 1 each; K2 an IEAP class with one part in each half."""
    package["classes"][0]["metadata.naga.parts"] = TWO
    package["classes"][1]["metadata.naga.parts"] = HALVES
    package["enrollments"].append(
        {"sourcedId": "E9", "classSourcedId": "K2", "userSourcedId": "P1", "role": "student"}
    )
    package["enrollments"][2]["metadata.naga.audit"] = "true"
    assert importer.run(package.write()).errors == []
    return Grading(database, clock)


def entry(part: str, score: str | None, person: str = "P1") -> GradeEntry:
    return GradeEntry(person, part, None if score is None else Decimal(score))


def final(sis: EmbeddedSis, class_key: str = "K1", person: str = "P1") -> Any:
    return sis.student_grades(person, class_key).final


def test_totals_follow_what_is_submitted(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("K1/1.1", "0"), entry("K1/1.2", "80")], actor="P4")
    assert final(sis) is None
    grading.submit(["K1/1.1"], actor="P4")
    assert (final(sis).score, final(sis).letter) == (0, "F")
    grading.submit(["K1/1.2"], actor="P4")
    assert (final(sis).score, final(sis).letter, final(sis).status) == (
        40,
        "F",
        GradeStatus.SUBMITTED,
    )


def test_locked_until_corrected_with_a_reason(
    grading: Grading, sis: EmbeddedSis, database: Database
) -> None:
    grading.enter([entry("K1/1.1", "70")], actor="P4", submitted=True)
    assert grading.approve(["K1/1.1"], actor="head") == 1
    (refused,) = grading.enter([entry("K1/1.1", "90")], actor="P4", submitted=True)
    assert (refused.state, refused.reason) == ("refused", "grade_locked")
    with pytest.raises(InvalidInputError):
        grading.correct(entry("K1/1.1", "90"), actor="head", reason="  ")
    grading.correct(entry("K1/1.1", "90"), actor="head", reason="Page 2 was not counted.")
    (grade,) = sis.part_grades("K1", ["K1/1.1"])
    assert (grade.score, grade.letter, grade.status) == (Decimal(90), "A", GradeStatus.APPROVED)
    assert final(sis).score == 90
    with database.read() as session:
        changes = session.scalars(sa.select(GradeChange).order_by(GradeChange.id)).all()
    assert [change.kind for change in changes] == [
        ChangeKind.INITIAL_ENTRY,
        ChangeKind.STATUS_CHANGE,
        ChangeKind.CORRECTION,
    ]
    last = changes[-1]
    assert (last.old_score, last.new_score, last.reason) == (
        Decimal(70),
        Decimal(90),
        "Page 2 was not counted.",
    )


def test_nothing_to_correct(grading: Grading) -> None:
    with pytest.raises(NotFoundError):
        grading.correct(entry("K1/1.1", "90"), actor="head", reason="x")


def test_steps_only_in_order(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("K1/1.1", "70"), entry("K1/1.1", "60", "P2")], actor="P4")
    assert grading.approve(["K1/1.1"], actor="head") == 0
    assert grading.finalize(["K1/1.1"], actor="head") == 0
    assert grading.submit(["K1/1.1"], actor="P4", person_keys=["P1"]) == 1
    assert grading.approve(["K1/1.1"], actor="head") == 1
    assert grading.finalize(["K1/1.1"], actor="head") == 1
    assert {one.person_key: one.status for one in sis.part_grades("K1", ["K1/1.1"])} == {
        "P1": GradeStatus.FINALIZED,
        "P2": GradeStatus.DRAFT,
    }


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (entry("K1/9.9", "1"), "unknown_part"),
        (entry("K1/1.1", "1", "P4"), "not_enrolled"),
        (entry("K1/1.1", "1", "P3"), "audit"),
        (entry("K1/1.1", "100.01"), "invalid_input"),
        (entry("K1/1.1", "NaN"), "invalid_input"),
        (GradeEntry("P1", "K1/1.1", letter="Z"), "invalid_input"),
    ],
)
def test_bad_entries_are_refused_and_good_ones_land(
    grading: Grading, sis: EmbeddedSis, wrong: GradeEntry, reason: str
) -> None:
    outcomes = grading.enter([wrong, entry("K1/1.2", "55")], actor="P4")
    assert [one.state for one in outcomes] == ["refused", "entered"]
    assert outcomes[0].reason == reason
    assert sis.part_grades("K1", ["K1/1.1"]) == []
    assert len(sis.part_grades("K1", ["K1/1.2"])) == 1


def test_dropped_student_gets_no_grade(
    grading: Grading, package: Any, importer: OneRosterImporter
) -> None:
    package["enrollments"][0]["metadata.naga.status"] = "DROPPED"
    importer.run(package.write())
    (outcome,) = grading.enter([entry("K1/1.1", "1")], actor="P4")
    assert outcome.reason == "not_attending"


def test_same_grade_again_changes_nothing(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("K1/1.1", "70")], actor="P4", submitted=True)
    (outcome,) = grading.enter([entry("K1/1.1", "70.00")], actor="P4")
    assert outcome.state == "unchanged"


def test_letters(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter(
        [GradeEntry("P1", "K1/1.1", letter=" b "), GradeEntry("P1", "K1/1.2", letter="I")],
        actor="P4",
        submitted=True,
    )
    grades = {one.part_key: one for one in sis.part_grades("K1", ["K1/1.1", "K1/1.2"])}
    assert (grades["K1/1.1"].score, grades["K1/1.1"].letter) == (Decimal(85), "B")
    assert (grades["K1/1.2"].score, grades["K1/1.2"].letter) == (None, "I")
    assert final(sis).score == 85


def test_taking_a_grade_back_takes_the_total_back(grading: Grading, sis: EmbeddedSis) -> None:
    grading.enter([entry("K1/1.1", "70")], actor="P4", submitted=True)
    grading.enter([entry("K1/1.1", None)], actor="P4", submitted=True)
    assert final(sis) is None


def test_ieap_halves_and_exemption(
    grading: Grading, sis: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    grading.enter([entry("K2/1.1", "50"), entry("K2/2.1", "75")], actor="P4", submitted=True)
    assert (final(sis, "K2").score, final(sis, "K2").letter) == (Decimal("62.50"), "D")
    with database.write() as session:
        half = session.scalars(sa.select(ClassSession).order_by(ClassSession.id.desc())).first()
        enrolled = session.scalars(sa.select(Enrollment).where(Enrollment.sourced_id == "E9")).one()
        assert half is not None
        first = session.scalars(
            sa.select(ClassSession.id).where(
                ClassSession.header_id == enrolled.header_id, ClassSession.number == 1
            )
        ).one()
        session.add(
            SessionExemption(
                enrollment_id=enrolled.id,
                session_id=first,
                reason="repeats",
                updated_at=clock.now(),
            )
        )
        session.flush()
        recompute_totals(session, [enrolled.header_id], now=clock.now())
    assert final(sis, "K2").score == 75


def test_special_letter_stands(
    grading: Grading, sis: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    grading.enter([entry("K1/1.1", "70")], actor="P4", submitted=True)
    with database.write() as session:
        session.execute(sa.update(FinalGrade).values(special="I"))
    grading.enter([entry("K1/1.2", "90")], actor="P4", submitted=True)
    assert (final(sis).letter, final(sis).score) == ("I", None)


def test_withdrawal_becomes_w(
    grading: Grading, package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    grading.enter([entry("K1/1.1", "70")], actor="P4", submitted=True)
    package["enrollments"][0]["metadata.naga.status"] = EnrollmentStatus.WITHDRAWN
    importer.run(package.write())
    assert final(sis).letter == "W"


def test_a_class_full_of_grades_in_a_flat_number_of_statements(
    campus: EmbeddedSis, database: Database, clock: FixedClock, statements: Any
) -> None:
    grading = Grading(database, clock)
    example = campus.example_class()
    assert example is not None
    people = [one.person.person_key for part in campus.roster(example.class_key) for one in part]
    part = example.parts[-1].part_key
    counts = []
    for number, score in ((1, "61"), (len(people), "62")):
        with statements() as sent:
            grading.enter([entry(part, score, person) for person in people[:number]], actor="t")
        counts.append(len(sent))
    assert counts[1] <= 30
