"""Where one grade stands between the SIS and Moodle, in one word: pure, without a database."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import (
    ClassTotals,
    ClassView,
    GradeSource,
    GradeStatus,
    PartGradeView,
)
from lti_tool.sync.grades.values import hundredths, score


class CellState(enum.StrEnum):
    """What a teacher should know of one grade.

    ``STAYS``: the SIS has something that is not for Moodle (a draft, a total that is not approved
    yet, an auditor's). ``SENDING``: somebody asked, and it is not there yet. ``CHANGED``: the SIS's
    changed after both sides agreed. ``DIFFERS``: Moodle's did.
    """

    DECISION = "decision"
    REFUSED = "refused"
    DIFFERS = "differs"
    CHANGED = "changed"
    SENDING = "sending"
    WAITS = "waits"
    SAME = "same"
    MOODLE = "moodle"
    STAYS = "stays"
    NONE = "none"


# What is not as it should be: the teacher's first question.
DIFFERENT = frozenset(
    {
        CellState.DECISION,
        CellState.REFUSED,
        CellState.DIFFERS,
        CellState.CHANGED,
        CellState.SENDING,
        CellState.WAITS,
    }
)
# What sending would change.
SENDABLE = frozenset({CellState.REFUSED, CellState.DIFFERS, CellState.CHANGED, CellState.WAITS})


@dataclass(frozen=True, slots=True)
class SisGrade:
    """What the SIS has for one student and item.

    ``value`` and ``text`` are what is to stand in Moodle (hundredths, or a letter without a number)
    where ``due``; ``stays`` says why nothing is: ``draft``, ``unapproved``, ``auditor`` or
    ``suspended``.
    """

    score: Decimal | None = None
    letter: str | None = None
    status: GradeStatus | None = None
    source: GradeSource | None = None
    held: bool = False
    value: int | None = None
    text: str = ""
    stays: str | None = None

    @property
    def due(self) -> bool:
        """Whether this is to stand in Moodle."""
        return self.value is not None or bool(self.text)

    @property
    def there(self) -> bool:
        """Whether the SIS has a grade at all, whatever becomes of it."""
        return self.score is not None or bool(self.letter)

    @property
    def cleared(self) -> bool:
        """Whether the SIS says that there is none: a grade of a part that was emptied."""
        return self.source is not None and self.stays is None and not self.there


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of one grade in Moodle; the columns of ``GradeReceipt``."""

    base: int | None
    agreed_at: dt.datetime | None
    seen: int | None
    seen_at: dt.datetime | None
    seen_by: int | None
    sent: int | None
    sent_text: str
    sent_at: dt.datetime | None
    sent_by: str | None
    code: str | None
    asked_by: str | None
    asked_at: dt.datetime | None

    @property
    def sent_score(self) -> Decimal | None:
        """What was last sent, as a score."""
        return score(self.sent)

    @property
    def letter(self) -> str:
        """The letter without a number that stands in Moodle."""
        return self.sent_text if self.code is None else ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One grade on both sides. ``conflict``: the number of what is to be decided."""

    person_key: str
    item_key: str
    sis: SisGrade
    state: CellState
    receipt: Receipt | None = None
    conflict: int | None = None

    @property
    def moodle(self) -> Decimal | None:
        """Moodle's value, as far as it was read or written."""
        return score(self.receipt.seen) if self.receipt else None

    @property
    def moodle_letter(self) -> str:
        """The letter without a number that we wrote there."""
        return self.receipt.letter if self.receipt else ""

    @property
    def known(self) -> bool:
        """Whether there is anything to say of it."""
        return self.state is not CellState.NONE


def awaited(receipt: Any) -> bool:
    """Whether somebody asked for a grade to be sent, and it has not been.

    Args:
        receipt: a :class:`Receipt`, or a row with its ``asked_at`` and ``sent_at``; ``None``:
            there is none.
    """
    return (
        receipt is not None
        and receipt.asked_at is not None
        and (receipt.sent_at is None or receipt.sent_at < receipt.asked_at)
    )


def session_key(class_key: str, number: int) -> str:
    """The key of a session's total."""
    return f"{class_key}#{number}"


def sis_grades(
    view: ClassView,
    parts: Mapping[str, PartGradeView],
    totals: ClassTotals,
    *,
    stays: str | None = None,
) -> dict[str, SisGrade]:
    """What the SIS has of one student in one class, by item.

    A part's grade is for Moodle from SUBMITTED on, a session's total when all grades of its parts
    are approved, the final grade when it is. ``stays``: why nothing of this student is.
    """
    found: dict[str, SisGrade] = {}
    for grade in parts.values():
        why = stays or ("draft" if grade.status is GradeStatus.DRAFT else None)
        found[grade.part_key] = _grade(
            grade.score,
            grade.letter,
            grade.status,
            why,
            source=grade.source,
            held=grade.held_by is not None,
        )
    of_sessions = {total.session_number: total for total in totals.sessions}
    for session in view.sessions:
        total = of_sessions.get(session.number)
        if total is None:
            continue
        complete = all(
            part.part_key in parts and parts[part.part_key].status.locked for part in session.parts
        )
        found[session_key(view.class_key, session.number)] = _grade(
            total.score,
            total.letter,
            GradeStatus.APPROVED if complete else None,
            stays or (None if complete else "unapproved"),
        )
    final = totals.final
    if final is not None:
        locked = final.status.locked
        found[TOTAL] = _grade(
            final.score, final.letter, final.status, stays or (None if locked else "unapproved")
        )
    return found


def _grade(
    given: Decimal | None,
    letter: str | None,
    status: GradeStatus | None,
    stays: str | None,
    **more: Any,
) -> SisGrade:
    due = stays is None
    return SisGrade(
        score=given,
        letter=letter,
        status=status,
        value=hundredths(given) if due else None,
        text=(letter or "") if due and given is None else "",
        stays=stays,
        **more,
    )


NOTHING = SisGrade()


def state_of(
    sis: SisGrade, receipt: Receipt | None, *, undecided: bool, waits: bool = True
) -> CellState:
    """Where a grade stands.

    ``waits``: whether anything of the course is still to be sent. If not, what somebody asked for
    and was not sent needs no sending: it came from Moodle since, or its student left.
    """
    if undecided:
        return CellState.DECISION
    idle = CellState.STAYS if sis.there else CellState.NONE
    if receipt is None:
        return CellState.WAITS if sis.due else idle
    if awaited(receipt) and waits:
        return CellState.SENDING
    if receipt.code and (receipt.sent, receipt.sent_text) == (sis.value, sis.text):
        return CellState.DIFFERS if receipt.code == "changed_in_moodle" else CellState.REFUSED
    if not sis.due:
        ours = receipt.sent is not None or sis.cleared
        if receipt.letter or (ours and receipt.seen is not None):
            # What was sent, or has been emptied since, is to be taken back.
            return CellState.CHANGED
        return idle if receipt.seen is None else CellState.DIFFERS
    return _compared(sis, receipt)


def _compared(sis: SisGrade, receipt: Receipt) -> CellState:
    same = CellState.MOODLE if sis.source is GradeSource.MOODLE_IMPORT else CellState.SAME
    if sis.text:
        if receipt.letter == sis.text:
            return CellState.SAME
        return CellState.CHANGED if receipt.agreed_at else CellState.WAITS
    if receipt.letter:
        return CellState.CHANGED
    if receipt.seen == sis.value:
        return same
    if receipt.seen == receipt.base:
        return CellState.WAITS if receipt.base is None else CellState.CHANGED
    return CellState.DIFFERS
