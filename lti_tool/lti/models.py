"""Tables of the LTI room."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lti_tool.core.database import Base


class Standing(enum.StrEnum):
    """Whether a registration or deployment may be used. Only ``ACTIVE`` launches."""

    PENDING = "pending"
    ACTIVE = "active"
    DISABLED = "disabled"


class LaunchOutcome(enum.StrEnum):
    """What became of a launch. ``PARKED`` waits for an administrator's approval."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    PARKED = "parked"


class Registration(Base):
    """A platform that may launch this tool: issuer and client id.

    ``sourcedid_trusted``: the administrator has said that people cannot edit the identifier that
    the platform sends as ``lis.person_sourcedid``, so that it may link a person by itself.
    ``token_audience`` is the ``aud`` of our client assertion where it differs from ``token_url``.
    """

    __tablename__ = "lti_registration"
    __table_args__ = (sa.UniqueConstraint("issuer", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    issuer: Mapped[str] = mapped_column(sa.String(500))
    client_id: Mapped[str] = mapped_column(sa.String(255))
    platform_family: Mapped[str] = mapped_column(sa.String(50), default="generic")
    auth_url: Mapped[str] = mapped_column(sa.String(1000))
    token_url: Mapped[str] = mapped_column(sa.String(1000))
    token_audience: Mapped[str | None] = mapped_column(sa.String(1000))
    jwks_url: Mapped[str] = mapped_column(sa.String(1000))
    standing: Mapped[Standing] = mapped_column(default=Standing.PENDING)
    sourcedid_trusted: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]

    deployments: Mapped[list[Deployment]] = relationship(
        back_populates="registration", cascade="all, delete-orphan", order_by="Deployment.id"
    )


class Deployment(Base):
    """A deployment of this tool within a registration; unknown ones are parked as pending."""

    __tablename__ = "lti_deployment"
    __table_args__ = (sa.UniqueConstraint("registration_id", "deployment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE")
    )
    deployment_id: Mapped[str] = mapped_column(sa.String(255))
    standing: Mapped[Standing] = mapped_column(default=Standing.PENDING)
    created_at: Mapped[dt.datetime]

    registration: Mapped[Registration] = relationship(back_populates="deployments")


class Login(Base):
    """A login under way: state and nonce in one row, deleted by the launch that consumes it.

    ``state`` and ``binding_hash`` are SHA-256 digests in hexadecimal of what the browser holds.
    ``binding``: how the browser proves itself: ``cookie`` or ``storage`` (platform post-message).
    ``request`` keeps the login parameters until the browser has shown that it can be bound.
    """

    __tablename__ = "lti_login"

    state: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64))
    binding_hash: Mapped[str] = mapped_column(sa.String(64))
    binding: Mapped[str] = mapped_column(sa.String(20), default="cookie")
    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), index=True
    )
    deployment_id: Mapped[str | None] = mapped_column(sa.String(255))
    target_link_uri: Mapped[str] = mapped_column(sa.String(2000))
    request: Mapped[dict[str, Any]]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class Launch(Base):
    """The one record that every launch leaves, and the session of an accepted one.

    ``reference`` stands on the person's page. ``services`` holds the claims that later requests
    need (``ags``, ``nrps``, ``deep_linking``, ``return_url``, ``locale``, ``for_user``, ``title``):
    no names, no addresses of people. ``secret_hash`` binds the session to the browser.
    """

    __tablename__ = "lti_launch"
    __table_args__ = (sa.Index("ix_lti_launch_registration_at", "registration_id", "at"),)

    reference: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    outcome: Mapped[LaunchOutcome]
    reason: Mapped[str] = mapped_column(sa.String(60), default="ok")
    detail: Mapped[str | None] = mapped_column(sa.String(500))
    registration_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="SET NULL")
    )
    deployment_id: Mapped[str | None] = mapped_column(sa.String(255))
    message_type: Mapped[str | None] = mapped_column(sa.String(60))
    subject: Mapped[str | None] = mapped_column(sa.String(255))
    context_id: Mapped[str | None] = mapped_column(sa.String(255))
    resource_link_id: Mapped[str | None] = mapped_column(sa.String(255))
    roles: Mapped[list[str]] = mapped_column(default=list)
    binding: Mapped[str | None] = mapped_column(sa.String(20))
    clock_skew: Mapped[float | None]
    target: Mapped[str | None] = mapped_column(sa.String(500))
    person_key: Mapped[str | None] = mapped_column(sa.String(255))
    services: Mapped[dict[str, Any]] = mapped_column(default=dict)
    secret_hash: Mapped[str | None] = mapped_column(sa.String(64))
    expires_at: Mapped[dt.datetime | None]
    deep_link_answered_at: Mapped[dt.datetime | None]


class ToolKey(Base):
    """One of our signing keys. Published from creation until ``expires_at``; signs from
    ``active_from`` until a younger key becomes active."""

    __tablename__ = "lti_tool_key"

    kid: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    public_jwk: Mapped[dict[str, Any]]
    private_sealed: Mapped[bytes]
    created_at: Mapped[dt.datetime]
    active_from: Mapped[dt.datetime] = mapped_column(index=True)
    expires_at: Mapped[dt.datetime | None]


class PlatformKeySet(Base):
    """A platform's key set as last fetched, shared by all processes."""

    __tablename__ = "lti_platform_keyset"

    jwks_url: Mapped[str] = mapped_column(sa.String(1000), primary_key=True)
    keys: Mapped[list[Any]]
    fetched_at: Mapped[dt.datetime | None]
    attempted_at: Mapped[dt.datetime]


class AccessToken(Base):
    """A service token, shared by all processes; ``scopes`` sorted and joined by a space."""

    __tablename__ = "lti_access_token"

    registration_id: Mapped[int] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="CASCADE"), primary_key=True
    )
    scopes: Mapped[str] = mapped_column(sa.String(500), primary_key=True)
    token_sealed: Mapped[bytes]
    granted: Mapped[str] = mapped_column(sa.String(1000), default="")
    expires_at: Mapped[dt.datetime]


class Invite(Base):
    """A one-time address for Dynamic Registration; ``token_hash`` is SHA-256 in hexadecimal."""

    __tablename__ = "lti_invite"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    created_by: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    registration_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("lti_registration.id", ondelete="SET NULL")
    )
