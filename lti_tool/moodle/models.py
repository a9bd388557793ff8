"""Tables of the Moodle room."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base
from lti_tool.moodle.documents import MOODLE_KINDS, Kind


class SiteStanding(enum.StrEnum):
    """Whether a site is connected. ``PAUSED``: its token is refused, or someone stopped it."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISCONNECTED = "disconnected"


class System(enum.StrEnum):
    """What a site is."""

    MOODLE = "moodle"
    KEYCLOAK = "keycloak"


# The kinds of documents that each may be sent.
KINDS_OF: dict[System, tuple[Kind, ...]] = {
    System.MOODLE: MOODLE_KINDS,
    System.KEYCLOAK: ("account",),
}


class Site(Base):
    """A system that is kept equal to the SIS; ``system`` says what it is.

    ``versions["kinds"]``: kinds of documents that it takes. ``contract`` is the version spoken with
    it. ``token_sealed`` lets us call it, where it is a token that does. ``checklist`` is what the
    last check of the connection found: ``[{"name", "status", "summary", "details"}]``.
    ``epoch`` and ``held``: the life of its outbox, and the highest event of it that we hold with
    none missing before it; ``held_id`` is that event's id. ``reconcile_since``: events may have
    been missed since then. ``restored_at``: when we learned that Moodle is one from an older
    backup: what was agreed before need not stand there any more.
    """

    __tablename__ = "moodle_site"
    # All columns at once: sites are read, and used when their session is over.
    __mapper_args__ = {"polymorphic_on": "system", "with_polymorphic": "*"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(sa.String(20), default=System.MOODLE.value)
    url: Mapped[str] = mapped_column(sa.String(500), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    standing: Mapped[SiteStanding] = mapped_column(default=SiteStanding.ACTIVE)
    contract: Mapped[int] = mapped_column(default=1)
    versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    token_sealed: Mapped[bytes | None]
    token_expires_at: Mapped[dt.datetime | None]
    epoch: Mapped[str | None] = mapped_column(sa.String(36))
    held: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    held_id: Mapped[str | None] = mapped_column(sa.String(36))
    heard_at: Mapped[dt.datetime | None]
    backlog: Mapped[int] = mapped_column(default=0)
    clock_skew: Mapped[float | None]
    reconcile_since: Mapped[dt.datetime | None]
    restored_at: Mapped[dt.datetime | None]
    checklist: Mapped[list[Any]] = mapped_column(default=list)
    checked_at: Mapped[dt.datetime | None]
    paired_by: Mapped[str] = mapped_column(sa.String(200))
    paired_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    @property
    def product(self) -> str:
        """What it is, by the name that people know."""
        return self.system.title()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of documents that are for such a system."""
        return KINDS_OF[System(self.system)]

    def takes(self, kind: Kind) -> bool:
        """Whether it knows this kind of document: of those that are for such a system, by what it
        said last; a plugin that says nothing is an old one, and is asked."""
        said = self.versions.get("kinds")
        return kind in self.kinds and (not said or kind in said)


class MoodleSite(Site):
    """One Moodle with our plugin. Its LTI registration is the trust; its token lets us call it."""

    __mapper_args__ = {"polymorphic_identity": System.MOODLE.value}  # noqa: RUF012

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), unique=True, nullable=True
    )


class MoodleSignIn(Base):
    """By which client of which identity provider people sign in to the Moodle at ``url``, which
    need not be connected yet. ``revision`` is another one after each change."""

    __tablename__ = "moodle_sign_in"

    url: Mapped[str] = mapped_column(sa.String(500), primary_key=True)
    issuer: Mapped[str] = mapped_column(sa.String(500))
    client_id: Mapped[str] = mapped_column(sa.String(255))
    secret_sealed: Mapped[bytes]
    person_claim: Mapped[str] = mapped_column(sa.String(100))
    revision: Mapped[str] = mapped_column(sa.String(16))
    updated_at: Mapped[dt.datetime]


class PairingCode(Base):
    """A code to connect a Moodle with: single use, minutes long. ``secret_hash`` is SHA-256."""

    __tablename__ = "moodle_pairing_code"

    secret_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    created_by: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    used_at: Mapped[dt.datetime | None]
    site_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="SET NULL")
    )


class SeenRequest(Base):
    """A signed request that was taken: its ``jti`` is never taken again while it is valid."""

    __tablename__ = "moodle_seen_request"

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    jti: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class MoodleEvent(Base):
    """One event of a site, stored once: (site, epoch, sequence). All ids are Moodle's.

    ``event_id`` is unique too: what waits in a restored Moodle comes again under a new number.
    ``taken_at``: when the sync has dealt with it; at once where it is not awaited.
    """

    __tablename__ = "moodle_event"
    __table_args__ = (
        sa.UniqueConstraint("site_id", "event_id"),
        sa.Index("ix_moodle_event_waiting", "site_id", "taken_at", "received_at"),
        sa.Index("ix_moodle_event_course", "site_id", "course", "type"),
    )

    site_id: Mapped[int] = mapped_column(
        sa.ForeignKey("moodle_site.id", ondelete="CASCADE"), primary_key=True
    )
    epoch: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    event_id: Mapped[str] = mapped_column(sa.String(36))
    type: Mapped[str] = mapped_column(sa.String(40))
    at: Mapped[dt.datetime]
    actor: Mapped[int | None] = mapped_column(sa.BigInteger)
    user: Mapped[int | None] = mapped_column(sa.BigInteger)
    course: Mapped[int | None] = mapped_column(sa.BigInteger)
    object: Mapped[int | None] = mapped_column(sa.BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[dt.datetime]
    taken_at: Mapped[dt.datetime | None]
