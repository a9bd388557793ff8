"""Language, dates and numbers: English and Khmer, from the launch or else from the browser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import flask_babel
from babel import Locale
from flask import Flask, g, request

LANGUAGES = ("en", "km")
_TRANSLATIONS = Path(__file__).parent / "translations"


def init_app(app: Flask) -> None:
    """Set up translation and the filters ``when``, ``score`` and ``share``."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Phnom_Penh")
    flask_babel.Babel(
        app,
        default_translation_directories=str(_TRANSLATIONS),
        locale_selector=select_locale,
    )
    app.jinja_env.globals["page_language"] = page_language
    app.jinja_env.filters.update(
        when=when, day=day, hour=hour, count=count, score=score, share=share
    )


def use_language(locale: str | None) -> None:
    """Prefer this locale for the rest of the request (``km``, ``km-KH``, ``en_US``)."""
    g.language = locale


def select_locale() -> str:
    """The launch's language if this tool speaks it, else the browser's best, else English."""
    wanted = [g.get("language") or "", *request.accept_languages.values()]
    # "km-KH", "km_KH" and "km" are one language here.
    found = (tag.replace("_", "-").split("-")[0].lower() for tag in wanted)
    return next((language for language in found if language in LANGUAGES), "en")


def page_language() -> str:
    """The ``lang`` of the page."""
    return str((flask_babel.get_locale() or Locale("en")).language)


def gettext(text: str, **variables: Any) -> str:
    """``text`` in the reader's language, with ``%(name)s`` filled in."""
    return str(flask_babel.gettext(text, **variables))


def ngettext(singular: str, plural: str, num: int, **variables: Any) -> str:
    """The form for ``num`` things in the reader's language; ``%(num)s`` is filled in."""
    return str(flask_babel.ngettext(singular, plural, num, **variables))


def lazy_gettext(text: str) -> Any:
    """As :func:`gettext`, but translated when it is shown; for constants."""
    return flask_babel.lazy_gettext(text)


def when(value: dt.datetime | None) -> str:
    """A date and time as people here write it; ``–`` for none."""
    return "–" if value is None else str(flask_babel.format_datetime(value, "medium"))


def day(value: dt.date) -> str:
    """A date."""
    return str(flask_babel.format_date(value, "medium"))


def hour(value: dt.time) -> str:
    """A time of a class: it is the school's own, so it is not converted."""
    moment = dt.datetime.combine(dt.date(2000, 1, 1), value)
    return str(flask_babel.format_time(moment, "short", rebase=False))


def count(value: int) -> str:
    """A whole number as people here write it."""
    return str(flask_babel.format_decimal(value))


def score(value: Decimal | None) -> str:
    """A score with no needless zeros; ``–`` for none, which is not 0."""
    if value is None:
        return "–"
    return str(flask_babel.format_decimal(value.quantize(Decimal("0.01"))))


def share(value: Decimal) -> str:
    """A weight between 0 and 1 as a percentage."""
    return str(flask_babel.format_percent(value, "#,##0.##%"))
