"""Rate limits."""

from __future__ import annotations

import pytest

from lti_tool.core.errors import RateLimitedError
from lti_tool.core.rate_limit import RateLimiter


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
