"""Rate limits for what strangers can reach, in memory or shared through Redis."""

from __future__ import annotations

import threading
import time

import structlog
from limits import RateLimitItem, parse
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from lti_tool.core.errors import RateLimitedError

log = structlog.get_logger(__name__)


class ProcessStorage(Storage):
    """Counts of one process. The library's own starts a thread at each hit to forget the old.

    Windows that have ended are forgotten when their number has doubled since the last time.
    """

    STORAGE_SCHEME = ["process"]  # noqa: RUF012 - the library declares it so

    def __init__(self, uri: str | None = None, **options: bool) -> None:
        super().__init__(uri, **options)
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}
        self._tidy_at = 1024

    @property
    def base_exceptions(self) -> type[Exception]:
        """What this storage raises when it fails; it does not."""
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` in the window of ``expiry`` seconds; returns the count."""
        now = time.time()
        with self._lock:
            count, end = self._windows.get(key, (0, 0.0))
            count, end = (amount, now + expiry) if end <= now else (count + amount, end)
            self._windows[key] = (count, end)
            if len(self._windows) > self._tidy_at:
                self._windows = {k: kept for k, kept in self._windows.items() if kept[1] > now}
                self._tidy_at = max(1024, 2 * len(self._windows))
            return count

    def get(self, key: str) -> int:
        """The count of a window that has not ended."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds since the epoch."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Whether the storage works."""
        return True

    def reset(self) -> int | None:
        """Forget everything; returns how many windows there were."""
        with self._lock:
            count = len(self._windows)
            self._windows = {}
        return count

    def clear(self, key: str) -> None:
        """Forget one window."""
        with self._lock:
            self._windows.pop(key, None)


class RateLimiter:
    """Counts hits per rule and caller; opens, and says so, when its storage is away.

    ``storage_uri``: ``process://`` (each process counts for itself) or ``redis://…``.
    """

    def __init__(self, storage_uri: str = "process://") -> None:
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
