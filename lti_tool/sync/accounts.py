"""What this room needs of the links between accounts and people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session


class Accounts(Protocol):
    """Links between accounts (``sub``) and people, each one statement, however many are asked for.

    ``identity`` implements it; the two rooms do not import each other.
    """

    def links(
        self, session: Session, registration_id: int, subjects: Collection[str], /
    ) -> dict[str, str]:
        """The person keys of these accounts, by subject."""
        ...

    def by_person(
        self, session: Session, registration_id: int, person_keys: Collection[str], /
    ) -> dict[str, str]:
        """The accounts of these people, by person key."""
        ...

    def linked_people(self, registration_id: int, /) -> sa.Select[str]:
        """A select of the person keys that have an account."""
        ...
