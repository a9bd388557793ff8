"""One authorised call to a platform's service, tried again where that can help.

The token goes to the service's own host and nowhere else: redirects are not followed, and a page
link that leads to another host ends the reading.
"""

from __future__ import annotations

import email.utils
import json
import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HttpClient, HttpResponse, UnreachableError
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.links import same_origin
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import platform_for
from lti_tool.lti.scores import as_number
from lti_tool.lti.service_errors import ErrorFamily, ServiceError, TokenError

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
# The platform has not acted on a request that it answered with one of these.
_NOT_DONE = frozenset({425, 429, 503})
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0


class ServiceClient:
    """Calls services with a token. Thread-safe.

    Args:
        http: the door out.
        access_tokens: where tokens come from.
        attempts: how often one call is tried in all.
        timeout: seconds for one attempt; the client's own limit if ``None``.
        longest_wait: seconds; a platform that asks us to wait longer (``Retry-After``) ends the
            call as unavailable, so that a worker is not held up.
        sleep, jitter: replaceable in tests. ``jitter()`` is from 0 to 1.
    """

    def __init__(
        self,
        http: HttpClient,
        access_tokens: AccessTokens,
        *,
        attempts: int = 4,
        timeout: float | None = None,
        longest_wait: float = _LONGEST_WAIT,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._http = http
        self._access_tokens = access_tokens
        self._attempts = attempts
        self._timeout = timeout
        self._longest_wait = longest_wait
        self._sleep = sleep
        self._jitter = jitter

    def call(
        self,
        registration: Registration,
        method: str,
        url: str,
        *,
        scope: str,
        errors: ErrorFamily,
        accept: str,
        body: Any = None,
        content_type: str | None = None,
        repeatable: bool = True,
        operation: str | None = None,
    ) -> HttpResponse:
        """Send one request with a token for ``scope`` and return its 2xx answer.

        Args:
            errors: the service's family of errors.
            body: a JSON document, sent as ``content_type``.
            repeatable: whether sending it twice is harmless; if not, an attempt whose outcome is
                uncertain is not repeated.
            operation: what the platform's explanation is looked up by; the service by default.

        Raises:
            ServiceError: of ``errors``; ``uncertain`` if an attempt may have taken effect.
        """
        headers = {"Accept": accept}
        data = None
        if body is not None:
            data = json.dumps(body, allow_nan=False, default=_number).encode()
            headers["Content-Type"] = content_type or "application/json"
        uncertain = False

        def attempt() -> HttpResponse:
            nonlocal uncertain
            try:
                return self._authorised(
                    registration, method, url, scope, errors, headers, data, operation
                )
            except ServiceError as error:
                uncertain = uncertain or error.uncertain
                error.uncertain = uncertain
                raise

        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            sleep=self._sleep,
            retry=retry_if_exception(lambda error: self._may_retry(error, repeatable)),
            reraise=True,
        )
        return retrying(attempt)

    def pages(
        self,
        registration: Registration,
        url: str,
        *,
        scope: str,
        errors: ErrorFamily,
        accept: str,
        following: Callable[[HttpResponse, Any], str | None],
    ) -> Iterator[tuple[HttpResponse, Any]]:
        """Read page after page, as many as there are; yields the answer and its document.

        ``following`` returns the address of the next page. One on another host ends the reading
        with ``next_link_foreign_host``, before anything is sent there; one that was read before
        with ``next_link_loop``.
        """
        origin, seen = url, set[str]()
        following_url: str | None = url
        while following_url is not None:
            seen.add(following_url)
            response = self.call(
                registration, "GET", following_url, scope=scope, errors=errors, accept=accept
            )
            document = read_json(response, errors)
            # Judged before the page is handed over: a page of a broken set must not be used.
            following_url = following(response, document)
            if following_url is not None and not same_origin(following_url, origin):
                raise errors.foreign_next(
                    "The platform's next page is on another host; it was not asked for.",
                    remedy="Tell the platform's administrator.",
                    host=_host(origin),
                    next_host=_host(following_url),
                )
            if following_url in seen:
                raise errors.next_loop(
                    "The platform's pages lead in a circle.",
                    remedy="Tell the platform's administrator.",
                    host=_host(origin),
                )
            yield response, document

    def _authorised(
        self,
        registration: Registration,
        method: str,
        url: str,
        scope: str,
        errors: ErrorFamily,
        headers: dict[str, str],
        data: bytes | None,
        operation: str | None,
    ) -> HttpResponse:
        token = self._token(registration, scope, errors)
        response = self._send(method, url, headers, data, token, errors)
        if response.status == 401:
            self._access_tokens.drop(registration, (scope,), token)
            token = self._token(registration, scope, errors)
            response = self._send(method, url, headers, data, token, errors)
            if response.status == 401:
                self._access_tokens.drop(registration, (scope,), token)
        if not response.ok:
            self._refuse(registration, response, url, errors, operation or errors.service)
        return response

    def _token(self, registration: Registration, scope: str, errors: ErrorFamily) -> str:
        try:
            return self._access_tokens.get(registration, (scope,))
        except TokenError as error:
            kind = errors.unavailable if error.transient else errors.refused
            context = {"host": _host(registration.token_url)} | error.context
            raise kind(
                error.detail, remedy=error.remedy, token_error=error.code, **context
            ) from error

    def _send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        data: bytes | None,
        token: str,
        errors: ErrorFamily,
    ) -> HttpResponse:
        try:
            return self._http.request(
                method,
                url,
                headers=headers | {"Authorization": f"Bearer {token}"},
                data=data,
                total_timeout=self._timeout,
            )
        except UnreachableError as error:
            raise errors.unavailable(
                error.detail, remedy=error.remedy, uncertain=True, **error.context
            ) from error
        except OutboundError as error:
            kind = errors.refused if error.status == 400 else errors.malformed
            context = {"host": _host(url), "outbound": error.code} | error.context
            raise kind(error.detail, remedy=error.remedy, **context) from error

    def _refuse(
        self,
        registration: Registration,
        response: HttpResponse,
        url: str,
        errors: ErrorFamily,
        operation: str,
    ) -> NoReturn:
        status = response.status
        transient = status in _TRANSIENT or status > 504
        kind = errors.refused
        if transient:
            kind = errors.unavailable
        elif status in (404, 410):
            kind = errors.gone
        elif status == 409:
            kind = errors.conflict
        explained = platform_for(registration.platform_family).explain(
            operation, status, response.excerpt()
        )
        raise kind(
            explained.detail if explained else f"{_host(url)} answered with status {status}.",
            remedy=explained.remedy if explained else None,
            uncertain=transient and status not in _NOT_DONE,
            retry_after=_retry_after(response) if transient else None,
            host=_host(url),
            http_status=status,
            excerpt=response.excerpt(),
        )

    def _may_retry(self, error: BaseException, repeatable: bool) -> bool:
        if not isinstance(error, ServiceError) or not error.transient:
            return False
        if error.uncertain and not repeatable:
            return False
        return error.retry_after is None or error.retry_after <= self._longest_wait

    def _wait(self, state: RetryCallState) -> float:
        """Exponential with jitter, and never less than the platform asked for."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ServiceError) else None
        backoff = min(_FIRST_WAIT * 2.0 ** (state.attempt_number - 1), self._longest_wait)
        return max(asked or 0.0, backoff * (0.5 + self._jitter() / 2))


def read_json(response: HttpResponse, errors: ErrorFamily) -> Any:
    """Parse an answer whose numbers are decimals; half a document is an error of ``errors``."""
    try:
        return json.loads(response.body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise malformed(response, errors) from error


def malformed(response: HttpResponse, errors: ErrorFamily) -> ServiceError:
    """The error for an answer that cannot be used. Holds no body: it may list people."""
    return errors.malformed(
        "The platform's answer is not the document that it should be.",
        remedy="Try again; if it stays, tell the platform's administrator.",
        host=_host(response.url),
        http_status=response.status,
        content_type=response.headers.get("Content-Type"),
        length=len(response.body),
    )


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return as_number(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _retry_after(response: HttpResponse) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    # Both ends of the wait are the platform's: its own Date header, where it sends one.
    try:
        now = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
        return max((moment - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return max(moment.timestamp() - time.time(), 0.0)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
