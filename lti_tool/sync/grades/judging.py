"""Grade by grade: what is decided, and what it leaves to be stored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lti_tool.sis.entities import GradeStatus, PartGradeView
from lti_tool.sync.grades.decisions import (
    Action,
    ItemKind,
    MoodleGrade,
    SisGrade,
    Why,
    decide,
)
from lti_tool.sync.grades.log import Moved
from lti_tool.sync.grades.models import Direction, Movement
from lti_tool.sync.grades.open_conflicts import Dispute, OpenConflicts, Standing
from lti_tool.sync.grades.reasons import Reason
from lti_tool.sync.grades.values import CellKey, hundredths

_WHOLE = 10_000
# Something new stood in Moodle, and the SIS's grade stands all the same.
_OVERRULED = (Why.HELD, Why.SIS_LATER, Why.TOTAL, Why.RESTORED)


@dataclass(frozen=True, slots=True)
class Seen:
    """A grade as Moodle has it. ``known``: the account has an ID number, and ``person_key`` is it;
    else that is ``moodle:ID``. ``number``: false where Moodle has a grade that is no number."""

    person_key: str
    known: bool
    value: int | None
    number: bool
    at: dt.datetime | None
    by: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """A grade item in Moodle; ``steps``: of a scale, from its first word to its last."""

    steps: int | None = None

    def stands(self, value: int) -> int:
        """What stands there after this was written: of a scale the nearest word, half up."""
        if not self.steps:
            return value
        word = (2 * value * self.steps + _WHOLE) // (2 * _WHOLE)
        return (2 * word * _WHOLE + self.steps) // (2 * self.steps)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One grade to be judged; ``found`` is ``None`` where Moodle has no grade."""

    kind: ItemKind
    course_key: str
    class_key: str
    cell: CellKey
    found: Seen | None
    receipt: Any
    conflict: Standing | None
    sis: PartGradeView | None

    @property
    def seen(self) -> Seen:
        """What Moodle has, if only nothing."""
        return self.found or Seen(
            self.cell[0], not self.cell[0].startswith("moodle:"), None, True, None, None
        )

    @property
    def base(self) -> int | None:
        """What both sides last agreed on."""
        return self.receipt.base if self.receipt is not None else None

    @property
    def agreed_at(self) -> dt.datetime | None:
        """When they did."""
        return self.receipt.agreed_at if self.receipt is not None else None

    @property
    def last_seen(self) -> int | None:
        """What Moodle had when it was last looked at."""
        return self.receipt.seen if self.receipt is not None else None

    @property
    def standing(self) -> int | None:
        """The SIS's grade."""
        return hundredths(self.sis.score) if self.sis is not None else None


