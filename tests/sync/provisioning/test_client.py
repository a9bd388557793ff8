"""The one way to a Moodle: its failures, its limits, its operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lti_tool.moodle.messages import SiteStatus
from lti_tool.moodle.models import System
from lti_tool.moodle.plugin_errors import (
    BusyError,
    DataError,
    TokenRefusedError,
    TransientError,
)
from lti_tool.sync.provisioning.client import MoodleAPIClient, SiteClosedError
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.models import BreakerState
from tests.sync.connected import TOKEN
from tests.sync.provisioning.conftest import Campus


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def client(campus: Campus, slept: list[float]) -> MoodleAPIClient:
    def sleep(seconds: float) -> None:
        slept.append(seconds)
        campus.clock.advance(seconds=seconds)

    gates = Gates(campus.database, campus.clock, per_minute=5)
    return MoodleAPIClient({System.MOODLE: campus.plugin}, gates, campus.clock, sleep=sleep)


@pytest.fixture
def failing(campus: Campus) -> Iterator[Callable[..., list[int]]]:
    """Let the status fail so many times."""

    def fail(error: Exception, times: int) -> list[int]:
        calls: list[int] = []
        real = type(campus.plugin).status

        def status(site: Any) -> SiteStatus:
            calls.append(1)
            if len(calls) <= times:
                raise error
            return real(campus.plugin, site)

        campus.plugin.status = status  # type: ignore[method-assign]
        return calls

    yield fail
    vars(campus.plugin).pop("status", None)


def _breaker(campus: Campus) -> BreakerState:
    state = campus.parts.gates.state(campus.site.id)
    assert state is not None
    return state.breaker


def test_a_reading_is_tried_again_a_little_later_each_time(
    campus: Campus,
    client: MoodleAPIClient,
    failing: Callable[..., list[int]],
    slept: list[float],
) -> None:
    calls = failing(TransientError("hiccup"), 2)
    assert client.status(campus.site).contract == 1
    assert len(calls) == 3
    assert len(slept) == 2
    assert _breaker(campus) is BreakerState.CLOSED


def test_a_site_that_does_not_answer_is_left_alone(
    campus: Campus, client: MoodleAPIClient, failing: Callable[..., list[int]]
) -> None:
    calls = failing(TransientError("away"), 99)
    with pytest.raises(TransientError):
        client.status(campus.site)
    assert _breaker(campus) is BreakerState.OPEN
    with pytest.raises(SiteClosedError):
        client.status(campus.site)
    assert len(calls) == 3, "nobody called"


def test_a_refusal_is_an_answer(
    campus: Campus, client: MoodleAPIClient, failing: Callable[..., list[int]]
) -> None:
    for error in (DataError("no"), TokenRefusedError("no")):
        calls = failing(error, 99)
        for _ in range(4):
            with pytest.raises(type(error)):
                client.status(campus.site)
        assert len(calls) == 4, "not tried again"
        campus.clock.advance(minutes=2)
    assert _breaker(campus) is BreakerState.CLOSED


def test_a_site_that_asks_for_time_gets_it(
    campus: Campus, client: MoodleAPIClient, failing: Callable[..., list[int]]
) -> None:
    failing(BusyError("slow down", retry_after=120), 1)
    with pytest.raises(SiteClosedError):
        client.status(campus.site)
    campus.clock.advance(seconds=119)
    with pytest.raises(SiteClosedError):
        client.status(campus.site)
    campus.clock.advance(seconds=1)
    assert client.status(campus.site).contract == 1


def test_beyond_the_rate_it_waits_for_the_next_minute(
    campus: Campus, client: MoodleAPIClient, slept: list[float]
) -> None:
    for _ in range(6):
        client.status(campus.site)
    assert len(slept) == 1
    assert 0 < slept[0] <= 61


def test_a_page_that_people_look_at_is_kept_a_minute(
    campus: Campus, client: MoodleAPIClient
) -> None:
    campus.run()
    host, _ = campus.place()
    scope = {"courses": [host]}
    first = client.cached(campus.site, "roster", scope)
    assert first.items
    assert client.cached(campus.site, "roster", scope) is first
    assert client.cached(campus.site, "roster", {"courses": []}) is not first
    campus.clock.advance(seconds=61)
    again = client.cached(campus.site, "roster", scope)
    assert again is not first
    assert len(client._cache) == 1, "what is old is not kept"


def test_the_plans_operations(campus: Campus, client: MoodleAPIClient) -> None:
    user = {
        "idnumber": "P1",
        "username": "p1",
        "firstname": "A",
        "lastname": "B",
        "email": "p1@school.edu",
    }
    assert client.create_user(campus.site, user).result == "created"
    assert client.update_user(campus.site, {**user, "lastname": "C"}).result == "updated"
    missing = {
        "idnumber": "C1",
        "shortname": "c1",
        "fullname": "C",
        "category": "none",
        "startdate": 1,
    }
    refused = client.create_course(campus.site, missing)
    assert (refused.result, refused.code) == ("refused", "category_missing")
    assert {item.key for item in client.digests(campus.site, "user", ["P1"])} == {"P1"}


def test_the_token_is_in_no_error(campus: Campus, client: MoodleAPIClient) -> None:
    campus.platform.state.connection.token = "b" * 32
    with pytest.raises(TokenRefusedError) as refused:
        client.status(campus.site)
    assert TOKEN not in str(refused.value.problem())
