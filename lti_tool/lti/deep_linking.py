"""Deep Linking 2.0: what the platform would take, and our signed answer."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from lti_tool.core.clock import Clock
from lti_tool.core.errors import NagaError
from lti_tool.lti import claims as launch_claims
from lti_tool.lti.access_tokens import ASSERTION_BACKDATING, Signer
from lti_tool.lti.links import same_origin
from lti_tool.lti.models import Registration
from lti_tool.lti.scores import as_number

RESOURCE_LINK = "ltiResourceLink"
_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_LIFETIME = dt.timedelta(minutes=5)


class DeepLinkingError(NagaError):
    """The platform's request cannot be answered, or the answer would not be accepted."""

    code = "deep_linking_refused"
    status = 400
    title = "The link cannot be placed"


class DeepLinkingSettingsError(DeepLinkingError):
    """The platform's deep-linking settings are missing or wrong; ``field`` says where."""

    code = "deep_linking_settings_invalid"


class ItemNotAcceptedError(DeepLinkingError):
    """The platform takes no such item, or not so many; nothing was signed."""

    code = "deep_linking_item_not_accepted"


@dataclass(frozen=True, slots=True)
class DeepLinkingSettings:
    """What the platform asks for. ``data`` is echoed byte for byte, if it was given."""

    return_url: str
    accept_types: frozenset[str]
    accept_multiple: bool
    accept_line_item: bool
    data: str | None = None
    title: str | None = None
    text: str | None = None

    @property
    def accepts_resource_links(self) -> bool:
        """Whether the platform takes the only type of item that this tool makes."""
        return RESOURCE_LINK in self.accept_types


@dataclass(frozen=True, slots=True)
class ItemLine:
    """The gradebook column that comes with a link."""

    label: str
    maximum: Decimal
    resource_id: str
    tag: str


@dataclass(frozen=True, slots=True)
class ContentItem:
    """A link to this tool. ``url`` is on our own host; ``custom`` comes back with its launch."""

    title: str
    url: str
    text: str | None = None
    custom: Mapping[str, str] = field(default_factory=dict)
    line_item: ItemLine | None = None


@dataclass(frozen=True, slots=True)
class DeepLinkingResponse:
    """The answer: the browser posts ``jwt`` as the form field ``JWT`` to ``return_url``."""

    return_url: str
    jwt: str


