"""Exemptions and special final grades: reasons, history, totals that follow."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import FinalGradeView, GradeStatus
from lti_tool.sis.grade_models import RecordChangeKind
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.oneroster.importer import OneRosterImporter
from lti_tool.sis.registrar import Decision, Registrar

HALVES = '[{"session":1,"code":1},{"session":2,"code":1}]'


@pytest.fixture
def registrar(
    package: Any, importer: OneRosterImporter, database: Database, clock: FixedClock
) -> Registrar:
    """P1 in K2, an IEAP class, with 50 in the first half and 75 in the second; P2 without grades.

    P3 audits K1; P2 withdrew from it.
    """
    package["classes"][1]["metadata.naga.parts"] = HALVES
    package["enrollments"][2]["metadata.naga.audit"] = "true"
    package["enrollments"][1]["metadata.naga.status"] = "WITHDRAWN"
    for number in (1, 2):
        package["enrollments"].append(
            {
                "sourcedId": f"X{number}",
                "classSourcedId": "K2",
                "userSourcedId": f"P{number}",
                "role": "student",
            }
        )
    assert importer.run(package.write()).errors == []
    entries = [GradeEntry("P1", "K2/1.1", Decimal(50)), GradeEntry("P1", "K2/2.1", Decimal(75))]
    Grading(database, clock).enter(entries, actor="P4", submitted=True)
    return Registrar(database, clock)


def final(sis: EmbeddedSis, person: str = "P1") -> FinalGradeView | None:
    return sis.student_grades(person, "K2").final


def mark(sis: EmbeddedSis) -> tuple[Decimal | None, str | None]:
    found = final(sis)
    assert found is not None
    return found.score, found.letter


def test_an_exempted_session_does_not_count_until_it_is_revoked(
    registrar: Registrar, sis: EmbeddedSis, clock: FixedClock
) -> None:
    registrar.exempt("P1", "K2", 1, actor="head", reason=" Passed it before. ")
    assert mark(sis) == (Decimal(75), "C")
    # The same once more is no decision.
    registrar.exempt("P1", "K2", 1, actor="head", reason="Passed it before.")
    registrar.revoke_exemption("P1", "K2", 1, actor="dean", reason="Another student.")
    assert mark(sis) == (Decimal("62.50"), "D")
    kinds = RecordChangeKind
    assert registrar.history("P1", "K2") == [
        Decision(kinds.EXEMPTED, 1, None, None, "Passed it before.", "head", clock.now()),
        Decision(kinds.EXEMPTION_REVOKED, 1, None, None, "Another student.", "dean", clock.now()),
    ]
    with pytest.raises(NotFoundError):
        registrar.revoke_exemption("P1", "K2", 1, actor="dean", reason="Again.")


def test_one_session_always_counts(registrar: Registrar, sis: EmbeddedSis) -> None:
    registrar.exempt("P1", "K2", 1, actor="head", reason="x")
    with pytest.raises(InvalidInputError):
        registrar.exempt("P1", "K2", 2, actor="head", reason="x")
    # A better reason is welcome.
    registrar.exempt("P2", "K2", 1, actor="head", reason="x")
    registrar.exempt("P2", "K2", 1, actor="head", reason="y")
    assert [one.reason for one in registrar.history("P2", "K2")] == ["x", "y"]
    assert mark(sis) == (Decimal(75), "C")


def test_a_special_grade_stands_and_goes(
    registrar: Registrar, sis: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    registrar.set_special("P1", "K2", " ip ", actor="head", reason="Ill in the last week.")
    assert mark(sis) == (None, "IP")
    Grading(database, clock).enter(
        [GradeEntry("P1", "K2/1.1", Decimal(60))], actor="P4", submitted=True
    )
    assert mark(sis) == (None, "IP")
    registrar.set_special("P1", "K2", "IP", actor="head", reason="Again.")
    registrar.set_special("P1", "K2", "NC", actor="head", reason="Never came back.")
    registrar.clear_special("P1", "K2", actor="dean", reason="Came back.")
    assert mark(sis) == (Decimal("67.50"), "D")
    history = registrar.history("P1", "K2")
    assert [(one.kind, one.old_letter, one.new_letter) for one in history] == [
        (RecordChangeKind.SPECIAL_SET, "D", "IP"),
        (RecordChangeKind.SPECIAL_SET, "IP", "NC"),
        (RecordChangeKind.SPECIAL_CLEARED, "NC", "D"),
    ]
    with pytest.raises(NotFoundError):
        registrar.clear_special("P1", "K2", actor="dean", reason="x")


def test_a_special_grade_before_any_other(registrar: Registrar, sis: EmbeddedSis) -> None:
    registrar.set_special("P2", "K2", "I", actor="head", reason="Joined late.")
    assert final(sis, "P2") == FinalGradeView("P2", None, "I", None, GradeStatus.SUBMITTED)
    assert sis.class_totals("K2", ["P2"])["P2"].final == final(sis, "P2")
    registrar.clear_special("P2", "K2", actor="head", reason="A mistake.")
    assert final(sis, "P2") is None


@pytest.mark.parametrize("letter", ["", "A", "W", "AU", "IPP"])
def test_only_letters_that_a_person_decides(registrar: Registrar, letter: str) -> None:
    with pytest.raises(InvalidInputError):
        registrar.set_special("P1", "K2", letter, actor="head", reason="x")


@pytest.mark.parametrize("person", ["P2", "P3"])
def test_letters_of_the_enrolment_stay(registrar: Registrar, person: str) -> None:
    with pytest.raises(InvalidInputError):
        registrar.set_special(person, "K1", "I", actor="head", reason="x")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_no_decision_without_a_reason(registrar: Registrar, reason: str) -> None:
    with pytest.raises(InvalidInputError):
        registrar.exempt("P1", "K2", 1, actor="head", reason=reason)
    with pytest.raises(InvalidInputError):
        registrar.set_special("P1", "K2", "I", actor="head", reason=reason)
    assert registrar.history("P1", "K2") == []


def test_the_unknown(registrar: Registrar) -> None:
    with pytest.raises(NotFoundError):
        registrar.exempt("P1", "K2", 3, actor="head", reason="x")
    with pytest.raises(NotFoundError):
        registrar.set_special("P4", "K2", "I", actor="head", reason="x")
    with pytest.raises(NotFoundError):
        registrar.clear_special("P1", "nothing", actor="head", reason="x")
    assert registrar.history("P1", "nothing") == []
