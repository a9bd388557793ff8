"""The session that an accepted launch is, and why one does not hold."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.database import Executor, detached
from lti_tool.lti import roles
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.login import check_standing, digest
from lti_tool.lti.models import Deployment, Launch, LaunchOutcome, Registration, Standing

# Built once: putting statements together costs more than running them.
_LAUNCHES = cast(sa.Table, Launch.__table__)
_REGISTRATIONS = cast(sa.Table, Registration.__table__)
_DEPLOYMENTS = cast(sa.Table, Deployment.__table__)
# No setting lets one be longer; without it every launch of the last months would be looked at.
_LONGEST = dt.timedelta(hours=24)
_HOLDING = (
    sa.select(*_LAUNCHES.c, *_REGISTRATIONS.c)
    .select_from(_LAUNCHES)
    .join(_REGISTRATIONS, _REGISTRATIONS.c.id == _LAUNCHES.c.registration_id)
    .join(
        _DEPLOYMENTS,
        sa.and_(
            _DEPLOYMENTS.c.registration_id == _LAUNCHES.c.registration_id,
            _DEPLOYMENTS.c.deployment_id == _LAUNCHES.c.deployment_id,
        ),
    )
    .where(
        _LAUNCHES.c.reference == sa.bindparam("wanted"),
        _LAUNCHES.c.secret_hash == sa.bindparam("digest_of_secret"),
        _LAUNCHES.c.outcome == LaunchOutcome.ACCEPTED,
        _LAUNCHES.c.expires_at > sa.bindparam("now"),
        _REGISTRATIONS.c.standing == Standing.ACTIVE,
        _DEPLOYMENTS.c.standing == Standing.ACTIVE,
    )
)


@dataclass(frozen=True, slots=True)
class LaunchSession:
    """An accepted launch whose session holds; both records are detached.

    The claims that pages need are in :attr:`services` (see :class:`~lti_tool.lti.models.Launch`).
    """

    launch: Launch
    registration: Registration

    @property
    def reference(self) -> str:
        """The launch's reference: the session's pages live under ``/l/<reference>/``."""
        return self.launch.reference

    @property
    def subject(self) -> str:
        """The person, as the platform names them."""
        return self.launch.subject or ""

    @property
    def person_key(self) -> str | None:
        """The person, as the SIS names them, if they are known."""
        return self.launch.person_key

    @property
    def deployment_id(self) -> str:
        """The deployment that the launch came from."""
        return self.launch.deployment_id or ""

    @property
    def message_type(self) -> str:
        """``LtiResourceLinkRequest``, ``LtiDeepLinkingRequest``, ``LtiSubmissionReviewRequest``."""
        return self.launch.message_type or ""

    @property
    def context_id(self) -> str | None:
        """The course, as the platform names it."""
        return self.launch.context_id

    @property
    def resource_link_id(self) -> str | None:
        """The link within the course."""
        return self.launch.resource_link_id

    @property
    def roles(self) -> tuple[str, ...]:
        """Full role URIs."""
        return tuple(self.launch.roles)

    @property
    def services(self) -> dict[str, Any]:
        """The claims that later requests need."""
        return self.launch.services

    @property
    def ags(self) -> dict[str, Any] | None:
        """The claim of Assignment and Grade Services, or ``None`` if the platform has none."""
        return self.launch.services.get("ags")

    @property
    def nrps(self) -> dict[str, Any] | None:
        """The claim of Names and Role Provisioning Services, or ``None``."""
        return self.launch.services.get("nrps")

    @property
    def deep_linking(self) -> dict[str, Any] | None:
        """The deep-linking settings, or ``None`` if this is no deep-linking launch."""
        return self.launch.services.get("deep_linking")

    @property
    def custom(self) -> dict[str, str]:
        """Custom parameters of our own links (``naga_page``, ``naga_part``)."""
        return self.launch.services.get("custom", {})  # type: ignore[no-any-return]

    @property
    def is_instructor(self) -> bool:
        """Whether they teach this course."""
        return roles.is_instructor(self.roles)

    @property
    def is_learner(self) -> bool:
        """Whether they study in this course."""
        return roles.is_learner(self.roles)

    @property
    def is_site_administrator(self) -> bool:
        """Whether they administer the whole platform."""
        return roles.is_site_administrator(self.roles)


def load_session(
    session: Executor, reference: str, secret: str, *, now: dt.datetime
) -> LaunchSession | None:
    """Return the session if it holds now: not expired, platform and deployment still active."""
    row = session.execute(
        _HOLDING, {"wanted": reference, "digest_of_secret": digest(secret), "now": now}
    ).one_or_none()
    if row is None:
        return None
    launch = dict(zip(_LAUNCHES.c.keys(), row, strict=False))
    registration = dict(zip(_REGISTRATIONS.c.keys(), row[len(launch) :], strict=True))
    return LaunchSession(detached(Launch, launch), detached(Registration, registration))


def end_sessions(session: Executor, accounts: sa.Select[int, str], *, now: dt.datetime) -> int:
    """End the sessions of all launches from these accounts (registration and subject); returns how
    many there were."""
    result = session.execute(
        sa.update(_LAUNCHES)
        .where(
            _LAUNCHES.c.at > now - _LONGEST,
            _LAUNCHES.c.expires_at > now,
            sa.tuple_(_LAUNCHES.c.registration_id, _LAUNCHES.c.subject).in_(accounts),
        )
        .values(expires_at=now)
    )
    return cast(sa.CursorResult[Any], result).rowcount


def session_problem(
    session: Session, reference: str, secret: str, *, now: dt.datetime
) -> LaunchError:
    """Say why :func:`load_session` found none."""
    launch = session.get(Launch, reference)
    if launch is None or launch.secret_hash is None or launch.expires_at is None:
        return LaunchError("session_missing")
    if not secrets.compare_digest(launch.secret_hash, digest(secret)):
        return LaunchError("session_foreign")
    if launch.expires_at <= now:
        return LaunchError("session_expired")
    registration = None
    if launch.registration_id is not None:
        registration = session.get(Registration, launch.registration_id)
    if registration is None:
        return LaunchError("registration_disabled")
    try:
        check_standing(registration)
    except LaunchError as error:
        return error
    return LaunchError("deployment_disabled", deployment_id=launch.deployment_id)
