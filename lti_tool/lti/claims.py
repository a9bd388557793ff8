"""The strict schema of a launch message, and the checks of its claims against the sign-in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from lti_tool.lti import roles as role_names
from lti_tool.lti.errors import LaunchError

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"

RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINK = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"
MESSAGE_TYPES = (RESOURCE_LINK, DEEP_LINK, SUBMISSION_REVIEW)

MAX_AGE = dt.timedelta(minutes=10)
# The last second that a datetime can be: a larger number is no time.
_MAX_TIME = 253_402_300_799


def _identifier(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("must be printable ASCII")
    return value


def _storable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must hold no control characters")
    return value


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or not value.isprintable():
        raise ValueError("must be an http(s) address")
    return value


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


def _plain(value: Any) -> Any:
    """A text to show: control characters (NUL above all) are dropped, the rest is escaped later."""
    if isinstance(value, str):
        return "".join(c for c in value if c.isprintable() or c in "\n\t\u200b\u200c\u200d")[:1000]
    return value


def _strings_only(value: Any) -> Any:
    # Substituted variables arrive as null or numbers; nothing here reads them.
    if isinstance(value, Mapping):
        return {name: each for name, each in value.items() if isinstance(each, str)}
    return value


Time = Annotated[int, Field(ge=0, le=_MAX_TIME)]
Identifier = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_identifier)]
StoredId = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_storable)]
OptionalId = Annotated[StoredId | None, BeforeValidator(_none_if_empty)]
Url = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
OptionalUrl = Annotated[Url | None, BeforeValidator(_none_if_empty)]
Text = Annotated[str | None, BeforeValidator(_plain)]
ShortTexts = Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=100)]


class _Claim(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Context(_Claim):
    """The course. ``type`` may hold short names; ``title`` and ``label`` are for showing."""

    id: StoredId
    type: ShortTexts | None = None
    label: Text = None
    title: Text = None


class ResourceLink(_Claim):
    """The link within the course that was opened."""

    id: StoredId
    title: Text = None
    description: Text = None


class LaunchPresentation(_Claim):
    """How the platform shows us, and where it wants people back."""

    document_target: Annotated[str, Field(max_length=50)] | None = None
    locale: Annotated[str, Field(max_length=50)] | None = None
    return_url: OptionalUrl = None


class Lis(_Claim):
    """Identifiers of the student information system, as the platform holds them."""

    person_sourcedid: OptionalId = None
    course_section_sourcedid: OptionalId = None
    course_offering_sourcedid: OptionalId = None


class AgsEndpoint(_Claim):
    """Assignment and Grade Services; without ``scope`` nothing may be asked of it."""

    scope: ShortTexts = Field(default_factory=list)
    lineitems: Url | None = None
    lineitem: Url | None = None


class NamesRolesService(_Claim):
    """Names and Role Provisioning Services."""

    context_memberships_url: Url
    service_versions: ShortTexts = Field(default_factory=list)


class DeepLinkingSettings(_Claim):
    """What the platform would take back from a deep-linking page."""

    deep_link_return_url: Url
    accept_types: ShortTexts = Field(default_factory=list)
    accept_presentation_document_targets: ShortTexts = Field(default_factory=list)
    accept_media_types: str | None = None
    accept_multiple: bool | None = None
    accept_lineitem: bool | None = None
    auto_create: bool | None = None
    title: Text = None
    text: Text = None
    data: Annotated[str, Field(max_length=64 * 1024)] | None = None


class ForUser(_Claim):
    """Whose submission is reviewed. Names that may come with it are not read."""

    user_id: Identifier
    person_sourcedid: OptionalId = None


class ToolPlatform(_Claim):
    """Which software the platform is."""

    guid: Text = None
    product_family_code: Text = None
    version: Text = None
    name: Text = None


def _claim(name: str) -> str:
    return LTI + name


class LaunchClaims(_Claim):
    """A launch message whose shape is right. Whether it is *this* sign-in's: :func:`check`."""

    iss: Annotated[str, Field(min_length=1, max_length=500)]
    aud: (
        Annotated[str, Field(min_length=1, max_length=255)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=255)]],
            Field(min_length=1, max_length=10),
        ]
    )
    azp: str | None = None
    sub: Identifier
    exp: Time
    iat: Time
    nbf: Time | None = None
    nonce: Annotated[str, Field(min_length=1, max_length=255)]
    locale: Annotated[str, Field(max_length=50)] | None = None

    version: Annotated[str, Field(alias=_claim("version"))]
    message_type: Annotated[
        Literal["LtiResourceLinkRequest", "LtiDeepLinkingRequest", "LtiSubmissionReviewRequest"],
        Field(alias=_claim("message_type")),
    ]
    deployment_id: Annotated[StoredId, Field(alias=_claim("deployment_id"))]
    target_link_uri: Annotated[Url | None, Field(alias=_claim("target_link_uri"))] = None
    claimed_roles: Annotated[ShortTexts | None, Field(alias=_claim("roles"))] = None
    claimed_mentees: Annotated[
        Annotated[list[Identifier], Field(max_length=1000)] | None,
        Field(alias=_claim("role_scope_mentor")),
    ] = None
    context: Annotated[Context | None, Field(alias=_claim("context"))] = None
    resource_link: Annotated[ResourceLink | None, Field(alias=_claim("resource_link"))] = None
    launch_presentation: Annotated[
        LaunchPresentation | None, Field(alias=_claim("launch_presentation"))
    ] = None
    lis: Annotated[Lis | None, Field(alias=_claim("lis"))] = None
    tool_platform: Annotated[ToolPlatform | None, Field(alias=_claim("tool_platform"))] = None
    for_user: Annotated[ForUser | None, Field(alias=_claim("for_user"))] = None
    custom: Annotated[
        Annotated[dict[str, str], Field(max_length=200), BeforeValidator(_strings_only)] | None,
        Field(alias=_claim("custom")),
    ] = None
    ags: Annotated[AgsEndpoint | None, Field(alias=AGS)] = None
    nrps: Annotated[NamesRolesService | None, Field(alias=NRPS)] = None
    deep_linking: Annotated[DeepLinkingSettings | None, Field(alias=DEEP_LINKING)] = None

    @property
    def roles(self) -> tuple[str, ...]:
        """Full role URIs; empty means no privilege at all."""
        return role_names.expand(self.claimed_roles or ())

    @property
    def mentees(self) -> tuple[str, ...]:
        """Whom this mentor mentors; a claim without the role means nothing."""
        return tuple(self.claimed_mentees or ()) if role_names.MENTOR in self.roles else ()

    @property
    def person_sourcedid(self) -> str | None:
        """The platform's identifier of the person; trusted only where an administrator said so."""
        return self.lis.person_sourcedid if self.lis else None

    @property
    def section_sourcedid(self) -> str | None:
        """The platform's identifier of the course."""
        return self.lis.course_section_sourcedid if self.lis else None


