"""What a Moodle sends, unpacked within bounds and judged by its model."""

from __future__ import annotations

import json
import zlib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lti_tool.core.errors import InvalidInputError, NagaError
from lti_tool.moodle.contract import SUPPORTED
from lti_tool.moodle.errors import ContractUnsupportedError

# Both as sent and when unpacked, in bytes.
MAX_BYTES = 8 * 1024 * 1024
_GZIP = 31

Model = TypeVar("Model", bound=BaseModel)


class BodyTooLargeError(NagaError):
    """The body is larger than is taken there (8 MB for events), as sent or when unpacked."""

    code = "body_too_large"
    status = 413
    title = "The request is too large"


def unpack(body: bytes, encoding: str, *, limit: int = MAX_BYTES) -> bytes:
    """Return a body without its ``Content-Encoding`` (``gzip``, or none).

    Never holds more than ``limit`` bytes, whatever the body would unpack to.

    Raises:
        InvalidInputError, BodyTooLargeError.
    """
    named = encoding.strip().lower()
    if named in ("", "identity"):
        return _within(body, limit)
    if named not in ("gzip", "x-gzip"):
        raise InvalidInputError(
            "The body is packed in a way that the tool does not know.",
            field="Content-Encoding",
            remedy="Send it with Content-Encoding: gzip, or as it is.",
        )
    unpacking = zlib.decompressobj(wbits=_GZIP)
    try:
        plain = _within(unpacking.decompress(body, limit + 1), limit)
    except zlib.error as error:
        raise _not_gzip() from error
    if not unpacking.eof or unpacking.unused_data:
        raise _not_gzip()
    return plain


def parse(body: bytes, model: type[Model]) -> Model:
    """Return the message that an unpacked body holds.

    The version of the contract is judged first: of another one nothing else may be concluded.

    Raises:
        ContractUnsupportedError; InvalidInputError, its ``field`` a JSON pointer into the body.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The body is not JSON.", field="") from error
    if not isinstance(document, dict):
        raise InvalidInputError("The body is not a JSON object.", field="")
    contract = document.get("contract")
    if type(contract) is int and contract not in SUPPORTED:
        raise ContractUnsupportedError(contract)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        pointer = _pointer(document, first["loc"], missing=first["type"] == "missing")
        raise InvalidInputError(
            f"{pointer or 'The body'}: {first['msg']}.",
            field=pointer,
            remedy="Correct it; the schemas of the contract say what is taken.",
        ) from error


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise BodyTooLargeError(
            f"The body is larger than {limit} bytes.", remedy="Send less at once.", limit=limit
        )
    return body


def _not_gzip() -> InvalidInputError:
    return InvalidInputError(
        "The body is cut short or not gzip.", field="Content-Encoding", remedy="Send it again."
    )


def _pointer(document: Any, location: tuple[int | str, ...], *, missing: bool) -> str:
    """The JSON pointer (RFC 6901) of an error.

    Pydantic's locations also name what is no place in the document, such as the branch of a union.
    """
    pointer, here = "", document
    for number, step in enumerate(location, start=1):
        if isinstance(here, dict) and isinstance(step, str):
            if step not in here and not (missing and number == len(location)):
                break
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int):
            here = here[step]
        else:
            break
        pointer += "/" + escaped(str(step))
    return pointer


def escaped(name: str) -> str:
    """A name as it stands in a JSON pointer; what is no text at all, replaced."""
    printable = name.encode("utf-8", "replace").decode()
    return printable.replace("~", "~0").replace("/", "~1")
