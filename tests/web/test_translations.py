"""Every text is translated, and what is served is what was translated."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

_ROOT = Path(__file__).parents[2]
_KHMER = _ROOT / "lti_tool/web/translations/km/LC_MESSAGES/messages"


@pytest.fixture(scope="module")
def khmer() -> Catalog:
    with _KHMER.with_suffix(".po").open("rb") as file:
        return read_po(file, locale="km")


def test_every_text_of_the_pages_is_translated(khmer: Catalog, tmp_path: Path) -> None:
    template = tmp_path / "messages.pot"
    subprocess.run(
        [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", "-F", "babel.cfg",
         "-k", "_l", "-o", str(template), "."],
        cwd=_ROOT, check=True, timeout=100,
    )  # fmt: skip
    with template.open("rb") as file:
        found = [message for message in read_po(file) if message.id]
    # What services say when something fails is translated too, but this is about the pages.
    wanted = {
        message.id
        for message in found
        if any(file.startswith("lti_tool/web/") for file, _ in message.locations)
    }
    done = {message.id for message in khmer if message.id and all(_strings(message.string))}
    assert len(wanted) > 400
    assert wanted - done == set()
    assert done - {message.id for message in found} == set(), "these are no longer used"


def test_placeholders_survive_translation(khmer: Catalog) -> None:
    assert [(message.id, errors) for message, errors in khmer.check()] == []
    assert not any(message.fuzzy for message in khmer if message.id)


def test_what_is_served_is_what_was_translated(khmer: Catalog) -> None:
    compiled = BytesIO()
    write_mo(compiled, khmer)
    assert _KHMER.with_suffix(".mo").read_bytes() == compiled.getvalue(), (
        "run: pybabel compile -d lti_tool/web/translations"
    )


def _strings(string: object) -> list[str]:
    return [str(each) for each in (string if isinstance(string, list | tuple) else [string])]
