"""Addresses that several people have: whoever takes one, or leaves it, changes the others too."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from typing import cast

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.bulk import chunks
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.provisioning.models import SharedAddress

_shared = cast(sa.Table, SharedAddress.__table__)


class SharedAddresses:
    """Who was last seen to share an address with whom.

    Nobody who shares an address gets it in Moodle. Who leaves it is no longer found by it in the
    SIS, and the one who keeps it has not changed: that is why it is remembered.
    """

    def __init__(self, database: Database, sis: SisExtracts) -> None:
        self._database = database
        self._sis = sis

    def touched(self, changed: Collection[str]) -> tuple[set[str], dict[str, str]]:
        """Everybody whose address may change with these people, themselves among them; and who of
        them shares one now, to be kept by :meth:`keep`."""
        concerned = {*changed, *self._former(changed)}
        people = self._sis.people(concerned)
        emails = {person.school_email.lower() for person in people.values() if person.school_email}
        holders = self._sis.holders_of_emails(self._sis.shared_emails(emails))
        now = {key: _digest(email) for email, keys in holders.items() for key in keys}
        return concerned | now.keys(), now

    def keep(
        self, connection: sa.Connection, touched: Collection[str], now: Mapping[str, str]
    ) -> None:
        """Remember who shares an address, within the transaction that marks them."""
        for some in chunks(sorted(set(touched) - now.keys()), 1000):
            connection.execute(sa.delete(_shared).where(_shared.c.person_key.in_(some)))
        rows = [{"person_key": key, "address": address} for key, address in sorted(now.items())]
        for part in chunks(rows, 1000):
            insert = self._database.upsert(_shared).values(part)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["person_key"], set_={"address": insert.excluded.address}
                )
            )

    def _former(self, changed: Collection[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for some in chunks(sorted(changed), 1000):
                left = sa.select(_shared.c.address).where(_shared.c.person_key.in_(some))
                query = sa.select(_shared.c.person_key).where(_shared.c.address.in_(left))
                found.update(connection.scalars(query))
        return found


def _digest(email: str) -> str:
    return hashlib.blake2b(email.encode(), digest_size=16).hexdigest()
