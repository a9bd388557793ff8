"""Where a grade stands: a table of both sides, and the word for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lti_tool.sis.entities import GradeSource
from lti_tool.sync.grades.cells import CellState, Receipt, SisGrade, state_of

_NOON = dt.datetime(2026, 3, 2, 5, 0, tzinfo=dt.UTC)
_LATER = _NOON + dt.timedelta(minutes=1)


def receipt(**known: Any) -> Receipt:
    nothing: dict[str, Any] = dict.fromkeys(Receipt.__slots__) | {"sent_text": ""}
    return Receipt(**(nothing | known))


def sis(
    value: int | None = None,
    text: str = "",
    stays: str | None = None,
    source: GradeSource | None = None,
) -> SisGrade:
    given = None if value is None else value // 100
    return SisGrade(
        score=given,  # type: ignore[arg-type]
        letter=text or None,
        value=None if stays else value,
        text="" if stays else text,
        stays=stays,
        source=source,
    )


_AGREED = {"base": 8000, "seen": 8000, "sent": 8000, "sent_at": _NOON, "agreed_at": _NOON}


@pytest.mark.parametrize(
    ("grade", "known", "state"),
    [
        (sis(), None, CellState.NONE),
        (sis(8000), None, CellState.WAITS),
        (sis(0), None, CellState.WAITS),
        (sis(text="I"), None, CellState.WAITS),
        (sis(8000, stays="draft"), None, CellState.STAYS),
        (sis(8000), receipt(**_AGREED), CellState.SAME),
        (sis(9000), receipt(**_AGREED), CellState.CHANGED),
        (sis(0), receipt(**_AGREED), CellState.CHANGED),
        # It was sent, and is no longer to be: it is taken back.
        (sis(), receipt(**_AGREED), CellState.CHANGED),
        (sis(8000, stays="unapproved"), receipt(**_AGREED), CellState.CHANGED),
        # The SIS's was emptied, wherever it had come from.
        (sis(source=GradeSource.MOODLE_IMPORT), receipt(base=8000, seen=8000), CellState.CHANGED),
        (sis(source=GradeSource.MANUAL_TEACHER), receipt(seen=500), CellState.CHANGED),
        (sis(source=GradeSource.MANUAL_TEACHER), receipt(), CellState.NONE),
        (sis(source=GradeSource.MANUAL_TEACHER, stays="draft"), receipt(seen=5), CellState.DIFFERS),
        # It was taken back.
        (sis(), receipt(sent_at=_NOON, agreed_at=_NOON), CellState.NONE),
        # Moodle has another one.
        (sis(8000), receipt(**_AGREED | {"seen": 500}), CellState.DIFFERS),
        (sis(8000), receipt(**_AGREED | {"seen": None}), CellState.DIFFERS),
        (sis(), receipt(seen=500), CellState.DIFFERS),
        (sis(8000, stays="draft"), receipt(seen=500), CellState.DIFFERS),
        # Zero in Moodle is a grade.
        (sis(), receipt(seen=0), CellState.DIFFERS),
        (sis(0), receipt(base=0, seen=0, agreed_at=_NOON), CellState.SAME),
        # Both changed, to the same.
        (sis(9000), receipt(**_AGREED | {"seen": 9000}), CellState.SAME),
        # Refused as it is now; another one is not refused yet.
        (sis(8000), receipt(sent=8000, sent_at=_NOON, code="item_locked"), CellState.REFUSED),
        (sis(9000), receipt(sent=8000, sent_at=_NOON, code="item_locked"), CellState.WAITS),
        (sis(8000), receipt(sent=8000, sent_at=_NOON, code="changed_in_moodle"), CellState.DIFFERS),
        # Letters without a number.
        (sis(text="I"), receipt(sent_text="I", sent_at=_NOON, agreed_at=_NOON), CellState.SAME),
        (sis(text="W"), receipt(sent_text="I", sent_at=_NOON, agreed_at=_NOON), CellState.CHANGED),
        (sis(8000), receipt(sent_text="I", sent_at=_NOON, agreed_at=_NOON), CellState.CHANGED),
        (sis(), receipt(sent_text="I", sent_at=_NOON, agreed_at=_NOON), CellState.CHANGED),
        (sis(text="I"), receipt(**_AGREED), CellState.CHANGED),
        # Asked for, and not there yet; then there.
        (sis(8000), receipt(asked_at=_NOON), CellState.SENDING),
        (sis(9000), receipt(**_AGREED | {"asked_at": _LATER}), CellState.SENDING),
        (sis(8000), receipt(**_AGREED | {"asked_at": _NOON}), CellState.SAME),
    ],
)
def test_every_state(grade: SisGrade, known: Receipt | None, state: CellState) -> None:
    assert state_of(grade, known, undecided=False) is state
    # Whatever else is known, somebody has to decide first.
    assert state_of(grade, known, undecided=True) is CellState.DECISION


def test_what_came_from_moodle_is_told_apart() -> None:
    imported = SisGrade(score=None, value=8000, source=GradeSource.MOODLE_IMPORT)
    known = receipt(base=8000, seen=8000, agreed_at=_NOON)
    assert state_of(imported, known, undecided=False) is CellState.MOODLE
    assert state_of(sis(8000), known, undecided=False) is CellState.SAME


def test_what_was_asked_for_and_needs_no_sending_does_not_wait_for_ever() -> None:
    known = receipt(**_AGREED | {"asked_at": _LATER})
    assert state_of(sis(8000), known, undecided=False, waits=True) is CellState.SENDING
    assert state_of(sis(8000), known, undecided=False, waits=False) is CellState.SAME
