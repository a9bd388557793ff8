"""Connecting a Moodle: what its plugin calls to pair, to renew its token, to check, to end it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from lti_tool.api import signed
from lti_tool.moodle.messages import PairingRequest, Problem, ServiceToken
from lti_tool.moodle.models import MoodleSite
from lti_tool.wiring import services

blueprint = Blueprint("moodle_pairing", __name__, url_prefix="/api/v1/moodle")

# For those who have nothing but a code: guessing one is hopeless long before this matters.
_LIMIT = "30/minute"


class Bare(BaseModel):
    """A message that says nothing but the version of the contract."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    contract: int


class OfferRequest(Bare):
    """Asks what the tool is; the code's secret is the proof. ``url`` is who asks (its wwwroot)."""

    secret: str = Field(min_length=1, max_length=200)
    url: str | None = Field(None, max_length=500)


class TokenRequest(Bare):
    """Brings the next token."""

    token: ServiceToken


@blueprint.post("/offer")
def offer() -> Response:
    """Say what this tool is, to whoever holds a code."""
    _limit()
    asked = signed.message(signed.packed_body(), OfferRequest)
    client = services().sign_in_clients.of(asked.url.rstrip("/")) if asked.url else None
    found = services().pairing.offer(
        contract=asked.contract,
        secret=asked.secret,
        sign_in_url=client.issuer if client else None,
    )
    return jsonify(found.model_dump())


@blueprint.post("/pair")
def pair() -> Response:
    """Connect the Moodle that sends this, then try the connection by calling it back."""
    _limit()
    packed = signed.packed_body()
    site = services().pairing.pair(
        signed.message(packed, PairingRequest),
        authorization=request.headers.get("Authorization"),
        body=packed,
        url=signed.called_url(),
    )
    # Everything is to be looked at there: what differs travels as soon as the sync runs.
    services().provisioning.marks.mark_all(site)
    checks = services().site_checks.check(site.id)
    return jsonify(
        site=site.id, contract=site.contract, checks=_lines(checks), sign_in=_sign_in(site)
    )


@blueprint.post("/token")
def token() -> Response:
    """Take the next token, before the old one ends."""
    packed = signed.packed_body()
    site = signed.signed_site(packed)
    asked = signed.message(packed, TokenRequest)
    expires_at = services().sites.renew_token(site.id, asked.token)
    return jsonify(expires_at=int(expires_at.timestamp()))


@blueprint.post("/check")
def check() -> Response:
    """Call the Moodle back, and tell it what was found."""
    packed = signed.packed_body()
    site = signed.signed_site(packed)
    signed.message(packed, Bare)
    found = services().site_checks.check(site.id)
    now = int(services().clock.now().timestamp())
    return jsonify(contract=site.contract, now=now, checks=_lines(found))


@blueprint.post("/sign-in")
def sign_in() -> Response:
    """Say by what people sign in to the Moodle that asks, with its client's secret."""
    packed = signed.packed_body()
    site = signed.signed_site(packed)
    signed.message(packed, Bare)
    return jsonify(contract=site.contract, sign_in=_sign_in(site))


@blueprint.post("/unpair")
def unpair() -> Response:
    """End the connection, as the Moodle's administrator asks."""
    packed = signed.packed_body()
    site = signed.signed_site(packed)
    signed.message(packed, Bare)
    services().sites.disconnect(site.id, actor=f"site:{site.id}")
    return jsonify({})


def _sign_in(site: MoodleSite) -> dict[str, Any] | None:
    found = services().sign_in_clients.of(site.url)
    return found.model_dump() if found else None


def _limit() -> None:
    services().rate_limiter.hit("moodle.pair", _LIMIT, request.remote_addr or "?")


def _lines(checks: list[Problem]) -> list[dict[str, Any]]:
    return [each.model_dump() for each in checks]
