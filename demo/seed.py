"""The seed: courses and people as JSON, so that a launcher can fill the platform.

    {"site": "Naga University",
     "people": [{"username": "sok.dara", "given_name": "Dara", "family_name": "Sok",
                 "email": "", "idnumber": "P-1", "site_admin": false, "suspended": false}],
     "courses": [{"shortname": "EHSS-07", "fullname": "English 7", "idnumber": "class key",
                  "members": [{"username": "sok.dara", "role": "student", "status": "active"}],
                  "links": [{"tool": "Naga SIS", "title": "Class", "url": "", "custom": {}}]}],
     "tools": [{"name": "Naga SIS", "client_id": "…", "login_uri": "…", "redirect_uris": ["…"],
                "jwks_uri": "…", "target_link_uri": "…"}],
     "awkward": true}

Roles: ``editingteacher``, ``teacher`` (non-editing), ``student``. A site administrator ``admin`` is
made if there is none. ``awkward`` makes real life of it: see :func:`make_awkward`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from demo.model import Role, State, Status
from demo.state import Platform, PlatformConfig, load_state

SAMPLE = Path(__file__).with_name("sample.json")


class SeedError(ValueError):
    """The seed is not what it should be; the message says where."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SeedPerson(_Strict):
    """An account."""

    username: str
    given_name: str = ""
    family_name: str
    email: str = ""
    idnumber: str = ""
    site_admin: bool = False
    suspended: bool = False


class SeedMember(_Strict):
    """An enrolment, by username."""

    username: str
    role: Role = "student"
    status: Status = "active"


class SeedLink(_Strict):
    """An activity, by the name or client id of its tool."""

    tool: str
    title: str
    description: str = ""
    url: str = ""
    custom: dict[str, str] = {}
    line_item: dict[str, Any] | None = None


class SeedCourse(_Strict):
    """A course."""

    shortname: str
    fullname: str
    idnumber: str = ""
    members: list[SeedMember] = []
    links: list[SeedLink] = []


class Seed(_Strict):
    """The whole document."""

    site: str = "Demonstration campus"
    people: list[SeedPerson] = []
    courses: list[SeedCourse] = []
    tools: list[dict[str, Any]] = []
    awkward: bool = False


def make_awkward(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document as a real campus would have it, in its first course.

    One student is not enrolled (the last), one enrolment is suspended (the last but one), and one
    person takes part whom the student information system does not know.
    """
    changed = deepcopy(dict(document))
    changed["awkward"] = False
    courses = changed.get("courses") or []
    if not courses:
        return changed
    members = courses[0].setdefault("members", [])
    students = [member for member in members if member.get("role", "student") == "student"]
    if len(students) >= 3:
        members.remove(students[-1])
        students[-2]["status"] = "suspended"
    visitor = {
        "username": "visitor",
        "given_name": "Vanna",
        "family_name": "Visitor",
        "email": "visitor@example.org",
    }
    changed.setdefault("people", []).append(visitor)
    members.append({"username": "visitor", "role": "student"})
    return changed


def read_seed(source: Path | Mapping[str, Any] | None) -> Seed:
    """Read and check a seed; the small sample if there is none. Raises :class:`SeedError`."""
    try:
        if source is None or isinstance(source, Path):
            document = json.loads((source or SAMPLE).read_text(encoding="utf-8"))
        else:
            document = dict(source)
        if document.get("awkward"):
            document = make_awkward(document)
        return Seed.model_validate(document)
    except OSError as error:
        raise SeedError(f"The seed cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SeedError(f"The seed is wrong at {where}: {first['msg']}.") from error
    except (ValueError, AttributeError) as error:
        raise SeedError(f"The seed is not a JSON object: {error}") from error


def build_platform(config: PlatformConfig) -> Platform:
    """Continue from the state file, or begin with the seed."""
    if config.state_file is not None and config.state_file.exists():
        return Platform(config, load_state(config.state_file))
    seed = read_seed(config.course_json)
    # Nothing is saved while the seed is planted: half a campus must not be continued from.
    state_file, config.state_file = config.state_file, None
    # Ids begin at 2, as those of Moodle's people and courses do.
    platform = Platform(config, State(site_name=seed.site, last_id=1))
    _plant(platform, seed)
    config.state_file = state_file
    platform.save()
    return platform


def _plant(platform: Platform, seed: Seed) -> None:
    # Tools first: the id of a tool is its deployment id, and a launcher must know it beforehand.
    tools = {}
    for fields in seed.tools:
        try:
            tool = platform.add_tool(**fields)
        except TypeError as error:
            raise SeedError(f"The seed is wrong at tools: {error}.") from error
        tools[tool.name] = tools[tool.client_id] = tool
    people = {}
    for person in sorted(seed.people, key=lambda person: not person.site_admin):
        if person.username in people:
            raise SeedError(f"The username {person.username!r} occurs twice.")
        people[person.username] = platform.add_person(**person.model_dump())
    if not any(person.site_admin for person in people.values()):
        platform.add_person("admin", "Admin", "User", email="admin@example.org", site_admin=True)
    for entry in seed.courses:
        course = platform.add_course(entry.shortname, entry.fullname, idnumber=entry.idnumber)
        for member in entry.members:
            if member.username not in people:
                raise SeedError(f"{entry.shortname}: there is no person {member.username!r}.")
            platform.enrol(course, people[member.username], member.role, member.status)
        for link in entry.links:
            if link.tool not in tools:
                raise SeedError(f"{entry.shortname}: there is no tool {link.tool!r}.")
            fields = link.model_dump(exclude={"tool"})
            platform.add_link(course, tools[link.tool], **fields)
