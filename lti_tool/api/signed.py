"""What every request of a Moodle goes through: its rate, its size, its signature, its model."""

from __future__ import annotations

from flask import request

from lti_tool.moodle.bodies import MAX_BYTES, Model, parse, unpack
from lti_tool.moodle.models import MoodleSite
from lti_tool.wiring import services

# Several sites may stand behind one address, and nobody there has proved anything yet.
PER_ADDRESS = "1200/minute"
# A site that sends what has waited for weeks needs some three batches of a thousand a second.
PER_SITE = "600/minute"


def packed_body() -> bytes:
    """The body's bytes as they were sent; at most 8 MB, which is more than a form may have.

    Counts the request against its address, before anything is read.
    """
    services().rate_limiter.hit("moodle.address", PER_ADDRESS, request.remote_addr or "?")
    request.max_content_length = MAX_BYTES
    return request.get_data(cache=False)


def signed_site(packed: bytes) -> MoodleSite:
    """The site that signed this request; raises the errors of ``SignedRequests.verify``.

    The signature is over the body as sent: nothing of a stranger's is unpacked.
    """
    wired = services()
    site = wired.signed_requests.verify(
        authorization=request.headers.get("Authorization"), body=packed, url=called_url()
    )
    wired.rate_limiter.hit("moodle.site", PER_SITE, str(site.id))
    return site


def unpacked_body(packed: bytes) -> bytes:
    """The body as JSON text."""
    return unpack(packed, request.headers.get("Content-Encoding", ""))


def message(packed: bytes, model: type[Model]) -> Model:
    """The message in a body; raises the errors of ``bodies.parse``."""
    return parse(unpacked_body(packed), model)


def called_url() -> str:
    """The public address that was called, whatever a proxy made of it on the way."""
    return services().settings.public_url + request.path
