"""What may stand in a field: each kind reads text and says what is wrong with it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lti_tool.sis.oneroster.report import FieldError

Reader = Callable[[str, str], Any]

_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\".]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read. ``required``: the column must exist and its field must be filled."""

    name: str
    read: Reader
    required: bool = False


def text(limit: int = _LIMIT) -> Reader:
    """Any text up to ``limit`` characters; line breaks become spaces."""

    def read(name: str, value: str) -> str:
        joined = " ".join(value.split())
        if len(joined) > limit:
            raise FieldError(
                name, f"The text is longer than {limit} characters.", "Shorten it in the source."
            )
        return joined

    return read


def choice(*values: str) -> Reader:
    """One of a few words, exactly."""

    def read(name: str, value: str) -> str:
        if value not in values:
            raise FieldError(name, "The value is not one of those allowed.", _one_of(values))
        return value

    return read


def boolean(name: str, value: str) -> bool:
    """``true`` or ``false``."""
    if value.lower() not in ("true", "false"):
        raise FieldError(name, "The value is neither true nor false.", "Write true or false.")
    return value.lower() == "true"


def date(name: str, value: str) -> dt.date:
    """``YYYY-MM-DD``."""
    try:
        if len(value) != 10:
            raise ValueError
        return dt.date.fromisoformat(value)
    except ValueError:
        raise FieldError(name, "This is not a date.", "Write it as YYYY-MM-DD.") from None


def timestamp(name: str, value: str) -> dt.datetime:
    """ISO 8601 with a zone."""
    try:
        at = dt.datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise FieldError(
            name, "This is not a time with a zone.", "Write it as 2026-03-02T03:00:00.000Z."
        ) from None


def email(name: str, value: str) -> str:
    """One e-mail address."""
    if len(value) > _LIMIT or not _EMAIL.fullmatch(value):
        raise FieldError(
            name, "This is not an e-mail address.", "Correct it, or leave the field empty."
        )
    return value


def keys(name: str, value: str) -> tuple[str, ...]:
    """Identifiers, joined by commas."""
    found = tuple(key.strip() for key in value.split(",") if key.strip())
    if not found or any(len(key) > _LIMIT for key in found):
        raise FieldError(
            name, "The list of identifiers is empty or too long.", "Name at least one."
        )
    return found


def number(minimum: int, maximum: int) -> Reader:
    """A decimal number within bounds."""

    def read(name: str, value: str) -> Decimal:
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or not minimum <= found <= maximum:
            raise FieldError(
                name,
                f"This is not a number from {minimum} to {maximum}.",
                "Use digits and a decimal point.",
            )
        return found

    return read


@dataclass(frozen=True, slots=True)
class PartSpec:
    """One entry of ``metadata.naga.parts``."""

    session: int
    code: int
    name: str
    kind: str
    weight: Decimal
    key: str | None
    teacher: str | None
    room: str | None
    days: str
    start: dt.time | None
    end: dt.time | None


def parts(name: str, value: str) -> tuple[PartSpec, ...]:
    """A JSON list of parts, as described in docs/oneroster.md."""
    remedy = "Write a JSON list of objects as docs/oneroster.md shows."
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        raise FieldError(name, "This is not JSON.", remedy) from None
    if not isinstance(items, list) or not items or not all(isinstance(i, dict) for i in items):
        raise FieldError(name, "This is not a list of parts.", remedy)
    try:
        found = tuple(_part(item, place) for place, item in enumerate(items, start=1))
    except (ValueError, TypeError, InvalidOperation, ArithmeticError) as error:
        raise FieldError(name, f"A part is not valid: {_plain(error)}.", remedy) from None
    if len({(part.session, part.code) for part in found}) < len(found):
        raise FieldError(name, "Two parts have the same session and code.", "Number them anew.")
    return found


def _part(item: dict[str, Any], place: int) -> PartSpec:
    session, code = int(item.get("session", 1)), int(item.get("code", place))
    if not 1 <= session <= 5 or not 1 <= code <= 99:
        raise ValueError("session must be 1–5 and code 1–99")
    weight = Decimal(str(item.get("weight", 1)))
    if not weight.is_finite() or not 0 <= weight <= 100:
        raise ValueError("weight must be 0–100")
    days = str(item.get("days") or "").replace(" ", "").upper()
    if days and not set(days.split(",")) <= set(_DAYS):
        raise ValueError("days must be of " + ", ".join(_DAYS))
    return PartSpec(
        session=session,
        code=code,
        name=_short(item, "name", 255) or "",
        kind=_short(item, "type", 30) or "MAIN",
        weight=weight.quantize(Decimal("0.001")),
        key=_short(item, "id", 255),
        teacher=_short(item, "teacher", 255),
        room=_short(item, "room", 100),
        days=days,
        start=_time(item.get("start")),
        end=_time(item.get("end")),
    )


def _short(item: dict[str, Any], name: str, limit: int) -> str | None:
    value = " ".join(str(item.get(name) or "").split())
    if len(value) > limit or not clean(value):
        raise ValueError(f"{name} is too long or not readable")
    return value or None


def _time(value: Any) -> dt.time | None:
    if not value:
        return None
    found = dt.time.fromisoformat(str(value))
    if found.tzinfo is not None:
        raise ValueError("times are local, without a zone")
    return found


def _plain(error: Exception) -> str:
    text_ = str(error)
    return text_ if isinstance(error, ValueError) and "must" in text_ else "a value is not readable"


def _one_of(values: tuple[str, ...]) -> str:
    return "Use one of " + ", ".join(values) + "."


def clean(value: str) -> bool:
    """Whether text holds no control characters and is valid Unicode."""
    if _CONTROL.search(value):
        return False
    # What was not UTF-8 was read as lone surrogates.
    return not any("\ud800" <= character <= "\udfff" for character in value)
