"""``nagasis site``, run as its users run it; the contract's schemas in the plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lti_tool.cli.site import schema_files
from lti_tool.core.clock import SystemClock
from lti_tool.core.database import Base, Database
from lti_tool.moodle.messages import PairingRequest
from lti_tool.settings import load_settings
from lti_tool.wiring import build_services
from tests.moodle.moodle_site import MoodleServer, encoded, served

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "moodle_plugin/local_nagasis/contract/schema"


@pytest.fixture
def environment(
    tmp_path: Path, database_url: str, keys_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "PYTHONPATH": str(ROOT),
        "NAGASIS_DATABASE_URL": database_url,
        "NAGASIS_KEYS_DIR": str(keys_dir),
        "NAGASIS_PUBLIC_URL": "https://sis.example.edu",
        "NAGASIS_OUTBOUND_ALLOW_PRIVATE": "true",
        "NAGASIS_OUTBOUND_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    database.dispose()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lti_tool", "site", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def connect(moodle: MoodleServer) -> None:
    """Connect a Moodle, as its code would."""
    services = build_services(load_settings())
    request = PairingRequest.model_validate_json(encoded(moodle.pairing("s" * 32)))
    registration = services.paired_registrations.ensure(
        request.lti, name=request.name, former=None, actor="tests"
    )
    services.sites.keep(request, registration_id=registration.id, contract=1, actor="tests")
    services.database.dispose()


@pytest.mark.usefixtures("environment")
def test_a_code_stands_alone_on_its_line() -> None:
    done = run("code")
    assert done.returncode == 0
    assert done.stdout.startswith("naga1.")
    assert len(done.stdout.splitlines()) == 1
    assert "works once" in done.stderr


@pytest.mark.usefixtures("environment")
def test_a_site_is_listed_shown_checked_and_disconnected() -> None:
    with served(SystemClock()) as moodle:
        connect(moodle)
        assert "Campus Moodle" in run("list").stdout
        checked = run("check", "1")
        assert checked.returncode == 0, checked.stderr
        assert "✓ The tool reaches Moodle, and its token works." in checked.stdout
        shown = run("show", "1").stdout
        assert moodle.url in shown
        assert "4.5.6" in shown
        moodle.token = "other" * 8
        failed = run("check", "1")
        assert failed.returncode == 1
        assert "✕" in failed.stdout
        assert moodle.token not in failed.stdout + failed.stderr + shown
        assert run("disconnect", "1", "--yes").returncode == 0
        assert "disconnected" in run("show", "1").stdout


@pytest.mark.usefixtures("environment")
def test_the_schemas_of_the_plugin_are_current(tmp_path: Path) -> None:
    wanted = schema_files()
    assert {path.name: path.read_text() for path in SCHEMAS.iterdir()} == wanted, (
        "run: nagasis site schemas"
    )
    folder = tmp_path / "schema"
    assert run("schemas", "--folder", str(folder)).returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == wanted


@pytest.mark.usefixtures("environment")
def test_a_moodle_is_added_by_address_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = run("add")
    assert refused.returncode == 2
    assert "MOODLE_BASE_URL" in refused.stderr
    with served(SystemClock()) as moodle:
        monkeypatch.setenv("MOODLE_BASE_URL", moodle.url)
        monkeypatch.setenv("MOODLE_API_TOKEN", moodle.token)
        added = run("add")
        assert added.returncode == 0, added.stderr
        assert "Campus Moodle" in added.stdout
        assert "no events" in added.stdout
        assert "Nobody can open the tool" in added.stdout
        assert moodle.token not in added.stdout + added.stderr
        assert "active" in run("list").stdout
