"""``nagasis keycloak`` without a Keycloak: a client that was made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lti_tool.cli import nagasis
from lti_tool.cli.session import open_services
from lti_tool.core.errors import InvalidInputError, NotFoundError

MOODLE = "https://moodle.example.edu"
ASKED = ["keycloak", "moodle-client", MOODLE, "--client-id", "m", "--issuer"]


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    (tmp_path / "keys").mkdir()
    for name, value in {
        "PUBLIC_URL": "http://localhost:8700",
        "DATABASE_URL": f"sqlite:///{tmp_path}/naga.db",
        "KEYS_DIR": str(tmp_path / "keys"),
        "OIDC_PERSON_CLAIM": "sis_key",
    }.items():
        monkeypatch.setenv(f"NAGASIS_{name}", value)
    runner = CliRunner()
    assert runner.invoke(nagasis, ["init"]).exit_code == 0
    return runner


def test_a_client_made_by_hand_is_kept_for_its_moodle(runner: CliRunner) -> None:
    done = runner.invoke(nagasis, [*ASKED, "https://login.example.edu/"], input="s3cret\n")
    assert done.exit_code == 0, done.output
    assert "Kept." in done.output
    assert "s3cret" not in done.output
    services = open_services()
    found = services.sign_in_clients.of(MOODLE)
    services.database.dispose()
    assert found is not None
    assert found.issuer == "https://login.example.edu"
    assert (found.client_secret, found.person_claim) == ("s3cret", "sis_key")
    again = runner.invoke(nagasis, [*ASKED, "https://login.example.edu"], input="s3cret\n")
    assert "Nothing is new." in again.output


def test_without_a_secret_nothing_is_kept(runner: CliRunner) -> None:
    done = runner.invoke(nagasis, [*ASKED, "https://login.example.edu"], input="")
    assert isinstance(done.exception, InvalidInputError)
    renewed = runner.invoke(nagasis, ["keycloak", "rotate-secret", MOODLE])
    assert isinstance(renewed.exception, NotFoundError)


def test_only_keycloak_makes_another_secret(runner: CliRunner) -> None:
    runner.invoke(nagasis, [*ASKED, "https://login.example.edu"], input="s3cret\n")
    renewed = runner.invoke(nagasis, ["keycloak", "rotate-secret", MOODLE, "--password", "x"])
    assert isinstance(renewed.exception, InvalidInputError)
    assert "is no Keycloak" in str(renewed.exception)
