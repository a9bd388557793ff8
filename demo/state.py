"""The platform itself: its records behind one lock, and what a request may do with them."""

from __future__ import annotations

import datetime as dt
import secrets
import string
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import current_app
from pydantic import TypeAdapter

from demo.faults import Faults
from demo.keys import SigningKeys, ToolKeys
from demo.model import (
    AccessToken,
    Course,
    Grade,
    LineItem,
    Membership,
    PendingLaunch,
    Person,
    ResourceLink,
    Role,
    SignIn,
    State,
    Status,
    Tool,
)
from demo.provisioning.connection import Outgoing
from demo.quirks import Quirks

_STATE = TypeAdapter(State)
TOKEN_SECONDS = 3600

Claims = dict[str, Any]
MutateIdToken = Callable[[Claims, dict[str, Any]], str | None]


def utc_now() -> dt.datetime:
    """Return the current time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


@dataclass
class PlatformConfig:
    """How to build a platform.

    ``course_json``: courses and people (a file or the document itself; see ``demo/seed.py``).
    ``state_file``: where everything is saved; if it exists, ``course_json`` is not read.
    ``demo``: serve people, not tests: failures cannot be injected over HTTP.
    """

    base_url: str = "http://localhost:5050"
    course_json: Path | Mapping[str, Any] | None = None
    state_file: Path | None = None
    quirks: Quirks = field(default_factory=Quirks)
    now: Callable[[], dt.datetime] = utc_now
    demo: bool = False


class Platform:
    """A running platform. Everything that changes its records goes through :meth:`change`.

    ``mutate_id_token(claims, header)`` may change both in place before they are signed, or return
    a compact token of its own to be sent instead.
    """

    def __init__(self, config: PlatformConfig, state: State) -> None:
        self.config = config
        self.base_url = config.base_url.rstrip("/")
        self.quirks = config.quirks
        self.state = state
        self.lock = threading.RLock()
        # Held by whoever is sending events.
        self.sending = threading.Lock()
        self.faults = Faults()
        self.signing = SigningKeys(state.signing_keys)
        self.tool_keys = ToolKeys()
        self.mutate_id_token: MutateIdToken | None = None
        self.pending: dict[str, PendingLaunch] = {}
        self.sessions: dict[str, SignIn] = {}
        self.used_jtis: set[str] = set()

    def now(self) -> dt.datetime:
        """Return the platform's time."""
        return self.config.now()

    def epoch(self) -> int:
        """Return the platform's time in whole seconds since the epoch."""
        return int(self.now().timestamp())

    @contextmanager
    def change(self) -> Iterator[State]:
        """Hold the lock, then save."""
        with self.lock:
            yield self.state
            self.save()

    def save(self) -> None:
        """Write the state file, if there is one; a crash leaves the old one whole."""
        path = self.config.state_file
        if path is None:
            return
        with self.lock:
            self.state.signing_keys = self.signing.dump()
            text = _STATE.dump_json(self.state, indent=1)
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_bytes(text)
            fresh.replace(path)

    def next_id(self) -> int:
        """Return an id that no record has."""
        with self.lock:
            self.state.last_id += 1
            return self.state.last_id

    def rotate_key(self, *, keep_old: bool = True) -> str:
        """Sign with a new key from now on; returns its ``kid``."""
        with self.change():
            return str(self.signing.rotate(keep_old=keep_old).kid)

    def record(
        self,
        kind: str,
        *,
        actor: int | None = None,
        user: int | None = None,
        course: int | None = None,
        about: int | None = None,
        **data: str | float | bool | None,
    ) -> None:
        """Note an event for the paired tool; to be called in the change that it tells of."""
        held = self.state.connection
        if not held.paired:
            return
        fields = {"actor": actor, "user": user, "course": course, "object": about, "data": data}
        with self.lock:
            held.outbox.append(Outgoing(str(uuid.uuid4()), kind, self.epoch(), fields))

    # People and courses

    def add_person(
        self,
        username: str,
        given_name: str,
        family_name: str,
        *,
        email: str = "",
        idnumber: str = "",
        site_admin: bool = False,
        suspended: bool = False,
    ) -> Person:
        """Make an account."""
        with self.change() as state:
            person = Person(
                self.next_id(),
                username,
                given_name,
                family_name,
                email,
                idnumber,
                site_admin,
                suspended,
            )
            state.people[person.id] = person
        return person

    def add_course(self, shortname: str, fullname: str, *, idnumber: str = "") -> Course:
        """Make a course."""
        with self.change() as state:
            course = Course(self.next_id(), shortname, fullname, idnumber)
            state.courses[course.id] = course
        return course

    def enrol(
        self, course: Course, person: Person, role: Role = "student", status: Status = "active"
    ) -> None:
        """Enrol a person, or change their enrolment."""
        with self.change():
            known = person.id in course.members
            course.members[person.id] = Membership(person.id, role, status)
            self.record(
                "enrolment.updated" if known else "enrolment.created",
                user=person.id,
                course=course.id,
                method="manual",
            )

    def member(self, course_id: int, user_id: int) -> Membership | None:
        """Return the enrolment, active or not."""
        course = self.state.courses.get(course_id)
        return course.enrolment(user_id) if course else None

    def members(self, course: Course) -> list[tuple[Person, Membership]]:
        """Return everybody who is enrolled, in the site's name order."""
        with self.lock:
            pairs = [(self.state.people[m.user_id], m) for m in course.enrolments()]
        return sorted(pairs, key=lambda pair: (pair[0].family_name, pair[0].given_name, pair[0].id))

    def may_open(self, person: Person, course: Course) -> bool:
        """Whether the person can enter the course."""
        member = course.enrolment(person.id)
        return person.site_admin or (member is not None and member.status == "active")

    # Tools and links

    def add_tool(self, **fields: Any) -> Tool:
        """Register a tool (fields of :class:`Tool`; ids are made if they are not given)."""
        with self.change() as state:
            fields.setdefault("id", self.next_id())
            fields.setdefault("client_id", new_client_id())
            tool = Tool(**fields)
            state.tools[tool.id] = tool
        return tool

    def tool_of_client(self, client_id: str) -> Tool | None:
        """Return the tool with this client id."""
        with self.lock:
            found = (t for t in self.state.tools.values() if t.client_id == client_id)
            return next(found, None)

    def add_link(
        self,
        course: Course,
        tool: Tool,
        title: str,
        *,
        description: str = "",
        url: str = "",
        custom: dict[str, str] | None = None,
        line_item: Mapping[str, Any] | None = None,
    ) -> ResourceLink:
        """Add an activity; ``line_item`` (scoreMaximum, resourceId, tag, label) couples a column.

        Without it there is no column until the tool makes one.
        """
        with self.change() as state:
            link = ResourceLink(
                self.next_id(), course.id, tool.id, title, description, url, dict(custom or {})
            )
            state.links[link.id] = link
            self.record(
                "module.created", course=course.id, about=link.cmid, module="lti", instance=link.id
            )
            if line_item is not None:
                label = line_item.get("label")
                resource_id = str(line_item.get("resourceId") or "")
                tag = str(line_item.get("tag") or "")
                item = LineItem(
                    self.next_id(),
                    course.id,
                    tool.id,
                    str(label) if label and not self.quirks.deep_link_ignores_label else title,
                    float(line_item.get("scoreMaximum") or 100),
                    resource_id,
                    tag,
                    link.id,
                    coupled=True,
                    known_to_service=bool(resource_id or tag),
                )
                state.line_items[item.id] = item
        return link

    def links_of(self, course_id: int) -> list[ResourceLink]:
        """Return the activities of a course in the order in which they were made."""
        with self.lock:
            return [link for link in self.state.links.values() if link.course_id == course_id]

    def line_items_of(self, course_id: int, tool_id: int | None = None) -> list[LineItem]:
        """Return the columns of a course, those of one tool if it is named."""
        with self.lock:
            items = [i for i in self.state.line_items.values() if i.course_id == course_id]
        return [i for i in items if tool_id is None or i.tool_id == tool_id]

    def grade(self, line_item_id: int, user_id: int) -> Grade | None:
        """Return a cell of the gradebook."""
        with self.lock:
            return self.state.grades.get(line_item_id, {}).get(user_id)

    # Launches, sign-ins, tokens

    def begin_launch(self, **fields: Any) -> PendingLaunch:
        """Remember a login request until /auth answers it."""
        prefix = fields["link_id"] if fields.get("link_id") is not None else "_contentitem"
        launch = PendingLaunch(launch_id=f"ltilaunch{prefix}_{secrets.randbits(31)}", **fields)
        with self.lock:
            self.pending[launch.launch_id] = launch
        return launch

    def take_launch(self, launch_id: str) -> PendingLaunch | None:
        """Return a pending launch; the second time there is none (on Moodle)."""
        with self.lock:
            if self.quirks.one_shot_launch:
                return self.pending.pop(launch_id, None)
            return self.pending.get(launch_id)

    def sign_in(self, user_id: int) -> str:
        """Start a browser session; returns its secret."""
        secret = secrets.token_urlsafe(24)
        with self.change() as state:
            person = state.people[user_id]
            person.last_login = person.last_access = self.epoch()
            self.record("user.loggedin", actor=user_id, user=user_id, about=user_id)
            self.sessions[secret] = SignIn(user_id, secrets.token_hex(5), self.now())
        return secret

    def issue_token(self, tool: Tool, scopes: list[str]) -> str:
        """Make a service token."""
        token = secrets.token_hex(16)
        with self.change() as state:
            now = self.epoch()
            for old in [t for t, held in state.tokens.items() if held.expires <= now]:
                del state.tokens[old]
            state.tokens[token] = AccessToken(tool.id, scopes, now + TOKEN_SECONDS)
        return token

    def token(self, bearer: str) -> AccessToken | None:
        """Return what a bearer may do, if it is known and has not expired."""
        with self.lock:
            held = self.state.tokens.get(bearer)
        return held if held is not None and held.expires > self.epoch() else None

    def url(self, path: str) -> str:
        """Return the public address of a path that starts with ``/``."""
        return self.base_url + path


def new_client_id() -> str:
    """Return 15 random letters and digits."""
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(15))


def load_state(path: Path) -> State:
    """Read a state file; raises ``ValueError`` that says what is wrong with it."""
    return _STATE.validate_json(path.read_bytes())


def platform() -> Platform:
    """Return the platform of the current request."""
    found: Platform = current_app.extensions["platform"]
    return found
