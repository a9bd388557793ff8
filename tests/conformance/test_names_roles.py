"""Names and Roles: lti.md N1 to N12 as far as the reading of members goes."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug import Request, Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.names_roles import (
    Member,
    NrpsForeignNextLinkError,
    NrpsGoneError,
    NrpsMalformedError,
    NrpsNextLinkLoopError,
    NrpsUnavailableError,
)
from lti_tool.lti.platforms.base import MEMBERS_READ
from tests.lti.outbound_world import Stub, World, as_json, open_world

CONTAINER = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
PATH = "/Course/7/Memberships"


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


@pytest.fixture
def moodle(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, family="moodle") as world:
        yield world


def _page(members: list[Any], *links: str) -> Response:
    response = Response(json.dumps({"id": "x", "members": members}), content_type=CONTAINER)
    for link in links:
        response.headers.add("Link", link)
    return response


def _people(*numbers: int) -> list[dict[str, Any]]:
    return [{"user_id": str(number), "roles": ["Learner"]} for number in numbers]


def _ids(world: World, **wishes: Any) -> list[list[str]]:
    return [
        [member.user_id for member in page]
        for page in world.names_roles.members(world.registration, _claim(world), **wishes)
    ]


def _claim(world: World) -> dict[str, Any]:
    return {"context_memberships_url": f"{world.url}{PATH}", "service_versions": ["2.0"]}


def test_n1_accept_scope_and_bearer(world: World) -> None:
    world.stub.on("GET", PATH, _page(_people(1)))
    assert _ids(world) == [["1"]]
    request = world.stub.seen("GET", PATH)[0]
    assert request.headers["Accept"] == CONTAINER
    assert request.headers["Authorization"] == "Bearer token-1"
    assert world.scopes_asked == [MEMBERS_READ]


@pytest.mark.parametrize(
    "form",
    [
        '<{0}>; rel="next"',
        "<{0}>; rel=next",
        "<{0}>; rel=“next”",
        '<{0}>; rel="prev next"',
        '<https://elsewhere.example/>; rel="last", <{0}>; rel="next"',
    ],
)
def test_n2_next_link_is_followed_as_it_is(world: World, form: str) -> None:
    query = "Page=Two&a=1&a=2&b=%2Fx"
    link = form.format(f"{world.url}/Case/Kept?{query}").encode().decode("latin-1")
    world.stub.on("GET", PATH, _page(_people(1), '<x>; rel="self"', link))
    world.stub.on("GET", "/Case/Kept", _page(_people(2)))
    assert _ids(world) == [["1"], ["2"]]
    assert world.stub.seen("GET", "/Case/Kept")[0].query == query


def test_n2_escaped_ampersands_in_the_next_link(world: World) -> None:
    link = f"<{world.url}/second?a=1&amp;b=2>; rel=“next”".encode().decode("latin-1")
    world.stub.on("GET", PATH, _page(_people(1), link))
    world.stub.on("GET", "/second", _page(_people(2)))
    assert _ids(world) == [["1"], ["2"]]
    assert world.stub.seen("GET", "/second")[0].query == "a=1&b=2"


def test_n3_loop_is_an_error(world: World) -> None:
    world.stub.on("GET", PATH, _page(_people(1), f"<{world.url}/2>; rel=next"))
    world.stub.on("GET", "/2", _page(_people(2), f"<{world.url}/2>; rel=next"))
    with pytest.raises(NrpsNextLinkLoopError):
        _ids(world)


def test_n3_pages_without_end_that_bring_nothing_are_an_error(world: World) -> None:
    def again(request: Request) -> Response:
        number = int(request.args.get("from", 0)) + 1
        return _page(_people(1), f"<{world.url}{PATH}?from={number}>; rel=next")

    world.stub.on("GET", PATH, again)
    with pytest.raises(NrpsNextLinkLoopError):
        _ids(world)


def test_n3_next_link_on_another_host_never_gets_the_token(world: World) -> None:
    stranger = Stub()
    try:
        world.stub.on("GET", PATH, _page(_people(1), f"<{stranger.url}{PATH}>; rel=next"))
        with pytest.raises(NrpsForeignNextLinkError) as caught:
            _ids(world)
        assert caught.value.code == "next_link_foreign_host"
        assert stranger.requests == []
    finally:
        stranger.close()


def test_n3_redirect_is_not_followed(world: World) -> None:
    stranger = Stub()
    try:
        world.stub.on("GET", PATH, Response("", 302, headers={"Location": f"{stranger.url}/x"}))
        with pytest.raises(Exception, match="302"):
            _ids(world)
        assert stranger.requests == []
    finally:
        stranger.close()


def test_n4_no_page_cap(world: World) -> None:
    def page(request: Request) -> Response:
        number = int(request.args.get("from", 0))
        link = f"<{world.url}{PATH}?from={number + 1}>; rel=next"
        return _page(_people(number), *([link] if number < 299 else []))

    world.stub.on("GET", PATH, page)
    assert sum(len(page) for page in _ids(world)) == 300
    assert len(world.tokens_given) == 1


@pytest.mark.parametrize("answer", [Response("down", 500), as_json({}, 500)])
def test_n4_failure_on_a_later_page_is_an_error(world: World, answer: Response) -> None:
    world.stub.on("GET", PATH, _page(_people(1), f"<{world.url}/2>; rel=next"))
    world.stub.on("GET", "/2", answer)
    with pytest.raises(NrpsUnavailableError):
        _ids(world)
    assert len(world.stub.seen("GET", "/2")) == 3


def test_n4_half_a_page_is_an_error(world: World) -> None:
    whole = json.dumps({"members": _people(1, 2, 3)})
    world.stub.on("GET", PATH, Response(whole[: len(whole) // 2], content_type=CONTAINER))
    with pytest.raises(NrpsMalformedError) as caught:
        _ids(world)
    # People's data is no evidence.
    assert "excerpt" not in caught.value.context


def test_n5_status(world: World) -> None:
    members = [
        {"user_id": "1", "roles": []},
        {"user_id": "2", "roles": [], "status": "Inactive"},
        {"user_id": "3", "roles": [], "status": "Deleted"},
        {"user_id": "4", "roles": [], "status": "active"},
        {"user_id": "5", "roles": [], "status": "Unheard-of"},
    ]
    world.stub.on("GET", PATH, _page(members))
    [page] = world.names_roles.members(world.registration, _claim(world))
    assert [member.status for member in page] == [
        "Active",
        "Inactive",
        "Deleted",
        "Active",
        "Inactive",
    ]


def test_n6_minimal_and_full_members(world: World) -> None:
    full = {
        "user_id": "2",
        "roles": ["Instructor", "http://example.org/role#X"],
        "lis_person_sourcedid": "S-2",
        "name": "ចាន់ សុខា",
        "given_name": "សុខា",
        "family_name": "ចាន់",
        "email": "a@example.org",
        "picture": "x",
        "message": [],
    }
    world.stub.on("GET", PATH, _page([{"user_id": "1", "roles": ["Learner"]}, full]))
    [page] = world.names_roles.members(world.registration, _claim(world))
    assert page[0] == Member("1", "Active", (f"{ROLE}Learner",))
    assert page[1] == Member(
        "2",
        "Active",
        (f"{ROLE}Instructor", "http://example.org/role#X"),
        "S-2",
        "ចាន់ សុខា",
        "សុខា",
        "ចាន់",
        "a@example.org",
    )


def test_n7_duplicates_across_pages_are_dropped(world: World) -> None:
    world.stub.on("GET", PATH, _page(_people(1, 2), f"<{world.url}/2>; rel=next"))
    world.stub.on("GET", "/2", _page(_people(2, 3)))
    reading = world.names_roles.members(world.registration, _claim(world))
    assert [[member.user_id for member in page] for page in reading] == [["1", "2"], ["3"]]
    assert reading.duplicates == 1


def test_n8_role_rlid_and_limit_are_added_to_the_query(world: World) -> None:
    world.stub.on("GET", PATH, _page(_people(1)))
    claim = {"context_memberships_url": f"{world.url}{PATH}?type=3"}
    reading = world.names_roles.members(
        world.registration, claim, role=f"{ROLE}Learner", rlid="l 1", limit=2
    )
    assert [len(page) for page in reading] == [1]
    assert world.stub.seen("GET", PATH)[0].query == (
        "type=3&role=http%3A%2F%2Fpurl.imsglobal.org%2Fvocab%2Flis%2Fv2%2Fmembership%23Learner"
        "&rlid=l%201&limit=2"
    )


@pytest.mark.parametrize("role", ["Instructor", f"{ROLE}Instructor"])
def test_n8_a_role_that_the_platform_ignores_is_filtered_here(world: World, role: str) -> None:
    assistant = "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant"
    members = [
        {"user_id": "1", "roles": ["Learner"]},
        {"user_id": "2", "roles": ["Instructor"]},
        {"user_id": "3", "roles": [assistant]},
    ]
    world.stub.on("GET", PATH, _page(members))
    assert _ids(world, role=role) == [["2", "3"]]


def test_n8_moodle_forgets_the_role_in_its_next_link(moodle: World) -> None:
    def page(request: Request) -> Response:
        assert request.args["role"] == "Learner"
        if "from" in request.args:
            return _page(_people(2))
        return _page(_people(1), f'<{moodle.url}{PATH}?limit=1000&from=1000>; rel="next"')

    moodle.stub.on("GET", PATH, page)
    assert _ids(moodle, role="Learner") == [["1"], ["2"]]
    assert moodle.stub.seen("GET", PATH)[0].query == "role=Learner&limit=1000"


def test_n9_differences_are_offered_and_read(world: World) -> None:
    since = f"{world.url}/changes?since=5"
    world.stub.on("GET", PATH, _page(_people(1), f'<{since}>; rel="differences"'))
    deleted = {"user_id": "1", "roles": [], "status": "Deleted"}
    world.stub.on("GET", "/changes", _page([deleted]))
    reading = world.names_roles.members(world.registration, _claim(world))
    assert len(list(reading)) == 1
    assert reading.differences == since
    changes = world.names_roles.members(world.registration, _claim(world), differences=since)
    assert [[(m.user_id, m.status) for m in page] for page in changes] == [[("1", "Deleted")]]


def test_n9_expired_differences_ask_for_a_full_reading(world: World) -> None:
    world.stub.on("GET", "/changes", Response("", 410))
    with pytest.raises(NrpsGoneError):
        _ids(world, differences=f"{world.url}/changes")


def test_n9_differences_on_another_host_are_neither_kept_nor_read(world: World) -> None:
    link = '<https://elsewhere.example/x>; rel="differences"'
    world.stub.on("GET", PATH, _page(_people(1), link))
    reading = world.names_roles.members(world.registration, _claim(world))
    assert len(list(reading)) == 1
    assert reading.differences is None
    with pytest.raises(NrpsForeignNextLinkError):
        _ids(world, differences="https://elsewhere.example/x")


def test_n10_memory_holds_one_page(world: World) -> None:
    def page(request: Request) -> Response:
        number = int(request.args.get("from", 0))
        people = [
            {"user_id": str(number * 100 + each), "roles": ["Learner"], "name": "x" * 300}
            for each in range(100)
        ]
        link = f"<{world.url}{PATH}?from={number + 1}>; rel=next"
        return _page(people, *([link] if number < 19 else []))

    world.stub.on("GET", PATH, page)
    reading = world.names_roles.members(world.registration, _claim(world))
    total = len(next(reading))
    held: list[int] = []
    tracemalloc.start()
    try:
        for members in reading:
            total += len(members)
            world.stub.requests.clear()
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert total == 2_000
    # What stays of a page is its 100 ids: with names and all it would be several times this.
    assert held[-1] - held[4] < (len(held) - 5) * 100 * 300


def test_n12_unknown_roles_are_kept_and_grant_nothing(world: World) -> None:
    unknown = "http://purl.imsglobal.org/vocab/lis/v2/unknown/unknown#Helper"
    world.stub.on("GET", PATH, _page([{"user_id": "1", "roles": [unknown, "Helper"]}]))
    [page] = world.names_roles.members(world.registration, _claim(world))
    assert page[0].roles == (unknown, "Helper")
