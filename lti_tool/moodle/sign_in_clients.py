"""By what people sign in to each Moodle: kept here, fetched by its plugin."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError
from lti_tool.moodle.messages import SignInClient
from lti_tool.moodle.models import MoodleSignIn


class SignInClients:
    """The client of an identity provider that each Moodle is. Secrets are sealed."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog, keyring: Keyring) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._keyring = keyring

    def of(self, url: str) -> SignInClient | None:
        """The client of the Moodle at this address, with its secret."""
        with self._database.read() as session:
            row = session.get(MoodleSignIn, url)
        if row is None:
            return None
        return SignInClient(
            issuer=row.issuer,
            client_id=row.client_id,
            client_secret=self._keyring.open(row.secret_sealed, purpose=_purpose(url)).decode(),
            person_claim=row.person_claim,
            revision=row.revision,
        )

    def revision(self, url: str) -> str | None:
        """What tells the Moodle at this address whether something has changed."""
        with self._database.read() as session:
            return session.scalar(sa.select(MoodleSignIn.revision).where(MoodleSignIn.url == url))

    def addresses(self, issuer: str) -> dict[str, str]:
        """The Moodles that sign in by this provider: address by client id."""
        with self._database.read() as session:
            rows = session.execute(
                sa.select(MoodleSignIn.client_id, MoodleSignIn.url).where(
                    MoodleSignIn.issuer == issuer
                )
            )
            return {row.client_id: row.url for row in rows}

    def keep(
        self,
        url: str,
        *,
        issuer: str,
        client_id: str,
        secret: str,
        person_claim: str,
        actor: str,
    ) -> bool:
        """Keep what the Moodle at ``url`` signs in by; returns whether anything is new.

        Raises:
            InvalidInputError: an address is none, or a value is missing.
        """
        url = _address(url, "url")
        issuer = _address(issuer, "issuer")
        for field, value in (
            ("client_id", client_id),
            ("secret", secret),
            ("person_claim", person_claim),
        ):
            if not value or not value.isprintable() or value != value.strip():
                raise InvalidInputError("This must be said.", field=field)
        known = self.of(url)
        if known and (known.issuer, known.client_id, known.client_secret, known.person_claim) == (
            issuer,
            client_id,
            secret,
            person_claim,
        ):
            return False
        with self._database.write() as session:
            row = session.get(MoodleSignIn, url) or MoodleSignIn(url=url)
            row.issuer, row.client_id, row.person_claim = issuer, client_id, person_claim
            row.secret_sealed = self._keyring.seal(secret.encode(), purpose=_purpose(url))
            row.revision, row.updated_at = secrets.token_hex(8), self._clock.now()
            session.add(row)
            self._audit.record(
                session,
                actor=actor,
                action="site.sign_in_set",
                target=f"moodle:{url}"[:200],
                issuer=issuer,
                client_id=client_id,
                person_claim=person_claim,
            )
        return True


def _address(value: str, field: str) -> str:
    value = value.rstrip("/")
    parts = urlsplit(value)
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
        or not value.isprintable()
    ):
        raise InvalidInputError("This must be an absolute address.", field=field)
    return value


def _purpose(url: str) -> str:
    # A secret sealed for one Moodle can never be opened as another's.
    return f"moodle_sign_in.secret:{url}"
