"""Accepting launches: each is judged in one order and leaves one record."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, detached
from lti_tool.core.errors import NagaError
from lti_tool.lti.claims import LaunchClaims, check, parse_claims
from lti_tool.lti.errors import DeploymentPendingError, LaunchError
from lti_tool.lti.launch_sessions import LaunchSession, load_session, session_problem
from lti_tool.lti.login import COOKIE, ConsumedLogin, Logins, check_standing, digest
from lti_tool.lti.messages import validate_message
from lti_tool.lti.models import Deployment, Launch, LaunchOutcome, Registration, Standing
from lti_tool.lti.platform_keys import PlatformKeys
from lti_tool.lti.registrations import Registrations

# No 0, 1, I, L, O, U: people read references out over the telephone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 12
_LAUNCHES = cast(sa.Table, Launch.__table__)
_DEPLOYMENTS = cast(sa.Table, Deployment.__table__)
# Built once: putting statements together costs more than running them.
_INSERT = sa.insert(_LAUNCHES)
_STANDING = sa.select(_DEPLOYMENTS.c.standing).where(
    _DEPLOYMENTS.c.registration_id == sa.bindparam("registration"),
    _DEPLOYMENTS.c.deployment_id == sa.bindparam("deployment"),
)
# Custom parameters of our own links; others are not kept.
_OWN_CUSTOM = "naga_"


@dataclass(frozen=True, slots=True)
class AcceptedLaunch:
    """A launch that holds. ``secret`` goes to the browser and is stored nowhere else."""

    launch: Launch
    claims: LaunchClaims
    registration: Registration
    secret: str


@dataclass(slots=True)
class _Attempt:
    """A launch while it is judged: what is known of it so far is what its record will say."""

    state: str
    id_token: str
    binding_secret: str | None
    binding: str
    login: ConsumedLogin | None = None
    registration: Registration | None = None
    body: dict[str, Any] = field(default_factory=dict)
    claims: LaunchClaims | None = None


class Launches:
    """Judges launches and keeps their records, which are also the sessions of accepted ones.

    Args:
        skew_seconds: how far the platform's clock may be from ours.
        session_hours: how long an accepted launch stays a session.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        registrations: Registrations,
        logins: Logins,
        platform_keys: PlatformKeys,
        *,
        public_url: str,
        skew_seconds: int = 60,
        session_hours: float = 8,
    ) -> None:
        self._database = database
        self._clock = clock
        self._registrations = registrations
        self._logins = logins
        self._platform_keys = platform_keys
        self._public_url = public_url
        self._skew_seconds = min(skew_seconds, 60)
        self._session_length = dt.timedelta(hours=session_hours)

    def accept(
        self,
        *,
        state: str,
        id_token: str,
        binding_secret: str | None,
        binding: str = COOKIE,
    ) -> AcceptedLaunch:
        """Judge one launch: state and binding, consumption, registration, signature, claims,
        nonce, deployment; then write its record.

        Raises:
            LaunchError: refused; ``reference`` finds the record.
            DeploymentPendingError: parked until an administrator approves the deployment.
        """
        attempt = _Attempt(state, id_token, binding_secret, binding)
        with self._database.writing() as connection:
            outcome = self._judge(connection, attempt)
        if outcome is None:
            # The keys must be read or fetched: no one else may have to wait for that.
            error = self._decode(attempt)
            with self._database.writing() as connection:
                outcome = self._conclude(connection, attempt, error)
        if isinstance(outcome, LaunchError):
            raise outcome
        return outcome

    def refuse(
        self, error: NagaError, *, registration_id: int | None = None, **ids: str | None
    ) -> str:
        """Write the record of a login or launch that failed elsewhere; returns its reference.

        ``ids``: ``deployment_id``, ``target``, ``binding``.
        """
        values = self._values(LaunchOutcome.REFUSED, reason=error.code, detail=error.detail)
        values["registration_id"] = registration_id
        values |= {name: value[:255] for name, value in ids.items() if value}
        with self._database.writing() as connection:
            connection.execute(_INSERT, values)
        if isinstance(error, LaunchError):
            error.reference = values["reference"]
        return str(values["reference"])

    def session(self, reference: str, secret: str) -> LaunchSession | None:
        """Return the session of an accepted launch if it holds now, in one statement."""
        with self._database.reading() as connection:
            return load_session(connection, reference, secret, now=self._clock.now())

    def session_problem(self, reference: str, secret: str) -> LaunchError:
        """Say why :meth:`session` returned ``None``."""
        with self._database.read() as session:
            return session_problem(session, reference, secret, now=self._clock.now())

    def attach_person(self, session: Session, reference: str, person_key: str) -> None:
        """Note on the record who the person is."""
        session.execute(
            sa.update(_LAUNCHES)
            .where(_LAUNCHES.c.reference == reference)
            .values(person_key=person_key)
        )

    def answer_deep_link(self, session: Session, reference: str) -> bool:
        """Take the one answer that a deep-linking launch has; ``False`` if it was given before."""
        result = session.execute(
            sa.update(_LAUNCHES)
            .where(
                _LAUNCHES.c.reference == reference,
                _LAUNCHES.c.deep_link_answered_at.is_(None),
            )
            .values(deep_link_answered_at=self._clock.now())
        )
        return cast(sa.CursorResult[Any], result).rowcount == 1

    def recent(
        self,
        *,
        registration_id: int | None = None,
        outcome: LaunchOutcome | None = None,
        reference: str | None = None,
        limit: int = 50,
        before: dt.datetime | None = None,
    ) -> list[Launch]:
        """Return launch records, the youngest first; ``before`` continues a list."""
        query = sa.select(Launch).order_by(Launch.at.desc(), Launch.reference).limit(limit)
        if registration_id is not None:
            query = query.where(Launch.registration_id == registration_id)
        if outcome is not None:
            query = query.where(Launch.outcome == outcome)
        if reference is not None:
            query = query.where(Launch.reference == reference.strip().upper())
        if before is not None:
            query = query.where(Launch.at < before)
        with self._database.read() as session:
            return list(session.scalars(query))

    def purge(self, *, older_than_days: int) -> int:
        """Delete old records; returns how many."""
        oldest = self._clock.now() - dt.timedelta(days=older_than_days)
        with self._database.write() as session:
            result = session.execute(sa.delete(_LAUNCHES).where(_LAUNCHES.c.at < oldest))
            return cast(sa.CursorResult[Any], result).rowcount

    def _judge(
        self, connection: sa.Connection, attempt: _Attempt
    ) -> AcceptedLaunch | LaunchError | None:
        """Consume the sign-in and, if the keys are at hand, finish in the same transaction.

        Errors are returned, not raised: a refused launch must stay consumed and recorded.
        """
        try:
            attempt.login = self._logins.consume(
                connection,
                state=attempt.state,
                binding_secret=attempt.binding_secret,
                binding=attempt.binding,
            )
            attempt.registration = self._registrations.of_login(
                connection, attempt.login.registration_id
            )
            check_standing(attempt.registration)
            if not attempt.id_token:
                raise LaunchError("id_token_missing", field="id_token")
            decoded = self._platform_keys.decode_cached(
                attempt.id_token, jwks_url=attempt.registration.jwks_url
            )
        except LaunchError as error:
            return self._conclude(connection, attempt, error)
        if decoded is None:
            return None
        attempt.body = decoded[1]
        return self._conclude(connection, attempt, None)

    def _decode(self, attempt: _Attempt) -> LaunchError | None:
        assert attempt.registration is not None  # noqa: S101 - _judge has set it
        try:
            _, attempt.body = self._platform_keys.decode(
                attempt.id_token, jwks_url=attempt.registration.jwks_url
            )
        except LaunchError as error:
            return error
        return None

    def _conclude(
        self, connection: sa.Connection, attempt: _Attempt, error: LaunchError | None
    ) -> AcceptedLaunch | LaunchError:
        if error is None:
            try:
                claims = self._check(connection, attempt)
            except LaunchError as refused:
                error = refused
        if error is not None:
            outcome = (
                LaunchOutcome.PARKED
                if isinstance(error, DeploymentPendingError)
                else LaunchOutcome.REFUSED
            )
            values = self._values(outcome, reason=error.code, detail=error.detail, attempt=attempt)
            connection.execute(_INSERT, values)
            error.reference = values["reference"]
            return error
        assert attempt.registration is not None  # noqa: S101 - _judge has set it
        secret = secrets.token_urlsafe(32)
        values = self._values(LaunchOutcome.ACCEPTED, attempt=attempt)
        values["services"] = _services(claims)
        values["secret_hash"] = digest(secret)
        values["expires_at"] = values["at"] + self._session_length
        connection.execute(_INSERT, values)
        return AcceptedLaunch(detached(Launch, values), claims, attempt.registration, secret)

    def _check(self, connection: sa.Connection, attempt: _Attempt) -> LaunchClaims:
        login, registration = attempt.login, attempt.registration
        assert login is not None  # noqa: S101 - _judge has set both
        assert registration is not None  # noqa: S101
        claims = parse_claims(attempt.body)
        check(
            claims,
            issuer=registration.issuer,
            client_id=registration.client_id,
            now=self._clock.now(),
            skew_seconds=self._skew_seconds,
        )
        attempt.claims = claims
        validate_message(attempt.body, message_type=claims.message_type)
        if not secrets.compare_digest(claims.nonce.encode(), login.nonce.encode()):
            raise LaunchError("nonce_mismatch", field="nonce")
        if claims.target_link_uri not in (None, login.target_link_uri):
            raise LaunchError("target_link_mismatch", field="target_link_uri")
        if login.deployment_id not in (None, claims.deployment_id):
            raise LaunchError("deployment_mismatch", field="deployment_id")
        self._check_deployment(connection, registration.id, claims.deployment_id)
        return claims

    def _check_deployment(
        self, connection: sa.Connection, registration_id: int, deployment_id: str
    ) -> None:
        standing = connection.scalar(
            _STANDING, {"registration": registration_id, "deployment": deployment_id}
        )
        if standing is Standing.ACTIVE:
            return
        if standing is Standing.DISABLED:
            raise LaunchError("deployment_disabled", deployment_id=deployment_id)
        if standing is None:
            connection.execute(
                self._database.upsert(_DEPLOYMENTS)
                .values(
                    registration_id=registration_id,
                    deployment_id=deployment_id,
                    standing=Standing.PENDING,
                    created_at=self._clock.now(),
                )
                .on_conflict_do_nothing()
            )
        raise DeploymentPendingError(deployment_id)

    def _values(
        self,
        outcome: LaunchOutcome,
        *,
        reason: str = "ok",
        detail: str | None = None,
        attempt: _Attempt | None = None,
    ) -> dict[str, Any]:
        """The columns of a record; each is there, so that all inserts are one statement."""
        now = self._clock.now()
        values: dict[str, Any] = {
            "reference": _new_reference(),
            "at": now,
            "outcome": outcome,
            "reason": reason,
            "detail": detail[:500] if detail else None,
            "roles": [],
            "services": {},
        }
        if attempt is None:
            return values
        values["binding"] = attempt.binding
        if attempt.registration is not None:
            values["registration_id"] = attempt.registration.id
        if attempt.login is not None:
            values["target"] = attempt.login.target_link_uri[:500]
            values["deployment_id"] = attempt.login.deployment_id
        issued = attempt.body.get("iat")
        if isinstance(issued, int) and 0 <= issued < 1 << 40:
            values["clock_skew"] = round(issued - now.timestamp(), 3)
        claims = attempt.claims
        if claims is not None:
            values |= {
                "deployment_id": claims.deployment_id,
                "message_type": claims.message_type,
                "subject": claims.sub,
                "context_id": claims.context.id if claims.context else None,
                "resource_link_id": claims.resource_link.id if claims.resource_link else None,
                "roles": list(claims.roles),
            }
        return values


