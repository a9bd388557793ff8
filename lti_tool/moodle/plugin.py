"""Calls to the plugin in a Moodle: apply, digest, read, status (``docs/contract.md``)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HostRefusedError, HttpClient, HttpResponse, UnreachableError
from lti_tool.moodle.documents import MAX_BYTES, MAX_DOCUMENTS, Applied, Document, Kind, key_of
from lti_tool.moodle.messages import SiteStatus
from lti_tool.moodle.models import Site
from lti_tool.moodle.pages import (
    MAX_PAGE,
    DigestItem,
    DigestPage,
    OutboxPosition,
    ReadPage,
    all_pages,
    malformed,
)
from lti_tool.moodle.plugin_errors import (
    AuthenticationError,
    BatchTooLargeError,
    RestoredError,
    TokenRefusedError,
    TransientError,
    http_error,
    moodle_error,
)

_ADDRESS = "/webservice/rest/server.php"
_MAX_ANSWER = 64 * 1024 * 1024
# PHP empties a form beyond its post_max_size, which is seldom less than this.
_LARGE = 1024 * 1024

_Answer = TypeVar("_Answer", bound=BaseModel)


class Tokens(Protocol):
    """Knows the sites' tokens."""

    def token(self, site: Site) -> str:
        """The token of the site's service user."""
        ...