class DeepLinking:
    """Reads deep-linking requests and signs the answers."""

    def __init__(
        self, tool_keys: Signer, clock: Clock, *, public_url: str, allow_http: bool | None = None
    ) -> None:
        """``allow_http``: whether an answer may go to plain http; as our own address by default."""
        self._tool_keys = tool_keys
        self._clock = clock
        self._public_url = public_url.rstrip("/")
        if allow_http is None:
            allow_http = urlsplit(public_url).scheme == "http"
        self._schemes = ("https", "http") if allow_http else ("https",)

    def settings(
        self,
        claims: launch_claims.LaunchClaims | launch_claims.DeepLinkingSettings | Mapping[str, Any],
    ) -> DeepLinkingSettings:
        """Read the settings from launch claims, from the settings claim, or from either as JSON.

        Raises:
            DeepLinkingSettingsError: missing, without an address to answer to, or with one that
                is no secure web address.
        """
        claim = _settings_claim(claims)
        scheme = urlsplit(claim.deep_link_return_url).scheme
        if scheme not in self._schemes or "@" in urlsplit(claim.deep_link_return_url).netloc:
            raise DeepLinkingSettingsError(
                "The address for the answer is not a secure web address.",
                field="deep_link_return_url",
            )
        return DeepLinkingSettings(
            return_url=claim.deep_link_return_url,
            accept_types=frozenset(claim.accept_types),
            # Unsaid means one: a platform that takes several says so.
            accept_multiple=claim.accept_multiple is True,
            # Unsaid means unknown: a line item that is not wanted is ignored.
            accept_line_item=claim.accept_lineitem is not False,
            data=claim.data,
            title=claim.title,
            text=claim.text,
        )

    def response(
        self,
        registration: Registration,
        deployment_id: str,
        settings: DeepLinkingSettings,
        items: Sequence[ContentItem],
        *,
        message: str | None = None,
        error: str | None = None,
        log: str | None = None,
        error_log: str | None = None,
    ) -> DeepLinkingResponse:
        """Sign an answer with ``items``; none of them is a cancellation.

        Args:
            message, error: shown to the person by the platform.
            log, error_log: for the platform's own log.

        Raises:
            ItemNotAcceptedError: more items than the platform takes, a type that it does not
                take, or an item that leads elsewhere than to this tool.
        """
        self._check(settings, items)
        now = self._clock.now()
        document: dict[str, Any] = {
            "iss": registration.client_id,
            "aud": registration.issuer,
            "iat": int((now - ASSERTION_BACKDATING).timestamp()),
            "exp": int((now + _LIFETIME).timestamp()),
            "nonce": secrets.token_urlsafe(24),
            _LTI + "deployment_id": deployment_id,
            _LTI + "message_type": "LtiDeepLinkingResponse",
            _LTI + "version": "1.3.0",
            _DL + "content_items": [_item(item, settings) for item in items],
        }
        if settings.data is not None:
            document[_DL + "data"] = settings.data
        texts = {"msg": message, "errormsg": error, "log": log, "errorlog": error_log}
        document |= {_DL + name: text for name, text in texts.items() if text}
        return DeepLinkingResponse(settings.return_url, self._tool_keys.sign(document))

    def _check(self, settings: DeepLinkingSettings, items: Sequence[ContentItem]) -> None:
        if items and not settings.accepts_resource_links:
            raise ItemNotAcceptedError(
                "The platform takes no links to tools here.",
                field="accept_types",
                remedy="Add the link as an external tool activity instead.",
            )
        if len(items) > 1 and not settings.accept_multiple:
            raise ItemNotAcceptedError(
                "The platform takes one link at a time.", field="accept_multiple"
            )
        for item in items:
            inside = item.url == self._public_url or item.url.startswith(f"{self._public_url}/")
            if not inside or not same_origin(item.url, self._public_url):
                raise ItemNotAcceptedError("The link does not lead to this tool.", field="url")


def _item(item: ContentItem, settings: DeepLinkingSettings) -> dict[str, Any]:
    document: dict[str, Any] = {"type": RESOURCE_LINK, "title": item.title, "url": item.url}
    if item.text:
        document["text"] = item.text
    if item.custom:
        document["custom"] = dict(item.custom)
    if item.line_item is not None and settings.accept_line_item:
        document["lineItem"] = {
            "label": item.line_item.label,
            "scoreMaximum": as_number(item.line_item.maximum),
            "resourceId": item.line_item.resource_id,
            "tag": item.line_item.tag,
        }
    return document


def _settings_claim(
    claims: launch_claims.LaunchClaims | launch_claims.DeepLinkingSettings | Mapping[str, Any],
) -> launch_claims.DeepLinkingSettings:
    if isinstance(claims, launch_claims.DeepLinkingSettings):
        return claims
    found: Any = None
    if isinstance(claims, Mapping):
        # The claim alone, as a launch record keeps it, or among all claims.
        found = claims.get(launch_claims.DEEP_LINKING, claims)
    elif claims.deep_linking is not None:
        return claims.deep_linking
    try:
        return launch_claims.DeepLinkingSettings.model_validate(found)
    except ValidationError as error:
        location = error.errors(include_url=False, include_input=False)[0]["loc"]
        raise DeepLinkingSettingsError(
            "The platform's deep-linking settings are missing or not valid.",
            field=str(location[0]) if location else "deep_linking_settings",
            remedy="Tell the platform's administrator.",
        ) from error
