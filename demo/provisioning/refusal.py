"""Why a document, or a whole call, cannot be done."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A document, or one person of a roster, that cannot be done; nothing of it has been changed.

    ``field`` is a JSON pointer into the document, ``None`` where no field is to blame.
    """

    def __init__(self, code: str, field: str | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field

    def result(self) -> dict[str, Any]:
        """Return the refusal as it stands in a result."""
        return {
            "result": "refused",
            "changes": [],
            "code": self.code,
            "field": self.field,
            "message": str(self),
        }


class CallError(Exception):
    """A whole call that is not answered; ``code`` is Moodle's ``errorcode``."""

    def __init__(self, code: str, message: str, exception: str = "moodle_exception") -> None:
        super().__init__(message)
        self.code = code
        self.exception = exception
