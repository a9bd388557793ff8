"""When people were last seen in the learning platform: what comes back beside grades."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base, Database
from lti_tool.sis.bulk import chunks


class LearningActivity(Base):
    """When a person last signed in to the learning platform, and was last seen there."""

    __tablename__ = "sis_learning_activity"

    person_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    last_login: Mapped[dt.datetime | None]
    last_seen: Mapped[dt.datetime | None]


class ClassActivity(Base):
    """When a person was last seen in the course of a class."""

    __tablename__ = "sis_class_activity"

    class_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    person_key: Mapped[str] = mapped_column(sa.String(255), primary_key=True, index=True)
    last_seen: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class Seen:
    """When one person was seen; ``None``: never, as far as is known."""

    last_login: dt.datetime | None
    last_seen: dt.datetime | None


_people = cast(sa.Table, LearningActivity.__table__)
_classes = cast(sa.Table, ClassActivity.__table__)


class Activity:
    """Keeps the latest of what is told: what comes late or twice changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note_people(self, seen: Mapping[str, Seen]) -> None:
        """Note when people, by key, signed in and were seen."""
        rows = [
            {"person_key": key, "last_login": each.last_login, "last_seen": each.last_seen}
            for key, each in sorted(seen.items())
        ]
        with self._database.writing() as connection:
            for some in chunks(rows, 1000):
                self._put(connection, _people, some, ("person_key",), ("last_login", "last_seen"))

    def note_classes(self, seen: Iterable[tuple[str, str, dt.datetime]]) -> None:
        """Note when people were seen in courses: class, person, time."""
        latest: dict[tuple[str, str], dt.datetime] = {}
        for class_key, person_key, at in seen:
            known = latest.get((class_key, person_key))
            latest[class_key, person_key] = at if known is None else max(known, at)
        rows = [
            {"class_key": class_key, "person_key": person_key, "last_seen": at}
            for (class_key, person_key), at in sorted(latest.items())
        ]
        with self._database.writing() as connection:
            for some in chunks(rows, 1000):
                self._put(connection, _classes, some, ("class_key", "person_key"), ("last_seen",))

    def person(self, person_key: str) -> Seen:
        """When a person was seen."""
        query = sa.select(_people.c.last_login, _people.c.last_seen).where(
            _people.c.person_key == person_key
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return Seen(*row) if row else Seen(None, None)

    def class_(self, class_key: str) -> dict[str, dt.datetime]:
        """When people were last seen in the course of a class, by person."""
        query = sa.select(_classes.c.person_key, _classes.c.last_seen).where(
            _classes.c.class_key == class_key
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _put(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: list[dict[str, Any]],
        key: tuple[str, ...],
        times: tuple[str, ...],
    ) -> None:
        insert = self._database.upsert(table).values(rows)
        later = {name: _later(getattr(insert.excluded, name), table.c[name]) for name in times}
        connection.execute(insert.on_conflict_do_update(index_elements=list(key), set_=later))


def _later(new: Any, old: Any) -> Any:
    return sa.case((sa.or_(old.is_(None), new > old), sa.func.coalesce(new, old)), else_=old)
