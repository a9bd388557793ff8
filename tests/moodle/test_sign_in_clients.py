"""By what people sign in to each Moodle: kept sealed, another revision after each change."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import DecryptionError, Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.models import MoodleSignIn
from lti_tool.moodle.sign_in_clients import SignInClients

MOODLE = "https://moodle.example.edu"
ISSUER = "https://login.example.edu/realms/school"
CLIENT = {"issuer": ISSUER, "client_id": "moodle", "secret": "s3cret", "person_claim": "key"}


@pytest.fixture
def clients(database: Database, clock: FixedClock, keyring: Keyring) -> SignInClients:
    return SignInClients(database, clock, AuditLog(clock), keyring)


def test_what_is_kept_is_said_again(clients: SignInClients) -> None:
    assert clients.of(MOODLE) is None
    assert clients.revision(MOODLE) is None
    assert clients.keep(MOODLE + "/", **CLIENT, actor="tests")
    found = clients.of(MOODLE)
    assert found is not None
    said = found.model_dump()
    assert said.pop("revision") == clients.revision(MOODLE)
    assert said.pop("client_secret") == CLIENT["secret"]
    assert said == {"issuer": ISSUER, "client_id": "moodle", "person_claim": "key"}
    assert CLIENT["secret"] not in repr(found)
    assert clients.addresses(ISSUER) == {"moodle": MOODLE}
    assert clients.addresses("https://other.example") == {}


def test_only_what_is_new_is_another_revision(clients: SignInClients) -> None:
    clients.keep(MOODLE, **CLIENT, actor="tests")
    first = clients.revision(MOODLE)
    assert not clients.keep(MOODLE, **CLIENT, actor="tests")
    assert clients.revision(MOODLE) == first
    for changed in ({"secret": "another"}, {"person_claim": "sub"}, {"client_id": "moodle-2"}):
        before = clients.revision(MOODLE)
        assert clients.keep(MOODLE, **{**CLIENT, **changed}, actor="tests")
        assert clients.revision(MOODLE) != before


def test_a_secret_is_sealed_for_its_own_moodle(clients: SignInClients, database: Database) -> None:
    clients.keep(MOODLE, **CLIENT, actor="tests")
    clients.keep("https://other.example.edu", **{**CLIENT, "secret": "theirs"}, actor="tests")
    with database.write() as session:
        rows = {row.url: row for row in session.scalars(sa.select(MoodleSignIn))}
        assert CLIENT["secret"].encode() not in rows[MOODLE].secret_sealed
        rows["https://other.example.edu"].secret_sealed = rows[MOODLE].secret_sealed
    with pytest.raises(DecryptionError):
        clients.of("https://other.example.edu")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "login.example.edu"),
        ("issuer", "https://a:b@login.example.edu"),
        ("issuer", "https://login.example.edu/?x=1"),
        ("secret", ""),
        ("secret", "two\nlines"),
        ("client_id", " moodle"),
        ("person_claim", ""),
    ],
)
def test_what_cannot_work_is_refused(clients: SignInClients, field: str, value: str) -> None:
    wrong: dict[str, Any] = {**CLIENT, field: value}
    with pytest.raises(InvalidInputError) as refused:
        clients.keep(MOODLE, **wrong, actor="tests")
    assert refused.value.field == field
    assert clients.of(MOODLE) is None