class MoodlePlugin:
    """Calls the plugin of a site, once each: trying again is the caller's, who knows what for.

    Every method raises :class:`~lti_tool.moodle.plugin_errors.PluginError`; the family says what
    helps: ``TransientError`` time, ``DataError`` another document, ``AuthenticationError`` a
    person. The token is in no message, log or address.

    Args:
        timeout: seconds for reading calls; the client's own limit if ``None``.
        apply_timeout: seconds for ``apply``. Moodle goes on after we have left: a call that took
            too long may have been done, and is safe to repeat.
    """

    def __init__(
        self,
        http: HttpClient,
        tokens: Tokens,
        *,
        timeout: float | None = None,
        apply_timeout: float = 300.0,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._timeout = timeout
        self._apply_timeout = apply_timeout

    def status(self, site: Site) -> SiteStatus:
        """How the site is."""
        return self._ask(site, "status", {}, SiteStatus)

    def apply(self, site: Site, documents: Sequence[Document], *, dryrun: bool = False) -> Applied:
        """Make Moodle equal to the documents; one result per document, in their order.

        Raises:
            BatchTooLargeError: more than 1,000 documents or 8 MB; nothing was sent.
        """
        text = json.dumps(
            [document.model_dump(mode="json") for document in documents],
            separators=(",", ":"),
        )
        size = len(text.encode())
        if len(documents) > MAX_DOCUMENTS or size > MAX_BYTES:
            raise BatchTooLargeError(
                f"A call takes {MAX_DOCUMENTS} documents of {MAX_BYTES} bytes together.",
                remedy="Send them in several calls.",
                documents=len(documents),
                bytes=size,
            )
        applied = self._ask(
            site,
            "apply",
            {"documents": text, "dryrun": str(int(dryrun))},
            Applied,
            timeout=self._apply_timeout,
        )
        sent = [(document.kind, key_of(document)) for document in documents]
        if applied.dryrun is not dryrun or sent != [(r.kind, r.key) for r in applied.results]:
            raise malformed(site.url, "its results are not those of the documents")
        return applied

    def digest(
        self,
        site: Site,
        kind: Kind,
        keys: Sequence[str] = (),
        *,
        after: str | int | None = None,
        limit: int = MAX_PAGE,
    ) -> DigestPage:
        """One page of the fingerprints of what is there; of these ``keys`` alone, if any."""
        params = {"kind": kind, "keys": json.dumps(list(keys))}
        return self._ask(site, "digest", params | _paging(after, limit), DigestPage)

    def digests(
        self, site: Site, kind: Kind, keys: Sequence[str] = (), *, limit: int = MAX_PAGE
    ) -> Iterator[DigestItem]:
        """All fingerprints, page by page."""
        for page in all_pages(
            lambda after: self.digest(site, kind, keys, after=after, limit=limit), url=site.url
        ):
            yield from page.items

    def read(
        self,
        site: Site,
        what: str,
        scope: Mapping[str, Any] | None = None,
        *,
        after: str | int | None = None,
        limit: int = MAX_PAGE,
    ) -> ReadPage:
        """One page of ``activity``, ``access``, ``roster``, ``items`` or ``grades``.

        Raises:
            RestoredError: it was read in a Moodle that is older than what we hold of its events.
        """
        params = {"what": what, "scope": json.dumps(dict(scope or {}))}
        page = self._ask(site, "read", params | _paging(after, limit), ReadPage)
        if page.outbox is not None and site.epoch is not None:
            _refuse_older(site, page.outbox)
        return page

    def pages(
        self,
        site: Site,
        what: str,
        scope: Mapping[str, Any] | None = None,
        *,
        limit: int = MAX_PAGE,
    ) -> Iterator[list[dict[str, Any]]]:
        """The items of all pages, a page at a time."""
        for page in all_pages(
            lambda after: self.read(site, what, scope, after=after, limit=limit), url=site.url
        ):
            yield page.items

    def _ask(
        self,
        site: Site,
        function: str,
        params: Mapping[str, str],
        model: type[_Answer],
        *,
        timeout: float | None = None,
    ) -> _Answer:
        answer = self._call(site, function, params, timeout=timeout)
        # Moodle knows no nested answers without a description of each field: JSON comes as text.
        try:
            document = json.loads(answer) if isinstance(answer, str) else None
            return model.model_validate(document)
        except ValidationError as error:
            place = "/".join(str(part) for part in error.errors()[0]["loc"])
            raise malformed(site.url, f"at {place or 'its root'}") from error
        except (ValueError, RecursionError) as error:
            raise malformed(site.url, "it is not JSON") from error

    def _call(
        self,
        site: Site,
        function: str,
        params: Mapping[str, str],
        *,
        timeout: float | None = None,
    ) -> Any:
        token = self._tokens.token(site)
        host = urlsplit(site.url).hostname or site.url
        content_type, body = _form({"wstoken": token, "contract": str(site.contract), **params})
        try:
            response = self._http.request(
                "POST",
                site.url + _ADDRESS,
                # Not in the form: where PHP drops that for its size, the error is still JSON.
                params={
                    "wsfunction": f"local_nagasis_{function}",
                    "moodlewsrestformat": "json",
                },
                headers={"Accept": "application/json", "Content-Type": content_type},
                data=body,
                total_timeout=timeout or self._timeout,
                max_bytes=_MAX_ANSWER,
            )
        except UnreachableError as error:
            raise TransientError(error.detail, remedy=error.remedy, host=host) from error
        except HostRefusedError as error:
            raise AuthenticationError(error.detail, remedy=error.remedy, host=host) from error
        except OutboundError as error:
            raise malformed(site.url, error.detail) from error
        if not response.ok:
            wait = response.headers.get("Retry-After", "")
            raise http_error(
                response.status, host=host, retry_after=float(wait) if wait.isdecimal() else None
            )
        answer = _decoded(site, response)
        if not isinstance(answer, dict) or "exception" not in answer:
            return answer
        errorcode, message = str(answer.get("errorcode", "")), str(answer.get("message", ""))
        refusal = moodle_error(errorcode, message.replace(token, "…"), host=host)
        if isinstance(refusal, TokenRefusedError) and len(body) > _LARGE:
            self._judge_size(site, len(body))
        raise refusal

    def _judge_size(self, site: Site, size: int) -> None:
        """Where a small call works, it was the size: PHP dropped the form, the token with it."""
        self._call(site, "status", {})
        raise BatchTooLargeError(
            f"The PHP of this Moodle takes no requests of {size} bytes.",
            remedy="Raise post_max_size in Moodle's php.ini to 10 MB.",
            bytes=size,
        )


def _decoded(site: Site, response: HttpResponse) -> Any:
    try:
        return json.loads(response.body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(site.url, "it is not JSON") from error


def _form(fields: Mapping[str, str]) -> tuple[str, bytes]:
    """A multipart form: what stands in it is sent as it is, where a URL-encoded one trebles it."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    body = "".join(parts) + f"--{boundary}--\r\n"
    return f"multipart/form-data; boundary={boundary}", body.encode()


def _paging(after: str | int | None, limit: int) -> dict[str, str]:
    if not 1 <= limit <= MAX_PAGE:
        raise ValueError(f"limit must be from 1 to {MAX_PAGE}")
    return {"after": "" if after is None else str(after), "limit": str(limit)}


def _refuse_older(site: Site, position: OutboxPosition) -> None:
    if position.epoch == site.epoch and position.last >= site.held:
        return
    host = urlsplit(site.url).hostname or site.url
    raise RestoredError(
        f"{host} is older than what it told us: it was restored from a backup.",
        remedy="It is read when Moodle's cron has told of it, within a minute; if it stays, look "
        "whether cron runs.",
        host=host,
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
