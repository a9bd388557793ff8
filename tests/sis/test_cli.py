"""``nagasis campus generate``, ``nagasis sis import`` and ``nagasis sis grade``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from lti_tool.cli.sis import campus, sis
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.settings import load_settings
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import GradeStatus


def _with_settings(services: SimpleNamespace) -> SimpleNamespace:
    services.settings = load_settings()
    return services


@pytest.fixture
def run(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Any:
    """Runs a command on the test's database."""
    monkeypatch.chdir(tmp_path)
    services = SimpleNamespace(database=database, clock=clock)
    # The package's own ``sis`` is the group of commands, not this module.
    for module in ("sis", "grade_steps"):
        # The settings as the environment has them when a command runs.
        monkeypatch.setattr(
            import_module(f"lti_tool.cli.{module}"),
            "open_services",
            lambda: _with_settings(services),
        )
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(group: Any, *arguments: str) -> Any:
        return CliRunner().invoke(group, [str(one) for one in arguments])

    return invoke


def test_campus(run: Any) -> None:
    done = run(campus, "generate", "--size", "50", "--around", "2026-03-02")
    assert done.exit_code == 0, done.output
    assert "class header" in done.output
    assert "2026-03-02" in done.output


def test_import_of_a_good_package(run: Any, package: Any) -> None:
    done = run(sis, "import", package.write())
    assert done.exit_code == 0, done.output
    assert "enrollments" in done.output


def test_limits_of_removals_are_settings(
    run: Any, package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(sis, "import", package.write()).exit_code == 0
    package["enrollments"].pop()
    package["enrollments"].pop()
    assert "wait for --accept-removals" in run(sis, "import", package.write(), "--plan").output
    monkeypatch.setenv("NAGASIS_IMPORT_REMOVAL_SHARE", "0.5")
    assert "wait for" not in run(sis, "import", package.write(), "--plan").output
    monkeypatch.setenv("NAGASIS_IMPORT_REMOVAL_COUNT", "1")
    assert "wait for --accept-removals" in run(sis, "import", package.write(), "--plan").output


def test_import_with_a_bad_row(run: Any, package: Any) -> None:
    package["users"][0]["email"] = "[bold]nonsense"
    done = run(sis, "import", package.write(), "--plan")
    assert done.exit_code == 1
    assert "This is not an e-mail address." in done.output
    assert "nonsense" not in done.output
    assert "nothing was changed" in done.output


def test_grade(run: Any, database: Database, clock: FixedClock) -> None:
    run(campus, "generate")
    store = EmbeddedSis(database, clock)
    example = store.example_class()
    assert example is not None
    draft = example.parts[2].part_key
    assert run(sis, "grade", "submit", draft).exit_code == 0
    assert {grade.status for grade in store.part_grades(example.class_key, [draft])} == {
        GradeStatus.SUBMITTED
    }
    assert isinstance(run(sis, "grade", "submit", draft).exception, InvalidInputError)


def test_special_grade_and_exemption(
    run: Any, package: Any, database: Database, clock: FixedClock
) -> None:
    package["classes"][1]["metadata.naga.parts"] = '[{"session":1,"code":1},{"session":2,"code":1}]'
    package["enrollments"][0]["classSourcedId"] = "K2"
    assert run(sis, "import", package.write()).exit_code == 0
    store = EmbeddedSis(database, clock)
    done = run(sis, "grade", "special", "K2", "P1", "I", "--reason", "Ill.")
    assert done.exit_code == 0, done.output
    final = store.student_grades("P1", "K2").final
    assert final is not None
    assert final.letter == "I"
    cleared = run(sis, "grade", "special", "K2", "P1", "--clear", "--reason", "Well again.")
    assert cleared.exit_code == 0, cleared.output
    assert run(sis, "grade", "exempt", "K2", "P1", "1", "--reason", "Passed.").exit_code == 0
    shown = run(sis, "grade", "decisions", "K2", "P1").output
    assert all(word in shown for word in ("special set", "Well again.", "exempted", "Passed."))
    revoked = run(sis, "grade", "exempt", "K2", "P1", "1", "--revoke", "--reason", "No.")
    assert revoked.exit_code == 0
    assert run(sis, "grade", "special", "K2", "P1", "I").exit_code == 2
