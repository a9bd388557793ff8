"""The SIS's rules, pure: weights, totals, letters, and the life of a grade.

Scores are percentages, ``Decimal`` 0–100. Zero is a grade; ``None`` is not. Every score is
quantised to 2 decimals, half up, before a letter is looked up, so that none falls between two rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from lti_tool.core.errors import ConflictError, InvalidInputError
from lti_tool.sis.entities import GradeStatus

CENT = Decimal("0.01")
_SHARE = Decimal("0.0001")
_MAXIMUM = Decimal(100)

#: Letters that stand alone: no percentage, no points.
SPECIAL_LETTERS = frozenset({"I", "IP", "P", "W", "AU", "CR", "NC"})

#: Those of them that a person decides; W and AU follow from the enrolment.
DECIDED_LETTERS = frozenset({"I", "IP", "P", "CR", "NC"})

_REASON_LENGTH = 500

_ORDER = tuple(GradeStatus)


class GradeLockedError(ConflictError):
    """The grade is approved or finalised; only a correction with a reason changes it."""

    code = "grade_locked"
    title = "This grade is locked"


class GradeHeldError(ConflictError):
    """The registrar holds the grade; it changes by a correction, or when it is held no longer."""

    code = "grade_held"
    title = "The registrar holds this grade"


class GradeRefusedError(ConflictError):
    """This student can have no grade there; ``reason`` in the context says why."""

    code = "grade_refused"
    title = "The SIS does not take this grade"


class GradeStepError(ConflictError):
    """The grade is not in the status that this step starts from."""

    code = "grade_step"
    title = "This step is not open to this grade"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One letter of a scale; both bounds are inclusive."""

    letter: str
    minimum: Decimal
    maximum: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True)
class Scale:
    """A conversion table and whose it is."""

    code: str
    name: str
    cycles: tuple[str, ...]
    course_prefixes: tuple[str, ...]
    conversions: tuple[Conversion, ...]

    def convert(self, score: Decimal) -> Conversion:
        """The row that holds ``score`` (2 decimals, half up, first)."""
        exact = quantised(score)
        for row in self.conversions:
            if row.minimum <= exact <= row.maximum:
                return row
        raise InvalidInputError(
            f"The scale {self.code} has no letter for {exact}.",
            field="score",
            remedy="Close the gap in the scale.",
        )

    def midpoint(self, letter: str) -> Decimal:
        """The score of a grade that was entered as a letter alone: the middle of its range."""
        for row in self.conversions:
            if row.letter == letter:
                return quantised((row.minimum + row.maximum) / 2)
        raise InvalidInputError(
            f"The scale {self.code} has no letter {letter}.",
            field="letter",
            remedy="Use one of " + ", ".join(row.letter for row in self.conversions) + ".",
        )


@dataclass(frozen=True, slots=True)
class Total:
    """A total: score, letter and points, all ``None`` when nothing counts yet."""

    score: Decimal | None = None
    letter: str | None = None
    points: Decimal | None = None


def choose_scale(scales: Sequence[Scale], *, cycle: str, course_code: str) -> Scale:
    """The scale for a course: the longest matching prefix, else its cycle's, else the first."""
    by_prefix = [
        (len(prefix), scale)
        for scale in scales
        for prefix in scale.course_prefixes
        if course_code.upper().startswith(prefix)
    ]
    if by_prefix:
        return max(by_prefix, key=lambda pair: pair[0])[1]
    return next((scale for scale in scales if cycle in scale.cycles), scales[0])


def session_count(course_code: str) -> int:
    """How many sessions a class of this course has: two for IEAP, else one."""
    return 2 if course_code.upper().startswith("IEAP") else 1


def session_weights(course_code: str) -> tuple[Decimal, ...]:
    """The weights of a class's sessions: 0.5 and 0.5 for IEAP, else 1."""
    count = session_count(course_code)
    return (Decimal(1) / count,) * count


def quantised(score: Decimal) -> Decimal:
    """Two decimals, half up."""
    return score.quantize(CENT, ROUND_HALF_UP)


def checked_score(score: Decimal | None) -> Decimal | None:
    """A score as it is stored; raises :class:`InvalidInputError` unless 0–100 or ``None``."""
    if score is None:
        return None
    if not score.is_finite() or not 0 <= score <= _MAXIMUM:
        raise InvalidInputError(
            f"A score is a number from 0 to 100, not {score}.",
            field="score",
            remedy="Enter a percentage, or leave it empty for no grade.",
        )
    return quantised(score)


