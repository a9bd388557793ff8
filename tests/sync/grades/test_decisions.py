"""The decision about a grade: the table in the documentation, and what holds for every case."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.sync.grades.decisions import (
    Action,
    Decision,
    ItemKind,
    MoodleGrade,
    SisGrade,
    Why,
    decide,
)

_DOCUMENT = Path(__file__).parents[3] / "docs" / "grades.md"
_NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
_HOUR = dt.timedelta(hours=1)
# When Moodle's grade was given, seen from the SIS's at noon.
_MOODLE = {"SIS": _NOON - _HOUR, "Moodle": _NOON + _HOUR, "same": _NOON, "": _NOON}


def _rows() -> list[list[str]]:
    lines = _DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index("| Grade | SIS | Moodle | Base | Later | What happens | Why |") + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _value(text: str) -> int | None:
    return None if text == "none" else int(text)


def _sis(text: str) -> SisGrade:
    *flags, last = text.split()
    letter = flags.pop() if flags and flags[-1] == "letter" else None
    value = None if letter else _value(last)
    given_ = value is not None or letter is not None
    return SisGrade(
        value,
        last if letter else "",
        _NOON if given_ or flags else None,
        draft="draft" in flags,
        locked="locked" in flags,
        held="held" in flags,
    )


@pytest.mark.parametrize("row", _rows(), ids=" ".join)
def test_as_the_table_says(row: list[str]) -> None:
    kind, sis, moodle, base, later, action, why = row
    restored, _, base = base.rpartition(" ")
    decision = decide(
        ItemKind(kind),
        _sis(sis),
        MoodleGrade(_value(moodle), _MOODLE[later]),
        _value(base),
        agreed_at=_NOON if restored else None,
    )
    assert decision == Decision(Action("none" if action == "nothing" else action), Why(why))


def test_the_table_names_every_rule_and_action() -> None:
    assert {row[6] for row in _rows()} == {why.value for why in Why}
    assert {row[5] for row in _rows()} == {"nothing", "import", "send", "conflict"}
    assert {row[0] for row in _rows()} == {kind.value for kind in ItemKind}


_VALUES = st.none() | st.sampled_from([0, 1, 5000, 8000, 10_000]) | st.integers(0, 10_000)
_TIMES = st.none() | st.integers(-10_000_000, 10_000_000).map(
    lambda seconds: _NOON + dt.timedelta(seconds=seconds)
)


@st.composite
def _sis_grades(draw: st.DrawFn) -> SisGrade:
    value = draw(_VALUES)
    text = draw(st.sampled_from(["", "I"])) if value is None else ""
    draft, locked = draw(st.sampled_from([(False, False), (True, False), (False, True)]))
    return SisGrade(value, text, draw(_TIMES), draft, locked, draw(st.booleans()))


_MOODLE_GRADES = st.builds(MoodleGrade, _VALUES, _TIMES)
_SKEWS = st.none() | st.floats(-86_400, 86_400)
_KINDS = st.sampled_from(ItemKind)
_CASES = (_KINDS, _sis_grades(), _MOODLE_GRADES, _VALUES, _SKEWS)


@given(*_CASES)
def test_there_is_always_one_decision(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    decision = decide(kind, sis, moodle, base, skew)
    assert decision == decide(kind, sis, moodle, base, skew)


@given(*_CASES)
def test_a_locked_or_held_grade_is_never_lost(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    if sis.locked or sis.held or kind is ItemKind.TOTAL:
        assert decide(kind, sis, moodle, base, skew).action is not Action.IMPORT


@given(*_CASES)
def test_nothing_in_moodle_erases_no_grade(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    if moodle.value is None:
        assert decide(kind, sis, moodle, base, skew).action is not Action.IMPORT


@given(*_CASES)
def test_what_is_new_in_moodle_is_overruled_only_for_a_reason(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    decision = decide(kind, sis, moodle, base, skew)
    news = moodle.value is not None and moodle.value != base and moodle.value != sis.value
    if news and decision.action in (Action.SEND, Action.NONE):
        assert sis.held or kind is ItemKind.TOTAL or not _moodle_is_later(sis, moodle, skew)


@given(*_CASES)
def test_zero_is_a_grade_as_any_other(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    """Every value moved up by one: what was decided stays, so none of them is special."""

    def up(value: int | None) -> int | None:
        return None if value is None else value + 1

    moved = SisGrade(up(sis.value), sis.text, sis.at, sis.draft, sis.locked, sis.held)
    assert decide(kind, sis, moodle, base, skew) == decide(
        kind, moved, MoodleGrade(up(moodle.value), moodle.at), up(base), skew
    )


@given(*_CASES)
def test_after_it_is_done_there_is_nothing_to_do(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    decision = decide(kind, sis, moodle, base, skew)
    match decision.action:
        case Action.IMPORT:
            # As the SIS enters it: submitted, without a letter.
            sis, base = SisGrade(moodle.value, "", moodle.at), moodle.value
        case Action.SEND:
            moodle = MoodleGrade(sis.value, sis.at)
            base = sis.value
        case Action.CONFLICT:
            # Decided by a person: kept, and sent unless it is a draft.
            kept = decide(kind, sis, moodle, moodle.value, skew)
            assert kept.action is (Action.NONE if sis.draft else Action.SEND)
            return
    assert decide(kind, sis, moodle, base, skew).action is Action.NONE


@given(*_CASES)
def test_what_a_backup_brings_back_is_nobodys_change(
    kind: ItemKind, sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: float | None
) -> None:
    decision = decide(kind, sis, moodle, base, skew, agreed_at=_NOON)
    at = None if moodle.at is None else moodle.at - dt.timedelta(seconds=skew or 0)
    if moodle.value is None or at is None or at <= _NOON:
        equal = sis.value == moodle.value
        assert decision.action in (Action.NONE, Action.SEND) or (equal and sis.draft)
    else:
        assert decision == decide(kind, sis, moodle, base, skew)


@given(
    _sis_grades(),
    _MOODLE_GRADES,
    _VALUES,
    st.integers(-7200, 7200),
    st.integers(-7200, 7200),
)
def test_a_clock_that_is_ahead_changes_nothing(
    sis: SisGrade, moodle: MoodleGrade, base: int | None, skew: int, more: int
) -> None:
    ahead = dt.timedelta(seconds=more)
    shifted = MoodleGrade(moodle.value, moodle.at + ahead if moodle.at else None)
    assert decide(ItemKind.PART, sis, moodle, base, skew) == decide(
        ItemKind.PART, sis, shifted, base, skew + more
    )


def _moodle_is_later(sis: SisGrade, moodle: MoodleGrade, skew: float | None) -> bool:
    if sis.at is None:
        return True
    return moodle.at is not None and moodle.at - dt.timedelta(seconds=skew or 0) > sis.at
