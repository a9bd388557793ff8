"""The tool's sync room and a Moodle-like platform, joined over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from demo.model import Course, Grade, Person, Role, Status
from demo.quirks import Quirks
from demo.server import PlatformServer
from demo.service_urls import line_items_url, memberships_url
from demo.state import PlatformConfig
from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock, FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.people import People
from lti_tool.lti.access_tokens import AccessTokens
from lti_tool.lti.assignment_grades import AssignmentGrades
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.models import Registration, ToolKey
from lti_tool.lti.names_roles import NamesRoles
from lti_tool.lti.registrations import Registrations
from lti_tool.lti.service_client import ServiceClient
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sync.courses import Courses
from lti_tool.sync.gradebook import Gradebook
from lti_tool.sync.models import GradePush
from lti_tool.sync.pushes import GradePushes
from lti_tool.sync.rosters import Rosters
from tests.sync.school import School

# Making RSA keys is slow, and every test's keyring is the same.
_keys: list[dict[str, Any]] = []


class Services:
    """The services under test and what they stand on; built alike in a test and a subprocess."""

    def __init__(self, database: Database, clock: Clock, keyring: Keyring) -> None:
        self.database = database
        self.audit = AuditLog(clock)
        self.http = HttpClient(allow_private=True, allow_http=True, total_timeout=10)
        self.sis = EmbeddedSis(database, clock)
        self.tool_keys = ToolKeys(database, clock, keyring, self.audit)
        tokens = AccessTokens(database, clock, keyring, self.http, self.tool_keys)
        client = ServiceClient(self.http, tokens, attempts=2, sleep=lambda _seconds: None)
        self.names_roles = NamesRoles(client)
        self.assignment_grades = AssignmentGrades(client)
        self.people = People(database, clock, self.sis, self.audit)
        self.courses = Courses(database, clock, self.sis, self.audit)
        self.gradebook = Gradebook(self.sis)
        self.rosters = Rosters(database, clock, self.sis, self.people, self.names_roles, keyring)
        self.pushes = GradePushes(
            database,
            clock,
            self.sis,
            self.people,
            self.courses,
            self.assignment_grades,
            self.names_roles,
            self.audit,
            concurrency=4,
            batch_size=64,
        )


class Traffic:
    """Sees every request to the platform, and can hold them from the n-th on."""

    def __init__(self, app: Flask) -> None:
        self._inner = app.wsgi_app
        app.wsgi_app = self  # type: ignore[method-assign]
        self._lock = threading.Lock()
        self._ending = ""
        self._free = 0
        self._open = threading.Event()
        self.reached = threading.Event()
        self.scores: list[dict[str, Any]] = []
        self.readings: list[str] = []
        self._events: dict[int, Callable[[], object]] = {}

    def hold(self, ending: str, *, after: int) -> None:
        """Let ``after`` POST requests to this path through; hold the others until released."""
        self._ending, self._free = ending, after
        self._open.clear()
        self.reached.clear()

    def before_score(self, number: int, event: Callable[[], object]) -> None:
        """Let something happen on the platform when the ``number``-th score arrives."""
        self._events[number] = event

    def release(self) -> None:
        """Let everything through."""
        self._ending = ""
        self._open.set()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "POST" and self._ending and path.endswith(self._ending):
            with self._lock:
                self._free -= 1
                held = self._free < 0
            if held:
                self.reached.set()
                assert self._open.wait(60)
        if path.endswith("/results"):
            with self._lock:
                self.readings.append(path)
        if path.endswith("/scores"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            with self._lock:
                self.scores.append(json.loads(body))
                event = self._events.pop(len(self.scores), None)
            if event is not None:
                event()
            environ["wsgi.input"] = _Body(body)
        return self._inner(environ, start_response)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int = -1) -> bytes:
        size = len(self._content) if size < 0 else size
        taken, self._content = self._content[:size], self._content[size:]
        return taken


class World(Services):
    """A course of the platform that is the class ``C`` of the SIS."""

    def __init__(
        self, database: Database, clock: FixedClock, keyring: Keyring, server: PlatformServer
    ) -> None:
        super().__init__(database, clock, keyring)
        self.clock = clock
        self.school = School(database, clock)
        self.server = server
        self.platform = server.platform
        self.traffic = Traffic(server.app)
        self.course: Course = self.platform.add_course("C", "Class C")
        self.accounts: dict[str, Person] = {}

    def connect(self, jwks_uri: str) -> None:
        """Register the tool with the platform and the platform with the tool."""
        self.tool = self.platform.add_tool(
            name="Naga SIS",
            login_uri="https://tool.test/lti/login",
            redirect_uris=["https://tool.test/lti/launch"],
            jwks_uri=jwks_uri,
            target_link_uri="https://tool.test/lti/launch",
        )
        registrations = Registrations(self.database, self.clock, self.audit, allow_http=True)
        self.registration: Registration = registrations.create(
            actor="test",
            name="Platform",
            issuer=self.server.url,
            client_id=self.tool.client_id,
            auth_url=self.server.url + "/mod/lti/auth.php",
            token_url=self.server.url + "/mod/lti/token.php",
            jwks_url=self.server.url + "/mod/lti/certs.php",
            platform_family="moodle",
            deployment_ids=[self.tool.deployment_id],
        )

    @property
    def context_id(self) -> str:
        return str(self.course.id)

    @property
    def ags(self) -> dict[str, Any]:
        scopes = [scope for scope in self.tool.permitted_scopes() if "/lti-ags/" in scope]
        return {
            "scope": scopes,
            "lineitems": line_items_url(self.platform, self.course.id, self.tool),
        }

    @property
    def nrps(self) -> dict[str, Any]:
        url = memberships_url(self.platform, self.course.id, self.tool)
        return {"context_memberships_url": url, "service_versions": ["2.0"]}

    def account(
        self,
        key: str,
        *,
        linked: bool = True,
        enrolled: bool = True,
        role: Role = "student",
        status: Status = "active",
        idnumber: str = "",
        email: str = "",
    ) -> str:
        """Make an account for the person ``key``; returns its user id."""
        person = self.platform.add_person(
            key, key.title(), "Account", idnumber=idnumber, email=email
        )
        self.accounts[key] = person
        if enrolled:
            self.platform.enrol(self.course, person, role, status)
        if linked:
            self.people.link(
                self.registration.id, str(person.id), key, method="administrator", actor="test"
            )
        return str(person.id)

    def students(self, *keys: str, class_key: str = "C") -> None:
        """Students who are enrolled in both and linked."""
        for key in keys:
            self.school.student(key, class_key)
            self.account(key)

    def link_course(self, *class_keys: str) -> None:
        self.courses.link(self.registration.id, self.context_id, class_keys or ["C"], actor="test")

    def preview(self, **changes: Any) -> GradePush:
        wanted: dict[str, Any] = {
            "context_id": self.context_id,
            "class_keys": self.courses.class_keys(self.registration.id, self.context_id),
            "ags": self.ags,
            "nrps": self.nrps,
            "actor": "teacher",
        }
        return self.pushes.preview(self.registration, **(wanted | changes))

    def push(self) -> GradePush:
        """Preview, queue and run."""
        push = self.preview()
        self.pushes.queue(push.id, actor="teacher")
        return self.pushes.run(push.id).push

    def states(self, push: GradePush) -> dict[str, tuple[str, str | None]]:
        """State and reason by person."""
        return {
            line.item.person_key: (line.item.state.value, line.item.reason)
            for line in self.pushes.items(push.id, limit=1000)
        }

    def held(self, part_key: str = "C/part") -> dict[str, float | None]:
        """What the platform holds for a part, by person."""
        names = {person.id: key for key, person in self.accounts.items()}
        items = [
            item for item in self.platform.state.line_items.values() if item.resource_id == part_key
        ]
        assert len(items) <= 1
        return {
            names[user]: grade.final
            for item in items
            for user, grade in self.platform.state.grades.get(item.id, {}).items()
        }

    def grade_there(self, key: str, score: float, *, part_key: str = "C/part") -> None:
        """A teacher grades on the platform itself, now."""
        item = next(
            item for item in self.platform.state.line_items.values() if item.resource_id == part_key
        )
        with self.platform.change() as state:
            state.grades.setdefault(item.id, {})[self.accounts[key].id] = Grade(
                score, self.clock.now().timestamp()
            )


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the terminal."""


