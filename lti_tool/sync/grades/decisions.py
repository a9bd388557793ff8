"""What becomes of a grade that differs between the SIS and Moodle: one pure function.

The table of cases is in ``docs/grades.md``; its rows are run as tests.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass


class ItemKind(enum.StrEnum):
    """A part's grade goes both ways; a total (of a session, of the course) is the SIS's alone."""

    PART = "part"
    TOTAL = "total"


class Action(enum.StrEnum):
    """What is to be done. ``SEND``: the SIS's grade belongs into Moodle; ``NONE``: nothing."""

    NONE = "none"
    IMPORT = "import"
    SEND = "send"
    CONFLICT = "conflict"


class Why(enum.StrEnum):
    """The rule that decided; of a conflict it is the conflict's reason."""

    EQUAL = "equal"
    DRAFT = "draft"
    TOTAL = "total"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    LOCKED = "locked"
    SIS_CHANGED = "sis_changed"
    MOODLE_CHANGED = "moodle_changed"
    SIS_LATER = "sis_later"
    MOODLE_LATER = "moodle_later"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class SisGrade:
    """A grade as the SIS has it; without arguments: none.

    ``value``: hundredths of a percent. ``text``: a letter that stands alone, without a value.
    ``at``: when it was given, by the SIS's clock.
    """

    value: int | None = None
    text: str = ""
    at: dt.datetime | None = None
    draft: bool = False
    locked: bool = False
    held: bool = False


@dataclass(frozen=True, slots=True)
class MoodleGrade:
    """A grade as Moodle has it now. ``at``: when it was given, by Moodle's clock."""

    value: int | None = None
    at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done, and by which rule."""

    action: Action
    why: Why


def decide(
    kind: ItemKind,
    sis: SisGrade,
    moodle: MoodleGrade,
    base: int | None,
    skew: float | None = None,
    *,
    agreed_at: dt.datetime | None = None,
) -> Decision:
    """What is to be done about one grade. Total and deterministic; zero is a grade, ``None`` none.

    Args:
        base: what both sides last agreed on; ``None``: nothing, or that there is no grade.
        skew: seconds that Moodle's clock is ahead of ours; ``None``: not known, taken for none.
        agreed_at: when they agreed, if Moodle was restored from a backup since: what stands there
            from before is an older state, and nobody's change.
    """
    if kind is ItemKind.TOTAL:
        same = sis.value == moodle.value
        return Decision(Action.NONE, Why.EQUAL) if same else Decision(Action.SEND, Why.TOTAL)
    if sis.value == moodle.value:
        if sis.draft and sis.value is not None and not sis.held:
            # Graded in Moodle is submitted: the draft of the same grade is so too.
            return Decision(Action.IMPORT, Why.DRAFT)
        return Decision(Action.NONE, Why.EQUAL)
    if sis.held:
        return _send(sis, Why.HELD)
    if agreed_at is not None and (
        moodle.value is None or not _later(moodle.at, agreed_at, skew or 0.0)
    ):
        return _send(sis, Why.RESTORED)
    if moodle.value == base:
        return _send(sis, Why.SIS_CHANGED)
    if moodle.value is None:
        return Decision(Action.CONFLICT, Why.WITHDRAWN)
    if sis.locked:
        return Decision(Action.CONFLICT, Why.LOCKED)
    if sis.value == base and not sis.text:
        return Decision(Action.IMPORT, Why.MOODLE_CHANGED)
    if _later(moodle.at, sis.at, skew or 0.0):
        return Decision(Action.IMPORT, Why.MOODLE_LATER)
    return _send(sis, Why.SIS_LATER)


def _send(sis: SisGrade, why: Why) -> Decision:
    # A draft is nobody's news: it goes when it is submitted.
    return Decision(Action.NONE, Why.DRAFT) if sis.draft else Decision(Action.SEND, why)


def _later(moodle: dt.datetime | None, sis: dt.datetime | None, skew: float) -> bool:
    """Whether Moodle's grade was given after the SIS's; where nobody can say so, the SIS wins,
    unless it does not know of its own."""
    if sis is None:
        return True
    if moodle is None:
        return False
    return moodle - dt.timedelta(seconds=skew) > sis
