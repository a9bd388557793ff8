"""Rate limits for what strangers can reach, in memory or shared through Redis."""

from __future__ import annotations

import structlog
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from lti_tool.core.errors import RateLimitedError

log = structlog.get_logger(__name__)


class RateLimiter:
    """Counts hits per rule and caller; opens, and says so, when its storage is away."""

    def __init__(self, storage_uri: str = "memory://") -> None:
        self._limiter = FixedWindowRateLimiter(storage_from_string(storage_uri))
        self._rules: dict[str, RateLimitItem] = {}

    def hit(self, rule: str, limit: str, caller: str) -> None:
        """Count one hit; raises :class:`RateLimitedError` when ``limit`` is passed.

        Args:
            rule: the name of what is protected, such as ``"lti.login"``.
            limit: as in ``"60/minute"``.
            caller: who is counted: an address, a registration id.
        """
        item = self._rules.get(limit) or self._rules.setdefault(limit, parse(limit))
        try:
            allowed = self._limiter.hit(item, rule, caller)
        except Exception as error:  # noqa: BLE001 - a lost Redis must not lock people out
            log.warning("rate_limit.storage_failed", rule=rule, error=type(error).__name__)
            return
        if not allowed:
            raise RateLimitedError(
                "Too many requests arrived from your address.",
                remedy="Wait a minute, then try again.",
                rule=rule,
            )
