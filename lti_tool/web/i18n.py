"""Language, dates and numbers: English and Khmer, from the launch or else from the browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar

import flask_babel
from babel import Locale, dates, numbers
from babel.support import Translations
from flask import Flask, g, request
from markupsafe import Markup

Table = TypeVar("Table")

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
    app.jinja_env.globals.update(_=page_text, gettext=page_text, ngettext=page_texts)
    app.jinja_env.globals["page_language"] = page_language
    app.jinja_env.filters.update(
        when=when, day=day, hour=hour, count=count, score=score, share=share
    )


def per_language(build: Callable[[], Table]) -> Callable[[], Table]:
    """Keep what ``build`` returns, per language: tables of translated words are built once."""
    built: dict[str, Table] = {}

    @wraps(build)
    def table() -> Table:
        language = page_language()
        if language not in built:
            built[language] = build()
        return built[language]

    return table


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
    found: str | None = g.get("page_language")
    if found is None:
        found = g.page_language = str((flask_babel.get_locale() or Locale("en")).language)
    return found


def _translations() -> Translations:
    # Looked up once a request; the library does it, and its contexts, at every text.
    found: Translations | None = g.get("translations")
    if found is None:
        found = g.translations = flask_babel.get_translations()
    return found


class _Texts(dict[str, Markup]):
    """A language's texts as pages write them, each looked up once."""

    def __init__(self, translations: Translations) -> None:
        self._translations = translations

    def __missing__(self, text: str) -> Markup:
        found = self[text] = Markup(self._translations.ugettext(text))  # noqa: S704 - our own words
        return found


@per_language
def _texts() -> _Texts:
    return _Texts(_translations())


def page_text(text: str, **variables: Any) -> Markup:
    """``text`` of a template in the reader's language; what is filled in is escaped."""
    found = _texts()[text]
    return found % variables if variables else found


def page_texts(singular: str, plural: str, num: int, **variables: Any) -> Markup:
    """As :func:`page_text`, for ``num`` things."""
    found = Markup(_translations().ungettext(singular, plural, num))  # noqa: S704 - our own words
    return found % {"num": num, **variables}


def gettext(text: str, **variables: Any) -> str:
    """``text`` in the reader's language, with ``%(name)s`` filled in."""
    found = str(_translations().ugettext(text))
    return found % variables if variables else found


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
    return _day(value, page_language())


def hour(value: dt.time) -> str:
    """A time of a class: it is the school's own, so it is not converted."""
    return _hour(value, page_language())


def count(value: int) -> str:
    """A whole number as people here write it."""
    return _decimal(Decimal(value), page_language())


def score(value: Decimal | None) -> str:
    """A score with no needless zeros; ``–`` for none, which is not 0."""
    return "–" if value is None else _decimal(value.quantize(Decimal("0.01")), page_language())


def share(value: Decimal) -> str:
    """A weight between 0 and 1 as a percentage."""
    return _share(value, page_language())


# A page writes the same few values again and again, in one of two languages.
@lru_cache(4096)
def _day(value: dt.date, language: str) -> str:
    return dates.format_date(value, "medium", language)


@lru_cache(4096)
def _hour(value: dt.time, language: str) -> str:
    return dates.format_time(value, "short", locale=language)


@lru_cache(65536)
def _decimal(value: Decimal, language: str) -> str:
    return numbers.format_decimal(value, locale=language)


@lru_cache(4096)
def _share(value: Decimal, language: str) -> str:
    return numbers.format_percent(value, "#,##0.##%", locale=language)
