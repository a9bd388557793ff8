"""Several calls to Keycloak at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def at_once(
    work: Callable[[_Item], _Found], items: Iterable[_Item], *, concurrency: int
) -> list[_Found]:
    """``work`` for each item, on so many threads; what it returns, in the order of the items.

    Where it raises, nothing new is begun, and that is raised.
    """
    given = list(items)
    if len(given) < 2 or concurrency < 2:
        return [work(item) for item in given]
    # Not left to whoever waits for the threads: by the time it looks, they may have gone far.
    failed = threading.Event()

    def done(item: _Item) -> _Found:
        if failed.is_set():
            raise CancelledError
        try:
            return work(item)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(min(concurrency, len(given))) as pool:
        futures = [pool.submit(done, item) for item in given]
    errors = [error for each in futures if (error := each.exception()) is not None]
    for error in errors:
        if not isinstance(error, CancelledError):
            raise error
    return [each.result() for each in futures]
