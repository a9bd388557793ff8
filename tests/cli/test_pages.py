"""Documentation that is written from the code is as the code is."""

from __future__ import annotations

from pathlib import Path

from lti_tool.cli.errors import error_codes, errors_page
from lti_tool.cli.settings import settings_page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_settings_page_is_current() -> None:
    assert (DOCS / "settings.md").read_text() == settings_page(), (
        "run: nagasis settings --markdown >docs/settings.md"
    )


def test_the_errors_page_is_current() -> None:
    assert (DOCS / "errors.md").read_text() == errors_page(), (
        "run: nagasis errors --markdown >docs/errors.md"
    )


def test_every_error_says_what_it_means() -> None:
    assert [code for code, (_, meaning, _) in error_codes().items() if not meaning] == []
