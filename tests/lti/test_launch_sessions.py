"""What the session of a launch tells its pages, and why one does not hold."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.lti import roles
from lti_tool.lti.launch_sessions import load_session, session_problem
from lti_tool.lti.login import digest
from lti_tool.lti.models import Deployment, Launch, LaunchOutcome, Registration, Standing


def store(database: Database, clock: FixedClock) -> None:
    now = clock.now()
    with database.write() as session:
        registration = Registration(
            name="Moodle",
            issuer="https://moodle.example",
            client_id="client",
            auth_url="https://moodle.example/auth",
            token_url="https://moodle.example/token",
            jwks_url="https://moodle.example/keys",
            standing=Standing.ACTIVE,
            created_at=now,
            updated_at=now,
            deployments=[Deployment(deployment_id="7", standing=Standing.ACTIVE, created_at=now)],
        )
        session.add(registration)
        session.flush()
        session.add(
            Launch(
                reference="REFERENCE",
                at=now,
                outcome=LaunchOutcome.ACCEPTED,
                registration_id=registration.id,
                deployment_id="7",
                message_type="LtiResourceLinkRequest",
                subject="42",
                context_id="3",
                resource_link_id="12",
                person_key="P-1",
                roles=[roles.INSTRUCTOR, roles.SYSTEM_ADMINISTRATOR],
                services={"ags": {"scope": []}, "custom": {"naga_page": "roster"}},
                secret_hash=digest("secret"),
                expires_at=now + dt.timedelta(hours=8),
            )
        )


def test_what_pages_ask(database: Database, clock: FixedClock) -> None:
    store(database, clock)
    with database.read() as session:
        found = load_session(session, "REFERENCE", "secret", now=clock.now())
    assert found is not None
    assert (found.reference, found.subject, found.person_key) == ("REFERENCE", "42", "P-1")
    assert (found.deployment_id, found.context_id, found.resource_link_id) == ("7", "3", "12")
    assert found.message_type == "LtiResourceLinkRequest"
    assert (found.ags, found.nrps, found.deep_linking) == ({"scope": []}, None, None)
    assert found.custom == {"naga_page": "roster"}
    assert found.is_instructor
    assert found.is_site_administrator
    assert not found.is_learner


def problem(database: Database, clock: FixedClock, reference: str, secret: str) -> str:
    with database.read() as session:
        assert load_session(session, reference, secret, now=clock.now()) is None
        return session_problem(session, reference, secret, now=clock.now()).code


def test_why_a_session_does_not_hold(database: Database, clock: FixedClock) -> None:
    store(database, clock)
    assert problem(database, clock, "UNKNOWN", "secret") == "session_missing"
    assert problem(database, clock, "REFERENCE", "other") == "session_foreign"
    clock.advance(hours=8)
    assert problem(database, clock, "REFERENCE", "secret") == "session_expired"


def test_a_deleted_platform_has_no_sessions(database: Database, clock: FixedClock) -> None:
    store(database, clock)
    with database.write() as session:
        session.execute(sa.delete(Registration))
    assert problem(database, clock, "REFERENCE", "secret") == "registration_disabled"
