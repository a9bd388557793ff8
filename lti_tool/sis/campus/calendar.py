"""The campus's terms: four kinds, four a year each, three to five running at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lti_tool.sis.models import Cycle, TermType

# Month and day of the four starts, days of a term (None: until the next one starts, so that on any
# day some class is under way), cycle, and how the term's code ends.
_KINDS: dict[TermType, tuple[tuple[tuple[int, int], ...], int | None, Cycle, str, str]] = {
    TermType.ENG_A: (((1, 6), (4, 1), (7, 1), (10, 1)), None, Cycle.LANG, "E", "AE"),
    TermType.ENG_B: (((2, 3), (5, 5), (8, 4), (11, 3)), 85, Cycle.LANG, "E", "BE"),
    TermType.BA: (((1, 20), (4, 21), (7, 21), (10, 20)), 95, Cycle.BA, "B", ""),
    TermType.MA: (((1, 13), (4, 14), (7, 14), (10, 13)), 96, Cycle.MASTERS, "M", ""),
}


@dataclass(frozen=True, slots=True)
class CampusTerm:
    """A term of the campus; both dates are inclusive."""

    code: str
    kind: TermType
    cycle: Cycle
    start: dt.date
    end: dt.date

    def runs(self, day: dt.date) -> bool:
        """Whether ``day`` lies within the term."""
        return self.start <= day <= self.end


def terms_of_year(year: int) -> list[CampusTerm]:
    """The 16 terms that start in ``year``, in the order of their start."""
    terms: list[CampusTerm] = []
    for kind, (starts, days, cycle, letter, ending) in _KINDS.items():
        opening = [dt.date(year, month, day) for month, day in starts]
        following = [*opening[1:], opening[0].replace(year=year + 1)]
        for number, (start, after) in enumerate(zip(opening, following, strict=True), start=1):
            length = dt.timedelta(days=days) if days else after - start - dt.timedelta(days=1)
            code = f"{start:%y%m%d}{letter}-T{number}{ending}"
            terms.append(CampusTerm(code, kind, cycle, start, start + length))
    return sorted(terms, key=lambda term: (term.start, term.code))


def terms_around(day: dt.date) -> list[CampusTerm]:
    """The terms of the year of ``day`` and of the year before it."""
    return terms_of_year(day.year - 1) + terms_of_year(day.year)
