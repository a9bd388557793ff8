"""What the plugin sends by itself: events, pairing, how it is. Part of the contract."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_EVENTS = 1000

# Records must never be lost; activity may be thinned when Moodle's outbox is full.
RECORD_TYPES = (
    "grade.changed",
    "grade.deleted",
    "grade_item.created",
    "grade_item.updated",
    "grade_item.deleted",
    "assign.graded",
    "assign.submitted",
    "quiz.submitted",
    "quiz.graded",
    "completion.activity",
    "completion.course",
    "enrolment.created",
    "enrolment.updated",
    "enrolment.deleted",
    "role.assigned",
    "role.unassigned",
    "group.created",
    "group.updated",
    "group.deleted",
    "group.member_added",
    "group.member_removed",
    "course.created",
    "course.updated",
    "course.deleted",
    "course.restored",
    "course.reset",
    "section.created",
    "section.updated",
    "section.deleted",
    "module.created",
    "module.updated",
    "module.deleted",
    "category.created",
    "category.updated",
    "category.deleted",
    "user.created",
    "user.updated",
    "user.deleted",
)
ACTIVITY_TYPES = ("user.loggedin",)
# The tool has written there: none of Moodle's events, but by its number a restored Moodle is known.
APPLIED = "sync.applied"
# Stands in the place of an event that could not be sent, so that the sequence has no gap.
HOLE = "hole"

Uuid = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
Seconds = Annotated[int, Field(ge=0, le=4_102_444_800)]
Scalar = Annotated[str, Field(max_length=255)] | int | float | bool | None


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Event(_Message):
    """One thing that happened in Moodle. All ids are Moodle's; no names, no addresses.

    ``at``: seconds since 1970. ``actor`` did it, ``user`` is whom it concerns, ``object`` is the
    row that it is about (grade, enrolment, group …); ``data`` holds what else its type needs.
    """

    seq: Annotated[int, Field(ge=1, le=2**63 - 1)]
    id: Uuid
    type: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=40)]
    at: Seconds
    actor: int | None = None
    user: Id | None = None
    course: Id | None = None
    object: Id | None = None
    data: Annotated[dict[str, Scalar], Field(max_length=20)] = {}


class EventBatch(_Message):
    """Events in unbroken order of ``seq``, from ``first`` on.

    ``epoch`` names the life of the plugin's outbox: a restored Moodle begins a new one. ``next`` is
    the number that the next event would get. ``after`` is the id of the event before ``first`` as
    the plugin remembers it (``None`` where there is none): by it the tool sees that both speak of
    the same history. ``backlog`` counts what waits beyond this batch.
    """

    contract: int
    epoch: Uuid
    first: Annotated[int, Field(ge=1)]
    next: Annotated[int, Field(ge=1)]
    after: Uuid | None = None
    backlog: Annotated[int, Field(ge=0)] = 0
    sent_at: Seconds
    events: Annotated[list[Event], Field(max_length=MAX_EVENTS)]


class LtiRegistration(_Message):
    """How Moodle knows the tool as an LTI tool."""

    issuer: Annotated[str, Field(max_length=500)]
    client_id: Annotated[str, Field(max_length=255)]
    deployment_id: Annotated[str, Field(max_length=255)]
    auth_url: Annotated[str, Field(max_length=1000)]
    token_url: Annotated[str, Field(max_length=1000)]
    jwks_url: Annotated[str, Field(max_length=1000)]


class ServiceToken(_Message):
    """A web-service token of the plugin's service. ``expires_at``: seconds since 1970."""

    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{16,128}$")]
    expires_at: Seconds


class Versions(_Message):
    """What runs there. ``contracts`` are the contract versions that the plugin speaks."""

    moodle: Annotated[str, Field(max_length=100)]
    plugin: Annotated[str, Field(max_length=50)]
    enrol_plugin: Annotated[str, Field(max_length=50)] = ""
    php: Annotated[str, Field(max_length=50)] = ""
    database: Annotated[str, Field(max_length=50)] = ""
    contracts: Annotated[list[int], Field(min_length=1, max_length=20)]


class PairingRequest(_Message):
    """Sent when an administrator has confirmed in Moodle; ``secret`` is the code's."""

    contract: int
    secret: Annotated[str, Field(min_length=20, max_length=100)]
    url: Annotated[str, Field(max_length=500)]
    name: Annotated[str, Field(max_length=200)]
    epoch: Uuid
    lti: LtiRegistration
    token: ServiceToken
    versions: Versions


class PairingOffer(_Message):
    """What the tool says of itself before anything is done; the plugin shows it for confirmation.

    ``tool_url`` is the tool's public address, ``expires_at`` when the code ends. ``sign_in_url``:
    the provider at which people will sign in, where this Moodle has a client there.
    """

    contract: int
    contracts: list[int]
    tool_name: str
    tool_url: str
    expires_at: int
    login_url: str
    launch_url: str
    keys_url: str
    sign_in_url: str | None = None


class SignInClient(_Message):
    """By what people sign in to a Moodle; ``person_claim`` holds their key in the SIS.

    ``revision`` is another one after each change, so that the plugin fetches this no more often.
    """

    issuer: str
    client_id: str
    client_secret: Annotated[str, Field(repr=False)]
    person_claim: str
    revision: str


class Problem(BaseModel):
    """One thing that an administrator should know of a site."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    status: Literal["ok", "warning", "error", "unknown"]
    summary: str
    details: str = ""


class SiteStatus(BaseModel):
    """How a site is, as the plugin says (``local_nagasis_status``)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    contract: int
    contracts: list[int]
    url: str
    name: str
    now: int
    versions: dict[str, Any] = {}
    kinds: list[str] = []
    reads: list[str] = []
    epoch: str = ""
    backlog: int = 0
    oldest: int | None = None
    set_aside: int = 0
    paused: bool = False
    token_expires_at: int | None = None
    checks: list[Problem] = []
