"""HTTP ``Link`` headers (RFC 8288) as platforms really send them, and URL surgery for services.

Tolerant: several headers, unquoted and typographic quotes, ``&amp;`` in the address, relative
addresses. Safe: what is found is compared by :func:`same_origin` before a token goes there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

_QUOTES = "\"'“”„‟«»"
_LINK = re.compile(
    rf"<([^<>]*)>((?:\s*;\s*[^\s=;,<{_QUOTES}]+"
    rf"(?:\s*=\s*(?:[{_QUOTES}][^{_QUOTES}]*[{_QUOTES}]|[^\s;,<{_QUOTES}]+))?)*)"
)
_PARAMETER = re.compile(
    rf";\s*([^\s=;,<{_QUOTES}]+)\s*=\s*(?:[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|([^\s;,<{_QUOTES}]+))"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Link:
    """One link: its absolute address, case preserved, and its relations in lower case."""

    url: str
    relations: frozenset[str]


def parse_links(headers: Iterable[str], *, base: str) -> list[Link]:
    """Parse every link of every header; what cannot be parsed is left out.

    ``base``: the address of the answer, against which relative addresses are resolved.
    """
    found = []
    for header in headers:
        for match in _LINK.finditer(_as_text(header)):
            relations = frozenset(
                relation.lower()
                for name, quoted, bare in _PARAMETER.findall(match[2])
                if name.lower() == "rel"
                for relation in (quoted or bare).split()
            )
            address = match[1].strip().replace("&amp;", "&")
            if relations and address:
                found.append(Link(_resolve(base, address), relations))
    return found


def find_link(headers: Iterable[str], relation: str, *, base: str) -> str | None:
    """Return the address of the first link with ``relation``, or ``None``."""
    for link in parse_links(headers, base=base):
        if relation in link.relations:
            return link.url
    return None


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port (http or https only)."""
    first = _origin(one)
    return first is not None and first == _origin(other)


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Append ``parameters`` to the query; what is there stays byte for byte."""
    if not parameters:
        return url
    parts = urlsplit(url)
    added = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in parameters.items()
    )
    return _unsplit(parts, query=f"{parts.query}&{added}" if parts.query else added)


def has_parameter(url: str, name: str) -> bool:
    """Whether the query of ``url`` names ``name``."""
    return any(
        part == name or part.startswith(f"{name}=") for part in urlsplit(url).query.split("&")
    )


def without_parameters(url: str, *names: str) -> str:
    """Take parameters out of the query; what remains stays byte for byte."""
    parts = urlsplit(url)
    kept = [part for part in parts.query.split("&") if part.partition("=")[0] not in names]
    return _unsplit(parts, query="&".join(kept))


def with_path_suffix(url: str, suffix: str) -> str:
    """Put ``suffix`` (such as ``"/scores"``) at the end of the path, before the query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + suffix))


def _unsplit(parts: SplitResult, *, query: str) -> str:
    return urlunsplit(parts._replace(query=query))


def _as_text(header: str) -> str:
    # The standard library hands headers over as latin-1; platforms write UTF-8.
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def _resolve(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:
        return address


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS[parts.scheme]
