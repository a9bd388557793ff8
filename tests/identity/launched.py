"""A launch that was accepted, and people of the SIS whom its account may be."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.lti.login import digest
from lti_tool.lti.models import Deployment, Launch, LaunchOutcome, Registration, Standing
from lti_tool.lti.roles import LEARNER
from lti_tool.sis.models import Person

PERSON = "person-sok-dara"
OTHER = "person-chan-bopha"
SECRET = "the browser's secret of the launch"


@dataclass(frozen=True)
class Launched:
    """Where the launch came from, who it is there, and what finds its record."""

    registration_id: int
    subject: str
    reference: str


def add_school(database: Database, clock: Clock, issuer: str = "https://moodle.example") -> int:
    """Two people and a platform; returns its id."""
    now = clock.now()
    registration = Registration(
        name="Campus",
        issuer=issuer,
        client_id="tool",
        auth_url=f"{issuer}/auth",
        token_url=f"{issuer}/token",
        jwks_url=f"{issuer}/keys",
        standing=Standing.ACTIVE,
        created_at=now,
        updated_at=now,
        deployments=[Deployment(deployment_id="1", standing=Standing.ACTIVE, created_at=now)],
    )
    with database.write() as session:
        session.add(registration)
        session.add_all(
            Person(sourced_id=key, family_name="Test", updated_at=now) for key in (PERSON, OTHER)
        )
    return registration.id


def add_launch(
    database: Database, clock: Clock, registration_id: int, *, subject: str = "42"
) -> Launched:
    """A launch of this account, with a session of an hour."""
    reference = f"LAUNCH{subject}"
    with database.write() as session:
        session.add(
            Launch(
                reference=reference,
                at=clock.now(),
                outcome=LaunchOutcome.ACCEPTED,
                registration_id=registration_id,
                deployment_id="1",
                message_type="LtiResourceLinkRequest",
                subject=subject,
                context_id="7",
                roles=[LEARNER],
                secret_hash=digest(SECRET),
                expires_at=clock.now() + dt.timedelta(hours=1),
            )
        )
    return Launched(registration_id, subject, reference)
