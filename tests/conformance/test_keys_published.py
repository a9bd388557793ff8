"""K6: the keys that we publish, and their rotation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.lti.keys import ToolKeys
from lti_tool.lti.models import ToolKey


@pytest.fixture
def tool_keys(database: Database, clock: FixedClock, keyring: Keyring, audit: AuditLog) -> ToolKeys:
    return ToolKeys(database, clock, keyring, audit)


def kids(keys: ToolKeys) -> list[str]:
    return [key["kid"] for key in keys.public_keyset()["keys"]]


def signer(keys: ToolKeys) -> str:
    token = keys.sign({"a": 1})
    decoded = jwt.decode(
        token,
        KeySet([RSAKey.import_key(key) for key in keys.public_keyset()["keys"]]),
        algorithms=["RS256"],
    )
    assert decoded.claims == {"a": 1}
    return str(decoded.header["kid"])


def test_k6_public_members_only(tool_keys: ToolKeys) -> None:
    published = tool_keys.public_keyset()["keys"]
    assert len(published) == 2
    for key in published:
        assert set(key) == {"kty", "n", "e", "kid", "alg", "use"}
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        parsed = RSAKey.import_key({name: key[name] for name in ("kty", "n", "e")})
        assert key["kid"] == parsed.thumbprint()
        assert parsed.public_key.key_size >= 2048


def test_k6_private_keys_are_sealed(tool_keys: ToolKeys, database: Database) -> None:
    tool_keys.ensure()
    tool_keys.ensure()
    with database.read() as session:
        rows = session.scalars(sa.select(ToolKey)).all()
    assert len(rows) == 2
    assert all(b"PRIVATE" not in row.private_sealed for row in rows)
    assert all("d" not in row.public_jwk for row in rows)


def test_k6_next_key_is_published_before_it_signs(tool_keys: ToolKeys, clock: FixedClock) -> None:
    first = signer(tool_keys)
    following = next(kid for kid in kids(tool_keys) if kid != first)
    clock.advance(days=29, hours=23)
    tool_keys.rotate(actor="system")
    assert signer(tool_keys) == first
    clock.advance(hours=2)
    tool_keys.rotate(actor="system")
    assert signer(tool_keys) == following
    assert len(kids(tool_keys)) == 3
    clock.advance(days=2)
    tool_keys.rotate(actor="system")
    assert first not in kids(tool_keys)
    assert len(kids(tool_keys)) == 2


def test_k6_lead_time_also_when_rotation_is_late(
    tool_keys: ToolKeys, clock: FixedClock, database: Database
) -> None:
    tool_keys.ensure()
    clock.advance(days=100)
    tool_keys.rotate(actor="system")
    with database.read() as session:
        rows = session.scalars(sa.select(ToolKey).order_by(ToolKey.active_from)).all()
    assert rows[-1].active_from - rows[-1].created_at >= dt.timedelta(hours=24)
    old = rows[0]
    assert old.expires_at == clock.now() + dt.timedelta(days=2)


def test_k6_forced_rotation(tool_keys: ToolKeys, clock: FixedClock, database: Database) -> None:
    first = signer(tool_keys)
    following = next(kid for kid in kids(tool_keys) if kid != first)
    clock.advance(seconds=1)
    tool_keys.rotate(actor="admin:test", now=True)
    assert signer(tool_keys) == following
    assert first in kids(tool_keys)
    clock.advance(days=2, seconds=1)
    tool_keys.rotate(actor="system")
    assert first not in kids(tool_keys)
    with database.read() as session:
        actions = session.scalars(sa.select(AuditEvent.action)).all()
        assert AuditLog.first_broken(session) is None
    assert actions.count("tool_key.forced") == 1
    assert actions.count("tool_key.published") == 3


def test_k6_forced_rotation_of_nothing(tool_keys: ToolKeys) -> None:
    tool_keys.rotate(actor="admin:test", now=True)
    assert signer(tool_keys) in kids(tool_keys)


def test_k6_other_processes_follow(
    tool_keys: ToolKeys, database: Database, clock: FixedClock, keyring: Keyring, audit: AuditLog
) -> None:
    other = ToolKeys(database, clock, keyring, audit)
    assert signer(tool_keys) == signer(other)
    clock.advance(seconds=1)
    tool_keys.rotate(actor="test", now=True)
    assert signer(other) in kids(tool_keys)
    clock.advance(seconds=61)
    assert signer(other) == signer(tool_keys)


def test_k6_two_start_at_once(
    database: Database,
    clock: FixedClock,
    keyring: Keyring,
    audit: AuditLog,
    at_once: Callable[[list[Callable[[], Any]]], list[Any]],
) -> None:
    several = [ToolKeys(database, clock, keyring, audit) for _ in range(3)]
    assert at_once([each.ensure for each in several]) == [None] * 3
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ToolKey)) == 2
    assert len({signer(each) for each in several}) == 1