def _new_reference() -> str:
    # One random number for all letters: asking the system for each takes longer than the rest.
    number = secrets.randbelow(len(_ALPHABET) ** _REFERENCE_LENGTH)
    letters = []
    for _ in range(_REFERENCE_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def _services(claims: LaunchClaims) -> dict[str, Any]:
    """What later requests of this session need. No names and no addresses of people."""
    found: dict[str, Any] = {
        "ags": claims.ags and claims.ags.model_dump(exclude_none=True),
        "nrps": claims.nrps and claims.nrps.model_dump(exclude_none=True),
        "deep_linking": claims.deep_linking and claims.deep_linking.model_dump(exclude_none=True),
        "for_user": claims.for_user and claims.for_user.model_dump(exclude_none=True),
        "title": claims.context and claims.context.title,
        "label": claims.context and claims.context.label,
        "locale": claims.locale,
        "person_sourcedid": claims.person_sourcedid,
        "section_sourcedid": claims.section_sourcedid,
        "custom": _own(claims.custom or {}),
    }
    shown = claims.launch_presentation
    if shown is not None:
        found["return_url"] = shown.return_url
        found["locale"] = shown.locale or claims.locale
        found["document_target"] = shown.document_target
    if claims.tool_platform is not None:
        found["platform_version"] = claims.tool_platform.version
    return {name: value for name, value in found.items() if value}


def _own(custom: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value[:255]
        for name, value in custom.items()
        if name.startswith(_OWN_CUSTOM) and len(name) <= 50
    }
