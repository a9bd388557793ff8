"""The one door out: every HTTP request of the tool leaves through :class:`HttpClient`.

It holds connect and total timeouts, a size limit, the host policy (no private addresses unless a
setting allows them, checked on the connected socket so that DNS cannot lie in between), follows no
redirect, keeps no cookies, and says who it is.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from importlib.metadata import version
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from lti_tool.core.errors import OutboundError

USER_AGENT = f"NagaSIS-LTI/{version('naga-moodle')}"
_CHUNK = 64 * 1024


class HostRefusedError(OutboundError):
    """The address is not one that this tool may call."""

    code = "outbound_host_refused"
    status = 400
    title = "This address may not be called"


class UnreachableError(OutboundError):
    """No answer: refused, timed out, broken off, or its certificate is not trusted."""

    code = "outbound_unreachable"


class TooLargeError(OutboundError):
    """The answer is larger than the limit."""

    code = "outbound_too_large"


class NotJsonError(OutboundError):
    """The answer is not the JSON it should be."""

    code = "outbound_not_json"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer, read whole. ``headers`` are case-insensitive; repeated ones joined by ``, ``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    link_headers: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Parse the body; raises :class:`NotJsonError`."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NotJsonError(
                "The answer is not JSON.", url=self.url, http_status=self.status
            ) from error

    def excerpt(self, limit: int = 300) -> str:
        """The start of the body as text, for a log or a receipt."""
        return self.body[:limit].decode("utf-8", "replace")


class _GuardedConnection(HTTPConnection):
    allow_private: ClassVar[bool] = False

    def _new_conn(self) -> socket.socket:
        return _guard(super()._new_conn(), allow_private=self.allow_private)


class _GuardedTlsConnection(HTTPSConnection):
    allow_private: ClassVar[bool] = False

    def _new_conn(self) -> socket.socket:
        return _guard(super()._new_conn(), allow_private=self.allow_private)


def _guard(connected: socket.socket, *, allow_private: bool) -> socket.socket:
    """Judge the address that was really connected to, before one byte is sent."""
    address = ipaddress.ip_address(connected.getpeername()[0].split("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    if not allow_private and not (mapped or address).is_global:
        connected.close()
        raise HostRefusedError(
            "The address leads to a private network.",
            remedy="Use a public address, or set NAGASIS_OUTBOUND_ALLOW_PRIVATE=true in a lab.",
        )
    return connected


class _Adapter(HTTPAdapter):
    def __init__(self, *, allow_private: bool, pool_size: int) -> None:
        self._allow_private = allow_private
        super().__init__(pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        if self._allow_private:
            return
        plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": _GuardedConnection})
        tls = type("Tls", (HTTPSConnectionPool,), {"ConnectionCls": _GuardedTlsConnection})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": tls}


class HttpClient:
    """Outbound HTTP. Thread-safe; connections are pooled and kept alive.

    Args:
        allow_private: whether loopback and private networks may be called (labs, one-host set-ups).
        allow_http: whether plain ``http`` may be called.
        ca_bundle: path of a PEM bundle that replaces the system's authorities.
        connect_timeout, total_timeout: seconds.
        max_bytes: size limit of an answer.
        pool_size: connections kept per host.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        allow_http: bool = False,
        ca_bundle: str | None = None,
        connect_timeout: float = 5.0,
        total_timeout: float = 30.0,
        max_bytes: int = 8 * 1024 * 1024,
        pool_size: int = 16,
    ) -> None:
        self._allow_http = allow_http
        self._connect_timeout = connect_timeout
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self.verify: str | bool = ca_bundle or True
        self._adapter = _Adapter(allow_private=allow_private, pool_size=pool_size)
        self._session = requests.Session()
        self._equip(self._session)

    def adopt(self, session: requests.Session) -> None:
        """Let a library's session leave by this door too: the same hosts, trust and name, no
        cookies, no redirects (one raises), nothing from the environment."""
        self._equip(session)
        session.max_redirects = 0

    def _equip(self, session: requests.Session) -> None:
        session.trust_env = False
        session.verify = self.verify
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers["User-Agent"] = USER_AGENT
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)

    def check_url(self, url: str) -> None:
        """Raise :class:`HostRefusedError` unless ``url`` is absolute and its scheme allowed."""
        try:
            parts = urlsplit(url)
            port_ok = parts.port is None or parts.port > 0
        except ValueError:
            parts, port_ok = urlsplit(""), False
        schemes = ("https", "http") if self._allow_http else ("https",)
        if parts.scheme not in schemes or not parts.hostname or not port_ok or "@" in parts.netloc:
            raise HostRefusedError(
                f"The address must be an absolute {' or '.join(schemes)} URL.",
                remedy="Correct the address in the registration.",
            )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | bytes | None = None,
        total_timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        """Send one request and read its answer whole; any status is an answer.

        Redirects are returned, never followed: a bearer token must not travel to another host.

        Raises:
            HostRefusedError, UnreachableError, TooLargeError: with the host in ``context``.
        """
        self.check_url(url)
        host = urlsplit(url).hostname
        limit = max_bytes or self._max_bytes
        budget = total_timeout or self._total_timeout
        deadline = time.monotonic() + budget
        try:
            with self._session.request(
                method,
                url,
                headers=dict(headers or {}),
                params=params,
                data=data,
                timeout=(min(self._connect_timeout, budget), budget),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = self._read(response, limit=limit, deadline=deadline, host=host)
        except HostRefusedError as error:
            error.context.setdefault("host", host)
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UnreachableError(
                f"{host} could not be reached ({_reason(error)}).",
                remedy="Check that the address is right and the server is up.",
                host=host,
            ) from error
        links = response.raw.headers.getlist("Link") if response.raw is not None else []
        return HttpResponse(
            response.status_code, response.headers, body, response.url, tuple(links)
        )

    def _read(
        self, response: requests.Response, *, limit: int, deadline: float, host: str | None
    ) -> bytes:
        parts: list[bytes] = []
        size = 0
        # read1 returns what has arrived: a server that drips must not outlast the deadline.
        while part := response.raw.read1(_CHUNK, decode_content=True):
            size += len(part)
            if size > limit:
                raise TooLargeError(
                    f"The answer of {host} is larger than {limit} bytes.", host=host, limit=limit
                )
            if time.monotonic() > deadline:
                raise UnreachableError(f"{host} took too long to answer.", host=host)
            parts.append(part)
        return b"".join(parts)


def _reason(error: BaseException) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "its certificate is not trusted; NAGASIS_CA_BUNDLE can name an authority"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "timed out"
    return type(error).__name__
