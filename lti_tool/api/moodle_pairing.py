"""Connecting a Moodle: what its plugin calls to pair, to renew its token, to check, to end it."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lti_tool.api.moodle_requests import address, signed_site, unpacked
from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.contract import SUPPORTED
from lti_tool.moodle.errors import ContractUnsupportedError
from lti_tool.moodle.messages import PairingRequest, Problem, ServiceToken
from lti_tool.wiring import services

blueprint = Blueprint("moodle_pairing", __name__, url_prefix="/api/v1/moodle")

_Message = TypeVar("_Message", bound=BaseModel)

# For those who have nothing but a code: guessing one is hopeless long before this matters.
_LIMIT = "30/minute"
_SMALL = 256 * 1024


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    contract: int


class _Offer(_Strict):
    secret: str = Field(min_length=1, max_length=200)


class _Token(_Strict):
    token: ServiceToken


@blueprint.post("/offer")
def offer() -> Response:
    """Say what this tool is, to whoever holds a code."""
    _limit()
    asked = _parse(_Offer, unpacked(_SMALL))
    found = services().pairing.offer(contract=asked.contract, secret=asked.secret)
    return jsonify(found.model_dump())


@blueprint.post("/pair")
def pair() -> Response:
    """Connect the Moodle that sends this, then try the connection by calling it back."""
    _limit()
    asked = _parse(PairingRequest, unpacked(_SMALL))
    site = services().pairing.pair(
        asked,
        authorization=request.headers.get("Authorization"),
        body=request.get_data(),
        url=address(),
    )
    checks = services().site_checks.check(site.id)
    return jsonify(site=site.id, contract=site.contract, checks=_lines(checks))


@blueprint.post("/token")
def token() -> Response:
    """Take the next token, before the old one ends."""
    site, body = signed_site()
    asked = _parse(_Token, body)
    expires_at = services().sites.renew_token(site.id, asked.token)
    return jsonify(expires_at=int(expires_at.timestamp()))


@blueprint.post("/check")
def check() -> Response:
    """Call the Moodle back, and tell it what was found."""
    site, body = signed_site()
    _parse(_Strict, body)
    found = services().site_checks.check(site.id)
    now = int(services().clock.now().timestamp())
    return jsonify(contract=site.contract, now=now, checks=_lines(found))


@blueprint.post("/unpair")
def unpair() -> Response:
    """End the connection, as the Moodle's administrator asks."""
    site, body = signed_site()
    _parse(_Strict, body)
    services().sites.disconnect(site.id, actor=f"site:{site.id}")
    return jsonify({})


def _limit() -> None:
    services().rate_limiter.hit("moodle.pair", _LIMIT, request.remote_addr or "unknown")


def _parse(model: type[_Message], body: bytes) -> _Message:
    _check_contract(body)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise InvalidInputError(
            f"The message does not fit the contract: {first['msg']}.",
            field=field or None,
            remedy="Update the plugin local_nagasis in Moodle.",
        ) from error


def _check_contract(body: bytes) -> None:
    """Tell a plugin of another time so, before its message is judged by our own rules."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return
    contract = found.get("contract") if isinstance(found, dict) else None
    if isinstance(contract, int) and contract not in SUPPORTED:
        raise ContractUnsupportedError(contract)


def _lines(checks: list[Problem]) -> list[dict[str, Any]]:
    return [each.model_dump() for each in checks]
