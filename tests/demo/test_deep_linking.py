"""Deep linking: what comes back becomes activities and columns."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc import jwt

from demo import Quirks
from demo.client import parse_forms
from demo.id_token import LTI
from demo.keys import new_key

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
SETTINGS = DL + "deep_linking_settings"


def _item(title: str = "Part 1", **fields: Any) -> dict[str, Any]:
    return {"type": "ltiResourceLink", "title": title, **fields}


def _begin(lab: Any) -> dict[str, Any]:
    lab.browser.select_content(lab.course.id, lab.tool.id, lab.person("teacher").id)
    claims: dict[str, Any] = lab.platform.signing.verify(lab.stub.received[-1]["id_token"])
    return claims


def _answer(lab: Any, items: list[Any], **changes: Any) -> Any:
    request = _begin(lab)
    settings = request[SETTINGS]
    now = lab.platform.epoch()
    claims = {
        "iss": lab.tool.client_id,
        "aud": lab.platform.base_url,
        "iat": now,
        "exp": now + 60,
        "nonce": "n",
        LTI + "version": "1.3.0",
        LTI + "message_type": "LtiDeepLinkingResponse",
        LTI + "deployment_id": lab.tool.deployment_id,
        DL + "content_items": items,
        DL + "data": settings.get("data"),
    } | changes
    token = lab.stub.sign({name: value for name, value in claims.items() if value is not None})
    url = settings["deep_link_return_url"]
    return lab.browser.open(url, method="POST", data={"JWT": token})


def test_request(lab: Any) -> None:
    claims = _begin(lab)
    assert claims[SETTINGS]["accept_types"] == ["ltiResourceLink"]
    assert claims[SETTINGS]["accept_multiple"] is True
    assert claims[SETTINGS]["auto_create"] is False
    assert LTI + "resource_link" not in claims


def test_only_editing_teachers_and_administrators_pick(lab: Any) -> None:
    for username, status in (("dara", 403), ("assistant", 403), ("admin", 200)):
        person = lab.person(username).id
        response = lab.browser.select_content(lab.course.id, lab.tool.id, person)
        assert response.status_code == status


def test_several_items_become_activities_with_columns(lab: Any) -> None:
    line_item = {"scoreMaximum": 40, "label": "Column", "resourceId": "p1", "tag": "naga-part"}
    items = [
        _item("Roster", custom={"naga_page": "roster"}),
        _item(url="http://tool.test/p1", text="About", lineItem=line_item),
        {"type": "html", "html": "<p>ignored</p>"},
    ]
    assert _answer(lab, items).status_code == 200
    made = lab.platform.links_of(lab.course.id)[1:]
    assert [(link.title, link.url) for link in made] == [
        ("Roster", ""),
        ("Part 1", "http://tool.test/p1"),
    ]
    assert made[0].custom == {"naga_page": "roster"}
    column = lab.platform.line_items_of(lab.course.id)[0]
    assert (column.label, column.maximum, column.link_id) == ("Part 1", 40, made[1].id)
    assert (column.resource_id, column.tag, column.coupled) == ("p1", "naga-part", True)
    lab.link = made[1]
    claims = lab.claims("dara")
    assert claims[LTI + "target_link_uri"] == "http://tool.test/p1"
    assert f"/{column.id}/lineitem" in str(claims)


def test_label_is_kept_by_the_spec(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    _answer(lab, [_item(lineItem={"scoreMaximum": 10, "label": "Column"})])
    assert lab.platform.line_items_of(lab.course.id)[0].label == "Column"


def test_no_column_for_a_tool_without_grades(lab: Any) -> None:
    lab.tool.grade_sync = 0
    _answer(lab, [_item(lineItem={"scoreMaximum": 10}), _item("Two")])
    assert lab.platform.line_items_of(lab.course.id) == []


def test_single_item_waits_for_save(lab: Any) -> None:
    response = _answer(lab, [_item(lineItem={"scoreMaximum": 10})])
    assert len(lab.platform.links_of(lab.course.id)) == 1
    form = next(f for f in parse_forms(response.text) if f.action == "/course/modedit.php")
    saved = lab.browser.submit(lab.platform.base_url, form, {"name": "My part"})
    assert saved.status_code == 200
    assert lab.platform.links_of(lab.course.id)[-1].title == "My part"
    assert lab.platform.line_items_of(lab.course.id)[0].maximum == 10


def test_single_item_is_made_at_once_without_the_quirk(make_lab: Any) -> None:
    lab = make_lab(Quirks().but(deep_link_single_needs_save=False))
    _answer(lab, [_item()])
    assert len(lab.platform.links_of(lab.course.id)) == 2


def test_nothing_picked(lab: Any) -> None:
    response = _answer(lab, [], **{DL + "msg": "Cancelled <b>here</b>"})
    assert response.status_code == 200
    assert "Cancelled &lt;b&gt;here" in response.text
    assert len(lab.platform.links_of(lab.course.id)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"exp": 1},
        {"iat": 4000000000},
        {LTI + "message_type": "LtiResourceLinkRequest"},
    ],
)
def test_refused_answers(lab: Any, changes: dict[str, Any]) -> None:
    assert _answer(lab, [_item("a"), _item("b")], **changes).status_code == 404
    assert len(lab.platform.links_of(lab.course.id)) == 1


def test_signature_of_another(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    other, kid = new_key(), lab.stub.key.kid
    forged = {"alg": "RS256", "kid": kid}
    monkeypatch.setattr(lab.stub, "sign", lambda claims: jwt.encode(forged, claims, other))
    assert _answer(lab, [_item("a"), _item("b")]).status_code == 404


UNCHECKED: list[dict[str, Any]] = [
    {"aud": "http://elsewhere.test"},
    {"exp": None},
    {"nonce": None},
    {LTI + "deployment_id": "other"},
    {DL + "data": "other"},
]


@pytest.mark.parametrize("changes", UNCHECKED)
def test_what_only_the_spec_checks(make_lab: Any, changes: dict[str, Any]) -> None:
    items = [_item("a"), _item("b")]
    assert _answer(make_lab(Quirks()), items, **changes).status_code == 200
    assert _answer(make_lab(Quirks.spec()), items, **changes).status_code == 404


def test_return_needs_the_session(lab: Any) -> None:
    url = _begin(lab)[SETTINGS]["deep_link_return_url"]
    wrong = lab.browser.open(url.split("&sesskey")[0], method="POST", data={"JWT": "x"})
    assert wrong.status_code == 403
    lab.client.delete_cookie("MoodleSession", domain="platform.test")
    again = lab.browser.open(url, method="POST", data={"JWT": "x"})
    assert [form.form_id for form in parse_forms(again.text)] == ["repostform"]
