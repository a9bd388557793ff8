"""What every request of a Moodle has in common: a packed body of bounded size, and a signature."""

from __future__ import annotations

import zlib

from flask import request

from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.documents import MAX_BYTES
from lti_tool.moodle.models import MoodleSite
from lti_tool.wiring import services

# The header of gzip, and nothing else.
_GZIP = 16 + zlib.MAX_WBITS


def address() -> str:
    """The address that was called, as the outside writes it: what the signature is for."""
    return services().settings.public_url + request.path


def signed_site() -> tuple[MoodleSite, bytes]:
    """The connected Moodle that signed this request, and its body unpacked.

    The signature is over the body as sent: nothing of a stranger's is unpacked.
    """
    site = services().signed_requests.verify(
        authorization=request.headers.get("Authorization"), body=request.get_data(), url=address()
    )
    return site, unpacked()


def unpacked(limit: int = MAX_BYTES) -> bytes:
    """The body, unpacked where it is gzip; never more than ``limit`` bytes of it are unpacked.

    Raises:
        InvalidInputError: not gzip though it says so, another encoding, or too large.
    """
    body = request.get_data()
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise InvalidInputError(
            "The body must be plain or gzip.", field="Content-Encoding", encoding=encoding[:40]
        )
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidInputError("The body is not gzip.", field="Content-Encoding") from error
    if len(content) > limit:
        raise InvalidInputError(
            f"The body is larger than {limit} bytes when unpacked.",
            remedy="Send fewer at once.",
            limit=limit,
        )
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidInputError("The body is cut short.", field="Content-Encoding")
    return content