def parse_claims(claims: Mapping[str, Any]) -> LaunchClaims:
    """Return the claims in their shape; whatever is handed in, raises only LaunchError.

    Raises:
        LaunchError: ``claim_missing``, ``claim_invalid``, ``version_unsupported``,
            ``message_type_unsupported`` or ``anonymous_not_supported``, with ``field``.
    """
    if not isinstance(claims, Mapping):
        raise LaunchError("token_malformed", field="id_token")
    _check_message(claims)
    try:
        parsed = LaunchClaims.model_validate(claims)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False, include_context=False)[0]
        missing = problem["type"] == "missing"
        field = _field(problem["loc"])
        raise LaunchError(
            "claim_missing" if missing else "claim_invalid",
            field=field,
            detail=f"The claim {field} is missing."
            if missing
            else f"The claim {field} is not valid: {problem['msg'].removeprefix('Value error, ')}.",
        ) from error
    for name in _required(parsed):
        raise LaunchError("claim_missing", field=name, detail=f"The claim {name} is missing.")
    return parsed


def check(
    claims: LaunchClaims,
    *,
    issuer: str,
    client_id: str,
    now: dt.datetime,
    skew_seconds: int = 60,
) -> None:
    """Check who sent the message, for whom, and when.

    Raises:
        LaunchError: ``issuer_mismatch``, ``audience_mismatch``, ``azp_mismatch``,
            ``token_expired``, ``token_not_yet_valid`` or ``token_too_old``.
    """
    if claims.iss != issuer:
        raise LaunchError("issuer_mismatch", field="iss")
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    # We trust no audience but ourselves: a message for others too could be replayed by them.
    if set(audience) != {client_id}:
        raise LaunchError("audience_mismatch", field="aud")
    if claims.azp is not None and claims.azp != client_id:
        raise LaunchError("azp_mismatch", field="azp")
    seconds = now.timestamp()
    if claims.exp <= seconds - skew_seconds or claims.exp <= claims.iat:
        raise LaunchError("token_expired", field="exp")
    if claims.iat > seconds + skew_seconds:
        raise LaunchError("token_not_yet_valid", field="iat")
    if claims.nbf is not None and claims.nbf > seconds + skew_seconds:
        raise LaunchError("token_not_yet_valid", field="nbf")
    if claims.iat < seconds - skew_seconds - MAX_AGE.total_seconds():
        raise LaunchError("token_too_old", field="iat")


def _check_message(claims: Mapping[str, Any]) -> None:
    """Say the plain thing about the claims that decide what kind of message this is."""
    version = claims.get(LTI + "version")
    if isinstance(version, str) and version != "1.3.0":
        raise LaunchError("version_unsupported", field="version")
    message_type = claims.get(LTI + "message_type")
    if isinstance(message_type, str) and message_type not in MESSAGE_TYPES:
        raise LaunchError("message_type_unsupported", field="message_type")
    if version is not None and message_type is not None and claims.get("sub") in (None, ""):
        raise LaunchError("anonymous_not_supported", field="sub")


def _required(claims: LaunchClaims) -> list[str]:
    """The claims that are missing for this type of message."""
    needed: dict[str, Any] = {}
    if claims.message_type != DEEP_LINK:
        needed = {
            "roles": claims.claimed_roles,
            "target_link_uri": claims.target_link_uri,
            "resource_link": claims.resource_link,
        }
    if claims.message_type == DEEP_LINK:
        needed["deep_linking_settings"] = claims.deep_linking
    if claims.message_type == SUBMISSION_REVIEW:
        needed["for_user"] = claims.for_user
    # `aud` with several entries must say who it was issued to, though we then refuse it anyway.
    if isinstance(claims.aud, list) and len(claims.aud) > 1:
        needed["azp"] = claims.azp
    return [name for name, value in needed.items() if value is None]


def _field(location: tuple[int | str, ...]) -> str:
    names = [str(part) for part in location[:1]]
    names += [str(part) for part in location[1:] if isinstance(part, str) and part.isidentifier()]
    return (
        ".".join(names)
        .removeprefix(LTI)
        .replace(AGS, "ags")
        .replace(NRPS, "nrps")
        .replace(DEEP_LINKING, "deep_linking_settings")
    )
