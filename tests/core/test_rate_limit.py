"""Rate limits."""

from __future__ import annotations

import threading

import pytest

from lti_tool.core.errors import RateLimitedError
from lti_tool.core.rate_limit import ProcessStorage, RateLimiter


def test_refuses_past_the_limit_and_counts_callers_apart() -> None:
    limiter = RateLimiter()
    for _ in range(3):
        limiter.hit("rule", "3/hour", "one")
    with pytest.raises(RateLimitedError) as raised:
        limiter.hit("rule", "3/hour", "one")
    assert raised.value.status == 429
    limiter.hit("rule", "3/hour", "two")
    limiter.hit("other", "3/hour", "one")


def test_a_lost_storage_locks_nobody_out() -> None:
    limiter = RateLimiter("redis://127.0.0.1:1/0")
    for _ in range(5):
        limiter.hit("rule", "1/hour", "one")


def test_a_new_window_begins_at_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    storage = ProcessStorage()
    assert [storage.incr("key", 60) for _ in range(3)] == [1, 2, 3]
    assert (storage.get("key"), storage.get_expiry("key")) == (3, now + 60)
    now += 60
    assert storage.get("key") == 0
    assert storage.incr("key", 60) == 1


def test_ended_windows_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    storage = ProcessStorage()
    for number in range(1024):
        storage.incr(str(number), 60)
    now += 60
    storage.incr("one more", 60)
    assert storage.reset() == 1


def test_threads_count_together() -> None:
    storage = ProcessStorage()
    threads = [
        threading.Thread(target=lambda: [storage.incr("key", 60) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert storage.get("key") == 2000
