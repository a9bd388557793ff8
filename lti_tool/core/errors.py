"""Errors with a stable code, and their RFC 9457 problem documents.

Every error that a person or a program can see is a :class:`NagaError` subclass. Its ``code`` is
part of the public interface and documented in ``docs/errors.md``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class NagaError(Exception):
    """Base of all expected errors.

    Args:
        detail: one plain sentence that says what is wrong, with no secret and no name of a person.
        field: the input, claim or column at fault.
        remedy: one plain sentence that says what to do.
        **context: ids that help an administrator; they end in the log and the problem document.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self, detail: str, *, field: str | None = None, remedy: str | None = None, **context: Any
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.remedy = remedy
        self.context = context

    def problem(self, *, reference: str | None = None) -> dict[str, Any]:
        """Return the RFC 9457 document (``type``, ``title``, ``status``, ``detail``, ``code``…)."""
        document: dict[str, Any] = {
            "type": f"urn:naga:error:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.field is not None:
            document["field"] = self.field
        if self.remedy is not None:
            document["remedy"] = self.remedy
        if reference is not None:
            document["reference"] = reference
        return document | self.context


class ConfigurationError(NagaError):
    """The settings are wrong; the process must not start."""

    code = "configuration"
    title = "The settings are wrong"


class NotFoundError(NagaError):
    """The thing asked for does not exist, or not for this person."""

    code = "not_found"
    status = 404
    title = "Not found"


class ForbiddenError(NagaError):
    """The person is known and may not do this."""

    code = "forbidden"
    status = 403
    title = "Not allowed"


class ConflictError(NagaError):
    """The request contradicts what is stored."""

    code = "conflict"
    status = 409
    title = "This contradicts what is stored"


class InvalidInputError(NagaError):
    """A field of the input is wrong."""

    code = "invalid_input"
    status = 400
    title = "The input is not valid"


class RateLimitedError(NagaError):
    """Too many requests from one place."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


class OutboundError(NagaError):
    """Another system did not answer as it should. Subclasses say how."""

    code = "outbound_failed"
    status = 502
    title = "Another system did not answer"
