"""A platform that registers tools, for the conformance tests of Dynamic Registration."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lti_tool.lti.dynamic_registration import DynamicRegistration
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ, MEMBERS_READ, RESULT_READ, SCORE
from tests.lti.outbound_world import Stub

PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
OURS = "https://sis.example:8443"
WELL_KNOWN = "/mod/lti/openid-configuration.php"


def configuration_of(stub: Stub, **changes: Any) -> dict[str, Any]:
    """The platform's OpenID configuration."""
    return {
        "issuer": stub.url,
        "authorization_endpoint": f"{stub.url}/auth",
        "token_endpoint": f"{stub.url}/token",
        "jwks_uri": f"{stub.url}/certs",
        "registration_endpoint": f"{stub.url}/register",
        "scopes_supported": [LINE_ITEM, LINE_ITEM_READ, RESULT_READ, SCORE, MEMBERS_READ, "openid"],
        "claims_supported": ["sub", "iss", "name", "given_name", "family_name", "email"],
        PLATFORM: {
            "product_family_code": "moodle",
            "version": "4.5.6",
            "messages_supported": ["LtiResourceLinkRequest", "LtiDeepLinkingRequest"],
        },
        **changes,
    }


def an_answer(**changes: Any) -> dict[str, Any]:
    """The platform's answer to a registration."""
    return {"client_id": "Xyz123", TOOL: {"deployment_id": "4"}, **changes}


def invite_token(service: DynamicRegistration, **options: Any) -> str:
    """The token of a new invitation."""
    url = service.invite(actor="admin", **options)
    assert url.startswith(f"{OURS}/lti/register?invite=")
    return parse_qs(urlsplit(url).query)["invite"][0]


def register(service: DynamicRegistration, stub: Stub, token: str | None = None) -> Registration:
    """Register with the platform, with a new invitation by default."""
    return service.register(
        token or invite_token(service), f"{stub.url}{WELL_KNOWN}", "platform-token"
    )


def sent_to(stub: Stub) -> dict[str, Any]:
    """The registration request that arrived last."""
    return json.loads(stub.seen("POST", "/register")[-1].body)  # type: ignore[no-any-return]
