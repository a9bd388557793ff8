from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.names_roles import (
    Members,
    NrpsMalformedError,
    NrpsNotOfferedError,
    NrpsRefusedError,
    read_member,
)
from tests.lti.outbound_world import World, as_json, open_world


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, family="moodle") as world:
        yield world


def test_members_that_cannot_be_used_are_counted_by_reason(world: World) -> None:
    members = [
        "text",
        {"roles": ["Learner"]},
        {"user_id": "", "roles": []},
        {"user_id": True, "roles": []},
        {"user_id": "x" * 256, "roles": []},
        {"user_id": "1", "roles": [5]},
        {"user_id": "2", "roles": {"a": 1}},
        {"user_id": 3, "roles": "Learner", "name": 5, "email": "  ", "given_name": "A\x00B"},
        {"user_id": "4", "roles": None, "lis_person_sourcedid": "S" * 256, "name": "ក\u200bខ"},
        {"user_id": "5", "email": "a\x00b", "name": "\ud800N" + "n" * 400},
        {"user_id": "6\x00", "roles": []},
    ]
    world.stub.on("GET", "/m", as_json({"members": members}))
    claim = {"context_memberships_url": f"{world.url}/m"}
    reading = world.names_roles.members(world.registration, claim)
    [page] = reading
    assert [member.user_id for member in page] == ["3", "4", "5"]
    assert page[0].roles == ("http://purl.imsglobal.org/vocab/lis/v2/membership#Learner",)
    assert (page[0].name, page[0].email, page[0].given_name) == (None, None, "AB")
    assert page[1].roles == page[2].roles == ()
    assert (page[1].sourced_id, page[1].name) == (None, "ក\u200bខ")
    assert (page[2].email, page[2].name) == (None, "N" + "n" * 299)
    assert dict(reading.skipped) == {"member": 1, "user_id": 5, "roles": 2}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["user_id", "roles", "status", "name", "email"]) | st.text(),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_member_is_read_or_counted(entry: object) -> None:
    skipped: Counter[str] = Counter()
    member = read_member(json.loads(json.dumps(entry)), skipped)
    assert (member is None) is bool(skipped)
    if member is not None:
        # What is kept can be stored anywhere.
        text = "".join([member.user_id, *member.roles, member.name or "", member.email or ""])
        text.encode()
        assert "\x00" not in text


@pytest.mark.parametrize("document", [[], {}, {"members": {}}, {"members": None}, "x"])
def test_what_is_no_container_is_an_error(world: World, document: object) -> None:
    world.stub.on("GET", "/m", as_json(document))
    claim = {"context_memberships_url": f"{world.url}/m"}
    with pytest.raises(NrpsMalformedError):
        list(world.names_roles.members(world.registration, claim))


@pytest.mark.parametrize("claim", [{}, {"context_memberships_url": ""}])
def test_a_launch_without_the_service_says_so(world: World, claim: dict[str, str]) -> None:
    with pytest.raises(NrpsNotOfferedError):
        world.names_roles.members(world.registration, claim)


def test_moodle_says_why_it_refuses(world: World) -> None:
    world.stub.on("GET", "/m", Response("", 403))
    claim = {"context_memberships_url": f"{world.url}/m"}
    with pytest.raises(NrpsRefusedError, match="read the members"):
        list(world.names_roles.members(world.registration, claim))


def test_a_reading_that_never_began_is_empty() -> None:
    assert list(Members()) == []
