"""The database: engine, transactions, column types. SQLite by default, PostgreSQL when grown."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

_BEGIN = "naga_sqlite_begin"

_NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC datetime on every database; naive values are refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:
        """Refuse naive datetimes; SQLite stores UTC without an offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime; the database takes aware datetimes only")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> dt.datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=dt.UTC)  # type: ignore[no-any-return]
        return value.astimezone(dt.UTC)  # type: ignore[no-any-return]


class Base(DeclarativeBase):
    """The base of all tables. Each room has its own ``models.py``."""

    metadata = sa.MetaData(naming_convention=_NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this name
        dt.datetime: UtcDateTime(),
        dict[str, Any]: sa.JSON(),
        list[Any]: sa.JSON(),
        list[str]: sa.JSON(),
        # Stored by value in a plain column: a new member needs no migration.
        enum.StrEnum: sa.Enum(
            enum.StrEnum,
            native_enum=False,
            length=30,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


class Database:
    """Engine and transactions.

    ``read()`` and ``write()`` are the only ways in. On SQLite a write begins with ``BEGIN
    IMMEDIATE``: a transaction that reads and then writes would else fail with "database is
    locked" as soon as two processes meet.
    """

    def __init__(self, url: str | URL, *, pool_size: int = 10, echo: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"echo": echo, "pool_pre_ping": not self.is_sqlite}
        if self.is_sqlite:
            if self.url.database and self.url.database != ":memory:":
                Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
            options["connect_args"] = {"timeout": 30, "check_same_thread": False}
        if not self.is_sqlite or self.url.database not in (None, "", ":memory:"):
            options |= {"pool_size": pool_size, "max_overflow": pool_size}
        self.engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        self._snapshot: ContextVar[Session | None] = ContextVar("snapshot", default=None)
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(
            self.engine.execution_options(**{_BEGIN: "IMMEDIATE"}), expire_on_commit=False
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever it changed is rolled back. Within :meth:`snapshot` it is
        the snapshot's."""
        ambient = self._snapshot.get()
        if ambient is not None:
            yield ambient
            return
        with self._reader() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all :meth:`read` of this thread one transaction: a page sees one state of things,
        and pays for one connection.

        Not around calls to other systems: the transaction stays open as long as they take.
        """
        with self.read() as session:
            token = self._snapshot.set(session)
            try:
                yield
            finally:
                self._snapshot.reset(token)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back on any exception."""
        with self._writer.begin() as session:
            yield session

    def upsert(self, table: sa.Table | type[Base]) -> postgresql.Insert | sqlite.Insert:
        """An ``INSERT`` that knows ``on_conflict_do_update`` in this database's dialect."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def dispose(self) -> None:
        """Close all pooled connections (before a fork, at the end of a test)."""
        self.engine.dispose()


_Entity = TypeVar("_Entity", bound=Base)


def detached(entity: type[_Entity], values: Sequence[Any]) -> _Entity:
    """Build a detached entity from the values of all its table's columns, in their order.

    For what every launch reads: loading it through the ORM takes several times as long.
    """
    return entity(**dict(zip(entity.__table__.columns.keys(), values, strict=True)))


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control off: SQLAlchemy's "begin" event below decides.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    mode = connection.get_execution_options().get(_BEGIN, "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {mode}")
