"""A connected Moodle for the engine, without the pairing that other tests are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.lti.models import Registration, Standing
from lti_tool.moodle.models import MoodleSite, Site

TOKEN = "a" * 32


class Tokens:
    """The site's token."""

    def token(self, site: Site) -> str:
        return TOKEN


class NoRegistrations:
    """Nothing is registered or ended here."""

    def view(self, registration_id: int) -> NoReturn:
        raise AssertionError

    def ensure(self, lti: object, *, name: str, former: int | None, actor: str) -> NoReturn:
        raise AssertionError

    def stand_in(self, url: str, *, name: str, actor: str) -> NoReturn:
        raise AssertionError

    def disable(self, registration_id: int, *, actor: str) -> NoReturn:
        raise AssertionError


def connected_site(
    database: Database,
    clock: FixedClock,
    url: str,
    *,
    name: str = "Moodle",
    kinds: Iterable[str] | None = None,
) -> MoodleSite:
    """Store a registration and its site, as pairing would; ``kinds`` are what it says it takes."""
    now = clock.now()
    with database.write() as session:
        registration = Registration(
            name=name,
            issuer=url,
            client_id="client",
            auth_url=url,
            token_url=url,
            jwks_url=url,
            standing=Standing.ACTIVE,
            created_at=now,
            updated_at=now,
        )
        session.add(registration)
        session.flush()
        site = MoodleSite(
            registration_id=registration.id,
            url=url,
            name=name,
            versions={} if kinds is None else {"kinds": list(kinds)},
            paired_by="tests",
            paired_at=now,
            updated_at=now,
        )
        session.add(site)
        session.flush()
    return site
