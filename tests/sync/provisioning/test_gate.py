"""What all workers share: lease, breaker, rate limit, pace."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

from lti_tool.core.clock import FixedClock
from lti_tool.sync.provisioning.gate import FAILURES, LEASE, Gates
from lti_tool.sync.provisioning.models import BreakerState
from tests.sync.provisioning.conftest import Campus


def test_one_of_many_gets_the_lease(campus: Campus) -> None:
    gates, start = campus.parts.gates, threading.Barrier(4)

    def take(_: int) -> str | None:
        start.wait()
        return gates.take(campus.site.id)

    with ThreadPoolExecutor(4) as pool:
        holders = [holder for holder in pool.map(take, range(4)) if holder]
    assert len(holders) == 1
    assert gates.keep(campus.site.id, holders[0])


def test_a_lease_ends_by_time_and_its_former_holder_learns_it(campus: Campus) -> None:
    gates = campus.parts.gates
    dead = gates.take(campus.site.id)
    assert dead is not None
    campus.clock.advance(seconds=LEASE.total_seconds() - 1)
    assert gates.take(campus.site.id) is None
    campus.clock.advance(seconds=1)
    heir = gates.take(campus.site.id)
    assert heir is not None
    assert not gates.keep(campus.site.id, dead)
    gates.give_back(campus.site.id, dead)
    assert gates.keep(campus.site.id, heir), "what is another's is not given back"
    gates.give_back(campus.site.id, heir)
    assert gates.take(campus.site.id) is not None


def test_a_run_that_lives_keeps_its_lease(campus: Campus) -> None:
    holder = campus.parts.gates.take(campus.site.id)
    assert holder is not None
    with campus.parts.gates.alive(campus.site.id, holder):
        assert campus.parts.gates.keep(campus.site.id, holder)


def test_the_breaker_opens_probes_and_closes(campus: Campus) -> None:
    gates, site = campus.parts.gates, campus.site.id
    for _ in range(FAILURES):
        assert gates.enter(site) is None
        gates.failed(site, "down")
    closed = gates.enter(site)
    assert closed is not None
    assert closed.reason == "down"
    assert gates.closed(site) is not None
    campus.clock.advance(seconds=7)
    assert gates.closed(site) is None
    assert gates.enter(site) is None, "one call sees whether it is back"
    assert gates.enter(site) is not None, "the others wait for what it finds"
    gates.succeeded(site)
    assert [gates.enter(site), gates.enter(site)] == [None, None]
    state = gates.state(site)
    assert state is not None
    assert (state.breaker, state.failures) == (BreakerState.CLOSED, 0)


def test_it_stays_open_longer_each_time_and_a_dead_probe_is_replaced(campus: Campus) -> None:
    gates, site = campus.parts.gates, campus.site.id
    for _ in range(FAILURES):
        gates.enter(site)
        gates.failed(site, "down")
    pauses = []
    for _ in range(9):
        closed = gates.closed(site)
        assert closed is not None
        pauses.append((closed.until - campus.clock.now()).total_seconds())
        campus.clock.advance(seconds=pauses[-1])
        assert gates.enter(site) is None
        gates.failed(site, "down")
    assert 4 <= pauses[0] <= 6
    assert pauses[-1] > 240
    assert max(pauses) <= 360
    campus.clock.advance(seconds=400)
    assert gates.enter(site) is None
    # The one who tried has died: after a while one other tries, not all at once.
    campus.clock.advance(seconds=121)
    assert gates.enter(site) is None
    assert gates.enter(site) is not None


def test_a_site_that_asks_to_wait_is_left_alone_so_long(campus: Campus) -> None:
    gates, site = campus.parts.gates, campus.site.id
    gates.enter(site)
    gates.failed(site, "slow down", wait=90)
    campus.clock.advance(seconds=89)
    assert gates.enter(site) is not None
    campus.clock.advance(seconds=1)
    assert gates.enter(site) is None


def test_the_rate_is_of_all_workers_together(campus: Campus) -> None:
    site = campus.site.id
    one = Gates(campus.database, campus.clock, per_minute=3)
    other = Gates(campus.database, campus.clock, per_minute=3)
    assert [one.enter(site), other.enter(site), one.enter(site)] == [None] * 3
    closed = other.enter(site)
    assert closed is not None
    assert closed.reason == "rate_limit"
    campus.clock.advance(seconds=(closed.until - campus.clock.now()).total_seconds())
    assert other.enter(site) is None


def test_a_clock_an_hour_wrong_stops_no_calls(campus: Campus) -> None:
    ahead = Gates(
        campus.database, FixedClock(campus.clock.now() + dt.timedelta(hours=1)), per_minute=1
    )
    assert ahead.enter(campus.site.id) is None
    assert Gates(campus.database, campus.clock, per_minute=1).enter(campus.site.id) is None


def test_calls_under_way_at_once_are_all_counted(campus: Campus) -> None:
    gates = Gates(campus.database, campus.clock, per_minute=10)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: gates.enter(campus.site.id), range(20)))
    assert found.count(None) == 10


def test_the_pace_follows_the_sites_speed(campus: Campus) -> None:
    gates, site = campus.parts.gates, campus.site.id
    gates.enter(site)
    first = gates.pace(site, "user", most=500)
    gates.took(site, "user", first, 0.1)
    assert gates.pace(site, "user", most=500) == 2 * first
    gates.took(site, "user", first, 60)
    assert gates.pace(site, "user", most=500) == first
    for _ in range(20):
        gates.took(site, "user", 1, 60)
    assert gates.pace(site, "user", most=500) == 1
    for _ in range(20):
        gates.took(site, "user", 500, 0.01)
    assert gates.pace(site, "user", most=500) == 500
    assert gates.pace(site, "user", most=7) == 7
    assert gates.pace(site, "roster", most=500) < 100, "each kind has its own"


def test_why_a_site_refuses_us_is_remembered_until_it_does_not(campus: Campus) -> None:
    gates, site = campus.parts.gates, campus.site.id
    gates.refused(site, "The service account lacks manage-users.")
    state = gates.state(site)
    assert state is not None
    assert state.last_error == "The service account lacks manage-users."
    # It is a person who is waited for, not time.
    assert state.breaker is BreakerState.CLOSED
    assert gates.enter(site) is None
    gates.succeeded(site)
    state = gates.state(site)
    assert state is not None
    assert state.last_error is None
