"""A registration, a small school, and the services of the room."""

from __future__ import annotations

import pytest

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.identity.admin_sessions import AdminSessions
from lti_tool.identity.people import People
from lti_tool.lti.models import Registration
from lti_tool.lti.registrations import Registrations
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
