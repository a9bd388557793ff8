"""The claim schema under anything at all, and under every single change of a right message."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lti_tool.lti.claims import AGS, DEEP_LINKING, LTI, NRPS, LaunchClaims, check, parse_claims
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.launch import _services
from lti_tool.lti.messages import validate_message

NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
AT = int(NOW.timestamp())
ISSUER = "https://moodle.example"

RIGHT: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "client",
    "sub": "42",
    "iat": AT,
    "exp": AT + 60,
    "nonce": "nonce",
    LTI + "version": "1.3.0",
    LTI + "message_type": "LtiResourceLinkRequest",
    LTI + "deployment_id": "7",
    LTI + "target_link_uri": "https://tool.example/l",
    LTI + "roles": ["Learner"],
    LTI + "resource_link": {"id": "12"},
}
OPTIONAL = [
    "azp",
    "nbf",
    "locale",
    AGS,
    NRPS,
    DEEP_LINKING,
    *(
        LTI + name
        for name in (
            "role_scope_mentor",
            "context",
            "launch_presentation",
            "lis",
            "tool_platform",
            "for_user",
            "custom",
        )
    ),
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=()), max_size=20)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(
            st.sampled_from(["id", "scope", "lineitem", "user_id", "data", "title"]) | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


def judge(claims: Any) -> LaunchClaims:
    """All that is asked of claims before a record is written."""
    parsed = parse_claims(claims)
    check(parsed, issuer=ISSUER, client_id="client", now=NOW)
    validate_message(claims, message_type=parsed.message_type)
    if parsed.nonce != "nonce" or parsed.deployment_id != "7":
        raise LaunchError("nonce_mismatch")
    if parsed.target_link_uri not in (None, "https://tool.example/l"):
        raise LaunchError("target_link_mismatch")
    _services(parsed)
    return parsed


def test_the_right_message_is_right() -> None:
    assert judge(RIGHT).sub == "42"


@settings(max_examples=300, deadline=None)
@given(anything)
@example([])
@example({LTI + "version": "1.3.0", LTI + "message_type": "LtiResourceLinkRequest"})
def test_anything_raises_nothing_but_launch_errors(claims: Any) -> None:
    with pytest.raises(LaunchError):
        judge(claims)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*RIGHT, *OPTIONAL]), anything, max_size=4))
@example({LTI + "context": {"id": "\ud800"}})
@example({LTI + "custom": {"\ud800": "x"}})
@example({AGS: {"lineitem": "https://[::1"}})
@example({"exp": 10**400})
def test_changes_raise_nothing_but_launch_errors(changes: dict[str, Any]) -> None:
    with contextlib.suppress(LaunchError):
        judge({**RIGHT, **changes})


@pytest.mark.parametrize("name", sorted(RIGHT))
@settings(max_examples=60, deadline=None)
@given(value=anything)
@example(value=None)
@example(value="")
@example(value=[])
@example(value={})
@example(value=True)
@example(value=0)
def test_any_other_value_of_a_required_claim_is_refused(name: str, value: Any) -> None:
    changed = {**RIGHT, name: value}
    try:
        parsed = judge(changed)
    except LaunchError:
        return
    assert _as_right(parsed, name, value)


def _as_right(parsed: LaunchClaims, name: str, value: Any) -> bool:
    """Whether what was accepted is a value that a platform may send in its place."""
    if name == "sub":
        return isinstance(value, str) and parsed.sub == value
    if name in ("exp", "iat"):
        return type(value) is int and AT - 660 <= value <= AT + 10**12
    if name == LTI + "roles":
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if name == LTI + "resource_link":
        return isinstance(value, dict) and isinstance(value.get("id"), str) and value["id"] != ""
    return bool(RIGHT[name] == value) and type(RIGHT[name]) is type(value)


@pytest.mark.parametrize("name", sorted(RIGHT))
def test_a_missing_required_claim_is_refused(name: str) -> None:
    with pytest.raises(LaunchError) as caught:
        judge({key: value for key, value in RIGHT.items() if key != name})
    assert caught.value.code in ("claim_missing", "anonymous_not_supported")


def test_errors_hold_no_values() -> None:
    with pytest.raises(LaunchError) as caught:
        parse_claims({**RIGHT, LTI + "context": {"id": ["Sok Dara"]}})
    assert "Sok" not in caught.value.detail
    assert caught.value.field == "context.id"
    assert caught.value.problem()["code"] == "claim_invalid"
