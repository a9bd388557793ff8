"""Language, dates and numbers: English and Khmer, from the launch or else from the browser."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

from babel import Locale, negotiate_locale
from flask import Flask, g, request
from flask_babel import Babel, format_datetime, format_decimal, format_percent, get_locale

LANGUAGES = ("en", "km")
_TRANSLATIONS = Path(__file__).parent / "translations"


def init_app(app: Flask) -> None:
    """Set up translation and the filters ``when``, ``score`` and ``share``."""
    app.config.setdefault("BABEL_DEFAULT_TIMEZONE", "Asia/Phnom_Penh")
    Babel(
        app,
        default_translation_directories=str(_TRANSLATIONS),
        locale_selector=select_locale,
    )
    app.jinja_env.globals["page_language"] = page_language
    app.jinja_env.filters.update(when=when, score=score, share=share)


def use_language(locale: str | None) -> None:
    """Prefer this locale for the rest of the request (``km``, ``km-KH``, ``en_US``)."""
    g.language = locale


def select_locale() -> str:
    """The launch's language if this tool speaks it, else the browser's best, else English."""
    wanted = g.get("language")
    if wanted:
        found = negotiate_locale([str(wanted).replace("-", "_"), str(wanted)[:2]], LANGUAGES)
        if found:
            return found
    return request.accept_languages.best_match(LANGUAGES) or "en"


def page_language() -> str:
    """The ``lang`` of the page."""
    return (get_locale() or Locale("en")).language


def when(value: dt.datetime | None) -> str:
    """A date and time as people here write it; ``–`` for none."""
    return "–" if value is None else format_datetime(value, "medium")


def score(value: Decimal | None) -> str:
    """A score with no needless zeros; ``–`` for none, which is not 0."""
    return "–" if value is None else format_decimal(value.quantize(Decimal("0.01")))


def share(value: Decimal) -> str:
    """A weight between 0 and 1 as a percentage."""
    return format_percent(value, "#,##0.##%")
