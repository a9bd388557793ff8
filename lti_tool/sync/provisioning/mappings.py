"""What a site was last made equal to, thing by thing; and which classes share a course there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.documents import Kind
from lti_tool.sis.bulk import chunks
from lti_tool.sync.provisioning.models import SyncedDocument, TaughtIn

_synced = cast(sa.Table, SyncedDocument.__table__)
_taught = cast(sa.Table, TaughtIn.__table__)
_KEPT = ("fingerprint", "outcome", "active", "people", "updated_at", "updated_by")


@dataclass(frozen=True, slots=True)
class Known:
    """What a site was last made equal to, of one thing. ``people``: see ``people.py``."""

    moodle_id: int | None
    fingerprint: str | None
    active: int
    people: bytes | None
    updated_at: dt.datetime


class Mappings:
    """The mappings of all sites."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, site_id: int, kind: Kind, keys: Collection[str]) -> dict[str, Known]:
        """What the site was last made equal to, by key."""
        query = sa.select(
            _synced.c.key,
            _synced.c.moodle_id,
            _synced.c.fingerprint,
            _synced.c.active,
            _synced.c.people,
            _synced.c.updated_at,
        ).where(_synced.c.site_id == site_id, _synced.c.kind == kind)
        found: dict[str, Known] = {}
        with self._database.reading() as connection:
            for some in chunks(sorted(keys), 1000):
                for row in connection.execute(query.where(_synced.c.key.in_(some))):
                    found[row[0]] = Known(*row[1:])
        return found

    def keys(self, site_id: int, kind: Kind) -> set[str]:
        """Keys of everything of a kind that the site was ever made equal to."""
        query = sa.select(_synced.c.key).where(_synced.c.site_id == site_id, _synced.c.kind == kind)
        with self._database.reading() as connection:
            return set(connection.scalars(query))

    def total_active(self, site_id: int, kind: Kind) -> int:
        """How many people all documents of a kind let in: the measure of a mass change."""
        query = sa.select(sa.func.coalesce(sa.func.sum(_synced.c.active), 0)).where(
            _synced.c.site_id == site_id, _synced.c.kind == kind
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def put(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Store what things were made equal to."""
        if not rows:
            return
        insert = self._database.upsert(_synced)
        # Row by row, in one go: one statement of all rows costs more to put together than to run.
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=["site_id", "kind", "key"],
                set_={name: getattr(insert.excluded, name) for name in _KEPT}
                | {"moodle_id": sa.func.coalesce(insert.excluded.moodle_id, _synced.c.moodle_id)},
            ),
            rows,
        )

    def forget(
        self, connection: sa.Connection, site_id: int, kind: Kind, keys: Collection[str]
    ) -> None:
        """Forget what was sent last of these things, so that their documents travel again."""
        for some in chunks(sorted(keys), 1000):
            connection.execute(
                sa.update(_synced)
                .where(
                    _synced.c.site_id == site_id,
                    _synced.c.kind == kind,
                    _synced.c.key.in_(some),
                )
                .values(fingerprint=None)
            )

    def put_together(
        self, connection: sa.Connection, site_id: int, together: Mapping[str, Collection[str]]
    ) -> None:
        """Store which classes are taught in these courses: ``{host: class keys}``; a class that
        is alone has no entry."""
        for some in chunks(sorted(together), 1000):
            connection.execute(
                sa.delete(_taught).where(_taught.c.site_id == site_id, _taught.c.host.in_(some))
            )
        rows = [
            {"site_id": site_id, "class_key": class_key, "host": host}
            for host, classes in sorted(together.items())
            for class_key in sorted(classes)
        ]
        for part in chunks(rows, 1000):
            insert = self._database.upsert(_taught).values(part)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["site_id", "class_key"], set_={"host": insert.excluded.host}
                )
            )

    def companions(self, class_keys: Collection[str]) -> set[str]:
        """The classes that were last taught together with these, at any site, and their hosts."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for some in chunks(sorted(class_keys), 1000):
                hosts = sa.select(_taught.c.host).where(_taught.c.class_key.in_(some))
                query = sa.select(_taught.c.class_key, _taught.c.host).where(
                    _taught.c.host.in_(hosts)
                )
                for row in connection.execute(query):
                    found.update(row)
        return found
