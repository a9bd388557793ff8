"""The token endpoint."""

from __future__ import annotations

from typing import Any

import pytest

from demo import Quirks
from demo.faults import Fault
from demo.keys import new_key
from demo.model import LINEITEM, LINEITEM_READONLY, MEMBERSHIPS, RESULT_READONLY, SCORE


def test_grants_what_was_asked_and_is_permitted(lab: Any) -> None:
    lab.tool.grade_sync = 1
    answer = lab.request_token(SCORE, LINEITEM, "urn:unknown").get_json()
    assert answer["scope"] == SCORE
    assert answer["expires_in"] == 3600
    assert answer["token_type"] == "Bearer"
    assert lab.platform.token(answer["access_token"]).scopes == [SCORE]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, set()),
        (1, {LINEITEM_READONLY, RESULT_READONLY, SCORE}),
        (2, {LINEITEM, LINEITEM_READONLY, RESULT_READONLY, SCORE}),
    ],
)
def test_settings_decide_the_scopes(lab: Any, level: int, expected: set[str]) -> None:
    lab.tool.grade_sync = level
    assert set(lab.tool.permitted_scopes()) == expected | {MEMBERSHIPS}


def test_nothing_permitted_is_invalid_scope(lab: Any) -> None:
    response = lab.request_token("urn:unknown")
    assert (response.status_code, response.get_json()) == (400, {"error": "invalid_scope"})


def test_service_switched_off_is_off_at_once(lab: Any) -> None:
    token = lab.request_token(MEMBERSHIPS).get_json()["access_token"]
    path = f"/mod/lti/services.php/CourseSection/{lab.course.id}/bindings/{lab.tool.id}/memberships"
    headers = {"Authorization": f"Bearer {token}"}
    assert lab.client.get(path, headers=headers).status_code == 200
    lab.tool.memberships = False
    assert lab.client.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "other"},
        {"sub": None},
        {"exp": 1},
        {"iat": 4000000000},
        {"nbf": 4000000000},
        {"exp": "soon"},
    ],
)
def test_bad_assertions(lab: Any, changes: dict[str, Any]) -> None:
    assert lab.request_token(SCORE, **changes).status_code == 400


def test_key_of_another_is_refused(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.request_token(SCORE)
    good = lab.stub.key
    assertion_key = new_key()
    monkeypatch.setattr(lab.stub, "key", assertion_key)
    token = lab.stub.assertion(lab.tool, lab.platform.now())
    monkeypatch.setattr(lab.stub, "key", good)
    monkeypatch.setattr(lab.stub, "assertion", lambda *a, **k: token)
    assert lab.request_token(SCORE).get_json() == {"error": "invalid_client"}


def test_keys_are_cached_and_fetched_again_after_rotation(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert lab.request_token(SCORE).status_code == 200
    assert lab.stub.jwks_fetches == 1
    monkeypatch.setattr(lab.stub, "key", new_key())
    assert lab.request_token(SCORE).status_code == 200
    assert lab.stub.jwks_fetches == 2


@pytest.mark.parametrize(("on", "status", "kind"), [(True, 404, "html"), (False, 400, "json")])
def test_keys_that_cannot_be_fetched(make_lab: Any, on: bool, status: int, kind: str) -> None:
    lab = make_lab(Quirks().but(jwks_failure_is_html=on))
    lab.stub.jwks_status = 500
    response = lab.request_token(SCORE)
    assert response.status_code == status
    assert kind in response.mimetype


STRICT = [{"aud": "http://elsewhere.test"}, {"iss": "other"}, {"jti": None}, {"exp": None}]


@pytest.mark.parametrize("changes", STRICT)
def test_assertion_is_checked_only_by_the_spec(make_lab: Any, changes: dict[str, Any]) -> None:
    assert make_lab(Quirks()).request_token(SCORE, **changes).status_code == 200
    assert make_lab(Quirks.spec()).request_token(SCORE, **changes).status_code == 400


def test_replayed_assertion(make_lab: Any) -> None:
    for quirks, second in ((Quirks(), 200), (Quirks.spec(), 400)):
        lab = make_lab(quirks)
        assert lab.request_token(SCORE, jti="once").status_code == 200
        assert lab.request_token(SCORE, jti="once").status_code == second


def test_pending_tool_gets_no_token_by_the_spec(make_lab: Any) -> None:
    for quirks, status in ((Quirks(), 200), (Quirks.spec(), 400)):
        lab = make_lab(quirks)
        lab.tool.state = "pending"
        assert lab.request_token(SCORE).status_code == status


@pytest.mark.parametrize(("on", "status"), [(True, 401), (False, 403)])
def test_missing_scope(make_lab: Any, on: bool, status: int) -> None:
    lab = make_lab(Quirks().but(missing_scope_is_401=on))
    path = f"/mod/lti/services.php/{lab.course.id}/lineitems"
    assert lab.call("GET", path, SCORE).status_code == status


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic abc"])
def test_no_token(lab: Any, header: str) -> None:
    path = f"/mod/lti/services.php/{lab.course.id}/lineitems"
    assert lab.client.get(path, headers={"Authorization": header}).status_code == 401


def test_expired_token(lab: Any) -> None:
    token = lab.platform.issue_token(lab.tool, [LINEITEM])
    lab.platform.state.tokens[token].expires = lab.platform.epoch()
    path = f"/mod/lti/services.php/{lab.course.id}/lineitems"
    headers = {"Authorization": f"Bearer {token}"}
    assert lab.client.get(path, headers=headers).status_code == 401


def test_fault_narrows_scopes(lab: Any) -> None:
    lab.platform.faults.add(Fault("token", scopes=[SCORE]))
    assert lab.request_token(SCORE, LINEITEM).get_json()["scope"] == SCORE
    assert lab.request_token(SCORE, LINEITEM).get_json()["scope"] == f"{SCORE} {LINEITEM}"


def test_wrong_grant(lab: Any) -> None:
    response = lab.client.post("/mod/lti/token.php", data={"grant_type": "password"})
    assert response.get_json() == {"error": "unsupported_grant_type"}
