"""Dead letters: what cannot be done until somebody mends it, with the reason and the remedy."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.moodle.documents import Kind
from lti_tool.sis.bulk import chunks
from lti_tool.sync.provisioning.models import DeadLetter, SyncRun

_letters = cast(sa.Table, DeadLetter.__table__)
_PURPOSE = "sync_dead_letter.message"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter to be written; ``item`` is a person of a roster, a person and a grade item with
    a space between, or empty."""

    key: str
    item: str
    code: str
    field: str | None
    message: str


@dataclass(frozen=True, slots=True)
class DeadLetterView:
    """A dead letter as an administrator sees it."""

    kind: str
    key: str
    item: str
    code: str
    field: str | None
    message: str
    since: dt.datetime
    last_at: dt.datetime

    @property
    def person(self) -> str:
        """Whom of a roster, or whose grade, it is about; empty: the whole thing."""
        return self.item.partition(" ")[0] if self.kind == "grades" else self.item

    @property
    def graded(self) -> str:
        """The key of the item whose grade it is about, if it is one."""
        return self.item.partition(" ")[2] if self.kind == "grades" else ""


class DeadLetters:
    """The dead letters of all sites; their words are sealed, for they may name people."""

    def __init__(self, database: Database, clock: Clock, keyring: Keyring) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring

    def list(
        self,
        site_id: int,
        *,
        kind: str | None = None,
        key: str | None = None,
        code: str | None = None,
        search: str = "",
        people: Collection[str] = (),
        offset: int = 0,
        limit: int = 200,
    ) -> list[DeadLetterView]:
        """A page of a site's dead letters, the newest first.

        ``search``: in the keys of things and people, or the letters of these ``people``; the words
        of a letter are sealed.
        """
        query = (
            sa.select(
                _letters.c.kind,
                _letters.c.key,
                _letters.c.item,
                _letters.c.code,
                _letters.c.field,
                _letters.c.message_sealed,
                _letters.c.since,
                _letters.c.last_at,
            )
            .where(_chosen(site_id, kind=kind, key=key, code=code, search=search, people=people))
            .order_by(_letters.c.last_at.desc(), _letters.c.kind, _letters.c.key, _letters.c.item)
            .offset(offset)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            DeadLetterView(
                *row[:5], self._keyring.open(row[5], purpose=_PURPOSE).decode(), *row[6:]
            )
            for row in rows
        ]

    def count(
        self,
        site_id: int,
        *,
        kind: str | None = None,
        code: str | None = None,
        search: str = "",
        people: Collection[str] = (),
    ) -> int:
        """How many dead letters :meth:`list` has."""
        query = (
            sa.select(sa.func.count())
            .select_from(_letters)
            .where(_chosen(site_id, kind=kind, code=code, search=search, people=people))
        )
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def counts(self, site_id: int) -> dict[str, int]:
        """How many dead letters of each code."""
        query = (
            sa.select(_letters.c.code, sa.func.count())
            .where(_letters.c.site_id == site_id)
            .group_by(_letters.c.code)
        )
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def standing(
        self, connection: sa.Connection, site_id: int, kind: Kind, keys: Collection[str]
    ) -> set[tuple[str, str]]:
        """Key and item of the dead letters of these things."""
        found: set[tuple[str, str]] = set()
        query = sa.select(_letters.c.key, _letters.c.item).where(
            _letters.c.site_id == site_id, _letters.c.kind == kind
        )
        for some in chunks(sorted(keys), 1000):
            rows = connection.execute(query.where(_letters.c.key.in_(some)))
            found.update((key, item) for key, item in rows)
        return found

    def keys(
        self,
        connection: sa.Connection,
        site_id: int,
        *,
        kind: str | None = None,
        key: str | None = None,
        codes: Sequence[str] = (),
    ) -> dict[Kind, set[str]]:
        """Keys of what has dead letters, by kind; of these codes alone, if any."""
        query = sa.select(_letters.c.kind, _letters.c.key).where(_letters.c.site_id == site_id)
        if kind is not None:
            query = query.where(_letters.c.kind == kind)
        if key is not None:
            query = query.where(_letters.c.key == key)
        if codes:
            query = query.where(_letters.c.code.in_(codes))
        found: dict[Kind, set[str]] = defaultdict(set)
        for found_kind, found_key in connection.execute(query.distinct()):
            found[found_kind].add(found_key)
        return dict(found)

    def rosters(self, connection: sa.Connection, site_id: int, people: Collection[str]) -> set[str]:
        """Rosters in which these people have a dead letter."""
        found: set[str] = set()
        for some in chunks(sorted(people), 1000):
            found.update(
                connection.scalars(
                    sa.select(_letters.c.key).where(
                        _letters.c.site_id == site_id,
                        _letters.c.kind == "roster",
                        _letters.c.item.in_(some),
                    )
                )
            )
        return found

    def replace(
        self,
        connection: sa.Connection,
        run: SyncRun,
        kind: Kind,
        answered: Collection[str],
        letters: Sequence[Letter],
    ) -> None:
        """Of the keys answered, keep the letters given and no others; those that stand keep the
        time since when."""
        self._remove(connection, run.site_id, kind, answered, letters)
        now = self._clock.now()
        # Several accounts that no school knows have one empty name: one letter speaks for them.
        single = {(letter.key, letter.item): letter for letter in letters}
        for some in chunks(list(single.values()), 500):
            insert = self._database.upsert(_letters).values(
                [self._row(run, kind, letter, now) for letter in some]
            )
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["site_id", "kind", "key", "item"],
                    set_={
                        name: getattr(insert.excluded, name)
                        for name in ("code", "field", "message_sealed", "last_at", "run_id")
                    },
                )
            )

    def _row(self, run: SyncRun, kind: Kind, letter: Letter, now: dt.datetime) -> dict[str, Any]:
        return {
            "site_id": run.site_id,
            "kind": kind,
            "key": letter.key,
            "item": letter.item,
            "code": letter.code,
            "field": letter.field,
            "message_sealed": self._keyring.seal(letter.message.encode(), purpose=_PURPOSE),
            "since": now,
            "last_at": now,
            "run_id": run.id,
        }

    def _remove(
        self,
        connection: sa.Connection,
        site_id: int,
        kind: Kind,
        keys: Collection[str],
        kept: Sequence[Letter],
    ) -> None:
        staying = {(letter.key, letter.item) for letter in kept}
        of_site = sa.and_(_letters.c.site_id == site_id, _letters.c.kind == kind)
        gone = self.standing(connection, site_id, kind, keys) - staying
        for part in chunks(sorted(gone), 1000):
            connection.execute(
                sa.delete(_letters).where(
                    of_site, sa.tuple_(_letters.c.key, _letters.c.item).in_(part)
                )
            )


def _chosen(
    site_id: int,
    *,
    kind: str | None = None,
    key: str | None = None,
    code: str | None = None,
    search: str = "",
    people: Collection[str] = (),
) -> sa.ColumnElement[bool]:
    wanted = [_letters.c.site_id == site_id]
    for column, value in ((_letters.c.kind, kind), (_letters.c.key, key), (_letters.c.code, code)):
        if value is not None:
            wanted.append(column == value)
    if search or people:
        words = [
            sa.or_(
                _letters.c.key.icontains(word, autoescape=True),
                _letters.c.item.icontains(word, autoescape=True),
                _letters.c.field.icontains(word, autoescape=True),
            )
            for word in search.split()
        ]
        named = sa.or_(_letters.c.item.in_(people), _letters.c.key.in_(people))
        wanted.append(sa.or_(sa.and_(*words), named) if words else named)
    return sa.and_(*wanted)
