"""Registrations: what is checked, what is recorded, what holds at once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.lti.models import Standing
from lti_tool.lti.registrations import Registrations, origin_of

PLATFORM: dict[str, Any] = {
    "actor": "test",
    "name": "Moodle",
    "issuer": "https://moodle.example",
    "client_id": "client",
    "auth_url": "https://moodle.example/auth",
    "token_url": "https://moodle.example/token",
    "jwks_url": "https://moodle.example/keys",
}


@pytest.fixture
def registrations(database: Database, clock: FixedClock, audit: AuditLog) -> Registrations:
    return Registrations(database, clock, audit)


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def test_create_and_read(registrations: Registrations, database: Database) -> None:
    made = registrations.create(
        **PLATFORM, deployment_ids=["1", "2", "1"], token_audience=" aud ", platform_family="moodle"
    )
    found = registrations.get(made.id)
    assert (found.issuer, found.token_audience) == ("https://moodle.example", "aud")
    assert found.standing is Standing.ACTIVE
    assert [each.deployment_id for each in found.deployments] == ["1", "2"]
    assert [each.id for each in registrations.list()] == [made.id]
    assert actions(database) == ["registration.created"]


def test_twice(registrations: Registrations) -> None:
    registrations.create(**PLATFORM)
    with pytest.raises(ConflictError):
        registrations.create(**PLATFORM)
    other = registrations.create(**{**PLATFORM, "client_id": "other"})
    with pytest.raises(ConflictError):
        registrations.update(other.id, actor="test", client_id="client")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\x00b"),
        ("client_id", None),
        ("issuer", "moodle.example"),
        ("auth_url", "http://moodle.example/auth"),
        ("auth_url", "javascript:alert(1)"),
        ("token_url", "https://user@moodle.example/"),
        ("token_url", "https://moodle.example/#x"),
        ("jwks_url", "https://moodle.example:0/"),
        ("jwks_url", "https://moodle.example:x/"),
        ("jwks_url", "https://["),
        ("jwks_url", "https://moodle.example/a b"),
        ("token_audience", "x" * 1001),
        ("sourcedid_trusted", "yes"),
        ("deployment_ids", [""]),
    ],
)
def test_wrong_input(registrations: Registrations, field: str, value: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        registrations.create(**{**PLATFORM, field: value})
    assert caught.value.field == field
    assert registrations.list() == []


def test_plain_http_in_a_lab(database: Database, clock: FixedClock, audit: AuditLog) -> None:
    lab = Registrations(database, clock, audit, allow_http=True)
    assert lab.create(**{**PLATFORM, "auth_url": "http://localhost:8080/auth"})
    assert lab.launch_url_origin_list() == {"http://localhost:8080"}


def test_update(registrations: Registrations, database: Database, clock: FixedClock) -> None:
    made = registrations.create(**PLATFORM)
    clock.advance(minutes=1)
    registrations.update(made.id, actor="test", name="Moodle")
    assert actions(database) == ["registration.created"]
    changed = registrations.update(made.id, actor="test", name="New", token_audience="")
    assert (changed.name, changed.token_audience) == ("New", None)
    assert changed.updated_at == clock.now()
    assert actions(database)[-1] == "registration.changed"
    with pytest.raises(InvalidInputError):
        registrations.update(made.id, actor="test", standing=Standing.DISABLED)
    with pytest.raises(NotFoundError):
        registrations.update(99, actor="test", name="New")


def test_standing(registrations: Registrations, database: Database) -> None:
    made = registrations.create(**PLATFORM)
    assert registrations.launch_url_origin_list() == {"https://moodle.example"}
    registrations.set_standing(made.id, Standing.DISABLED, actor="test")
    registrations.set_standing(made.id, Standing.DISABLED, actor="test")
    assert registrations.get(made.id).standing is Standing.DISABLED
    assert registrations.launch_url_origin_list() == frozenset()
    assert actions(database).count("registration.standing") == 1


def test_origins_are_kept_for_seconds_only(
    registrations: Registrations, database: Database, clock: FixedClock, audit: AuditLog
) -> None:
    assert registrations.launch_url_origin_list() == frozenset()
    Registrations(database, clock, audit).create(**PLATFORM)
    assert registrations.launch_url_origin_list() == frozenset()
    clock.advance(seconds=6)
    assert registrations.launch_url_origin_list() == {"https://moodle.example"}


def test_deployment_standing(registrations: Registrations, database: Database) -> None:
    made = registrations.create(**PLATFORM)
    for standing in (Standing.ACTIVE, Standing.ACTIVE, Standing.DISABLED):
        registrations.set_deployment_standing(made.id, "5", standing, actor="test")
    (deployment,) = registrations.get(made.id).deployments
    assert deployment.standing is Standing.DISABLED
    assert actions(database).count("deployment.standing") == 2
    with pytest.raises(NotFoundError):
        registrations.set_deployment_standing(99, "5", Standing.ACTIVE, actor="test")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://A.example:443/x?y", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("https://a.example:8443/", "https://a.example:8443"),
        ("http://[::1]:5000/x", "http://[::1]:5000"),
    ],
)
def test_origin(url: str, origin: str) -> None:
    assert origin_of(url) == origin
