"""Certification guide 6.1.1 (known bad payloads), 6.1.2 and 6.1.3 (valid teacher and student)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import World
from tests.conformance.messages import LTI, MEMBERSHIP, encode


def test_bad_01_no_kid(world: World) -> None:
    ticket = world.login()
    token = world.sign(world.claims(ticket), kid=None)
    assert world.refused_token(token, ticket).code == "token_kid_missing"


def test_bad_02_incorrect_kid(world: World) -> None:
    world.launch()
    world.clock.advance(minutes=2)
    ticket = world.login()
    before = world.key_server.fetches
    token = world.sign(world.claims(ticket), kid="imstester_66067")
    assert world.refused_token(token, ticket).code == "token_key_unknown"
    assert world.key_server.fetches == before + 1


def test_bad_03_wrong_version(world: World) -> None:
    assert world.refused(version="11.3").code == "version_unsupported"


def test_bad_04_no_version(world: World) -> None:
    error = world.refused(version=...)
    assert (error.code, error.field) == ("claim_missing", "version")


def test_bad_05_invalid_message(world: World) -> None:
    token = world.sign({"name": "badltilaunch"}, kid=None)
    assert world.refused_token(token).code == "token_kid_missing"
    token = world.sign({"name": "badltilaunch"})
    assert world.refused_token(token).code == "claim_missing"


def test_bad_06_missing_lti_claims(world: World) -> None:
    assert world.refused(version=..., message_type=..., roles=...).code == "claim_missing"


def test_bad_07_timestamps(world: World) -> None:
    assert world.refused(iat=11111, exp=22222).code == "token_expired"


@pytest.mark.parametrize(
    ("number", "claim"),
    [
        (8, "message_type"),
        (9, "roles"),
        (10, "deployment_id"),
        (11, "resource_link"),
    ],
)
def test_bad_08_to_11_claim_missing(world: World, number: int, claim: str) -> None:
    error = world.refused(**{claim: ...})
    assert (error.code, error.field) == ("claim_missing", claim)


def test_bad_11_resource_link_id_missing(world: World) -> None:
    error = world.refused(resource_link={"title": "x"})
    assert (error.code, error.field) == ("claim_missing", "resource_link.id")


def test_bad_12_sub_missing(world: World) -> None:
    assert world.refused(sub=...).code == "anonymous_not_supported"
    assert world.refused(sub="").code == "anonymous_not_supported"


UNKNOWN = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
NAMES = {"name": ..., "given_name": ..., "family_name": ...}


@pytest.mark.parametrize("role", ["Instructor", "Learner"])
@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("own role", {}),
        ("several roles", {"roles": ["{role}", MEMBERSHIP + "Mentor", UNKNOWN]}),
        ("short role", {"roles": ["{short}"]}),
        ("unknown role", {"roles": [UNKNOWN]}),
        ("no role", {"roles": []}),
        ("empty role", {"roles": [""]}),
        ("e-mail only", NAMES),
        ("names only", {"email": ...}),
        ("no personal data", {**NAMES, "email": ...}),
        ("e-mail without context", {**NAMES, "context": ...}),
    ],
)
def test_valid_launch(world: World, role: str, case: str, changes: dict[str, Any]) -> None:
    roles = [
        each.format(role=MEMBERSHIP + role, short=role) for each in changes.get("roles", ["{role}"])
    ]
    accepted = world.launch(**{**changes, "roles": roles})
    session = world.launches.session(accepted.launch.reference, accepted.secret)
    assert session is not None
    known = case not in ("unknown role", "no role", "empty role")
    assert session.is_instructor == (known and role == "Instructor")
    assert session.is_learner == (known and role == "Learner")
    assert not session.is_site_administrator


def test_a_launch_is_two_segments_short_of_a_message(world: World) -> None:
    assert world.refused_token(encode({"alg": "RS256"})).code == "token_malformed"


def test_every_refusal_is_recorded_without_personal_data(world: World) -> None:
    world.refused(version="1.1")
    world.launch()
    for record in world.records():
        kept = repr(vars(record))
        assert "Dara" not in kept
        assert "dara@" not in kept
        assert LTI not in kept
