"""``nagasis grades``, run as its users run it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.grades.log import Moved
from lti_tool.sync.grades.models import Direction, Movement
from tests.web.graded import Graded, graded_world

ROOT = Path(__file__).parents[2]


@dataclass
class Shell:
    """A command line of the tool that serves this world."""

    graded: Graded
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lti_tool", "grades", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )

    def good(self, *arguments: str) -> str:
        """What a command prints that does what it says."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def bad(self, *arguments: str) -> str:
        """What a command says that refuses: a message, never a trace."""
        done = self.run(*arguments)
        assert done.returncode in (1, 2), done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graded]:
    with graded_world(tmp_path_factory.mktemp("graded")) as built:
        yield built


@pytest.fixture
def shell(graded: Graded, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    monkeypatch.chdir(tmp_path)
    settings = graded.world.services.settings
    return Shell(
        graded,
        {
            "PATH": "",
            "PYTHONPATH": str(ROOT),
            # Tables as wide as they are.
            "COLUMNS": "300",
            "USER": "dean",
            "NAGASIS_DATABASE_URL": settings.database_url,
            "NAGASIS_KEYS_DIR": str(settings.keys_dir),
            "NAGASIS_PUBLIC_URL": settings.public_url,
            "NAGASIS_OUTBOUND_ALLOW_PRIVATE": "true",
            "NAGASIS_OUTBOUND_ALLOW_HTTP": "true",
        },
    )


def locked(graded: Graded, number: int) -> ConflictView:
    return graded.locked(graded.students()[number], graded.own_part(), "80", "90")


def test_what_waits_is_counted_listed_and_shown(shell: Shell) -> None:
    graded = shell.graded
    found = locked(graded, 0)
    status = shell.good("status")
    assert "to decide: 1 grades, of which 0 asked of a teacher" in status
    assert "1 locked" in status
    assert "sent" in status
    listed = shell.good("conflicts")
    assert found.student_id is not None
    assert found.student_id in listed
    assert "80.00" in listed
    assert "90.00" in listed
    assert found.student_id in shell.good("conflicts", "--class", found.class_key)
    for other in (["--reason", "withdrawn"], ["--asked"], ["--class", "?"]):
        assert found.student_id not in shell.good("conflicts", *other)
    shown = shell.good("show", str(found.id))
    assert found.person_name in shown
    assert "80.00 APPROVED" in shown
    assert "conflict" in shown
    assert "no such conflict" in shell.bad("show", "9999")
    shell.good("keep", str(found.id))


def test_a_question_then_a_decision(shell: Shell) -> None:
    graded = shell.graded
    found = locked(graded, 1)
    shell.good("ask", str(found.id), "--question", "Which one?")
    assert "asked" in shell.good("conflicts", "--asked")
    shell.good("keep", str(found.id), "--note", "The paper says so.")
    shown = shell.good("show", str(found.id))
    assert "kept" in shown
    assert "The paper says so." in shown
    assert "decided" in shell.bad("keep", str(found.id)).lower()
    graded.send()
    assert graded.moodle(found.person_key, graded.own_part()) == Decimal(80)


def test_moodle_s_grade_is_taken_with_a_reason(shell: Shell) -> None:
    found = locked(shell.graded, 2)
    assert "--reason" in shell.bad("take", str(found.id))
    shell.good("take", str(found.id), "--reason", "Added up wrongly.")
    grade = shell.graded.sis(found.person_key, shell.graded.own_part())
    assert grade is not None
    assert grade.score == Decimal(90)


def test_a_grade_is_held_and_lifted(shell: Shell) -> None:
    graded, part = shell.graded, shell.graded.own_part()
    person = graded.students()[3]
    assert "not a number" in shell.bad("hold", person, part.part_key, "six", "--reason", "x")
    assert "no such grade" in shell.bad("hold", person, "?", "--reason", "x")
    shell.good("hold", person, part.part_key, "61.5", "--reason", "The board.")
    grade = graded.sis(person, part)
    assert grade is not None
    assert grade.score == Decimal("61.50")
    assert (grade.held_by or "").startswith("cli:")
    shell.good("lift", person, part.part_key, "--reason", "Done.")
    assert "not held" in shell.bad("lift", person, part.part_key, "--reason", "Again.")


def test_grades_are_read_now(shell: Shell) -> None:
    graded = shell.graded
    assert "no such class" in shell.bad("pull", "--course", "?")
    said = shell.good("pull", "--course", graded.class_.class_key)
    number = int(said.split()[0])
    assert number > 0
    assert int(shell.good("pull").split()[0]) >= number


def test_the_log_for_people_and_for_spreadsheets(shell: Shell) -> None:
    graded = shell.graded
    person, class_key = graded.students()[4], graded.class_.class_key
    log = graded.world.services.grades.log
    with graded.world.services.database.writing() as connection:
        log.write(
            connection,
            [
                Moved(
                    graded.site.id, graded.course_key, class_key, person, "=cmd()",
                    Direction.TO_MOODLE, Movement.REFUSED, None, 5050, "+x", code="[bold]",
                )
            ],
        )  # fmt: skip
    printed = shell.good("log", person, class_key)
    assert "[bold]" in printed
    assert "50.50" in printed
    rows = list(csv.DictReader(io.StringIO(shell.good("log", person, class_key, "--csv"))))
    assert rows[-1]["item_key"] == "'=cmd()"
    assert rows[-1]["actor"] == "'+x"
    assert rows[-1]["after"] == "50.50"
    assert len(rows) > 1
    assert "Nothing has moved yet." in shell.good("log", "?", class_key)
