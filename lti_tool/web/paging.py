"""Pages of a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request, url_for

PAGE = 50


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a list: which it is, and the addresses of its neighbours.

    ``total`` is ``None`` where nobody has counted (a search); then there may be a next page.
    """

    total: int | None
    number: int
    size: int
    previous: str | None
    next: str | None

    @property
    def offset(self) -> int:
        """How many things come before this page."""
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        """The number of the first thing on this page, counted from 1."""
        return self.offset + 1

    @property
    def last(self) -> int:
        """The number of the last thing on this page, where the total is known."""
        return min(self.offset + self.size, self.total or 0)


def current_page() -> int:
    """The page asked for, counted from 1; nonsense is 1."""
    number = request.args.get("page", 1, type=int) or 1
    return min(max(1, number), 100_000)


def offset(size: int = PAGE) -> int:
    """How many things come before the page asked for."""
    return (current_page() - 1) * size


def slice_of(
    total: int | None,
    endpoint: str,
    *,
    shown: int = 0,
    size: int = PAGE,
    **arguments: Any,
) -> Slice:
    """The page asked for; ``arguments`` are kept in the addresses of its neighbours.

    With a ``total`` no page is further than the last. Without one, ``shown`` is how many things
    were found from :func:`offset` on, one more than ``size`` where there is a next page.
    """
    number = current_page()
    if total is not None:
        pages = max(1, -(-total // size))
        number = min(number, pages)
        more = number < pages
    else:
        more = shown > size
    kept = {name: value for name, value in arguments.items() if value}

    def address(to: int) -> str:
        return url_for(endpoint, page=to, **kept)

    return Slice(
        total=total,
        number=number,
        size=size,
        previous=address(number - 1) if number > 1 else None,
        next=address(number + 1) if more else None,
    )
