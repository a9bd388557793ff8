"""The four functions over HTTP, as Moodle offers them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from demo import Platform, PlatformConfig, create_platform

TERM = {"kind": "category", "idnumber": "T1", "name": "ឆមាស ១"}


@pytest.fixture
def client() -> FlaskClient:
    app = create_platform(PlatformConfig(course_json={"site": "Site"}))
    held = _platform(app.test_client()).state.connection
    held.token, held.token_expires = "secret", 4_000_000_000
    return app.test_client()


def _platform(client: FlaskClient) -> Platform:
    found: Platform = client.application.extensions["platform"]
    return found


def _call(client: FlaskClient, function: str, **given: Any) -> Any:
    fields = {
        "wstoken": "secret",
        "wsfunction": f"local_nagasis_{function}",
        "moodlewsrestformat": "json",
        "contract": "1",
        **given,
    }
    answer = client.post("/webservice/rest/server.php", data=fields)
    assert answer.status_code == 200
    found = answer.get_json()
    return json.loads(found) if isinstance(found, str) else found


def test_apply_digest_status(client: FlaskClient) -> None:
    documents = json.dumps([TERM])
    preview = _call(client, "apply", documents=documents, dryrun="1")
    assert (preview["dryrun"], preview["results"][0]["id"]) == (True, None)
    applied = _call(client, "apply", documents=documents, dryrun="0")
    assert applied["results"][0]["result"] == "created"
    [item] = _call(client, "digest", kind="category")["items"]
    assert item["key"] == "T1"
    assert len(item["fingerprint"]) == 32
    status = _call(client, "status")
    assert (status["contract"], status["name"]) == (1, "Site")


def test_digest_in_pages(client: FlaskClient) -> None:
    terms = [{**TERM, "idnumber": f"T{number:03}"} for number in range(25)]
    _call(client, "apply", documents=json.dumps(terms))
    keys: list[str] = []
    after: str | None = ""
    while after is not None:
        page = _call(client, "digest", kind="category", after=after, limit="10")
        keys += [item["key"] for item in page["items"]]
        after = page["next"]
    assert keys == [term["idnumber"] for term in terms]
    page = _call(client, "digest", kind="category", keys='["T003", "T999"]')
    assert [item["key"] for item in page["items"]] == ["T003"]


def test_read_in_pages() -> None:
    app = create_platform(PlatformConfig())
    client = app.test_client()
    held = _platform(client).state.connection
    held.token, held.token_expires = "secret", 4_000_000_000
    course = next(iter(_platform(client).state.courses.values()))
    items: list[Any] = []
    after: str | None = ""
    while after is not None:
        scope = json.dumps({"courses": [course.idnumber]})
        page = _call(client, "read", what="roster", scope=scope, after=after, limit="3")
        items += page["items"]
        after = page["next"]
    assert len(items) == len(course.members)
    assert [item["name"] for item in items if "name" in item] == ["Vanna Visitor"]
    for what in ("activity", "access", "items", "grades"):
        assert _call(client, "read", what=what)["next"] is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"wstoken": "wrong"}, "invalidtoken"),
        ({"wsfunction": "core_user_create_users"}, "accessexception"),
        ({"contract": "2"}, "contractunsupported"),
        ({"contract": "x"}, "invalidparameter"),
        ({"documents": "["}, "documentsnotjson"),
        ({"documents": "{}"}, "documentsnotjson"),
        ({"documents": json.dumps([TERM] * 1001)}, "documentstoolarge"),
        ({"documents": json.dumps([{**TERM, "name": "x" * 8_400_000}])}, "documentstoolarge"),
    ],
)
def test_calls_that_are_not_answered(client: FlaskClient, given: dict[str, str], code: str) -> None:
    answer = _call(client, "apply", **{"documents": "[]", **given})
    assert answer["errorcode"] == code
    assert answer["message"]


def test_unknown_things_and_expired_token(client: FlaskClient) -> None:
    assert _call(client, "digest", kind="teacher")["errorcode"] == "unknownkind"
    assert _call(client, "read", what="mail")["errorcode"] == "unknownread"
    assert _call(client, "read", what="roster", limit="5001")["errorcode"] == "invalidparameter"
    _platform(client).state.connection.token_expires = 1
    assert _call(client, "status")["errorcode"] == "invalidtoken"
