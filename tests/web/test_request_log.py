"""Request ids: in the answer, in the log, and nothing secret beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask

from lti_tool import create_app
from lti_tool.settings import Settings


@pytest.fixture
def app(tmp_path: Path, keys_dir: Path, database_url: str) -> Iterator[Flask]:
    app = create_app(
        Settings(
            database_url=database_url,
            keys_dir=keys_dir,
            public_url="https://sis.example.edu",
            broker_dir=tmp_path / "broker",
        )
    )
    yield app
    app.extensions["naga"].database.dispose()


def test_a_request_has_an_id_in_answer_and_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    response = app.test_client().get("/nowhere")
    request_id = response.headers["X-Request-ID"]
    records = [record for record in caplog.records if record.name.endswith("request_log")]
    lines = [cast(dict[str, Any], record.msg) for record in records]
    assert [(line["request_id"], line["status"]) for line in lines] == [(request_id, 404)]


@pytest.mark.parametrize(("given", "kept"), [("from-the-proxy-1", True), ("x\x7f<script>", False)])
def test_a_proxy_s_id_is_kept_if_it_is_one(app: Flask, given: str, kept: bool) -> None:
    response = app.test_client().get("/healthz", headers={"X-Request-ID": given})
    assert (response.headers["X-Request-ID"] == given) is kept


def test_no_token_of_an_address_is_logged(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    app.test_client().get("/admin/sign-in/very-secret-token", base_url="https://sis.example.edu")
    assert caplog.records
    assert all("very-secret-token" not in str(record.msg) for record in caplog.records)
