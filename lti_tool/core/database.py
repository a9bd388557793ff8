"""The database: engine, transactions, column types. SQLite by default, PostgreSQL when grown."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import DeclarativeBase, Session, class_mapper, sessionmaker

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


# What runs statements of columns: where each microsecond counts, a connection.
Executor = Session | sa.Connection


class Database:
    """Engine and transactions.

    ``read()`` and ``write()`` give a session; ``reading()`` and ``writing()`` are the same two for
    statements of tables and columns alone, on a bare connection. What every launch runs goes
    through those: a session doubles the cost of a statement, for entities that are not loaded.

    On SQLite a write begins with ``BEGIN IMMEDIATE``: a transaction that reads and then writes
    would else fail with "database is locked" as soon as two processes meet.
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
        self._snapshot: ContextVar[sa.Connection | None] = ContextVar("snapshot", default=None)
        self._for_writes = self.engine.execution_options(**{_BEGIN: "IMMEDIATE"})
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(self._for_writes, expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever it changed is rolled back. Within :meth:`snapshot` it
        sees what the snapshot sees."""
        ambient = self._snapshot.get()
        with self._reader() if ambient is None else self._reader(bind=ambient) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """As :meth:`read`, for statements of columns alone."""
        ambient = self._snapshot.get()
        if ambient is not None:
            yield ambient
            return
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Make all reading of this thread one transaction: a page sees one state of things, and
        pays for one connection.

        Not around calls to other systems: the transaction stays open as long as they take.
        """
        with self.reading() as connection:
            token = self._snapshot.set(connection)
            try:
                yield
            finally:
                self._snapshot.reset(token)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end, rolled back on any exception."""
        with self._writer.begin() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """As :meth:`write`, for statements of columns alone."""
        with self._for_writes.begin() as connection:
            yield connection

    def upsert(self, table: sa.Table | type[Base]) -> postgresql.Insert | sqlite.Insert:
        """An ``INSERT`` that knows ``on_conflict_do_update`` in this database's dialect."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def dispose(self) -> None:
        """Close all pooled connections (before a fork, at the end of a test)."""
        self.engine.dispose()


_Entity = TypeVar("_Entity", bound=Base)


def detached(entity: type[_Entity], values: Mapping[str, Any]) -> _Entity:
    """Build a detached entity from the values of its columns, by name.

    For what every launch reads and writes: loading it through the ORM, or only setting attributes
    one by one, takes many times as long.
    """
    instance = class_mapper(entity).class_manager.new_instance()
    vars(instance).update(values)
    return instance


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
    # At the driver, as nothing of it is ours to compile, log or fetch.
    connection.connection.driver_connection.execute(f"BEGIN {mode}")  # type: ignore[union-attr]
