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
    """A single-use sign-in link, and after its use the administrator's session.

    ``token_hash`` and ``secret_hash`` are SHA-256 in hexadecimal.
    """

    __tablename__ = "admin_sign_in"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]
    link_expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    secret_hash: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[dt.datetime | None]


class SignIn(Base):
    """A sign-in at the school's identity provider under way, for one launch; deleted by its use.

    ``state`` and ``binding_hash`` are SHA-256 digests in hexadecimal of what the browser holds.
    """

    __tablename__ = "sign_in"

    state: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64))
    binding_hash: Mapped[str] = mapped_column(sa.String(64))
    launch_reference: Mapped[str] = mapped_column(
        sa.ForeignKey("lti_launch.reference", ondelete="CASCADE"), index=True
    )
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
