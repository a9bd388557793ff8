"""Tables of the identity room."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Base


class PersonLink(Base):
    """One account of one platform is this person of the SIS.

    ``method``: ``sourcedid`` (the platform's identifier is locked), ``administrator``, or
    ``sign_in`` (the person proved it). ``linked_by`` is who did it.
    """

    __tablename__ = "person_link"
    __table_args__ = (sa.UniqueConstraint("registration_id", "person_key"),)

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    person_key: Mapped[str] = mapped_column(sa.String(255))
    method: Mapped[str] = mapped_column(sa.String(20))
    linked_by: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]


class AdminSignIn(Base):
    """A session without a launch: of a single-use link to the administration once it was used, or
    of a person who signed in at the identity provider, to the administration or to their own pages.

    ``token_hash`` and ``secret_hash`` are SHA-256 in hexadecimal. ``roles`` are those of
    ``rights.py``. Of a sign-in at a provider: ``issuer``, ``subject`` and ``sid`` name it there,
    ``authenticated_at`` is when the person last proved who they are, ``acr`` how well (in the
    provider's words), ``tokens_sealed`` holds the ID token (to sign out there), the refresh token
    (to learn of changed roles) and the roles that the provider named; ``checked_at`` is when that
    was last done.
    """

    __tablename__ = "admin_sign_in"
    __table_args__ = (sa.Index("ix_admin_sign_in_provider", "issuer", "subject", "sid"),)

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]
    link_expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    secret_hash: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[dt.datetime | None]
    seen_at: Mapped[dt.datetime | None]
    roles: Mapped[list[str]] = mapped_column(default=lambda: ["administrator"])
    person_key: Mapped[str | None] = mapped_column(sa.String(255), index=True)
    issuer: Mapped[str | None] = mapped_column(sa.String(500))
    subject: Mapped[str | None] = mapped_column(sa.String(255))
    sid: Mapped[str | None] = mapped_column(sa.String(255))
    authenticated_at: Mapped[dt.datetime | None]
    acr: Mapped[str | None] = mapped_column(sa.String(255))
    checked_at: Mapped[dt.datetime | None]
    tokens_sealed: Mapped[bytes | None]


class SeenLogout(Base):
    """A logout token that was taken: a second use is refused until it has expired anyway."""

    __tablename__ = "seen_logout"

    issuer: Mapped[str] = mapped_column(sa.String(500), primary_key=True)
    jti: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class SignIn(Base):
    """A sign-in at the school's identity provider under way; deleted by its use. It is for one
    launch, or, without one, to use the tool itself.

    ``state`` and ``binding_hash`` are SHA-256 digests in hexadecimal of what the browser holds.
    ``onward`` is the page that the person wanted; ``step_up``: they were asked to prove who they
    are now, for an act that reaches far.
    """

    __tablename__ = "sign_in"

    state: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64))
    binding_hash: Mapped[str] = mapped_column(sa.String(64))
    launch_reference: Mapped[str | None] = mapped_column(
        sa.ForeignKey("lti_launch.reference", ondelete="CASCADE"), index=True
    )
    onward: Mapped[str | None] = mapped_column(sa.String(500))
    step_up: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
