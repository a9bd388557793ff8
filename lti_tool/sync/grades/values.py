"""Grades as the contract speaks of them: whose they are, and scores in hundredths of a percent,
whole numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

# Whose grade: a person's key and an item's.
CellKey = tuple[str, str]

_HUNDREDTH = Decimal("0.01")
_WHOLE = Decimal(1)


def hundredths(score: Decimal | None) -> int | None:
    """A score of 0 to 100, or no grade, as hundredths of a percent; rounded half up."""
    return None if score is None else int((score * 100).quantize(_WHOLE, ROUND_HALF_UP))


def score(value: int | None) -> Decimal | None:
    """Hundredths of a percent as a score of 0 to 100, 2 decimals."""
    return None if value is None else (Decimal(value) / 100).quantize(_HUNDREDTH)


def percent(share: Decimal) -> int:
    """A share of 1, as a weight, in hundredths of a percent; rounded half up."""
    return int((share * 10_000).quantize(_WHOLE, ROUND_HALF_UP))
