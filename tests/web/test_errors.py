"""Errors: plain words and a reference for people, problem documents for programs, no traces."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lti_tool.core.errors import ConflictError, NagaError, OutboundError
from lti_tool.lti.errors import REASONS, LaunchError
from lti_tool.web import errors, reasons
from tests.web.world import EVIL, Page, World


@pytest.fixture
def handled(world: World) -> Iterator[Flask]:
    with world.app.test_request_context("/x", headers={"Accept": "text/html"}):
        yield world.app


def test_an_error_says_what_is_wrong_what_to_do_and_its_reference(handled: Flask) -> None:
    error = OutboundError("Moodle is asleep.", remedy="Wake it.")
    response = errors.on_naga_error(error)
    page = response.get_data(as_text=True)
    assert response.status_code == 502
    for words in ("Another system did not answer", "Moodle is asleep.", "Wake it."):
        assert words in page
    assert 'data-copy="reference"' in page


def test_what_an_error_says_is_escaped(handled: Flask) -> None:
    page = errors.on_naga_error(ConflictError(EVIL, remedy=EVIL)).get_data(as_text=True)
    assert EVIL not in page


@pytest.mark.parametrize("code", REASONS)
def test_every_reason_of_a_launch_is_explained_in_khmer(world: World, code: str) -> None:
    error = LaunchError(code)
    error.reference = "ABCDEFGH2345"
    with world.app.test_request_context("/x", headers={"Accept-Language": "km"}):
        told = reasons.explain(code)
        page = errors.on_naga_error(error).get_data(as_text=True)
    assert told.detail != REASONS[code].detail
    assert told.remedy != REASONS[code].remedy
    assert "ABCDEFGH2345" in page
    assert Page(page).lang == "km"


def test_a_bug_is_logged_under_its_reference_and_not_shown(world: World) -> None:
    world.app.testing = False
    with world.app.test_request_context("/x"):
        response = errors.on_unexpected(ValueError("secret inside"))
    page = response.get_data(as_text=True)
    assert response.status_code == 500
    assert "secret inside" not in page
    assert "Traceback" not in page
    assert 'id="reference"' in page


@pytest.mark.parametrize(
    ("path", "accept"),
    [("/api/v1/nothing", "text/html"), ("/nothing", "application/json"),
     ("/nothing", "application/problem+json, text/html;q=0.5")],
)  # fmt: skip
def test_programs_get_problem_documents(world: World, path: str, accept: str) -> None:
    response = world.app.test_client().get(path, headers={"Accept": accept})
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    document = response.get_json()
    assert document["status"] == 404
    assert document["code"] == "not_found"
    assert document["type"]


def test_a_page_asks_for_a_part_and_gets_a_part_of_an_error(world: World) -> None:
    visit = world.launch("teacher")
    response = visit.get("/pushes/nothing/body", headers={"HX-Request": "true"})
    assert response.status_code == 404
    assert "<html" not in response.get_data(as_text=True)
    assert 'role="alert"' in response.get_data(as_text=True)


def test_wrong_methods_and_large_bodies_have_pages(world: World) -> None:
    client = world.app.test_client()
    wrong = client.put("/admin/registrations")
    assert wrong.status_code == 405
    assert wrong.headers["Allow"]
    assert "<h1>" in wrong.get_data(as_text=True)
    with world.app.test_request_context("/x"):
        from werkzeug.exceptions import RequestEntityTooLarge

        assert "Too much" in errors.on_http_error(RequestEntityTooLarge()).get_data(as_text=True)


def test_references_are_easy_to_read_out() -> None:
    found = {errors.new_reference() for _ in range(50)}
    assert len(found) == 50
    assert not set("".join(found)) & set("01OIL")


def test_unknown_codes_keep_their_own_words(handled: Flask) -> None:
    error = NagaError("Something precise.", remedy="Do that.")
    page = errors.on_naga_error(error).get_data(as_text=True)
    assert "Something precise." in page
    assert "Do that." in page
