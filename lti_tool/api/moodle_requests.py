"""What every request of a Moodle has in common: its rate, a packed body of bounded size, and a
signature."""

from __future__ import annotations

from flask import request

from lti_tool.moodle.bodies import MAX_BYTES, unpack
from lti_tool.moodle.models import MoodleSite
from lti_tool.wiring import services

# Several sites may stand behind one address, and nobody there has proved anything yet.
PER_ADDRESS = "1200/minute"
# A site that sends what has waited for weeks needs some three batches of a thousand a second.
PER_SITE = "600/minute"


def address() -> str:
    """The address that was called, as the outside writes it: what the signature is for."""
    return services().settings.public_url + request.path


def signed_site() -> tuple[MoodleSite, bytes]:
    """The connected Moodle that signed this request, and its body unpacked.

    The signature is over the body as sent: nothing of a stranger's is unpacked.
    """
    wired = services()
    wired.rate_limiter.hit("moodle.address", PER_ADDRESS, request.remote_addr or "unknown")
    # More than a form may have.
    request.max_content_length = MAX_BYTES
    site = wired.signed_requests.verify(
        authorization=request.headers.get("Authorization"), body=request.get_data(), url=address()
    )
    wired.rate_limiter.hit("moodle.site", PER_SITE, str(site.id))
    return site, unpacked()


def unpacked(limit: int = MAX_BYTES) -> bytes:
    """The body, unpacked where it is gzip; never more than ``limit`` bytes of it are unpacked.

    Raises:
        InvalidInputError: not gzip though it says so, or packed otherwise.
        BodyTooLargeError.
    """
    return unpack(request.get_data(), request.headers.get("Content-Encoding", ""), limit=limit)