def checked_reason(reason: str) -> str:
    """A reason as it is stored; raises :class:`InvalidInputError` if there is none."""
    reason = reason.strip()
    if not reason or len(reason) > _REASON_LENGTH:
        raise InvalidInputError(
            f"This needs a reason, of at most {_REASON_LENGTH} characters.",
            field="reason",
            remedy="Say in a sentence why.",
        )
    return reason


def checked_special(letter: str) -> str:
    """A letter that a person may decide; raises :class:`InvalidInputError`."""
    letter = letter.strip().upper()
    if letter not in DECIDED_LETTERS:
        raise InvalidInputError(
            f"{letter or 'Nothing'} is no letter that stands for a final grade.",
            field="letter",
            remedy="Use one of "
            + ", ".join(sorted(DECIDED_LETTERS))
            + ". W and AU follow from the enrolment.",
        )
    return letter


def normalised(weights: Sequence[Decimal], *, whole: Decimal = Decimal(1)) -> tuple[Decimal, ...]:
    """The same proportions, 4 decimals, summing to exactly ``whole``; all zero means equal shares.

    For showing. Totals are computed from the weights as they were entered: these are rounded.
    """
    if not weights:
        return ()
    total = sum(weights, Decimal(0))
    raw = list(weights) if total > 0 else [Decimal(1)] * len(weights)
    total = sum(raw, Decimal(0))
    shares = [(whole * weight / total).quantize(_SHARE, ROUND_HALF_UP) for weight in raw]
    # What rounding lost goes to the heaviest, where it is least felt.
    heaviest = max(range(len(shares)), key=lambda index: raw[index])
    shares[heaviest] += whole - sum(shares, Decimal(0))
    return tuple(shares)


def weighted_mean(pairs: Iterable[tuple[Decimal | None, Decimal]]) -> Decimal | None:
    """Σ(score·weight)/Σweight over what is present, 2 decimals half up; ``None`` if nothing is.

    Independent of the weights' scale. If all that is present weighs nothing, it counts equally.
    """
    present = [(score, weight) for score, weight in pairs if score is not None]
    if not present:
        return None
    total = sum((weight for _, weight in present), Decimal(0))
    if total <= 0:
        present = [(score, Decimal(1)) for score, _ in present]
        total = Decimal(len(present))
    return quantised(sum((score * weight for score, weight in present), Decimal(0)) / total)


def session_score(
    weights: Mapping[int, Decimal], grades: Mapping[int, tuple[Decimal | None, GradeStatus]]
) -> Decimal | None:
    """A session's total over its submitted part grades; both mappings are by part."""
    return weighted_mean(
        (grades[part][0], weight)
        for part, weight in weights.items()
        if part in grades and counts(grades[part][1])
    )


def graded(scale: Scale, score: Decimal | None) -> Total:
    """A total with the letter and points of its scale."""
    if score is None:
        return Total()
    row = scale.convert(score)
    return Total(quantised(score), row.letter, row.points)


def counts(status: GradeStatus) -> bool:
    """Whether a grade in this status counts towards totals and is shown to its student."""
    return status is not GradeStatus.DRAFT


def next_status(status: GradeStatus) -> GradeStatus | None:
    """The status that follows, or ``None`` at the end."""
    position = _ORDER.index(status) + 1
    return _ORDER[position] if position < len(_ORDER) else None


def previous_status(status: GradeStatus) -> GradeStatus | None:
    """The status that a step to ``status`` starts from; ``None`` for the first."""
    position = _ORDER.index(status)
    return _ORDER[position - 1] if position else None


def check_step(status: GradeStatus, to: GradeStatus) -> None:
    """Raise :class:`GradeStepError` unless ``to`` is the next status."""
    if next_status(status) is not to:
        raise GradeStepError(
            f"A grade goes from {status} to {next_status(status) or 'nothing'}, not to {to}.",
            field="status",
            remedy="Take the steps in order: submit, approve, finalise.",
        )


def check_change(status: GradeStatus) -> None:
    """Raise :class:`GradeLockedError` unless a grade in this status may be entered over."""
    if status.locked:
        raise GradeLockedError(
            f"This grade is {status} and locked.",
            field="status",
            remedy="Make a correction, and give its reason.",
        )


def check_free(held_by: str | None) -> None:
    """Raise :class:`GradeHeldError` if the registrar holds the grade."""
    if held_by is not None:
        raise GradeHeldError(
            "The registrar holds this grade.",
            remedy="Ask the registrar to lift that, or to correct the grade.",
        )


def final_status(statuses: Iterable[GradeStatus], *, complete: bool) -> GradeStatus:
    """The status of a final grade: the least of what counts, at most SUBMITTED while incomplete."""
    least = min(statuses, key=_ORDER.index, default=GradeStatus.DRAFT)
    if not complete:
        return min(least, GradeStatus.SUBMITTED, key=_ORDER.index)
    return least
