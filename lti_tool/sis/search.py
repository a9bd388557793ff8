"""Text as people search for it: no case, no invisible characters, the same on every database.

SQLite's ``LIKE`` folds ASCII only and PostgreSQL's depends on its locale, so the folded text is
stored beside what it was made from, and a search folds its own text the same way.
"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

# Khmer is typed with zero-width spaces between words; two spellings of one name must meet.
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))


def fold(*parts: str | None) -> str:
    """Join ``parts`` and fold them: NFKC, case-folded, without zero-width characters."""
    text = " ".join(part for part in parts if part)
    folded = unicodedata.normalize("NFKC", text).translate(_INVISIBLE).casefold()
    return " ".join(folded.split())


def holds(column: InstrumentedAttribute[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a folded ``column`` holds ``text``; ``%`` and ``_`` are only characters."""
    return column.contains(fold(text), autoescape=True)
