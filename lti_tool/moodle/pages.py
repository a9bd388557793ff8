"""Answers in pages: what is there by its fingerprint, or item by item."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from lti_tool.moodle.plugin_errors import MalformedAnswerError

# The most items of one page.
MAX_PAGE = 5000
After = str | int | None


class _Lenient(BaseModel):
    # Whoever is younger may say more.
    model_config = ConfigDict(extra="ignore", frozen=True)


class DigestItem(_Lenient):
    """What one thing in Moodle is like: its idnumber, Moodle's id, its fingerprint."""

    key: str
    id: int
    fingerprint: str


class DigestPage(_Lenient):
    """A page of fingerprints; ``next`` is the ``after`` of the following one, if there is one."""

    items: list[DigestItem]
    next: str | int | None = None


class OutboxPosition(_Lenient):
    """The life of Moodle's outbox, and the last number that was given in it, after a page was
    read."""

    epoch: str | None = None
    last: int = 0


class ReadPage(_Lenient):
    """A page of what was asked for; the items are as ``docs/contract.md`` says."""

    items: list[dict[str, Any]]
    next: str | int | None = None
    outbox: OutboxPosition | None = None


class _Page(Protocol):
    @property
    def next(self) -> After: ...


_P = TypeVar("_P", bound=_Page)


def all_pages(ask: Callable[[After], _P], *, url: str) -> Iterator[_P]:
    """Every page, the next when it is wanted.

    Args:
        ask: for the page that follows an ``after``.
        url: whose pages they are.

    Raises:
        MalformedAnswerError: they lead in a circle.
    """
    after: After = None
    while True:
        page = ask(after)
        yield page
        if page.next is None:
            return
        if page.next == after:
            raise malformed(url, "its pages lead in a circle")
        after = page.next


def malformed(url: str, what: str) -> MalformedAnswerError:
    """The error for an answer of the site at ``url`` that is not the document it should be."""
    host = urlsplit(url).hostname or url
    return MalformedAnswerError(
        f"The answer of {host} is not what it should be: {what}.",
        remedy="Try again; if it stays, look at Moodle's log, and update tool and plugin.",
        host=host,
    )
