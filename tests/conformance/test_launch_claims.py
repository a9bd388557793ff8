"""T17 to T22, T24 to T27 and T29 to T37: the claims, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from lti_tool.lti.models import Launch
from tests.conformance.conftest import World
from tests.conformance.messages import (
    CLIENT,
    ISSUER,
    LTI,
    MEMBERSHIP,
    PUBLIC_URL,
    deep_linking_settings,
)


def shifted(world: World, seconds: int) -> int:
    return int(world.clock.now().timestamp()) + seconds


@pytest.mark.parametrize(
    "issuer", [ISSUER + "/", "https://MOODLE.example", "http://moodle.example"]
)
def test_t17_issuer(world: World, issuer: str) -> None:
    assert world.refused(iss=issuer).code == "issuer_mismatch"


def test_t17_issuer_of_another_shape(world: World) -> None:
    assert world.refused(iss=...).code == "claim_missing"
    assert world.refused(iss=["https://moodle.example"]).code == "claim_invalid"


def test_t18_audience_as_list(world: World) -> None:
    assert world.launch(aud=[CLIENT])


@pytest.mark.parametrize(
    ("audience", "azp", "code"),
    [
        ("other", ..., "audience_mismatch"),
        (["other"], ..., "audience_mismatch"),
        ([CLIENT, "other"], CLIENT, "audience_mismatch"),
        ([], ..., "claim_invalid"),
        ("", ..., "claim_invalid"),
        (5, ..., "claim_invalid"),
        ([5], ..., "claim_invalid"),
        (None, ..., "claim_invalid"),
        (..., ..., "claim_missing"),
    ],
)
def test_t18_audience(world: World, audience: Any, azp: Any, code: str) -> None:
    assert world.refused(aud=audience, azp=azp).code == code


def test_t19_azp(world: World) -> None:
    assert world.refused(aud=[CLIENT, CLIENT]).code == "claim_missing"
    assert world.refused(azp="evil").code == "azp_mismatch"
    assert world.refused(aud=[CLIENT, CLIENT], azp="evil").code == "azp_mismatch"
    assert world.refused(azp=5).code == "claim_invalid"
    assert world.launch(aud=[CLIENT, CLIENT], azp=CLIENT)


def test_t20_expiry(world: World) -> None:
    assert world.refused(exp=...).code == "claim_missing"
    assert world.launch(exp=shifted(world, -5), iat=shifted(world, -30))
    assert world.launch(exp=shifted(world, -59), iat=shifted(world, -90))
    for late in (-60, -120):
        error = world.refused(exp=shifted(world, late), iat=shifted(world, -200))
        assert error.code == "token_expired"
    assert world.refused(exp=shifted(world, 5), iat=shifted(world, 5)).code == "token_expired"


@pytest.mark.parametrize("value", ["1772420460", 1772420460.5, True, None, [], -1, 10**400, 10**15])
@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
def test_t20_times_of_another_type(world: World, claim: str, value: Any) -> None:
    if (claim, value) == ("nbf", None):
        assert world.launch(nbf=None)
        return
    error = world.refused(**{claim: value})
    assert (error.code, error.field) == ("claim_invalid", claim)


def test_t21_issued_at(world: World) -> None:
    assert world.refused(iat=...).code == "claim_missing"
    assert world.launch(iat=shifted(world, 30), exp=shifted(world, 90))
    assert world.launch(iat=shifted(world, 60), exp=shifted(world, 90))
    error = world.refused(iat=shifted(world, 600), exp=shifted(world, 660))
    assert error.code == "token_not_yet_valid"
    assert world.launch(iat=shifted(world, -600), exp=shifted(world, 3600))
    assert world.refused(iat=shifted(world, -700), exp=shifted(world, 60)).code == "token_too_old"


def test_t21_skew_is_recorded_also_when_refused(world: World) -> None:
    world.refused(iat=shifted(world, 600), exp=shifted(world, 660))
    assert world.records()[0].clock_skew == 600


def test_t22_not_before(world: World) -> None:
    assert world.launch(nbf=shifted(world, 30))
    assert world.refused(nbf=shifted(world, 61)).code == "token_not_yet_valid"


@pytest.mark.parametrize("subject", [5, ["42"], "x" * 256, "é", "a\x00", "a\nb", {}, True])
def test_t24_subject(world: World, subject: Any) -> None:
    error = world.refused(sub=subject)
    assert (error.code, error.field) == ("claim_invalid", "sub")


@pytest.mark.parametrize("subject", [..., "", None])
def test_t24_anonymous(world: World, subject: Any) -> None:
    error = world.refused(sub=subject)
    assert (error.code, error.status) == ("anonymous_not_supported", 403)


def test_t24_longest_subject(world: World) -> None:
    assert world.launch(sub="x" * 255).claims.sub == "x" * 255


@pytest.mark.parametrize("version", ["1.1", "1.3.0 ", "1.3", "", "11.3"])
def test_t25_version(world: World, version: str) -> None:
    assert world.refused(version=version).code == "version_unsupported"


def test_t25_version_of_another_type(world: World) -> None:
    assert world.refused(version=1.3).code == "claim_invalid"


@pytest.mark.parametrize("kind", ["LtiStartProctoring", "", "ltiResourceLinkRequest"])
def test_t26_message_type(world: World, kind: str) -> None:
    assert world.refused(message_type=kind).code == "message_type_unsupported"


@pytest.mark.parametrize("roles", [None, MEMBERSHIP + "Learner", [1, 2], ["x"] * 500, {}, [None]])
def test_t27_roles(world: World, roles: Any) -> None:
    error = world.refused(roles=roles)
    assert error.code == ("claim_missing" if roles is None else "claim_invalid")
    assert str(error.field).startswith("roles") or error.field == "claimed_roles"


def test_t29_target_link_uri(world: World) -> None:
    assert world.refused(target_link_uri=...).code == "claim_missing"
    assert world.refused(target_link_uri=PUBLIC_URL + "/other").code == "target_link_mismatch"
    assert world.refused(target_link_uri="https://evil.example/").code == "target_link_mismatch"
    assert world.refused(target_link_uri="javascript:alert(1)").code == "claim_invalid"


@pytest.mark.parametrize(
    "link", [None, [], {}, {"id": ""}, {"id": 5}, {"id": "x" * 256}, "12", {"id": None}]
)
def test_t30_resource_link(world: World, link: Any) -> None:
    assert world.refused(resource_link=link).code in ("claim_missing", "claim_invalid")


@pytest.mark.parametrize("context", [None, ...])
def test_t31_no_context(world: World, context: Any) -> None:
    assert world.launch(context=context).launch.context_id is None


@pytest.mark.parametrize("context", [{}, {"id": ""}, [], "3", {"id": "3", "type": "Group"}])
def test_t31_context_of_another_shape(world: World, context: Any) -> None:
    assert world.refused(context=context).code in ("claim_missing", "claim_invalid")


@pytest.mark.parametrize(
    "kind", [["CourseSection"], ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseSection"]]
)
def test_t31_context_type_short_and_full(world: World, kind: list[str]) -> None:
    claims = world.launch(context={"id": "3", "type": kind}).claims
    assert claims.context is not None
    assert claims.context.type == kind


def test_t32_mentor_scope(world: World) -> None:
    assert world.launch(role_scope_mentor=["7"]).claims.mentees == ()
    mentor = world.launch(role_scope_mentor=["7"], roles=["Mentor"])
    assert mentor.claims.mentees == ("7",)
    assert world.refused(role_scope_mentor="7").code == "claim_invalid"


@pytest.mark.parametrize("value", [5, None, {"a": "b"}, ["x"], True])
def test_t33_custom_values(world: World, value: Any) -> None:
    accepted = world.launch(custom={"naga_page": "roster", "naga_part": value})
    assert accepted.launch.services["custom"] == {"naga_page": "roster"}


def test_t33_custom_of_another_type(world: World) -> None:
    assert world.launch(custom=None)
    assert world.refused(custom=["x"]).code == "claim_invalid"
    assert world.refused(custom={str(n): "x" for n in range(201)}).code == "claim_invalid"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "/relative", "https://["]
)
def test_t34_return_url(world: World, url: str) -> None:
    error = world.refused(launch_presentation={"return_url": url})
    assert (error.code, error.field) == ("claim_invalid", "launch_presentation.return_url")


def test_t34_return_url_is_kept(world: World) -> None:
    url = ISSUER + "/return?a=1"
    assert (
        world.launch(launch_presentation={"return_url": url}).launch.services["return_url"] == url
    )
    services = world.launch(launch_presentation={"return_url": ""}).launch.services
    assert "return_url" not in services


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\u202eabc", "😀" * 300, "a\x00b", "ដារ៉ា", ""]
)
def test_t35_names_and_addresses_are_no_identity(world: World, name: str) -> None:
    launch = world.launch(name=name, given_name=name, email="not an address").launch
    assert launch.subject == "42"
    assert name not in repr(launch.services) or not name


def test_t35_titles_are_clean(world: World) -> None:
    launch = world.launch(context={"id": "3", "title": "a\x00b\u202ec", "label": None}).launch
    assert launch.services["title"] == "abc"


@pytest.mark.parametrize(
    ("ags", "kept"),
    [
        (..., None),
        (None, None),
        ({}, {"scope": []}),
        ({"lineitem": ISSUER + "/l"}, {"scope": [], "lineitem": ISSUER + "/l"}),
        ({"lineitems": ISSUER + "/l"}, {"scope": [], "lineitems": ISSUER + "/l"}),
    ],
)
def test_t36_parts_of_the_grade_service(world: World, ags: Any, kept: Any) -> None:
    assert world.launch(ags=ags).launch.services.get("ags") == kept


def test_t36_services_of_another_shape(world: World) -> None:
    assert world.refused(ags={"lineitem": "ftp://x"}).code == "claim_invalid"
    assert world.refused(ags="x").code == "claim_invalid"
    assert world.refused(nrps={}).code == "claim_missing"
    assert "nrps" not in world.launch(nrps=...).launch.services


def test_t37_migration_claims_are_ignored(world: World) -> None:
    assert world.launch(
        lti1p1={"user_id": "1", "oauth_consumer_key": "k", "oauth_consumer_key_sign": "bad"},
        lti11_legacy_user_id="1",
    )


def test_deep_linking_request(world: World) -> None:
    settings = deep_linking_settings(data="  opaque é ")
    launch = world.launch(
        message_type="LtiDeepLinkingRequest",
        deep_linking=settings,
        resource_link=...,
        roles=...,
        target_link_uri=...,
    ).launch
    assert launch.services["deep_linking"] == settings
    assert launch.roles == []


@pytest.mark.parametrize(
    "changes",
    [
        {"accept_types": ...},
        {"accept_types": []},
        {"accept_types": ["link"]},
        {"accept_presentation_document_targets": ...},
        {"accept_presentation_document_targets": []},
    ],
)
def test_d02_d03_settings_that_the_page_explains(world: World, changes: dict[str, Any]) -> None:
    assert _deep_link(world, deep_linking_settings(**changes))


def _deep_link(world: World, settings: Any) -> Launch:
    return world.launch(message_type="LtiDeepLinkingRequest", deep_linking=settings).launch


@pytest.mark.parametrize(
    "settings",
    [
        ...,
        None,
        {},
        deep_linking_settings(deep_link_return_url=...),
        deep_linking_settings(deep_link_return_url="javascript:alert(1)"),
        deep_linking_settings(deep_link_return_url="/relative"),
        deep_linking_settings(accept_multiple="true"),
        deep_linking_settings(data=5),
    ],
)
def test_d01_settings(world: World, settings: Any) -> None:
    error = world.refused(message_type="LtiDeepLinkingRequest", deep_linking=settings)
    assert error.code in ("claim_missing", "claim_invalid")
    assert str(error.field).startswith("deep_linking")


def test_submission_review(world: World) -> None:
    ags = {"lineitem": ISSUER + "/l", "scope": []}
    launch = world.launch(
        message_type="LtiSubmissionReviewRequest",
        for_user={"user_id": "9", "name": "Chan", "email": "c@example.org"},
        ags=ags,
    ).launch
    assert launch.services["for_user"] == {"user_id": "9"}
    kind = "LtiSubmissionReviewRequest"
    assert world.refused(message_type=kind, ags=ags).code == "claim_missing"
    assert world.refused(message_type=kind, for_user={"user_id": "9"}).code == "message_invalid"
    assert world.refused(message_type=kind, ags=ags, for_user={}).code == "claim_missing"


def test_moodle_quirks(world: World) -> None:
    accepted = world.launch(
        roles=["Instructor"],
        lis={"person_sourcedid": "", "course_section_sourcedid": ""},
        context={"id": "1", "type": ["Group"], "label": "", "title": ""},
    )
    assert accepted.claims.person_sourcedid is None
    assert accepted.claims.section_sourcedid is None
    assert accepted.claims.roles == (MEMBERSHIP + "Instructor",)
    assert LTI + "lis" not in accepted.launch.services
