"""Dynamic Registration."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from demo import Quirks
from demo.model import LINEITEM, MEMBERSHIPS, SCORE
from demo.registration import TOOL

BASE = "http://platform.test"


def _begin(lab: Any, url: str = "https://new.test/register?invite=1", **query: str) -> Any:
    sesskey = lab.browser.sign_in(lab.person("admin").id)
    asked = {"url": url, "sesskey": sesskey, **query}
    return lab.client.get("/mod/lti/startltiadvregistration.php", base_url=BASE, query_string=asked)


def _token(lab: Any) -> str:
    query = parse_qs(urlsplit(_begin(lab).headers["Location"]).query)
    return str(query["registration_token"][0])


def _document(**changes: Any) -> dict[str, Any]:
    settings = {
        "domain": "new.test",
        "target_link_uri": "https://new.test/launch",
        "claims": ["name", "email"],
        "messages": [
            {"type": "LtiResourceLinkRequest"},
            {"type": "LtiDeepLinkingRequest", "target_link_uri": "https://new.test/pick"},
        ],
        "custom_parameters": {"a": "$Context.id"},
    }
    document = {
        "application_type": "web",
        "response_types": ["id_token"],
        "initiate_login_uri": "https://new.test/login",
        "redirect_uris": ["https://new.test/launch"],
        "client_name": "New tool",
        "jwks_uri": "https://new.test/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": f"{SCORE} {LINEITEM} {MEMBERSHIPS}",
        TOOL: settings,
    }
    return {k: v for k, v in (document | changes).items() if v is not None}


def _post(lab: Any, token: str | None, document: Any) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return lab.client.post("/mod/lti/openid-registration.php", json=document, headers=headers)


def test_registration_is_pending_until_it_is_activated(lab: Any) -> None:
    location = _begin(lab).headers["Location"]
    assert location.startswith("https://new.test/register?invite=1&openid_configuration=http")
    token = parse_qs(urlsplit(location).query)["registration_token"][0]
    claims = lab.platform.signing.verify(token)
    assert claims["exp"] == claims["iat"] + 3600
    answer = _post(lab, token, _document()).get_json()
    assert answer["client_id"] == claims["sub"]
    assert len(answer["client_id"]) == 15
    tool = lab.platform.tool_of_client(answer["client_id"])
    assert answer[TOOL]["deployment_id"] == str(tool.id)
    assert (tool.state, tool.grade_sync, tool.memberships) == ("pending", 2, True)
    assert (tool.send_name, tool.send_email) == (True, True)
    assert tool.deep_linking_uri == "https://new.test/pick"
    assert tool.custom == {"a": "$Context.id"}
    sesskey = lab.browser.sign_in(lab.person("admin").id)
    page = lab.client.get("/admin/tools", base_url=BASE)
    assert b"Pending" in page.data
    lab.client.post(
        "/admin/tools/activate", base_url=BASE, data={"tool": tool.id, "sesskey": sesskey}
    )
    assert tool.state == "active"


def test_token_is_used_once(lab: Any) -> None:
    token = _token(lab)
    assert _post(lab, token, _document()).status_code == 200
    again = _post(lab, token, _document())
    assert (again.status_code, again.get_json()["reason"]) == (401, "token_already_used")


def test_missing_token(lab: Any) -> None:
    response = _post(lab, None, _document())
    assert response.status_code == 401
    assert response.get_json()["reason"] == "missing_registration_token"


@pytest.mark.parametrize(("on", "status", "kind"), [(True, 404, "html"), (False, 401, "json")])
def test_expired_or_broken_token(make_lab: Any, on: bool, status: int, kind: str) -> None:
    lab = make_lab(Quirks().but(registration_expired_is_html=on))
    now = lab.platform.epoch()
    expired = lab.platform.signing.sign({"sub": "x", "scope": "reg", "iat": 1, "exp": now})
    for token in (expired, "broken"):
        response = _post(lab, token, _document())
        assert response.status_code == status
        assert kind in response.mimetype


@pytest.mark.parametrize(
    "changes",
    [
        {"response_types": ["code"]},
        {"response_types": None},
        {"initiate_login_uri": None},
        {"redirect_uris": []},
        {"redirect_uris": "https://new.test/launch"},
        {"client_name": ""},
        {"jwks_uri": None},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"application_type": "native"},
        {TOOL: None},
        {TOOL: {"domain": ""}},
        {TOOL: {"domain": "new.test", "target_link_uri": "https://new.test:444/launch"}},
    ],
)
def test_required_fields(lab: Any, changes: dict[str, Any]) -> None:
    before = len(lab.platform.state.tools)
    assert _post(lab, _token(lab), _document(**changes)).status_code == 400
    assert len(lab.platform.state.tools) == before


def test_privacy_and_services_follow_what_was_asked(lab: Any) -> None:
    settings = {"domain": "www.new.test", "target_link_uri": "https://new.test/"}
    answer = _post(lab, _token(lab), _document(**{"scope": SCORE, TOOL: settings})).get_json()
    tool = lab.platform.tool_of_client(answer["client_id"])
    assert (tool.grade_sync, tool.memberships) == (1, False)
    assert (tool.send_name, tool.send_email) == (False, False)


@pytest.mark.parametrize("on", [True, False])
def test_response_lists_a_scope_that_was_not_granted(make_lab: Any, on: bool) -> None:
    lab = make_lab(Quirks().but(registration_lists_lineitem=on))
    answer = _post(lab, _token(lab), _document(scope=SCORE)).get_json()
    assert (LINEITEM in answer["scope"].split()) is on
    assert LINEITEM not in lab.platform.tool_of_client(answer["client_id"]).permitted_scopes()


def test_same_domain_asks_first(lab: Any) -> None:
    _post(lab, _token(lab), _document())
    assert _begin(lab).status_code == 200
    assert _begin(lab, type="-1").status_code == 302


def test_only_administrators_with_their_own_form(lab: Any) -> None:
    path = "/mod/lti/startltiadvregistration.php?url=https://new.test/"
    lab.browser.sign_in(lab.person("admin").id)
    assert lab.client.get(path, base_url=BASE).status_code == 403
    sesskey = lab.browser.sign_in(lab.person("teacher").id)
    assert lab.client.get(f"{path}&sesskey={sesskey}", base_url=BASE).status_code == 403


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://new.test/", "nonsense"])
def test_addresses_that_are_none(lab: Any, url: str) -> None:
    assert _begin(lab, url).status_code == 400


def test_discovery(lab: Any) -> None:
    found = lab.client.get("/mod/lti/openid-configuration.php").get_json()
    assert found["issuer"] == BASE
    assert found["registration_endpoint"] == f"{BASE}/mod/lti/openid-registration.php"
    platform = found["https://purl.imsglobal.org/spec/lti-platform-configuration"]
    assert platform["product_family_code"] == "moodle"
