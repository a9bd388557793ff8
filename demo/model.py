"""What the platform remembers: plain records that can be saved as JSON."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

from demo.grade_model import Grade as Grade
from demo.grade_model import Gradebook
from demo.grade_model import LineItem as LineItem
from demo.provisioning.connection import Connection

Role = Literal["editingteacher", "teacher", "student"]
Status = Literal["active", "suspended"]
# From the most to the least: of two enrolments of one person the higher role counts.
ROLES: tuple[Role, ...] = ("editingteacher", "teacher", "student")

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
LINEITEM = AGS + "lineitem"
LINEITEM_READONLY = AGS + "lineitem.readonly"
RESULT_READONLY = AGS + "result.readonly"
SCORE = AGS + "score"
MEMBERSHIPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


@dataclass
class Person:
    """An account. ``idnumber`` is what the school knows the person by, ``""`` if nothing.

    ``account``: ``guest`` and ``service`` are the site's own accounts, not people.
    """

    id: int
    username: str
    given_name: str
    family_name: str
    email: str = ""
    idnumber: str = ""
    site_admin: bool = False
    suspended: bool = False
    alternatename: str = ""
    auth: str = "manual"
    lang: str = "en"
    account: Literal["person", "guest", "service"] = "person"
    last_login: int = 0
    last_access: int = 0

    @property
    def name(self) -> str:
        """The full name as the site shows it."""
        return f"{self.given_name} {self.family_name}".strip()


@dataclass
class Membership:
    """An enrolment with its one role."""

    user_id: int
    role: Role = "student"
    status: Status = "active"


@dataclass
class Category:
    """A course category; ``parent_id`` ``None`` is the top."""

    id: int
    name: str
    idnumber: str = ""
    parent_id: int | None = None
    visible: bool = True


@dataclass
class Section:
    """A section of a course. ``key``: which session of the class it is, ``""`` if none."""

    id: int
    name: str
    key: str = ""
    summary: str = ""


@dataclass
class Group:
    """A group of a course. ``members``: user id and whether the SIS's enrolment put them there."""

    id: int
    name: str
    idnumber: str = ""
    members: dict[int, bool] = field(default_factory=dict)


@dataclass
class Course:
    """A course; ``idnumber`` is the class of the student information system, ``""`` if none.

    ``members`` are enrolled by hand; ``roster`` are those whom the SIS enrols, ``None`` before it
    ever did. Somebody can be both. Dates are seconds since 1970, 0: none.
    """

    id: int
    shortname: str
    fullname: str
    idnumber: str = ""
    members: dict[int, Membership] = field(default_factory=dict)
    roster: dict[int, Membership] | None = None
    category_id: int | None = None
    startdate: int = 0
    enddate: int = 0
    visible: bool = True
    readonly: bool = False
    summary: str = ""
    sections: list[Section] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    last_access: dict[int, int] = field(default_factory=dict)
    gradebook: Gradebook | None = None

    def enrolment(self, user_id: int) -> Membership | None:
        """Return what the person is here by all enrolments together."""
        both = (self.members.get(user_id), (self.roster or {}).get(user_id))
        found = [each for each in both if each is not None]
        return min(
            found, key=lambda each: (each.status != "active", ROLES.index(each.role)), default=None
        )

    def enrolments(self) -> list[Membership]:
        """Return one enrolment for everybody who is enrolled."""
        everyone = {**self.members, **(self.roster or {})}
        return [held for each in everyone if (held := self.enrolment(each)) is not None]


@dataclass
class Tool:
    """A registered tool. Its id is its deployment. ``grade_sync``: 0 none, 1 scores, 2 columns."""

    id: int
    client_id: str
    name: str
    login_uri: str
    redirect_uris: list[str]
    jwks_uri: str
    target_link_uri: str
    deep_linking_uri: str = ""
    description: str = ""
    icon_uri: str = ""
    domain: str = ""
    custom: dict[str, str] = field(default_factory=dict)
    grade_sync: int = 2
    memberships: bool = True
    send_name: bool = True
    send_email: bool = True
    state: Literal["pending", "active"] = "active"

    @property
    def deployment_id(self) -> str:
        """The deployment id that is sent to the tool."""
        return str(self.id)

    def permitted_scopes(self) -> list[str]:
        """Return the service scopes that the tool's settings allow."""
        scopes = [LINEITEM_READONLY, RESULT_READONLY, SCORE] if self.grade_sync else []
        if self.grade_sync == 2:
            scopes.append(LINEITEM)
        if self.memberships:
            scopes.append(MEMBERSHIPS)
        return scopes


@dataclass
class ResourceLink:
    """An activity in a course. ``cmid`` is its course-module id, which is not its id."""

    id: int
    course_id: int
    tool_id: int
    title: str
    description: str = ""
    url: str = ""
    custom: dict[str, str] = field(default_factory=dict)
    accept_grades: bool = True

    @property
    def cmid(self) -> int:
        """The course-module id."""
        return 1000 + self.id


@dataclass
class AccessToken:
    """A service token; ``expires`` is in seconds since the epoch."""

    tool_id: int
    scopes: list[str]
    expires: float


@dataclass
class State:
    """Everything that survives a restart. ``signing_keys`` are PEM texts, the active one first."""

    site_name: str = "Moodle"
    people: dict[int, Person] = field(default_factory=dict)
    categories: dict[int, Category] = field(default_factory=dict)
    courses: dict[int, Course] = field(default_factory=dict)
    tools: dict[int, Tool] = field(default_factory=dict)
    links: dict[int, ResourceLink] = field(default_factory=dict)
    line_items: dict[int, LineItem] = field(default_factory=dict)
    grades: dict[int, dict[int, Grade]] = field(default_factory=dict)
    tokens: dict[str, AccessToken] = field(default_factory=dict)
    signing_keys: list[str] = field(default_factory=list)
    last_id: int = 0
    share_emails: bool = False
    context_locking: bool = True
    school_enrolments: bool = True
    connection: Connection = field(default_factory=Connection)


@dataclass
class PendingLaunch:
    """A login request that waits for its authentication request."""

    launch_id: str
    user_id: int
    tool_id: int
    course_id: int
    link_id: int | None
    message_type: str
    target_link_uri: str
    document_target: str = "iframe"
    for_user_id: int | None = None
    data: str | None = None


@dataclass
class SignIn:
    """A browser session of the platform."""

    user_id: int
    sesskey: str
    started: dt.datetime
