"""Assignment and Grade Services, scores and results: lti.md A8 to A17 as far as one call goes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from werkzeug import Request, Response

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.assignment_grades import (
    AgsConflictError,
    AgsError,
    AgsGoneError,
    AgsMalformedError,
    AgsRefusedError,
    AgsUnavailableError,
    Result,
)
from tests.conformance.gradebook_world import (
    ITEM,
    ITEMS,
    a_score,
    ags_claim,
    item_url,
)
from tests.lti.outbound_world import NOW, World, as_json, open_world, raw_server


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring) as world:
        yield world


@pytest.fixture
def moodle(database: Database, clock: FixedClock, keyring: Keyring) -> Iterator[World]:
    with open_world(database, clock, keyring, family="moodle") as world:
        yield world


def test_a8_a9_a10_a11_the_score_as_sent(world: World) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    zone = dt.timezone(dt.timedelta(hours=7))
    score = a_score("0", timestamp=NOW.astimezone(zone), submitted_at=NOW, comment="x")
    assert world.grades.post_score(world.registration, item_url(world), score)
    assert json.loads(world.stub.seen("POST", f"{ITEM}/scores")[0].body) == {
        "userId": "7",
        "scoreGiven": 0,
        "scoreMaximum": 100,
        "timestamp": "2026-03-02T03:00:00.000+00:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "comment": "x",
        "submission": {"submittedAt": "2026-03-02T03:00:00.000+00:00"},
    }


def test_a8_moodle_progress_is_held_back_beside_a_grade(moodle: World) -> None:
    moodle.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    moodle.stub.on("GET", f"{ITEM}/results", as_json([{"userId": "7", "resultScore": 5}]))
    progress = a_score(None, grading_progress="Pending", activity_progress="Submitted")
    assert not moodle.grades.post_score(moodle.registration, item_url(moodle), progress)
    assert moodle.stub.seen("POST", f"{ITEM}/scores") == []
    moodle.stub.on("GET", f"{ITEM}/results", as_json([]))
    assert moodle.grades.post_score(moodle.registration, item_url(moodle), progress)
    assert moodle.grades.post_score(moodle.registration, item_url(moodle), a_score())
    assert len(moodle.stub.seen("GET", f"{ITEM}/results")) == 2


def test_a12_results(world: World) -> None:
    rows = [
        {"userId": "1", "resultScore": 0, "resultMaximum": 10},
        {"userId": "2", "resultMaximum": 10, "comment": "soon"},
        {"userId": "3", "resultScore": 7.5, "resultMaximum": 10, "comment": 5},
        {"userId": 4, "resultScore": "8.00000", "resultMaximum": "10"},
        {"userId": "5", "resultScore": 0.5},
        {"userId": "6", "resultScore": True, "resultMaximum": 0},
        {"userId": "8", "resultScore": "none"},
        {"resultScore": 1},
        "row",
    ]
    world.stub.on("GET", f"{ITEM}/results", as_json(rows))
    results = world.grades.results(world.registration, item_url(world))
    assert results == [
        Result("1", Decimal(0), Decimal(10)),
        Result("2", None, Decimal(10), "soon"),
        Result("3", Decimal("7.5"), Decimal(10)),
        Result("4", Decimal(8), Decimal(10)),
        Result("5", Decimal("0.5"), Decimal(1)),
        Result("6", None, None),
        Result("8", None, None),
    ]
    assert results[2].scaled_to(Decimal(100)) == 75
    # A platform that ignores the filter does not confuse us.
    assert len(world.grades.results(world.registration, item_url(world), user_id="3")) == 1


def test_a12_results_are_paged(world: World) -> None:
    def page(request: Request) -> Response:
        if "p" in request.args:
            return as_json([{"userId": "2", "resultScore": 2, "resultMaximum": 10}])
        link = f"<{world.url}{ITEM}/results?p=2>; rel=next"
        return as_json([{"userId": "1", "resultScore": 1, "resultMaximum": 10}], Link=link)

    world.stub.on("GET", f"{ITEM}/results", page)
    assert len(world.grades.results(world.registration, item_url(world))) == 2


def test_a12_moodle_results_never_get_a_limit(moodle: World) -> None:
    moodle.stub.on("GET", f"{ITEM}/results", as_json([]))
    moodle.grades.results(moodle.registration, item_url(moodle))
    assert moodle.stub.seen("GET", f"{ITEM}/results")[0].query == "type_id=3"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, AgsRefusedError, "ags_refused"),
        (403, AgsRefusedError, "ags_refused"),
        (422, AgsRefusedError, "ags_refused"),
        (302, AgsRefusedError, "ags_refused"),
        (404, AgsGoneError, "ags_gone"),
        (410, AgsGoneError, "ags_gone"),
        (409, AgsConflictError, "ags_conflict"),
    ],
)
def test_a13_a14_a16_permanent_refusals_are_sent_once(
    world: World, status: int, kind: type[AgsError], code: str
) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("why", status))
    with pytest.raises(kind) as caught:
        world.grades.post_score(world.registration, item_url(world), a_score())
    assert caught.value.code == code
    assert caught.value.http_status == status
    assert caught.value.context["host"] == "127.0.0.1"
    assert caught.value.context["excerpt"] == "why"
    assert len(world.stub.seen("POST", f"{ITEM}/scores")) == 1
    assert world.waits == []


def test_a13_a401_drops_the_token_and_tries_once_more(world: World) -> None:
    world.stub.queue("POST", f"{ITEM}/scores", Response("", 401))
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    assert world.grades.post_score(world.registration, item_url(world), a_score())
    sent = [e.headers["Authorization"] for e in world.stub.seen("POST", f"{ITEM}/scores")]
    assert sent == ["Bearer token-1", "Bearer token-2"]


def test_a13_a401_twice_is_a_refusal(world: World) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("no", 401))
    with pytest.raises(AgsRefusedError) as caught:
        world.grades.post_score(world.registration, item_url(world), a_score())
    assert caught.value.http_status == 401
    assert len(world.stub.seen("POST", f"{ITEM}/scores")) == 2


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_a13_transient_answers_are_tried_again(world: World, status: int) -> None:
    world.stub.queue("POST", f"{ITEM}/scores", Response("", status), Response("", status))
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    assert world.grades.post_score(world.registration, item_url(world), a_score())
    assert world.waits == [0.5, 1.0]


def test_a13_transient_to_the_end_is_unavailable(world: World) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("<html>", 500))
    with pytest.raises(AgsUnavailableError) as caught:
        world.grades.post_score(world.registration, item_url(world), a_score())
    assert caught.value.code == "ags_unavailable"
    assert len(world.stub.seen("POST", f"{ITEM}/scores")) == 3


def test_a13_retry_after_is_honoured(world: World) -> None:
    world.stub.queue("POST", f"{ITEM}/scores", Response("", 429, headers={"Retry-After": "7"}))
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    assert world.grades.post_score(world.registration, item_url(world), a_score())
    assert world.waits == [7.0]


def test_a13_retry_after_as_a_date_is_read_by_the_platforms_own_clock(world: World) -> None:
    answer = (
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n"
        b"Date: Mon, 02 Mar 2026 03:00:00 GMT\r\n"
        b"Retry-After: Mon, 02 Mar 2026 03:00:09 GMT\r\n\r\n"
    )
    with raw_server(answer) as url, pytest.raises(AgsUnavailableError):
        world.grades.post_score(world.registration, f"{url}{ITEM}", a_score())
    assert world.waits == [9.0, 9.0]


def test_a13_a_date_that_has_passed_asks_for_no_wait(world: World) -> None:
    past = "Mon, 02 Mar 2020 03:00:09 GMT"
    world.stub.queue("POST", f"{ITEM}/scores", Response("", 503, headers={"Retry-After": past}))
    world.stub.on("POST", f"{ITEM}/scores", Response("", 200))
    assert world.grades.post_score(world.registration, item_url(world), a_score())
    assert world.waits == [0.5]


def test_a13_a_platform_that_wants_an_hour_ends_the_call(world: World) -> None:
    world.stub.on("POST", f"{ITEM}/scores", Response("", 429, headers={"Retry-After": "3600"}))
    with pytest.raises(AgsUnavailableError) as caught:
        world.grades.post_score(world.registration, item_url(world), a_score())
    assert caught.value.retry_after == 3600
    assert world.waits == []


def test_a13_html_and_half_a_document(world: World) -> None:
    for body in ("<html>", '[{"userId": "7", "resu', '[{"userId":"7","resultScore":NaN}]', "{}"):
        world.stub.on("GET", f"{ITEM}/results", Response(body, 200))
        with pytest.raises(AgsMalformedError):
            world.grades.results(world.registration, item_url(world))
    documents: tuple[Any, ...] = ({}, [5], [{"id": f"{world.url}/x"}], [{"scoreMaximum": 5}])
    for document in documents:
        world.stub.on("GET", ITEMS, as_json(document))
        with pytest.raises(AgsMalformedError):
            world.grades.line_items(world.registration, ags_claim(world))


def test_a13_moodles_status_zero_counts_as_unavailable(moodle: World) -> None:
    answer = b"HTTP/1.0 0 \r\nContent-Length: 0\r\n\r\n"
    with raw_server(answer) as url, pytest.raises(AgsUnavailableError):
        moodle.grades.post_score(moodle.registration, f"{url}{ITEM}", a_score())
    assert len(moodle.waits) == 2


@pytest.mark.parametrize(
    ("held", "arrived"),
    [({"resultScore": 8.55, "resultMaximum": 10}, True), ({"resultScore": 9.0}, False), (None, 0)],
)
def test_a14_a15_a_conflict_after_a_lost_answer_may_be_our_own_grade(
    world: World, held: dict[str, Any] | None, arrived: bool
) -> None:
    world.stub.queue("POST", f"{ITEM}/scores", Response("", 502), Response("", 409))
    rows = [{"userId": "7"} | held] if held else []
    world.stub.on("GET", f"{ITEM}/results", as_json(rows))
    if arrived:
        assert world.grades.post_score(world.registration, item_url(world), a_score())
    else:
        with pytest.raises(AgsConflictError):
            world.grades.post_score(world.registration, item_url(world), a_score())
    assert len(world.stub.seen("POST", f"{ITEM}/scores")) == 2


def test_a14_a_conflict_that_cannot_be_looked_into_stays_one(world: World) -> None:
    world.stub.queue("POST", f"{ITEM}/scores", Response("", 502), Response("", 409))
    with pytest.raises(AgsConflictError):
        world.grades.post_score(world.registration, item_url(world), a_score())


def test_a14_moodle_says_why_in_plain_words(moodle: World) -> None:
    moodle.stub.on("POST", f"{ITEM}/scores", Response("", 409))
    with pytest.raises(AgsConflictError, match="newer"):
        moodle.grades.post_score(moodle.registration, item_url(moodle), a_score())
    moodle.stub.on("POST", f"{ITEM}/scores", Response("", 400))
    with pytest.raises(AgsRefusedError, match="not enrolled"):
        moodle.grades.post_score(moodle.registration, item_url(moodle), a_score())
