"""Settings: names, types, one clear line per wrong one."""

from __future__ import annotations

import pytest

from lti_tool.core.errors import ConfigurationError
from lti_tool.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))


def test_defaults_start_the_embedded_tool() -> None:
    settings = load_settings()
    assert settings.database_url.startswith("sqlite:///")
    assert not settings.moodle_sync_enabled


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MOODLE_BASE_URL", "https://moodle.example.edu/", "https://moodle.example.edu"),
        ("MOODLE_SYNC_ENABLED", "true", True),
        ("MOODLE_BATCH_SIZE", "7", 7),
        ("MOODLE_RETRY_ATTEMPTS", "5", 5),
        ("MOODLE_SYNC_INTERVAL", "60", 60),
        ("MOODLE_RATE_LIMIT", "10", 10),
        ("MOODLE_TIMEOUT", "2.5", 2.5),
    ],
)
def test_the_plan_s_names_work(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: object
) -> None:
    monkeypatch.setenv(name, value)
    assert getattr(load_settings(), name.lower()) == expected


def test_the_token_shows_in_no_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODLE_API_TOKEN", "very-secret")
    settings = load_settings()
    assert settings.moodle_api_token.get_secret_value() == "very-secret"
    assert "very-secret" not in repr(settings)


def test_one_line_per_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOODLE_BATCH_SIZE", "many")
    monkeypatch.setenv("NAGASIS_PUBLIC_URL", "https://sis.example.edu/tool")
    monkeypatch.setenv("NAGASIS_SESSION_HOURS", "-1")
    with pytest.raises(ConfigurationError) as raised:
        load_settings()
    lines = raised.value.detail.splitlines()
    assert sorted(line.split(":")[0] for line in lines) == [
        "MOODLE_BATCH_SIZE",
        "NAGASIS_PUBLIC_URL",
        "NAGASIS_SESSION_HOURS",
    ]


def test_plain_http_is_for_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAGASIS_PUBLIC_URL", "http://sis.example.edu")
    with pytest.raises(ConfigurationError, match="https"):
        load_settings()


def test_every_setting_is_documented() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
