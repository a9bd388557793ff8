"""The four functions, as Moodle's REST web services offer them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from demo.provisioning.apply import apply
from demo.provisioning.documents import KINDS
from demo.provisioning.fingerprints import DIGESTS, digest
from demo.provisioning.readings import READS, read
from demo.provisioning.refusal import CallError
from demo.state import Platform, platform

blueprint = Blueprint("provisioning", __name__)
CONTRACTS = (1,)
MAX_DOCUMENTS = 1000
MAX_BYTES = 8 * 1024 * 1024
MAX_PAGE = 5000

Parameters = Mapping[str, str]


@blueprint.post("/webservice/rest/server.php")
def rest() -> Response:
    """Answer one call. Errors have status 200 too, as Moodle's have."""
    try:
        # Moodle's functions answer with JSON in a text, which its REST layer writes as JSON again.
        return jsonify(json.dumps(_answer(platform(), request.values), ensure_ascii=False))
    except CallError as error:
        return jsonify(exception=error.exception, errorcode=error.code, message=str(error))


def _answer(host: Platform, given: Parameters) -> dict[str, Any]:
    _require_token(host, given.get("wstoken", ""))
    if given.get("moodlewsrestformat") != "json":
        raise CallError("invalidformat", "Ask for JSON: moodlewsrestformat=json.")
    functions = {
        "local_nagasis_apply": _apply,
        "local_nagasis_digest": _digest,
        "local_nagasis_read": _read,
        "local_nagasis_status": _status,
    }
    function = functions.get(given.get("wsfunction", ""))
    if function is None:
        raise CallError(
            "accessexception", "Access control exception", "webservice_access_exception"
        )
    contract = _number(given, "contract")
    if contract not in CONTRACTS:
        raise CallError(
            "contractunsupported",
            f"The tool asked for version {contract} of the contract; this platform speaks"
            f" {', '.join(map(str, CONTRACTS))}.",
        )
    return {"contract": contract, **function(host, given)}


def _require_token(host: Platform, token: str) -> None:
    held = host.state.connection
    mine = [each for each in (held.token, held.next_token) if each]
    if not any(hmac.compare_digest(each.encode(), token.encode()) for each in mine):
        raise CallError("invalidtoken", "Invalid token - token not found")
    if held.token_expires <= host.epoch():
        raise CallError("invalidtoken", "Invalid token - token expired")


def _apply(host: Platform, given: Parameters) -> dict[str, Any]:
    documents = _documents(given.get("documents", ""))
    dryrun = given.get("dryrun", "0").lower() in ("1", "true")
    if dryrun:
        with host.lock:
            results = apply(host.state, documents, dryrun=True, now=host.epoch())
    else:
        with host.change() as state:
            results = apply(state, documents, dryrun=False, now=host.epoch())
            if any(each["result"] not in ("unchanged", "refused") for each in results):
                host.record("sync.applied")
    return {"dryrun": dryrun, "results": results}


def _documents(text: str) -> list[Any]:
    if len(text.encode()) > MAX_BYTES:
        raise CallError("documentstoolarge", "At most 8 MB of documents in one call.")
    try:
        documents = json.loads(text)
    except ValueError as error:
        raise CallError("documentsnotjson", f"The documents are not JSON: {error}.") from error
    if not isinstance(documents, list):
        raise CallError("documentsnotjson", "The documents are not a JSON array.")
    if len(documents) > MAX_DOCUMENTS:
        raise CallError("documentstoolarge", f"At most {MAX_DOCUMENTS} documents in one call.")
    return documents


def _digest(host: Platform, given: Parameters) -> dict[str, Any]:
    kind, keys = given.get("kind", ""), _json(given, "keys", [])
    if kind not in DIGESTS:
        raise CallError("unknownkind", f"There is no kind {kind!r} here.")
    if not isinstance(keys, list):
        raise _invalid("keys")
    after = given.get("after", "") or None
    with host.lock:
        return digest(host.state, kind, keys=keys, after=after, limit=_limit(given))


def _read(host: Platform, given: Parameters) -> dict[str, Any]:
    what, scope = given.get("what", ""), _json(given, "scope", {})
    if what not in READS:
        raise CallError("unknownread", f"{what!r} cannot be read here.")
    if not isinstance(scope, dict):
        raise _invalid("scope")
    after = given.get("after", "") or "0"
    if not after.isdigit():
        raise _invalid("after")
    with host.lock:
        page = read(host.state, what, scope, after=int(after), limit=_limit(given))
        held = host.state.connection
        return page | {"outbox": {"epoch": held.epoch or None, "last": held.last}}


def _status(host: Platform, given: Parameters) -> dict[str, Any]:
    held = host.state.connection
    return {
        "contracts": list(CONTRACTS),
        "url": host.base_url,
        "name": host.state.site_name,
        "now": host.epoch(),
        "versions": VERSIONS,
        "kinds": list(KINDS),
        "reads": list(READS),
        "epoch": held.epoch,
        "backlog": len(held.outbox),
        "oldest": held.outbox[0].at if held.outbox else None,
        "set_aside": len(held.set_aside),
        "paused": False,
        "token_expires_at": held.token_expires,
        "checks": [],
    }


VERSIONS: dict[str, Any] = {
    "moodle": "built-in platform",
    "plugin": "1.0.0",
    "enrol_plugin": "1.0.0",
    "contracts": list(CONTRACTS),
}


def _json(given: Parameters, name: str, default: Any) -> Any:
    text = given.get(name, "")
    try:
        return json.loads(text) if text else default
    except ValueError as error:
        raise _invalid(name) from error


def _number(given: Parameters, name: str) -> int:
    text = given.get(name, "")
    if not text.isdigit():
        raise _invalid(name)
    return int(text)


def _limit(given: Parameters) -> int:
    limit = _number(given, "limit") if given.get("limit") else 1000
    if not 1 <= limit <= MAX_PAGE:
        raise _invalid("limit")
    return limit


def _invalid(name: str) -> CallError:
    return CallError(
        "invalidparameter",
        f"Invalid parameter value detected: {name}",
        "invalid_parameter_exception",
    )
