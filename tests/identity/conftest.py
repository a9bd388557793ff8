"""A registration, a small school, and the services of the room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.people import People
from lti_tool.lti.models import Registration
from lti_tool.lti.registrations import Registrations
from tests.identity.launched import PERSON, add_launch, add_school
from tests.identity.oidc_provider import open_provider
from tests.identity.session_world import World as SessionWorld
from tests.identity.session_world import open_world
from tests.identity.sign_in_world import World
from tests.sync.school import School


@pytest.fixture
def registration(database: Database, clock: FixedClock, audit: AuditLog) -> Registration:
    return Registrations(database, clock, audit).create(
        actor="test",
        name="Platform",
        issuer="https://platform.test",
        client_id="client",
        auth_url="https://platform.test/auth",
        token_url="https://platform.test/token",
        jwks_url="https://platform.test/jwks",
    )


@pytest.fixture
def school(database: Database, clock: FixedClock) -> School:
    return School(database, clock)


@pytest.fixture
def people(database: Database, clock: FixedClock, audit: AuditLog, school: School) -> People:
    return People(database, clock, school.sis, audit)


@pytest.fixture
def admin_sessions(database: Database, clock: FixedClock, audit: AuditLog) -> AdminSessions:
    return AdminSessions(database, clock, audit, public_url="https://tool.test/")


@pytest.fixture
def world(
    database: Database, clock: FixedClock, http: HttpClient, audit: AuditLog, keyring: Keyring
) -> Iterator[World]:
    launched = add_launch(database, clock, add_school(database, clock))
    with open_provider(clock) as oidc:
        oidc.person = {"person_uuid": PERSON, "email": "shared@school.example"}
        yield World(database, clock, http, audit, keyring, oidc, launched)


@pytest.fixture
def signed(
    database: Database, clock: FixedClock, http: HttpClient, audit: AuditLog, keyring: Keyring
) -> Iterator[SessionWorld]:
    with open_world(database, clock, http, audit, keyring) as opened:
        yield opened
