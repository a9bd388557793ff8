"""Errors of a platform's services, with the evidence that a receipt or a page needs.

``context`` of each holds ``host``, and where there was an answer ``http_status`` and ``excerpt``
(the start of the body of a refusal; never of a list of people).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from lti_tool.core.errors import OutboundError


class ServiceError(OutboundError):
    """A platform's service did not do what it was asked.

    Attributes:
        uncertain: whether an attempt broke off in a way that may yet have taken effect.
        retry_after: seconds that the platform asked us to wait, where it said so.
    """

    code = "service_failed"
    title = "The learning platform did not do what it was asked"
    transient: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        remedy: str | None = None,
        uncertain: bool = False,
        retry_after: float | None = None,
        **context: Any,
    ) -> None:
        super().__init__(detail, field=field, remedy=remedy, **context)
        self.uncertain = uncertain
        self.retry_after = retry_after

    @property
    def http_status(self) -> int | None:
        """The status that the platform answered with, if it answered."""
        status = self.context.get("http_status")
        return status if isinstance(status, int) else None


class TokenError(ServiceError):
    """No access token could be had."""

    code = "token_refused"
    title = "The learning platform gave no access token"


class InvalidClientError(TokenError):
    """The platform does not know our client id, or does not accept our signature."""

    code = "token_invalid_client"


class InvalidScopeError(TokenError):
    """The platform permits none of the scopes that were asked for."""

    code = "token_invalid_scope"


class NarrowerScopeError(TokenError):
    """The platform granted less than was asked for; ``context["missing"]`` says what."""

    code = "token_scope_narrower"


class MalformedTokenError(TokenError):
    """The token endpoint answered something that is no token: HTML, half a document."""

    code = "token_malformed"


class TokenUnavailableError(TokenError):
    """The token endpoint cannot be reached, or is in trouble; later it may work."""

    code = "token_unavailable"
    transient = True


class AgsError(ServiceError):
    """An Assignment and Grade Services call failed."""

    code = "ags_failed"


class AgsNotOfferedError(AgsError):
    """The launch offers no such service or scope; nothing was sent."""

    code = "ags_not_offered"
    status = 409


class AgsRefusedError(AgsError):
    """Refused for good: 400, 401 after a new token, 403, 422. Sending it again changes nothing."""

    code = "ags_refused"


class AgsGoneError(AgsError):
    """The line item or course is not there any more: 404, 410."""

    code = "ags_gone"


class AgsConflictError(AgsError):
    """The platform holds a newer grade: 409."""

    code = "ags_conflict"


class AgsUnavailableError(AgsError):
    """No usable answer after all attempts: 408, 425, 429, 5xx, unreachable."""

    code = "ags_unavailable"
    transient = True


class AgsMalformedError(AgsError):
    """The answer is not the document it should be."""

    code = "ags_malformed"


class AgsForeignHostError(AgsError):
    """A line item's address is on another host than the service; it never gets the token."""

    code = "ags_foreign_host"


class AgsForeignNextLinkError(AgsError):
    """The next page is on another host; it never gets the token."""

    code = "next_link_foreign_host"


class AgsNextLinkLoopError(AgsError):
    """The pages lead in a circle."""

    code = "next_link_loop"


class NrpsError(ServiceError):
    """A Names and Roles call failed. Nothing may be concluded from the pages before it."""

    code = "nrps_failed"


class NrpsNotOfferedError(NrpsError):
    """The launch offers no Names and Roles service; nothing was sent."""

    code = "nrps_not_offered"
    status = 409


class NrpsRefusedError(NrpsError):
    """Refused for good: 400, 401 after a new token, 403, 422."""

    code = "nrps_refused"


class NrpsGoneError(NrpsError):
    """The course is not there any more, or a differences address has expired: 404, 410."""

    code = "nrps_gone"


class NrpsUnavailableError(NrpsError):
    """No usable answer after all attempts: 408, 425, 429, 5xx, unreachable."""

    code = "nrps_unavailable"
    transient = True


class NrpsMalformedError(NrpsError):
    """The answer is not a membership container: HTML, half a page."""

    code = "nrps_malformed"


class NrpsForeignNextLinkError(NrpsError):
    """The next page is on another host; it never gets the token."""

    code = "next_link_foreign_host"


class NrpsNextLinkLoopError(NrpsError):
    """The pages lead in a circle."""

    code = "next_link_loop"


@dataclass(frozen=True, slots=True)
class ErrorFamily:
    """Which class says what, for one service."""

    service: str
    refused: type[ServiceError]
    gone: type[ServiceError]
    conflict: type[ServiceError]
    unavailable: type[ServiceError]
    malformed: type[ServiceError]
    foreign_next: type[ServiceError]
    next_loop: type[ServiceError]


AGS = ErrorFamily(
    service="grades",
    refused=AgsRefusedError,
    gone=AgsGoneError,
    conflict=AgsConflictError,
    unavailable=AgsUnavailableError,
    malformed=AgsMalformedError,
    foreign_next=AgsForeignNextLinkError,
    next_loop=AgsNextLinkLoopError,
)
NRPS = ErrorFamily(
    service="members",
    refused=NrpsRefusedError,
    gone=NrpsGoneError,
    conflict=NrpsRefusedError,
    unavailable=NrpsUnavailableError,
    malformed=NrpsMalformedError,
    foreign_next=NrpsForeignNextLinkError,
    next_loop=NrpsNextLinkLoopError,
)
