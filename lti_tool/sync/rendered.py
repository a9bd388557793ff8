"""What becomes of a thing of the SIS when it is rendered: a document, nothing, or what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from lti_tool.moodle.documents import Document, Kind, Result


@dataclass(frozen=True, slots=True)
class Nothing:
    """There should be nothing (a draft, an unknown key): nobody is told anything."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unfit:
    """What the SIS holds does not fit Moodle; ``field`` is a JSON pointer into the document."""

    field: str
    message: str

    def as_result(self, kind: Kind, key: str) -> Result:
        """As if Moodle had refused it: for previews, which send only what fits."""
        return Result(
            kind=kind,
            key=key,
            result="refused",
            code="unfit",
            field=self.field,
            message=self.message,
        )


@dataclass(frozen=True, slots=True)
class Former:
    """The course of this class is another's now: the class is taught together with ``host``.

    A course that it had of its own stays, with the work in it, and goes on with the class's own
    students: ``document`` is for whoever has it; nobody gets it anew.
    """

    document: Document
    host: str


Rendered = Document | Nothing | Unfit | Former


def short(text: str, limit: int) -> str:
    """Text as long as Moodle can hold: nobody is kept out for a long name."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def fit(model: type[Document], **values: object) -> Rendered:
    """The document of these values, or why they fit none."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        return _unfit(error)


def _unfit(error: ValidationError) -> Unfit:
    first = error.errors()[0]
    pointer = "".join(f"/{part}" for part in first["loc"])
    return Unfit(pointer, f"{first['msg']}. Correct it in the SIS.")


def tried(render: Callable[..., Rendered], *values: object) -> Rendered:
    """What cannot be rendered at all (a year 1, a date that no computer counts to) stops itself
    alone."""
    try:
        return render(*values)
    except ValidationError as error:
        return _unfit(error)
    except (ArithmeticError, ValueError, OSError) as error:
        return Unfit("", f"{error}. Correct it in the SIS.")
