"""Launches: what is sent, what is refused, each quirk on and off."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from demo import Quirks
from demo.id_token import LTI

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"


def test_login_request_has_moodles_parameters(lab: Any) -> None:
    lab.launch("dara")
    login = lab.stub.logins[0]
    assert set(login) == {
        "iss",
        "target_link_uri",
        "login_hint",
        "lti_message_hint",
        "client_id",
        "lti_deployment_id",
    }
    assert login["login_hint"] == str(lab.person("dara").id)
    hint = json.loads(login["lti_message_hint"])
    assert hint["cmid"] == lab.link.cmid
    assert re.fullmatch(rf"ltilaunch{lab.link.id}_\d+", hint["launchid"])


def test_message_of_a_student(lab: Any) -> None:
    claims = lab.claims("dara")
    assert claims["iss"] == "http://platform.test"
    assert claims["aud"] == lab.tool.client_id
    assert claims["sub"] == str(lab.person("dara").id)
    assert claims["exp"] == claims["iat"] + 60
    assert claims["nonce"] == "nonce-1"
    assert "azp" not in claims
    assert claims["name"] == "ដារា សុខ"
    assert claims[LTI + "deployment_id"] == str(lab.tool.id)
    assert claims[LTI + "roles"] == ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"]
    assert claims[LTI + "context"]["type"] == ["CourseSection"]
    assert claims[LTI + "lis"] == {
        "person_sourcedid": "S-1",
        "course_section_sourcedid": "EHSS-07|A",
    }
    assert claims[LTI + "ext"] == {"lms": "moodle-2", "user_username": "dara"}
    assert claims[LTI + "resource_link"]["id"] == str(lab.link.id)
    assert claims[AGS]["lineitems"].endswith(f"?type_id={lab.tool.id}")
    assert "lineitem" not in claims[AGS]
    assert NRPS in claims
    assert lab.stub.received[-1]["state"] == "state-1"


@pytest.mark.parametrize("username", ["teacher", "assistant"])
def test_teachers_launch_as_instructors(lab: Any, username: str) -> None:
    assert [role.split("#")[1] for role in lab.claims(username)[LTI + "roles"]] == ["Instructor"]


def test_site_administrator_needs_no_enrolment(lab: Any) -> None:
    roles = lab.claims("admin")[LTI + "roles"]
    assert [role.split("#")[1] for role in roles] == [
        "Instructor",
        "Administrator",
        "Administrator",
    ]


@pytest.mark.parametrize("username", ["outsider", "gone"])
def test_who_is_not_enrolled_cannot_launch(lab: Any, username: str) -> None:
    response = lab.browser.launch(lab.link.id, lab.person(username).id)
    assert response.status_code == 403
    assert not lab.stub.logins


def test_line_item_claim_when_there_is_exactly_one(lab: Any) -> None:
    lab.link = lab.platform.add_link(
        lab.course, lab.tool, "Part", line_item={"scoreMaximum": 40, "label": "Other"}
    )
    item = lab.platform.line_items_of(lab.course.id)[0]
    assert (item.label, item.maximum) == ("Part", 40)
    assert f"/lineitems/{item.id}/lineitem?" in lab.claims()[AGS]["lineitem"]


def test_privacy_hides_names_but_not_the_sourced_id(lab: Any) -> None:
    lab.tool.send_name = lab.tool.send_email = False
    claims = lab.claims("dara")
    assert not {"name", "given_name", "family_name", "email"} & set(claims)
    assert "user_username" not in claims[LTI + "ext"]
    assert claims[LTI + "lis"]["person_sourcedid"] == "S-1"


def test_custom_parameters_and_their_variables(lab: Any) -> None:
    lab.link.custom = {"naga-Page": "roster", "who": "$User.username", "x": "$Unknown.thing"}
    lab.tool.custom = {"who": "$Context.id"}
    assert lab.claims()[LTI + "custom"] == {
        "naga-Page": "roster",
        "naga_page": "roster",
        "who": str(lab.course.id),
        "x": "$Unknown.thing",
    }


def test_submission_review_names_the_student(lab: Any) -> None:
    student = lab.person("dara").id
    received = lab.launch("teacher", query=f"&for_user={student}")
    claims = lab.platform.signing.verify(received["id_token"])
    assert claims[LTI + "message_type"] == "LtiSubmissionReviewRequest"
    assert claims[LTI + "for_user"] == {"user_id": str(student)}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "other"}, "unauthorized_client"),
        ({"login_hint": "999"}, "access_denied"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"response_mode": None}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
    ],
)
def test_errors_that_reach_the_tool(lab: Any, changes: dict[str, Any], error: str) -> None:
    lab.stub.auth_changes.update(changes)
    received = lab.launch()
    assert received["error"] == error
    assert received["state"] == "state-1"
    assert "id_token" not in received


EARLY = [
    ({"scope": "openid email"}, "invalid_scope"),
    ({"response_type": "code"}, "unsupported_response_type"),
    ({"nonce": None}, "invalid_request"),
    ({"lti_message_hint": None}, "invalid_request"),
    ({"lti_message_hint": "7"}, "invalid_request"),
]


@pytest.mark.parametrize(("changes", "error"), EARLY)
def test_early_errors_end_on_moodles_page(lab: Any, changes: dict[str, Any], error: str) -> None:
    lab.stub.auth_changes.update(changes)
    assert lab.browser.launch(lab.link.id, lab.person("teacher").id).status_code == 404
    assert not lab.stub.received


@pytest.mark.parametrize(("changes", "error"), EARLY)
def test_early_errors_reach_the_tool_by_the_spec(
    make_lab: Any, changes: dict[str, Any], error: str
) -> None:
    lab = make_lab(Quirks.spec())
    lab.stub.auth_changes.update(changes)
    assert lab.launch()["error"] == error


@pytest.mark.parametrize("suffix", ["/", "?x=1", "/../launch", "#"])
def test_redirect_uri_must_match_exactly(lab: Any, suffix: str) -> None:
    lab.stub.auth_changes["redirect_uri"] = f"{lab.stub.url}/launch{suffix}"
    assert lab.browser.launch(lab.link.id, lab.person("teacher").id).status_code == 404
    assert not lab.stub.received


def _reload(lab: Any) -> int:
    lab.launch()
    address = next(v for v in lab.browser.visited if "/auth.php" in v).removeprefix("GET ")
    return int(lab.browser.open(address).status_code)


def test_launch_id_answers_once(lab: Any) -> None:
    assert _reload(lab) == 404


def test_launch_id_answers_again_without_the_quirk(make_lab: Any) -> None:
    assert _reload(make_lab(Quirks().but(one_shot_launch=False))) == 200


def _forget_session_at_auth(lab: Any) -> Any:
    user = lab.person("teacher").id
    lab.browser.sign_in(user)
    begun = lab.browser.open(lab.platform.url(f"/mod/lti/launch.php?id={lab.link.id}"))
    lab.client.delete_cookie("MoodleSession", domain="platform.test")
    return lab.browser.follow(lab.platform.base_url, begun)


def test_lost_session_is_posted_again_then_denied(lab: Any) -> None:
    _forget_session_at_auth(lab)
    assert [v for v in lab.browser.visited if v.startswith("POST") and "/auth.php" in v]
    assert lab.stub.received[-1]["error"] == "access_denied"


def test_lost_session_is_login_required_by_the_spec(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    _forget_session_at_auth(lab)
    assert lab.stub.received[-1]["error"] == "login_required"


def test_spec_claims(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    lab.tool.send_name = False
    lab.link.custom = {"Key-1": "v"}
    claims = lab.claims("dara")
    assert claims["exp"] == claims["iat"] + 3600
    assert claims[LTI + "context"]["type"][0].startswith("http://purl.imsglobal.org/")
    assert "person_sourcedid" not in claims[LTI + "lis"]
    assert claims[LTI + "custom"] == {"Key-1": "v"}
    assert "type_id" not in claims[AGS]["lineitems"]


@pytest.mark.parametrize(("on", "refused"), [(True, False), (False, True)])
def test_pending_tools(make_lab: Any, on: bool, refused: bool) -> None:
    lab = make_lab(Quirks().but(pending_tools_work=on))
    lab.tool.state = "pending"
    assert ("error" in lab.launch()) is refused


@pytest.mark.parametrize("on", [True, False])
def test_storage_frame(make_lab: Any, on: bool) -> None:
    lab = make_lab(Quirks(storage_frame=on))
    received = lab.launch()
    assert ("lti_storage_target" in lab.stub.logins[0]) is on
    assert ("lti_storage_target" in received) is on
    page = lab.client.get(f"/link/{lab.link.id}", base_url="http://platform.test")
    assert (b'name="lti_storage"' in page.data) is on
    frame = lab.client.get("/mod/lti/storage", base_url="http://platform.test")
    assert frame.status_code == (200 if on else 404)


def test_message_can_be_changed_before_it_is_signed(lab: Any) -> None:
    def change(claims: dict[str, Any], header: dict[str, Any]) -> None:
        claims.pop("exp")
        claims[LTI + "version"] = "11.3"

    lab.platform.mutate_id_token = change
    claims = lab.claims()
    assert "exp" not in claims
    assert claims[LTI + "version"] == "11.3"


def test_message_can_be_replaced(lab: Any) -> None:
    lab.platform.mutate_id_token = lambda claims, header: "not.a.token"
    assert lab.launch()["id_token"] == "not.a.token"


@pytest.mark.parametrize("keep_old", [True, False])
def test_key_rotation(lab: Any, keep_old: bool) -> None:
    old = lab.platform.signing.active.kid
    new = lab.platform.rotate_key(keep_old=keep_old)
    published = lab.client.get("/mod/lti/certs.php").get_json()["keys"]
    assert [key["kid"] for key in published] == ([new, old] if keep_old else [new])
    assert all(key["alg"] == "RS256" and "d" not in key for key in published)
    lab.claims()


def test_deep_link_claim_waits_for_a_link(make_lab: Any) -> None:
    for quirks, expected in ((Quirks(), False), (Quirks.spec(), True)):
        lab = make_lab(quirks)
        lab.platform.state.links.clear()
        lab.browser.select_content(lab.course.id, lab.tool.id, lab.person("teacher").id)
        claims = lab.platform.signing.verify(lab.stub.received[-1]["id_token"])
        assert claims[LTI + "message_type"] == "LtiDeepLinkingRequest"
        assert (NRPS in claims) is expected
        assert ("data" in claims[DL + "deep_linking_settings"]) is expected
