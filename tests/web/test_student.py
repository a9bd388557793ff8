"""What a student's report says of itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from lti_tool.sis.entities import (
    ClassStatus,
    ClassType,
    ClassView,
    FinalGradeView,
    GradeSource,
    GradeStatus,
    PartGradeView,
    PartView,
    SessionView,
    StudentGrades,
    TimeOfDay,
)
from lti_tool.web.student import PartLine, Report, SessionBlock

HALF = Decimal("0.5")


def _part(key: str) -> PartView:
    return PartView(key, 1, 1, key, "MAIN", HALF, HALF, None, None, None, (), None, None)


def _grade(key: str, score: Decimal | None) -> PartGradeView:
    return PartGradeView(
        "S",
        key,
        score,
        None,
        GradeStatus.SUBMITTED,
        GradeSource.MANUAL_TEACHER,
        "T",
        dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    )


def _report(*scores: Decimal | None, final: FinalGradeView | None) -> Report:
    parts = tuple(_part(str(number)) for number in range(len(scores)))
    session = SessionView(1, "", Decimal(1), parts)
    class_ = ClassView(
        "C",
        "EHSS-07",
        "English",
        "T1",
        dt.date(2026, 1, 1),
        dt.date(2026, 4, 1),
        "A",
        TimeOfDay.EVE,
        ClassType.STANDARD,
        ClassStatus.ACTIVE,
        (session,),
    )
    grades = [_grade(part.part_key, score) for part, score in zip(parts, scores, strict=True)]
    lines = tuple(PartLine(p, g, HALF) for p, g in zip(parts, grades, strict=True))
    block = SessionBlock(session, lines, None)
    return Report(class_, (block,), StudentGrades(tuple(grades), (), final), is_audit=False)


def _final(score: Decimal | None, letter: str) -> FinalGradeView:
    return FinalGradeView("S", score, letter, None, GradeStatus.SUBMITTED)


@pytest.mark.parametrize(
    ("scores", "final", "complete"),
    [
        ((Decimal(80), Decimal(0)), _final(Decimal(40), "F"), True),
        ((Decimal(80), None), _final(Decimal(80), "B"), False),
        ((Decimal(80), None), _final(None, "I"), True),
    ],
    ids=["all parts, zero among them", "a part without a grade", "a special letter"],
)
def test_a_total_is_final_only_when_no_grade_is_to_come(
    scores: tuple[Decimal | None, ...], final: FinalGradeView, complete: bool
) -> None:
    assert _report(*scores, final=final).is_complete is complete


def test_a_part_s_name_stands_alone_where_one_class_has_the_course() -> None:
    class_ = _report(None, final=None).class_
    (part,) = class_.parts
    assert class_.part_label(part, alone=True) == "0"
    assert class_.part_label(part, alone=False) == "EHSS-07 A: 0"
