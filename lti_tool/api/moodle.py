"""What a connected Moodle sends by itself: its events."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify

from lti_tool.api import signed
from lti_tool.moodle.events import read_batch
from lti_tool.moodle.models import SiteStanding
from lti_tool.wiring import services

blueprint = Blueprint("moodle", __name__, url_prefix="/api/v1/moodle")


@blueprint.post("/events")
def events() -> Response:
    """Store a batch of events; answer how far this tool holds with none missing."""
    packed = signed.packed_body()
    site = signed.signed_site(packed)
    batch = read_batch(signed.unpacked_body(packed))
    answer = asdict(services().event_intake.accept(site.id, batch))
    # Paused: Moodle refuses our token. It brings a new one when it is asked.
    renew = site.standing is SiteStanding.PAUSED
    # Another revision than the one it has: it fetches by what people sign in there.
    sign_in = services().sign_in_clients.revision(site.url)
    return jsonify(answer | {"renew": renew, "sign_in": sign_in})
