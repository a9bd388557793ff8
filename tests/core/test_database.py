"""Transactions and column types."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.database import Database


def _record(database: Database, audit: AuditLog, target: str) -> None:
    with database.write() as session:
        audit.record(session, actor="a", action="test", target=target, number=1)


def test_times_come_back_aware_in_utc(database: Database, audit: AuditLog) -> None:
    _record(database, audit, "t")
    with database.read() as session:
        event = session.scalars(sa.select(AuditEvent)).one()
    assert event.at == dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
    assert event.at.tzinfo is dt.UTC


def test_naive_times_are_refused(database: Database) -> None:
    with database.read() as session, pytest.raises(sa.exc.StatementError, match="naive"):
        session.execute(
            sa.select(AuditEvent).where(AuditEvent.at == dt.datetime(2026, 1, 1))  # noqa: DTZ001
        )


def test_an_exception_rolls_back(database: Database, audit: AuditLog) -> None:
    def fail_half_way() -> None:
        with database.write() as session:
            audit.record(session, actor="a", action="test", target="t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count(AuditEvent.id))) == 0


def test_read_commits_nothing(database: Database, audit: AuditLog) -> None:
    with database.read() as session:
        audit.record(session, actor="a", action="test", target="t")
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count(AuditEvent.id))) == 0


def test_writers_that_read_first_wait_for_each_other(database: Database, audit: AuditLog) -> None:
    errors: list[Exception] = []

    def work() -> None:
        try:
            for number in range(10):
                _record(database, audit, str(number))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count(AuditEvent.id))) == 40
        assert AuditLog.first_broken(session) is None


def test_writing_commits_at_the_end_or_not_at_all(database: Database, audit: AuditLog) -> None:
    _record(database, audit, "t")

    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(sa.delete(AuditEvent))
            raise ZeroDivisionError

    def count() -> int:
        with database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count(AuditEvent.id))) or 0

    with pytest.raises(ZeroDivisionError):
        fail_half_way()
    assert count() == 1
    with database.writing() as connection:
        connection.execute(sa.delete(AuditEvent))
    assert count() == 0


def test_reading_commits_nothing(database: Database, audit: AuditLog) -> None:
    _record(database, audit, "t")
    with database.reading() as connection:
        connection.execute(sa.delete(AuditEvent))
    with database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count(AuditEvent.id))) == 1


def test_a_snapshot_is_one_state_of_things(database: Database, audit: AuditLog) -> None:
    def count() -> int:
        with database.read() as session:
            return session.scalar(sa.select(sa.func.count(AuditEvent.id))) or 0

    _record(database, audit, "before")
    with database.snapshot():
        with database.read() as first, database.read() as second, database.reading() as bare:
            assert first.connection() is second.connection() is bare
        assert count() == 1
    writer = threading.Thread(target=_record, args=(database, audit, "after"))
    writer.start()
    writer.join()
    assert count() == 2


def test_a_snapshot_is_this_thread_s_own(database: Database) -> None:
    connections: list[object] = []

    def read() -> None:
        with database.reading() as connection:
            connections.append(connection)

    with database.snapshot():
        read()
        other = threading.Thread(target=read)
        other.start()
        other.join()
    assert connections[0] is not connections[1]
