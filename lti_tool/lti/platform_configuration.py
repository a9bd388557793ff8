"""A platform's OpenID configuration, fetched with care and checked before it is believed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HostRefusedError, HttpClient
from lti_tool.lti.links import same_origin

_PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
_MAX_BYTES = 256 * 1024
_TIMEOUT = 10.0


class RegistrationRefusedError(OutboundError):
    """The platform's configuration or answer cannot be used; ``context`` holds the evidence."""

    code = "registration_refused"
    title = "The registration did not succeed"


@dataclass(frozen=True, slots=True)
class PlatformConfiguration:
    """What a platform says of itself. ``None`` in ``scopes`` and ``claims`` means unsaid."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    token_audience: str | None
    family: str
    scopes: frozenset[str] | None
    claims: frozenset[str] | None
    messages: frozenset[str]

    @property
    def name(self) -> str:
        """A name for the list of platforms, until an administrator gives a better one."""
        return f"{self.family.capitalize()} at {urlsplit(self.issuer).netloc}"[:200]


def fetch_configuration(http: HttpClient, url: str) -> PlatformConfiguration:
    """Fetch and check the configuration at ``url``.

    The issuer and the registration endpoint (which gets the platform's token) must be on the host
    that ``url`` is on; the other addresses must be ones that may be called.

    Raises:
        OutboundError: not reachable, too large, or not an address that may be called.
        RegistrationRefusedError: not JSON, incomplete, or contradicting itself.
    """
    response = http.request(
        "GET",
        url,
        headers={"Accept": "application/json"},
        total_timeout=_TIMEOUT,
        max_bytes=_MAX_BYTES,
    )
    if response.status != 200:
        raise RegistrationRefusedError(
            f"The platform's configuration answered with status {response.status}.",
            remedy="Check the address of the configuration; redirects are not followed.",
            http_status=response.status,
            excerpt=response.excerpt(),
        )
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RegistrationRefusedError(
            "The platform's configuration is not a JSON document.", excerpt=response.excerpt()
        )
    return _read(http, document, url)


def _read(http: HttpClient, document: dict[str, Any], url: str) -> PlatformConfiguration:
    issuer = _address(http, document, "issuer")
    if not same_origin(issuer, url):
        raise RegistrationRefusedError(
            "The platform's configuration is not on the platform's own host.",
            field="issuer",
            remedy="Start the registration from the platform itself.",
        )
    registration_url = _address(http, document, "registration_endpoint")
    if not same_origin(registration_url, issuer):
        raise RegistrationRefusedError(
            "The platform's registration address is on another host.",
            field="registration_endpoint",
        )
    about = document.get(_PLATFORM)
    about = about if isinstance(about, dict) else {}
    family = about.get("product_family_code")
    audience = document.get("authorization_server")
    return PlatformConfiguration(
        issuer=issuer,
        auth_url=_address(http, document, "authorization_endpoint"),
        token_url=_address(http, document, "token_endpoint"),
        jwks_url=_address(http, document, "jwks_uri"),
        registration_url=registration_url,
        token_audience=audience if isinstance(audience, str) and audience else None,
        family=_family(family),
        scopes=_names(document.get("scopes_supported")),
        claims=_names(document.get("claims_supported")),
        messages=_messages(about.get("messages_supported")),
    )


def _address(http: HttpClient, document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    try:
        if not isinstance(value, str) or value != value.strip():
            raise HostRefusedError("The address is missing.")
        http.check_url(value)
    except HostRefusedError as error:
        raise RegistrationRefusedError(
            f"The platform's configuration has no usable {name}.",
            field=name,
            remedy=error.remedy,
        ) from error
    return value


def _family(value: Any) -> str:
    text = value.strip().lower() if isinstance(value, str) else ""
    return text[:50] if text and text.isprintable() else "generic"


def _names(value: Any) -> frozenset[str] | None:
    if not isinstance(value, list):
        return None
    return frozenset(name for name in value if isinstance(name, str))


def _messages(value: Any) -> frozenset[str]:
    """Message types: a list of names on older platforms, of objects with ``type`` on newer."""
    found = set()
    for entry in value if isinstance(value, list) else ():
        name = entry.get("type") if isinstance(entry, dict) else entry
        if isinstance(name, str):
            found.add(name)
    return frozenset(found)
