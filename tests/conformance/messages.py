"""What a platform says: its messages as Moodle shapes them, signed as a test wants them."""

from __future__ import annotations

import base64
import json
import warnings
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import RSAKey

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"

PUBLIC_URL = "https://tool.example"
TARGET = PUBLIC_URL + "/l"
ISSUER = "https://moodle.example"
CLIENT = "client-1"
DEPLOYMENT = "7"


@cache
def rsa_key(name: str, bits: int = 2048) -> RSAKey:
    """A key by name: made once, as making one is slow."""
    if bits >= 2048:
        return RSAKey.generate_key(bits, private=True)
    with warnings.catch_warnings(action="ignore"):
        return RSAKey.generate_key(bits, private=True)


def jwk(key: RSAKey, kid: str | None, **members: Any) -> dict[str, Any]:
    """The public JWK of a key; a member set to ``None`` is left out."""
    document = {**key.as_dict(private=False), "kid": kid, "alg": "RS256", "use": "sig", **members}
    return {name: value for name, value in document.items() if value is not None}


def encode(part: Any) -> str:
    """A segment of a token."""
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def sign(payload: Any, key: RSAKey, *, alg: str = "RS256", **header: Any) -> str:
    """A compact JWS of anything at all, with any header; ``None`` leaves a member out."""
    protected = {"typ": "JWT", "alg": alg, "kid": "key-1", **header}
    protected = {name: value for name, value in protected.items() if value is not None}
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_payload_length = registry.max_header_length = 10_000_000
    if protected.keys() & {"crit", "b64", "jku", "x5u", "jwk", "x5c"}:
        # The library refuses to write what a test wants to see refused.
        signing_input = f"{encode(protected)}.{encode(content)}"
        signature = registry.get_alg("RS256").sign(signing_input.encode(), key)
        return f"{signing_input}.{encode(signature)}"
    return jws.serialize_compact(protected, content, key, registry=registry)


def login_parameters(**changes: str | None) -> dict[str, str]:
    """What Moodle sends; ``None`` leaves a parameter out."""
    values = {
        "iss": ISSUER,
        "target_link_uri": TARGET,
        "login_hint": "42",
        "lti_message_hint": '{"cmid":5,"launchid":"ltilaunch9_123"}',
        "client_id": CLIENT,
        "lti_deployment_id": DEPLOYMENT,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def message(at: int, expected_nonce: str, /, **changes: Any) -> dict[str, Any]:
    """A right resource-link message, shaped as Moodle's."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": "42",
        "iat": at,
        "exp": at + 60,
        "nonce": expected_nonce,
        "name": "Sok Dara",
        "given_name": "Dara",
        "family_name": "Sok",
        "email": "dara@example.org",
        LTI + "version": "1.3.0",
        LTI + "message_type": "LtiResourceLinkRequest",
        LTI + "deployment_id": DEPLOYMENT,
        LTI + "target_link_uri": TARGET,
        LTI + "roles": [MEMBERSHIP + "Learner"],
        LTI + "resource_link": {"id": "12", "title": "Grades", "description": ""},
        LTI + "context": {
            "id": "3",
            "label": "IEAP-1",
            "title": "English",
            "type": ["CourseSection"],
        },
        LTI + "launch_presentation": {
            "document_target": "iframe",
            "locale": "en",
            "return_url": ISSUER + "/mod/lti/return.php?course=3",
        },
        LTI + "lis": {"person_sourcedid": "", "course_section_sourcedid": "C-1"},
        LTI + "custom": {"naga_page": "roster", "other": "x"},
        LTI + "tool_platform": {
            "guid": "g",
            "product_family_code": "moodle",
            "version": "2024100706",
            "name": "Moodle",
        },
        AGS: {
            "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
            "lineitems": ISSUER + "/mod/lti/services.php/3/lineitems?type_id=7",
        },
        NRPS: {
            "context_memberships_url": ISSUER + "/mod/lti/services.php/CourseSection/3/m",
            "service_versions": ["1.0", "2.0"],
        },
    }
    for name, value in changes.items():
        full = name if name in claims or name in _PLAIN else _FULL.get(name, LTI + name)
        if value is ...:
            claims.pop(full, None)
        else:
            claims[full] = value
    return claims


_PLAIN = frozenset({"azp", "nbf", "jti", "locale", "picture"})
_FULL = {"ags": AGS, "nrps": NRPS, "deep_linking": DEEP_LINKING}


def deep_linking_settings(**changes: Any) -> dict[str, Any]:
    """Deep-linking settings as Moodle sends them; ``...`` leaves one out."""
    settings = {
        "deep_link_return_url": ISSUER + "/mod/lti/contentitem_return.php?course=3&id=7",
        "accept_types": ["ltiResourceLink"],
        "accept_presentation_document_targets": ["frame", "iframe", "window"],
        "accept_multiple": True,
        "auto_create": False,
        "title": "Naga SIS",
        "text": "",
        **changes,
    }
    return {name: value for name, value in settings.items() if value is not ...}


def query_of(url: str) -> dict[str, list[str]]:
    """The query of an address."""
    return parse_qs(urlsplit(url).query, keep_blank_values=True)
