"""The real stack for the drills: Moodle with the plugins, the tool's processes, a door between."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.errors import NagaError
from lti_tool.moodle.models import SiteStanding
from tests.drills import crowd
from tests.drills.authority import issue
from tests.drills.door import Door
from tests.drills.postgresql import Server, running
from tests.drills.realm_school import RealmSchool, open_school
from tests.drills.site import DrilledTool, Installation
from tests.e2e.environment import find_address
from tests.e2e.keycloak import KeycloakServer, find_keycloak, serving
from tests.e2e.moodle.site import Moodle, find_moodle
from tests.e2e.tool import database_address
from tests.e2e.with_plugin.plugins import Plugins


@pytest.fixture(scope="session")
def moodle() -> Moodle:
    """The Moodle that the environment names."""
    found = find_moodle(os.environ)
    if isinstance(found, str):
        pytest.skip(found)
    if not os.access(found.code / "local", os.W_OK):
        pytest.skip(f"plugins cannot be put into {found.code}: it is not writable here")
    return found


@pytest.fixture(scope="session")
def plugins(moodle: Moodle) -> Iterator[Plugins]:
    """Both plugins: those that are there, or for the time of the drills."""
    plugins = Plugins(moodle)
    there = plugins.installed
    if there and (tool := plugins.connection()["tool"]):
        pytest.skip(f"this Moodle is connected with {tool}; disconnect it first")
    if not there:
        plugins.install()
    yield plugins
    if not there:
        plugins.uninstall()


@pytest.fixture(scope="session")
def server() -> Iterator[Server | None]:
    """A PostgreSQL server of our own, unless the drills are to run on a file."""
    if os.environ.get("DRILL_DATABASE") == "sqlite":
        yield None
        return
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def connected(
    moodle: Moodle,
    plugins: Plugins,
    server: Server | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """A tool that keeps this Moodle: a campus of 50 and a crowd, all of it in Moodle already."""
    address = find_address(os.environ)
    if isinstance(address, str):
        pytest.skip(address)
    address = replace(address, url=f"https://{address.host}:{address.port + 4}")
    folder = tmp_path_factory.mktemp("drills")
    authority = issue(folder, moodle.host)
    door = Door(moodle.url, moodle.ca, authority)
    parts = urlsplit(moodle.url)
    with database_address(folder) as named:
        tool = DrilledTool(
            address,
            folder,
            server.url if server else named,
            moodle.ca,
            door=(f"{parts.hostname}:{parts.port or 443}", door.port),
            bundle=authority.bundle(folder / "trusted.pem", moodle.ca),
        )
        tool.cli("init")
        tool.cli("campus", "generate", "--size", "50")
        try:
            tool.start()
            plugins.pair(tool.cli("site", "code").splitlines()[0])
            with tool.services() as services:
                crowd.place(services.database, crowd.add_people(services.database, crowd.PEOPLE))
                installation = Installation(tool, moodle, door, services, server)
                try:
                    with _agreeing(installation):
                        installation.settle(300)
                        installation.enter()
                        yield installation
                finally:
                    _clean(installation, plugins)
        finally:
            tool.stop()
            door.shut()


@contextmanager
def _agreeing(installation: Installation) -> Iterator[None]:
    """An administrator who says yes to every mass change: these are mass changes by design."""
    over = threading.Event()
    runs = installation.services.provisioning.runs

    def agree() -> None:
        while not over.wait(0.5):
            # The database may have been crashed; the run may have ended meanwhile.
            with suppress(NagaError, SQLAlchemyError):
                waiting = runs.waiting(installation.site.id)
                if waiting is not None and not waiting.guard.get("approved_by"):
                    runs.approve(waiting.id, actor="drills")

    agreeing = threading.Thread(target=agree)
    agreeing.start()
    try:
        yield
    finally:
        over.set()
        agreeing.join()


def _clean(installation: Installation, plugins: Plugins) -> None:
    if os.environ.get("DRILL_KEEP"):
        return
    installation.tool.stop("worker")
    if plugins.connection()["tool"]:
        plugins.unpair()
    rendering = installation.services.provisioning.rendering
    keys = {kind: rendering.all_keys(kind) for kind in ("category", "user", "course")}
    installation.act("forget", **keys)


@pytest.fixture
def installation(connected: Installation, tmp_path: Path) -> Iterator[Installation]:
    """The installation, whole and settled before a drill and after it."""
    connected.settle()
    yield connected
    connected.door.shut()
    connected.door.open()
    for name in ("web", "worker"):
        process = connected.tool.processes.get(name)
        if process is None or process.poll() is not None:
            connected.tool.processes.pop(name, None)
            connected.tool.restart(name)


@pytest.fixture(scope="session")
def realm_school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmSchool]:
    home = find_keycloak()
    if isinstance(home, str):
        pytest.skip(home)
    with (
        serving(KeycloakServer(home, tmp_path_factory.mktemp("keycloak"))) as server,
        open_school(server, tmp_path_factory.mktemp("tool")) as school,
    ):
        yield school


@pytest.fixture
def school(realm_school: RealmSchool) -> Iterator[RealmSchool]:
    """Whole and settled; whatever a drill that failed left behind is mended after it."""
    realm_school.settle()
    yield realm_school
    if realm_school.realm.standing is SiteStanding.PAUSED:
        realm_school.prepare()
        realm_school.resume()
        realm_school.repair()
        realm_school.settle()
