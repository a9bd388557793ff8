"""Deep linking: lti.md D1 to D8, D11 (D9 and D10 are the page's)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from joserfc import jwt

from lti_tool.core.clock import FixedClock
from lti_tool.lti import claims as launch_claims
from lti_tool.lti.deep_linking import (
    ContentItem,
    DeepLinking,
    DeepLinkingSettings,
    DeepLinkingSettingsError,
    ItemLine,
    ItemNotAcceptedError,
)
from lti_tool.lti.models import Registration
from tests.lti.outbound_world import TestSigner, signing_key

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
TOOL = "https://sis.example/tool"
REGISTRATION = Registration(issuer="https://moodle.example", client_id="client-1")
CLAIM: dict[str, Any] = {
    "deep_link_return_url": "https://moodle.example/return?x=1&y=2",
    "accept_types": ["ltiResourceLink"],
    "accept_presentation_document_targets": ["iframe"],
    "accept_multiple": True,
    "auto_create": False,
}


@pytest.fixture
def deep_linking(clock: FixedClock) -> DeepLinking:
    return DeepLinking(TestSigner(), clock, public_url=TOOL)


def _item(number: int = 1, **values: Any) -> ContentItem:
    line = ItemLine("Part", Decimal("100"), f"part-{number}", "naga-part")
    return ContentItem(
        **{
            "title": f"Part {number}",
            "url": f"{TOOL}/lti/launch",
            "custom": {"naga_page": "part", "naga_part": f"part-{number}"},
            "line_item": line,
            **values,
        }
    )


def _answer(
    deep_linking: DeepLinking, items: list[ContentItem], *, texts: Any = None, **settings: Any
) -> dict[str, Any]:
    response = deep_linking.response(
        REGISTRATION, "7", deep_linking.settings(CLAIM | settings), items, **(texts or {})
    )
    assert response.return_url == CLAIM["deep_link_return_url"]
    token = jwt.decode(response.jwt, signing_key())
    assert token.header["kid"] == "test-key"
    assert token.header["alg"] == "RS256"
    return token.claims


@pytest.mark.parametrize(
    ("claim", "field"),
    [
        ({}, "deep_link_return_url"),
        ({"accept_types": ["ltiResourceLink"]}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": ""}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": 5}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": "javascript:alert(1)"}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": "data:text/html,x"}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": "/return"}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": "http://moodle.example/r"}, "deep_link_return_url"),
        (CLAIM | {"deep_link_return_url": "https://a@moodle.example/"}, "deep_link_return_url"),
        (CLAIM | {"accept_types": "ltiResourceLink"}, "accept_types"),
        (CLAIM | {"accept_multiple": "yes"}, "accept_multiple"),
        (CLAIM | {"data": 5}, "data"),
    ],
)
def test_d1_settings_missing_or_wrong(
    deep_linking: DeepLinking, claim: dict[str, Any], field: str
) -> None:
    with pytest.raises(DeepLinkingSettingsError) as caught:
        deep_linking.settings(claim)
    assert caught.value.field == field
    assert caught.value.status == 400


def test_d1_settings_missing_among_all_claims(deep_linking: DeepLinking) -> None:
    with pytest.raises(DeepLinkingSettingsError):
        deep_linking.settings({launch_claims.DEEP_LINKING: None})


def test_d1_plain_http_only_in_a_lab(clock: FixedClock) -> None:
    claim = CLAIM | {"deep_link_return_url": "http://127.0.0.1:8000/return"}
    lab = DeepLinking(TestSigner(), clock, public_url="http://127.0.0.1:5000")
    assert lab.settings(claim).return_url == claim["deep_link_return_url"]
    named = DeepLinking(TestSigner(), clock, public_url=TOOL, allow_http=True)
    assert named.settings(claim).return_url == claim["deep_link_return_url"]


@pytest.mark.parametrize("types", [None, [], ["link", "html"]])
def test_d2_a_platform_that_takes_no_resource_links(
    deep_linking: DeepLinking, types: list[str] | None
) -> None:
    claim = dict(CLAIM)
    if types is None:
        del claim["accept_types"]
    else:
        claim["accept_types"] = types
    settings = deep_linking.settings(claim)
    assert not settings.accepts_resource_links
    with pytest.raises(ItemNotAcceptedError) as caught:
        deep_linking.response(REGISTRATION, "7", settings, [_item()])
    assert caught.value.field == "accept_types"
    assert deep_linking.response(REGISTRATION, "7", settings, []).jwt


def test_d3_d4_document_targets_and_roles_may_be_missing(deep_linking: DeepLinking) -> None:
    claim = dict(CLAIM)
    del claim["accept_presentation_document_targets"]
    assert deep_linking.settings(claim).accepts_resource_links


def test_d1_settings_from_every_shape(deep_linking: DeepLinking) -> None:
    expected = deep_linking.settings(CLAIM)
    model = launch_claims.DeepLinkingSettings.model_validate(CLAIM)
    assert deep_linking.settings({"iss": "x", launch_claims.DEEP_LINKING: CLAIM}) == expected
    assert deep_linking.settings(model) == expected
    assert deep_linking.settings(model.model_dump()) == expected
    construct: Any = launch_claims.LaunchClaims.model_construct
    assert deep_linking.settings(construct(deep_linking=model)) == expected
    with pytest.raises(DeepLinkingSettingsError):
        deep_linking.settings(construct(deep_linking=None))


def test_d5_claims_of_the_answer(deep_linking: DeepLinking, clock: FixedClock) -> None:
    claims = _answer(deep_linking, [_item()])
    assert claims["iss"] == "client-1"
    assert claims["aud"] == "https://moodle.example"
    assert claims[f"{LTI}deployment_id"] == "7"
    assert claims[f"{LTI}message_type"] == "LtiDeepLinkingResponse"
    assert claims[f"{LTI}version"] == "1.3.0"
    now = clock.now().timestamp()
    assert claims["iat"] <= now < claims["exp"]
    assert claims["exp"] - claims["iat"] <= dt.timedelta(minutes=10).total_seconds()
    assert len(claims["nonce"]) >= 22
    assert claims["nonce"] != _answer(deep_linking, [])["nonce"]
    assert claims[f"{DL}content_items"] == [
        {
            "type": "ltiResourceLink",
            "title": "Part 1",
            "url": f"{TOOL}/lti/launch",
            "custom": {"naga_page": "part", "naga_part": "part-1"},
            "lineItem": {
                "label": "Part",
                "scoreMaximum": 100,
                "resourceId": "part-1",
                "tag": "naga-part",
            },
        }
    ]


@pytest.mark.parametrize("data", ["", " a\n'\"<>&é ", "csrf%20;", "ខ្មែរ"])
def test_d5_data_is_echoed_byte_for_byte(deep_linking: DeepLinking, data: str) -> None:
    assert _answer(deep_linking, [_item()], data=data)[f"{DL}data"] == data


def test_d5_no_data_is_echoed_if_none_was_given(deep_linking: DeepLinking) -> None:
    assert f"{DL}data" not in _answer(deep_linking, [_item()])
    assert f"{DL}data" not in _answer(deep_linking, [_item()], data=None)


@pytest.mark.parametrize("multiple", [False, None])
def test_d6_several_items_where_one_is_taken(
    deep_linking: DeepLinking, multiple: bool | None
) -> None:
    with pytest.raises(ItemNotAcceptedError) as caught:
        _answer(deep_linking, [_item(1), _item(2)], accept_multiple=multiple)
    assert caught.value.field == "accept_multiple"


def test_d6_several_items_where_several_are_taken(deep_linking: DeepLinking) -> None:
    assert len(_answer(deep_linking, [_item(1), _item(2)])[f"{DL}content_items"]) == 2


def test_d7_line_items_are_dropped_where_they_are_not_taken(deep_linking: DeepLinking) -> None:
    refused = _answer(deep_linking, [_item()], accept_lineitem=False)
    assert "lineItem" not in refused[f"{DL}content_items"][0]
    taken = _answer(deep_linking, [_item()], accept_lineitem=True)
    assert "lineItem" in taken[f"{DL}content_items"][0]


def test_d8_nothing_chosen_is_a_cancellation(deep_linking: DeepLinking) -> None:
    claims = _answer(deep_linking, [], accept_multiple=False)
    assert claims[f"{DL}content_items"] == []
    assert not any(f"{DL}{name}" in claims for name in ("msg", "errormsg", "log", "errorlog"))


def test_d8_messages(deep_linking: DeepLinking) -> None:
    texts = {"message": "a", "error": "b", "log": "c", "error_log": "d"}
    claims = _answer(deep_linking, [], texts=texts)
    names = ("msg", "errormsg", "log", "errorlog")
    assert [claims[f"{DL}{name}"] for name in names] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/lti/launch",
        "https://sis.example/other",
        "https://sis.example/toolbox",
        "http://sis.example/tool/lti/launch",
        "https://sis.example:8443/tool/lti",
        "https://sis.example/tool@evil.example",
        "javascript:alert(1)",
    ],
)
def test_d11_items_lead_to_this_tool_only(deep_linking: DeepLinking, url: str) -> None:
    with pytest.raises(ItemNotAcceptedError) as caught:
        _answer(deep_linking, [_item(url=url)])
    assert caught.value.field == "url"


def test_a_plain_item(deep_linking: DeepLinking) -> None:
    item = ContentItem("Roster", TOOL, text="Who is here")
    assert _answer(deep_linking, [item])[f"{DL}content_items"] == [
        {"type": "ltiResourceLink", "title": "Roster", "url": TOOL, "text": "Who is here"}
    ]


def test_settings_hold_what_the_page_shows(deep_linking: DeepLinking) -> None:
    settings = deep_linking.settings(CLAIM | {"title": "T", "text": "X"})
    assert isinstance(settings, DeepLinkingSettings)
    assert (settings.title, settings.text, settings.accept_line_item) == ("T", "X", True)