@contextmanager
def open_world(
    database: Database, clock: FixedClock, keyring: Keyring, quirks: Quirks | None = None
) -> Iterator[World]:
    """Serve a platform and the tool's key set, and join them."""
    config = PlatformConfig(course_json={"courses": []}, quirks=quirks or Quirks(), now=clock.now)
    keyset = Flask("keyset")
    keys = make_server("127.0.0.1", 0, keyset, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=keys.serve_forever, kwargs={"poll_interval": 0.02})
    with PlatformServer(config) as server:
        world = World(database, clock, keyring, server)
        _ensure_keys(world.tool_keys, database)
        keyset.add_url_rule("/keys", view_func=world.tool_keys.public_keyset)
        thread.start()
        world.connect(f"http://127.0.0.1:{keys.server_port}/keys")
        try:
            yield world
        finally:
            world.traffic.release()
            keys.shutdown()
            keys.server_close()
            thread.join()


def _ensure_keys(tool_keys: ToolKeys, database: Database) -> None:
    if _keys:
        with database.write() as session:
            session.execute(sa.insert(ToolKey), _keys)
    tool_keys.ensure()
    with database.read() as session:
        rows = session.execute(sa.select(ToolKey.__table__)).mappings().all()
    _keys[:] = [dict(row) for row in rows]


def as_decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
