"""The chain of the audit log."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.database import Database


@pytest.fixture
def three(database: Database, audit: AuditLog) -> Database:
    with database.write() as session:
        for number in range(3):
            audit.record(session, actor="a", action="test", target="t", number=number)
    return database


def test_a_whole_chain(three: Database) -> None:
    with three.read() as session:
        assert AuditLog.first_broken(session) is None


@pytest.mark.parametrize(
    "change", [{"actor": "b"}, {"action": "x"}, {"target": "u"}, {"detail": {"number": 9}}]
)
def test_a_changed_record_is_found(three: Database, change: dict[str, object]) -> None:
    with three.write() as session:
        session.execute(sa.update(AuditEvent).where(AuditEvent.id == 2).values(**change))
    with three.read() as session:
        assert AuditLog.first_broken(session) == 2


def test_a_removed_record_is_found(three: Database) -> None:
    with three.write() as session:
        session.execute(sa.delete(AuditEvent).where(AuditEvent.id == 2))
    with three.read() as session:
        assert AuditLog.first_broken(session) == 3
