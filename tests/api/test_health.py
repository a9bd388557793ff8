"""Liveness and readiness."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from lti_tool import create_app, migrations
from lti_tool.settings import Settings
from lti_tool.wiring import Services


@pytest.fixture
def app(tmp_path: Path, keys_dir: Path, database_url: str) -> Iterator[Flask]:
    app = create_app(
        Settings(
            database_url=database_url,
            keys_dir=keys_dir,
            public_url="https://sis.example.edu",
            broker_dir=tmp_path / "broker",
            log_level="ERROR",
        )
    )
    yield app
    app.extensions["naga"].database.dispose()


def _database(app: Flask) -> Services:
    services = app.extensions["naga"]
    assert isinstance(services, Services)
    return services


def test_alive_needs_no_database(app: Flask) -> None:
    assert app.test_client().get("/healthz").json == {"status": "ok"}


def test_not_ready_without_tables(app: Flask) -> None:
    response = app.test_client().get("/readyz")
    assert response.status_code == 503


def test_not_ready_with_older_tables(app: Flask) -> None:
    database = _database(app).database
    migrations.upgrade(database)
    migrations.downgrade(database, "base")
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert "database upgrade" in response.get_data(as_text=True)


def test_ready(app: Flask) -> None:
    migrations.upgrade(_database(app).database)
    assert app.test_client().get("/readyz").json == {"status": "ok", "database": "ok"}