class Judgement:
    """Judges grades one after the other, and collects what is to be stored for all of them.

    ``imports`` are to be entered in the SIS, and then to be told :meth:`imported` or
    :meth:`refuse`; ``resend`` and ``rebuild``: courses whose grades, or gradebook, must travel.
    """

    def __init__(
        self,
        site_id: int,
        people: Mapping[int, str],
        conflicts: OpenConflicts,
        *,
        now: dt.datetime,
        skew: float | None,
        restored_at: dt.datetime | None = None,
    ) -> None:
        self._site_id = site_id
        self._people = people
        self._conflicts = conflicts
        self._now = now
        self._skew = skew
        self._restored_at = restored_at
        self.receipts: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.moved: list[Moved] = []
        self.imports: list[Case] = []
        self.refused: list[tuple[Case, Reason]] = []
        self.resend: set[str] = set()
        self.rebuild: set[str] = set()

    def grader(self, case: Case) -> str:
        """Who graded in Moodle: a person's key, the account there, or Moodle itself."""
        by = case.seen.by
        if by is None or by <= 0:
            return "moodle"
        grader = self._people.get(by) or f"moodle:{by}"
        # A quiz that grades itself names the student who handed it in.
        return "moodle" if grader == case.cell[0] else grader

    def judge(self, case: Case, items: Mapping[str, Item] | None) -> bool:
        """Decide about one grade; false if what was read does not say enough to decide.

        ``items``: the items that the course has, by key, if that was asked.
        """
        if case.kind is ItemKind.TOTAL:
            self._judge_total(case)
            return True
        if case.found is None and (case.base is not None or case.last_seen is not None):
            if items is None:
                return False
            if case.cell[1] not in items:
                self._lost(case)
                return True
        case = _as_written(case, items or {})
        if not case.seen.number and self._conflicts.left_alone(case.cell):
            return True
        wrong = _wrong(case)
        if wrong is not None:
            self.refused.append((case, wrong))
            return True
        value = case.seen.value
        decision = decide(
            case.kind,
            _sis(case.sis),
            MoodleGrade(value, case.seen.at),
            case.base,
            self._skew,
            agreed_at=case.agreed_at if self._from_before(case) else None,
        )
        match decision.action:
            case Action.IMPORT:
                self.imports.append(case)
            case Action.CONFLICT:
                self._look(case)
                self._dispute(case, Reason(decision.why.value))
            case Action.SEND:
                self._send(case, decision.why)
            case Action.NONE if decision.why is Why.EQUAL:
                self._agree(case)
                self._close(case)
            case Action.NONE:
                self._look(case)
                self._close(case)
        return True

    def imported(self, case: Case, *, changed: bool) -> None:
        """The SIS has taken Moodle's grade."""
        self._agree(case)
        self._close(case)
        if changed:
            self._log(case, Movement.IMPORTED)

    def refuse(self, case: Case, reason: Reason) -> None:
        """The SIS does not take Moodle's grade: a person must put something right."""
        self._dispute(case, reason)

    def forget(self, course_key: str, receipts: Iterable[Any]) -> None:
        """The course is not in Moodle any more: nothing stands there."""
        for row in receipts:
            if row.seen is not None or row.base is not None:
                self._put((row.person_key, row.item_key), course_key, row.class_key)

    def _judge_total(self, case: Case) -> None:
        value = case.seen.value
        decision = decide(
            case.kind, SisGrade(case.receipt.sent), MoodleGrade(value), case.base, self._skew
        )
        if decision.action is Action.SEND:
            self._send(case, decision.why)
        else:
            self._agree(case)

    def _send(self, case: Case, why: Why) -> None:
        if case.seen.value != case.last_seen:
            self._look(case)
            self.resend.add(case.course_key)
            if why in _OVERRULED:
                self._log(case, Movement.REFUSED, why.value)
        if case.conflict is not None:
            # What is to be decided does not travel; now it may.
            self.resend.add(case.course_key)
            self._close(case)

    def _dispute(self, case: Case, reason: Reason) -> None:
        sis = case.sis
        news = self._conflicts.raise_(
            case.conflict,
            Dispute(
                course_key=case.course_key,
                class_key=case.class_key,
                person_key=case.cell[0],
                item_key=case.cell[1],
                reason=reason,
                sis_value=case.standing,
                sis_status=sis.status.value if sis is not None else None,
                sis_by=((sis.approved_by or sis.entered_by) if sis is not None else None),
                sis_at=((sis.graded_at or sis.updated_at) if sis is not None else None),
                moodle_value=case.seen.value,
                moodle_by=self.grader(case) if case.found is not None else None,
                moodle_at=case.seen.at,
            ),
        )
        if news:
            movement = Movement.REFUSED if reason.refusal else Movement.CONFLICT
            self._log(case, movement, reason.value)

    def _close(self, case: Case) -> None:
        if case.conflict is not None:
            self._conflicts.close(case.conflict)

    def _lost(self, case: Case) -> None:
        """The item was deleted in Moodle: it is made again, and what the SIS has is sent anew."""
        if case.receipt.seen is not None or case.receipt.base is not None:
            self._put(case.cell, case.course_key, case.class_key)
            self.rebuild.add(case.course_key)
            self.resend.add(case.course_key)
        self._close(case)

    def _agree(self, case: Case) -> None:
        """Both sides have the same."""
        value = case.seen.value
        known = case.agreed_at is not None and not self._from_before(case)
        if known and case.base == value == case.last_seen:
            return
        if case.receipt is not None or value is not None:
            self._put(
                case.cell,
                case.course_key,
                case.class_key,
                base=value,
                agreed_at=self._now,
                seen=value,
                seen_at=case.seen.at,
                seen_by=case.seen.by,
            )

    def _from_before(self, case: Case) -> bool:
        """Whether both sides agreed last before Moodle was restored from a backup."""
        return (
            self._restored_at is not None
            and case.agreed_at is not None
            and case.agreed_at < self._restored_at
        )

    def _look(self, case: Case) -> None:
        """What Moodle has is known; the two sides do not agree."""
        if case.seen.value != case.last_seen:
            self._put(
                case.cell,
                case.course_key,
                case.class_key,
                base=case.base,
                agreed_at=case.agreed_at,
                seen=case.seen.value,
                seen_at=case.seen.at,
                seen_by=case.seen.by,
            )

    def _put(
        self,
        cell: CellKey,
        course_key: str,
        class_key: str,
        *,
        base: int | None = None,
        agreed_at: dt.datetime | None = None,
        seen: int | None = None,
        seen_at: dt.datetime | None = None,
        seen_by: int | None = None,
    ) -> None:
        self.receipts[course_key, *cell] = {
            "site_id": self._site_id,
            "person_key": cell[0],
            "item_key": cell[1],
            "course_key": course_key,
            "class_key": class_key,
            "base": base,
            "agreed_at": agreed_at,
            "seen": seen,
            "seen_at": seen_at,
            "seen_by": seen_by,
        }

    def _log(self, case: Case, movement: Movement, code: str | None = None) -> None:
        total = case.kind is ItemKind.TOTAL
        self.moved.append(
            Moved(
                self._site_id,
                case.course_key,
                case.class_key,
                *case.cell,
                direction=Direction.FROM_MOODLE,
                movement=movement,
                before=case.receipt.sent if total else case.standing,
                after=case.seen.value,
                actor=self.grader(case),
                code=code,
            )
        )


def _as_written(case: Case, items: Mapping[str, Item]) -> Case:
    """What we wrote is no news, also where a scale has made it its nearest word."""
    item, found, base = items.get(case.cell[1]), case.found, case.base
    if item is None or found is None or base is None or item.stands(base) != found.value:
        return case
    return replace(case, found=replace(found, value=base))


def _wrong(case: Case) -> Reason | None:
    """Why no comparison is possible. What a person has decided to leave is not asked again."""
    seen = case.seen
    if not seen.number:
        return Reason.NO_NUMBER
    if seen.value is None or (case.receipt is not None and case.base == seen.value):
        return None
    if not 0 <= seen.value <= _WHOLE:
        return Reason.OUT_OF_RANGE
    return None if seen.known else Reason.UNKNOWN_PERSON


def _sis(grade: PartGradeView | None) -> SisGrade:
    if grade is None:
        return SisGrade()
    return SisGrade(
        value=hundredths(grade.score),
        text=(grade.letter or "") if grade.score is None else "",
        at=grade.graded_at or grade.updated_at,
        draft=grade.status is GradeStatus.DRAFT,
        locked=grade.status.locked,
        held=grade.held_by is not None,
    )
