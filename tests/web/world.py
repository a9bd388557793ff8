"""A campus, the tool and a platform on real ports, for the tests of the pages."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse

from demo.client import Browser
from demo.model import Course, Person, ResourceLink
from demo.quirks import Quirks
from demo.server import PlatformServer
from demo.state import Platform, PlatformConfig
from lti_tool import create_app
from lti_tool.core.database import Base
from lti_tool.lti.models import Registration
from lti_tool.settings import Settings
from lti_tool.sis import models as sis_models
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.entities import ClassView
from lti_tool.wiring import Services

EVIL = "<script>alert(1)</script>"


@dataclass
class Visit:
    """Where a launch ended: a browser with the session of one launch, and its first page."""

    client: Client
    base_url: str
    reference: str
    first: TestResponse

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page of this launch; ``path`` is what follows ``/l/<reference>``."""
        return self.client.get(f"/l/{self.reference}{path}", base_url=self.base_url, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form of this launch, with its token."""
        return self.client.post(
            f"/l/{self.reference}{path}",
            base_url=self.base_url,
            data={"csrf_token": self.token(), **(data or {})},
            **options,
        )

    def token(self) -> str:
        """The form token of this session."""
        for path in ("/grades", "/deep-link", "/registration", "/class"):
            fields = Page(self.get(path).get_data(as_text=True)).fields
            if "csrf_token" not in fields and "key" in fields:
                chosen = self.get(path, query_string={"key": fields["key"]})
                fields = Page(chosen.get_data(as_text=True)).fields
            if "csrf_token" in fields:
                return fields["csrf_token"]
        raise AssertionError("no page of this launch has a form")


class Page(HTMLParser):
    """What tests ask of a page: headings, language, forms, ids and labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lang: str | None = None
        self.headings: list[str] = []
        self.fields: dict[str, str] = {}
        self.labelled: set[str] = set()
        self.inputs: list[dict[str, str]] = []
        self.named: list[dict[str, str]] = []
        self.ids: list[str] = []
        self.styled: list[str] = []
        self.landmarks: set[str] = set()
        self.links: list[str] = []
        self._inside_label = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.lang = found.get("lang")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if tag in ("main", "nav", "header"):
            self.landmarks.add(tag)
        if tag == "a":
            self.links.append(found.get("href", ""))
        if "id" in found:
            self.ids.append(found["id"])
        if "style" in found or any(name.startswith("on") for name in found):
            self.styled.append(tag)
        if tag == "label":
            self._inside_label += 1
            self.labelled.add(found.get("for", ""))
        if tag in ("input", "select", "textarea"):
            self.fields.setdefault(found.get("name", ""), found.get("value", ""))
            if found.get("type") not in ("hidden", "submit"):
                self.inputs.append(found)
                if self._inside_label or "aria-label" in found:
                    self.named.append(found)

    @property
    def unlabelled(self) -> list[dict[str, str]]:
        """Fields that a screen reader could not name."""
        return [
            field
            for field in self.inputs
            if field not in self.named and field.get("id") not in self.labelled
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._inside_label -= 1


@dataclass
class World:
    """Everybody by role: ``teacher``, ``stranger`` (unknown to the SIS), ``student``…"""

    app: Flask
    services: Services
    platform: Platform
    url: str
    registration: Registration
    class_: ClassView
    course: Course
    other_course: Course
    links: dict[str, ResourceLink] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    tool_id: int = 0
    platform_app: Flask | None = None

    def browser(self, **headers: str) -> Browser:
        """A fresh browser."""
        assert self.platform_app is not None
        return Browser(self.platform_app.test_client(), self.app.test_client(), headers=headers)

    def launch(self, who: str, link: str = "class", **headers: str) -> Visit:
        """Open the tool as somebody."""
        browser = self.browser(**headers)
        response = browser.launch(self.links[link].id, self.people[who].id)
        return self._visit(browser, response)

    def select_content(self, who: str) -> Visit:
        """Open the tool's picker as somebody."""
        browser = self.browser()
        response = browser.select_content(self.course.id, self.tool_id, self.people[who].id)
        return self._visit(browser, response)

    def _visit(self, browser: Browser, response: TestResponse) -> Visit:
        # The page may be the answer to the launch itself; then it says what its address is.
        own = re.search(r'<body data-address="([^"]+)"', response.text)
        path = own[1] if own else urlsplit(browser.visited[-1].split(" ", 1)[1]).path
        assert path.startswith("/l/"), (
            response.status_code,
            browser.visited,
            response.text[-2000:],
        )
        return Visit(browser.tool_client, self.url, path.split("/")[2], response)

    def empty_gradebook(self) -> None:
        """Take every column with its grades out of the platform's gradebook."""
        with self.platform.change() as state:
            state.line_items.clear()
            state.grades.clear()

    def administrator(self) -> Client:
        """A browser in which an administrator of the whole tool is signed in."""
        client = self.app.test_client()
        path = urlsplit(self.services.admin_sessions.sign_in_link("tests")).path
        token = Page(client.get(path, base_url=self.url).get_data(as_text=True)).fields
        done = client.post(
            path,
            base_url=self.url,
            data={"csrf_token": token["csrf_token"]},
        )
        assert done.status_code == 302, done.get_data(as_text=True)
        return client


@contextmanager
def build_world(
    folder: Path, *, port: int = 0, host: str = "127.0.0.1", quirks: Quirks | None = None
) -> Iterator[World]:
    """A campus of 50, one class of it as a course with everybody but two, and the tool's links.

    ``host`` is how the tool is called: with ``localhost`` browsers take the platform for another
    site. ``quirks`` are the platform's; Moodle's if nothing is said.
    """
    server = make_server("127.0.0.1", port, Flask("unstarted"), threaded=True)
    url = f"http://{host}:{server.server_port}"
    settings = Settings(
        public_url=url,
        database_url=f"sqlite:///{folder}/naga.db",
        keys_dir=folder / "keys",
        broker_dir=folder / "broker",
        log_level="ERROR",
        outbound_allow_private=True,
        outbound_allow_http=True,
        launch_rate_limit="100000/minute",
    )
    app = create_app(settings)
    server.app = app
    services: Services = app.extensions["naga"]
    Base.metadata.create_all(services.database.engine)
    generate_campus(services.database, services.clock, size=50)
    services.tool_keys.ensure()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    config = PlatformConfig(course_json={"site": "Campus"}, quirks=quirks or Quirks())
    with PlatformServer(config) as served:
        try:
            yield _furnish(app, services, served, url)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            services.database.dispose()


def _furnish(app: Flask, services: Services, served: PlatformServer, url: str) -> World:
    platform = served.platform
    class_ = services.sis.example_class()
    assert class_ is not None
    tool = platform.add_tool(
        name="Naga SIS",
        login_uri=f"{url}/lti/login",
        redirect_uris=[f"{url}/lti/launch"],
        jwks_uri=f"{url}/lti/keys",
        target_link_uri=f"{url}/lti/launch",
        deep_linking_uri=f"{url}/lti/launch",
    )
    registration = services.registrations.create(
        actor="tests",
        name="Campus Moodle",
        issuer=served.url,
        client_id=tool.client_id,
        auth_url=f"{served.url}/mod/lti/auth.php",
        token_url=f"{served.url}/mod/lti/token.php",
        jwks_url=f"{served.url}/mod/lti/certs.php",
        platform_family="moodle",
        deployment_ids=[str(tool.id)],
        sourcedid_trusted=True,
    )
    course = platform.add_course("CLASS", class_.course_title, idnumber=class_.class_key)
    other = platform.add_course("OTHER", "Another course")
    world = World(app, services, platform, url, registration, class_, course, other)
    world.platform_app = served.app
    world.tool_id = tool.id
    _people(world, services)
    part = class_.parts[0]
    world.links = {
        "class": platform.add_link(course, tool, "Class"),
        "roster": platform.add_link(course, tool, "Roster", custom={"naga_page": "roster"}),
        "part": platform.add_link(
            course, tool, "Part", custom={"naga_page": "part", "naga_part": part.part_key}
        ),
        "other": platform.add_link(other, tool, "Other"),
    }
    return world


def _people(world: World, services: Services) -> None:
    platform, class_ = world.platform, world.class_
    teacher_key = next(part.teacher_key for part in class_.parts if part.teacher_key)
    teacher = services.sis.person(teacher_key)
    assert teacher is not None
    entries = [
        entry
        for chunk in services.sis.roster(class_.class_key)
        for entry in chunk
        if entry.status.attends and not entry.is_audit
    ]
    with services.database.write() as session:
        # A name that a page which does not escape would run.
        session.execute(
            sa.update(sis_models.Person)
            .where(sis_models.Person.sourced_id == entries[3].person.person_key)
            .values(personal_name=EVIL)
        )

    def account(name: str, given: str, family: str, key: str = "", **more: Any) -> Person:
        world.people[name] = platform.add_person(name, given, family, idnumber=key, **more)
        return world.people[name]

    account("admin", "Ada", "Admin", site_admin=True)
    platform.enrol(
        world.course, account("teacher", teacher.personal_name, "T", teacher_key), "editingteacher"
    )
    platform.enrol(world.other_course, world.people["teacher"], "editingteacher")
    # Teaches in Moodle; in the SIS another person who teaches nothing here.
    taught_by = {part.teacher_key for part in class_.parts}
    enrolled = {entry.person.person_key for entry in entries}
    with services.database.read() as session:
        keys = session.scalars(
            sa.select(sis_models.Person.sourced_id)
            .where(sis_models.Person.is_teacher)
            .order_by(sis_models.Person.sourced_id)
        ).all()
    outsider = services.sis.person(next(key for key in keys if key not in taught_by | enrolled))
    assert outsider is not None
    platform.enrol(
        world.course,
        account("colleague", outsider.personal_name, "C", outsider.person_key),
        "editingteacher",
    )
    platform.enrol(world.course, account("unknown_teacher", "Una", "Known"), "editingteacher")
    platform.enrol(world.course, account("visitor", "Vanna", "Visitor"), "student")
    # The last two students are not in the Moodle course.
    for number, entry in enumerate(entries[:-2]):
        person = entry.person
        name = ("student", "classmate")[number] if number < 2 else f"student{number}"
        student = account(name, person.personal_name, person.family_name, person.person_key)
        platform.enrol(world.course, student, "student")
    platform.enrol(world.other_course, world.people["student"], "student")
