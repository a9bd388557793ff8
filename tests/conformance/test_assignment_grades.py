"""Assignment and Grade Services, columns: lti.md A1 to A7."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from werkzeug import Request, Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.assignment_grades import (
    AgsForeignHostError,
    AgsForeignNextLinkError,
    AgsNotOfferedError,
    AgsRefusedError,
    AgsUnavailableError,
)
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ, RESULT_READ
from lti_tool.lti.platforms.base import SCORE as SCORE_SCOPE
from tests.conformance.gradebook_world import (
    ITEM,
    ITEM_TYPE,
    ITEMS,
    ITEMS_TYPE,
    RESULTS_TYPE,
    SCORE_TYPE,
    Gradebook,
    a_score,
    ags_claim,
    ensure,
    item_url,
    line_item,
)
from tests.lti.outbound_world import Stub, World, as_json, open_world


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


@pytest.fixture
def moodle(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, family="moodle") as world:
        yield world


def test_a1_the_smallest_scope_for_each_call(world: World) -> None:
    gradebook = Gradebook(world)
    world.grades.line_items(world.registration, ags_claim(world))
    assert world.scopes_asked == [LINE_ITEM_READ]
    item = ensure(world)
    assert world.scopes_asked == [LINE_ITEM_READ, LINE_ITEM]
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    world.stub.on("GET", f"{ITEM}/results", as_json([]))
    world.grades.post_score(world.registration, item.url, a_score())
    world.grades.results(world.registration, item.url)
    assert world.scopes_asked == [LINE_ITEM_READ, LINE_ITEM, SCORE_SCOPE, RESULT_READ]
    assert len(gradebook.items) == 1


def test_a1_writing_scope_reads_where_the_platform_offers_no_other(world: World) -> None:
    Gradebook(world)
    world.grades.line_items(world.registration, ags_claim(world, LINE_ITEM))
    assert world.scopes_asked == [LINE_ITEM]


def test_a1_moodle_reads_with_the_readonly_scope(moodle: World) -> None:
    Gradebook(moodle)
    moodle.grades.line_items(moodle.registration, ags_claim(moodle, LINE_ITEM))
    assert moodle.scopes_asked == [LINE_ITEM_READ]


def test_a2_suffixes_go_into_the_path_and_the_query_stays(world: World) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    world.stub.on("GET", f"{ITEM}/results", as_json([]))
    world.grades.post_score(world.registration, item_url(world), a_score())
    world.grades.results(world.registration, item_url(world), user_id="7")
    assert world.stub.seen("POST", f"{ITEM}/scores")[0].query == "type_id=3"
    assert world.stub.seen("GET", f"{ITEM}/results")[0].query == "type_id=3&user_id=7&limit=200"


def test_a3_exact_media_types(world: World) -> None:
    Gradebook(world)
    ensure(world)
    world.stub.on("GET", ITEM, as_json(line_item(world, 9)))
    world.stub.on("PUT", ITEM, as_json(line_item(world, 9)))
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    world.stub.on("GET", f"{ITEM}/results", as_json([]))
    world.grades.update_line_item(world.registration, item_url(world), label="Other")
    world.grades.post_score(world.registration, item_url(world), a_score())
    world.grades.results(world.registration, item_url(world))
    seen = {(each.method, each.path): each for each in world.stub.requests if each.path != "/token"}
    assert seen["GET", ITEMS].headers["Accept"] == ITEMS_TYPE
    assert seen["POST", ITEMS].headers["Content-Type"] == ITEM_TYPE
    assert seen["GET", ITEM].headers["Accept"] == ITEM_TYPE
    assert seen["PUT", ITEM].headers["Content-Type"] == ITEM_TYPE
    assert seen["POST", f"{ITEM}/scores"].headers["Content-Type"] == SCORE_TYPE
    assert seen["GET", f"{ITEM}/results"].headers["Accept"] == RESULTS_TYPE


def test_a4_put_keeps_what_is_not_changed(world: World) -> None:
    present = line_item(world, 9, resourceLinkId="link-5", startDateTime="x", scoreMaximum=12.5)
    world.stub.on("GET", ITEM, as_json(present))
    world.stub.on("PUT", ITEM, Response("", 200))
    item = world.grades.update_line_item(world.registration, item_url(world), label="New")
    sent = json.loads(world.stub.seen("PUT", ITEM)[0].body)
    assert sent == present | {"label": "New"}
    assert (item.label, item.maximum, item.resource_link_id) == ("New", Decimal("12.5"), "link-5")


def test_a5_delete(world: World) -> None:
    world.stub.on("DELETE", ITEM, Response("", 204))
    world.grades.delete_line_item(world.registration, item_url(world))
    assert len(world.stub.seen("DELETE", ITEM)) == 1
    world.stub.on("DELETE", ITEM, Response("", 404))
    world.grades.delete_line_item(world.registration, item_url(world))
    world.stub.on("DELETE", ITEM, Response("", 403))
    with pytest.raises(AgsRefusedError):
        world.grades.delete_line_item(world.registration, item_url(world))


def test_a6_filters_are_sent_and_checked_and_pages_followed(world: World) -> None:
    def page(request: Request) -> Response:
        if request.args.get("page") == "B":
            return as_json(
                [line_item(world, 10, resourceLinkId="l"), line_item(world, 11, tag="x")]
            )
        link = f'<{world.url}{ITEMS}?type_id=3&page=B>; rel="next"'
        other = line_item(world, 12, resourceId="part-2", resourceLinkId="l")
        return as_json([other, line_item(world, 9, resourceLinkId="l")], Link=link)

    world.stub.on("GET", ITEMS, page)
    found = world.grades.line_items(
        world.registration,
        ags_claim(world),
        resource_id="part-1",
        tag="naga-part",
        resource_link_id="l",
    )
    assert [item.url.split("/")[-2] for item in found] == ["9", "10"]
    assert [each.query for each in world.stub.seen("GET", ITEMS)] == [
        "type_id=3&resource_id=part-1&tag=naga-part&resource_link_id=l&limit=200",
        "type_id=3&page=B",
    ]


def test_a6_moodle_line_items_are_counted_on(moodle: World) -> None:
    everything = [line_item(moodle, number) for number in range(1203)]

    def page(request: Request) -> Response:
        start, size = int(request.args.get("from", 0)), int(request.args["limit"])
        broken = f"<{moodle.url}{ITEMS}?type_id=3&amp;from=1>; rel=“next”".encode()
        return as_json(everything[start : start + size], Link=broken.decode("latin-1"))

    moodle.stub.on("GET", ITEMS, page)
    found = moodle.grades.line_items(moodle.registration, ags_claim(moodle))
    assert len(found) == 1203
    assert [each.query for each in moodle.stub.seen("GET", ITEMS)] == [
        "type_id=3&limit=500",
        "type_id=3&limit=500&from=500",
        "type_id=3&limit=500&from=1000",
    ]


def test_a6_next_page_on_another_host_never_gets_the_token(world: World) -> None:
    stranger = Stub()
    try:
        link = f"<{stranger.url}/more>; rel=next"
        world.stub.on("GET", ITEMS, as_json([line_item(world, 9)], Link=link))
        with pytest.raises(AgsForeignNextLinkError) as caught:
            world.grades.line_items(world.registration, ags_claim(world))
        assert caught.value.code == "next_link_foreign_host"
        assert stranger.requests == []
    finally:
        stranger.close()


def test_a6_a_column_on_another_host_is_refused(world: World) -> None:
    world.stub.on("GET", ITEMS, as_json([line_item(world, 9, id="https://elsewhere.example/9")]))
    with pytest.raises(AgsForeignHostError):
        world.grades.line_items(world.registration, ags_claim(world))


def test_a7_ensure_finds_before_it_creates(world: World) -> None:
    gradebook = Gradebook(world)
    first = ensure(world)
    assert (first.label, first.maximum, first.resource_id) == ("Part", Decimal(100), "part-1")
    assert ensure(world, maximum=Decimal(50)) == first
    assert len(gradebook.items) == 1
    assert ensure(world, resource_id="part-2").url != first.url


def test_a7_after_a_course_copy_the_links_own_column_is_preferred(world: World) -> None:
    gradebook = Gradebook(world)
    gradebook.items[8] = line_item(world, 8, resourceLinkId="old")
    gradebook.items[9] = line_item(world, 9, resourceLinkId="new")
    assert "/9/" in ensure(world, resource_link_id="new").url
    assert "/8/" in ensure(world, resource_link_id="unknown").url
    assert "/8/" in ensure(world).url


def test_a7_two_threads_make_one_column(world: World) -> None:
    gradebook = Gradebook(world)
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: ensure(world).url, range(4)))
    assert len(urls) == len(gradebook.items) == 1


def test_a7_of_two_processes_the_later_takes_its_own_back(world: World) -> None:
    gradebook = Gradebook(world)

    def beaten(request: Request) -> Response:
        # Another process creates the same column between our look and our creation.
        gradebook.create(request)
        return gradebook.create(request)

    world.stub.queue("POST", ITEMS, beaten)
    assert "/9/" in ensure(world, resource_link_id="l").url
    assert list(gradebook.items) == [9]


def test_a7_a_column_that_cannot_be_taken_back_is_left(world: World) -> None:
    gradebook = Gradebook(world)

    def beaten(request: Request) -> Response:
        gradebook.create(request)
        answer = gradebook.create(request)
        world.stub.on("DELETE", "/2/lineitems/10/lineitem", Response("", 403))
        return answer

    world.stub.queue("POST", ITEMS, beaten)
    assert "/9/" in ensure(world).url


@pytest.mark.parametrize("created", [True, False])
def test_a7_a_lost_answer_never_makes_a_second_column(world: World, created: bool) -> None:
    gradebook = Gradebook(world)

    def lost(request: Request) -> Response:
        if created:
            gradebook.create(request)
        return Response("gateway", 502)

    world.stub.queue("POST", ITEMS, lost)
    if created:
        assert "/9/" in ensure(world).url
    else:
        with pytest.raises(AgsUnavailableError):
            ensure(world)
    assert len(world.stub.seen("POST", ITEMS)) == 1


def test_a7_creation_that_was_put_off_is_repeated(world: World) -> None:
    Gradebook(world)
    world.stub.queue("POST", ITEMS, Response("", 429, headers={"Retry-After": "2"}))
    assert "/9/" in ensure(world).url
    assert world.waits == [2.0]


def test_a7_no_right_to_create_is_said_plainly(world: World) -> None:
    Gradebook(world)
    ags = ags_claim(world, LINE_ITEM_READ)
    with pytest.raises(AgsNotOfferedError):
        world.grades.ensure_line_item(
            world.registration, ags, label="x", maximum=Decimal(1), resource_id="x", tag="t"
        )
    with pytest.raises(AgsNotOfferedError):
        world.grades.line_items(world.registration, {"scope": []})
