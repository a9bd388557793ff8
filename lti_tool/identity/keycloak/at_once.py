"""Several calls to Keycloak at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
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
    with ThreadPoolExecutor(min(concurrency, len(given))) as pool:
        futures = [pool.submit(work, item) for item in given]
        wait(futures, return_when=FIRST_EXCEPTION)
        # What is done, is done; what has not begun must not outlive the error.
        pool.shutdown(wait=True, cancel_futures=True)
        failed = [each for each in futures if not each.cancelled() and each.exception()]
        for each in failed:
            each.result()
        return [each.result() for each in futures]
