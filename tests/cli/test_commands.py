"""The command line, run as its users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def nagasis(tmp_path: Path, database_url: str) -> Run:
    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "lti_tool", *arguments],
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONPATH": str(Path(__file__).parents[2]),
                "NAGASIS_DATABASE_URL": database_url,
                "NAGASIS_KEYS_DIR": str(tmp_path / "keys"),
                "NAGASIS_PUBLIC_URL": "https://sis.example.edu",
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def ready(nagasis: Run) -> Run:
    done = nagasis("init")
    assert done.returncode == 0, done.stderr
    return nagasis


def test_init_can_be_repeated(ready: Run) -> None:
    assert ready("init").returncode == 0


def test_a_wrong_setting_stops_the_start_with_one_line(nagasis: Run) -> None:
    done = nagasis("init", MOODLE_BATCH_SIZE="many")
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("nagasis: MOODLE_BATCH_SIZE: Input should be a valid integer")


def test_a_missing_key_names_the_remedy(nagasis: Run, tmp_path: Path) -> None:
    done = nagasis(
        "registration", "list", NAGASIS_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/x"
    )
    assert done.returncode == 2
    assert "nagasis init" in done.stderr


def test_a_registration_is_added_listed_shown_disabled_and_approved(ready: Run) -> None:
    added = ready(
        "registration",
        "add",
        "--name=Campus Moodle",
        "--issuer=https://moodle.example.edu",
        "--client-id=abc",
        "--deployment-id=7",
    )
    assert added.returncode == 0, added.stderr
    assert "Campus Moodle" in ready("registration", "list").stdout
    shown = ready("registration", "show", "1").stdout
    assert "https://moodle.example.edu/mod/lti/auth.php" in shown
    assert "https://sis.example.edu/lti/login" in shown
    assert ready("registration", "disable", "1").returncode == 0
    assert "disabled" in ready("registration", "show", "1").stdout
    assert ready("registration", "approve", "1").returncode == 0
    assert ready("database", "verify-audit").returncode == 0


def test_the_same_registration_twice_is_refused(ready: Run) -> None:
    arguments = ("registration", "add", "--name=M", "--issuer=https://m.example.edu")
    assert ready(*arguments, "--client-id=abc").returncode == 0
    again = ready(*arguments, "--client-id=abc")
    assert again.returncode == 2
    assert again.stderr.startswith("nagasis: ")


def test_an_unknown_registration_is_named(ready: Run) -> None:
    assert ready("registration", "show", "99").returncode == 2


def test_rotation_keeps_the_former_key_published(ready: Run) -> None:
    before = set(ready("keys", "rotate").stdout.split())
    after = set(ready("keys", "rotate", "--now").stdout.split())
    assert before <= after
    assert len(after) > len(before)


def test_a_sign_in_link_and_an_invitation_are_addresses_of_the_tool(ready: Run) -> None:
    link = ready("admin", "sign-in-link").stdout.strip()
    assert link.startswith("https://sis.example.edu/admin/sign-in/")
    invite = ready("registration", "invite").stdout.strip()
    assert invite.startswith("https://sis.example.edu/lti/register?")


def test_the_tables_go_back_and_forth(ready: Run) -> None:
    assert ready("database", "downgrade", "base").returncode == 0
    assert ready("database", "upgrade").returncode == 0


def test_settings_lists_them_all(nagasis: Run) -> None:
    assert "MOODLE_BASE_URL" in nagasis("settings").stdout
