"""Which platforms may launch this tool, and in which of their deployments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, selectinload

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database, Executor, detached
from lti_tool.core.errors import ConflictError, InvalidInputError, NotFoundError
from lti_tool.lti.errors import AmbiguousClientError
from lti_tool.lti.models import Deployment, Registration, Standing

_URLS = ("auth_url", "token_url", "jwks_url")
_LIMITS = {"name": 200, "issuer": 500, "client_id": 255, "platform_family": 50}
_URL_LIMIT = 1000
_DEPLOYMENT_LIMIT = 255
_CHANGEABLE = frozenset(
    {*_LIMITS, *_URLS, "token_audience", "sourcedid_trusted"},
)
_ORIGINS_KEPT = dt.timedelta(seconds=5)

# Built once: putting statements together costs more than running them.
_TABLE = cast(sa.Table, Registration.__table__)
_BY_ISSUER = sa.select(*_TABLE.c).where(_TABLE.c.issuer == sa.bindparam("issuer")).limit(2)
_BY_CLIENT = _BY_ISSUER.where(_TABLE.c.client_id == sa.bindparam("client_id"))
_BY_ID = sa.select(*_TABLE.c).where(_TABLE.c.id == sa.bindparam("wanted"))
_NAMES = tuple(_TABLE.c.keys())


class Registrations:
    """Platforms and deployments: kept by administrators, read by every login and launch.

    Args:
        allow_http: whether a platform's addresses may be plain http (labs).
    """

    def __init__(
        self, database: Database, clock: Clock, audit: AuditLog, *, allow_http: bool = False
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._schemes = ("https", "http") if allow_http else ("https",)
        self._origins: tuple[dt.datetime, frozenset[str]] | None = None

    def create(
        self,
        *,
        actor: str,
        name: str,
        issuer: str,
        client_id: str,
        auth_url: str,
        token_url: str,
        jwks_url: str,
        platform_family: str = "generic",
        token_audience: str | None = None,
        deployment_ids: Iterable[str] = (),
        standing: Standing = Standing.ACTIVE,
        sourcedid_trusted: bool = False,
    ) -> Registration:
        """Register a platform; the deployments named are approved with it.

        Raises:
            ConflictError: this issuer and client id are registered already.
            InvalidInputError: with the ``field`` at fault.
        """
        values = self._checked(
            {
                "name": name,
                "issuer": issuer,
                "client_id": client_id,
                "auth_url": auth_url,
                "token_url": token_url,
                "jwks_url": jwks_url,
                "platform_family": platform_family,
                "token_audience": token_audience,
                "sourcedid_trusted": sourcedid_trusted,
            }
        )
        deployments = [_deployment_id(each) for each in dict.fromkeys(deployment_ids)]
        now = self._clock.now()
        registration = Registration(
            **values,
            standing=standing,
            created_at=now,
            updated_at=now,
            deployments=[
                Deployment(deployment_id=each, standing=Standing.ACTIVE, created_at=now)
                for each in deployments
            ],
        )
        try:
            with self._database.write() as session:
                session.add(registration)
                session.flush()
                self._audit.record(
                    session,
                    actor=actor,
                    action="registration.created",
                    target=f"registration:{registration.id}",
                    issuer=issuer,
                    client_id=client_id,
                    standing=standing.value,
                )
        except IntegrityError as error:
            raise _conflict() from error
        self._origins = None
        return registration

    def update(self, registration_id: int, *, actor: str, **changes: Any) -> Registration:
        """Change fields of a registration; raises as :meth:`create` does, or NotFoundError."""
        unknown = sorted(changes.keys() - _CHANGEABLE)
        if unknown:
            raise InvalidInputError("This field cannot be changed.", field=unknown[0])
        values = self._checked(changes)
        try:
            with self._database.write() as session:
                registration = _load(session, registration_id)
                changed = {
                    field: value
                    for field, value in values.items()
                    if getattr(registration, field) != value
                }
                if changed:
                    for field, value in changed.items():
                        setattr(registration, field, value)
                    registration.updated_at = self._clock.now()
                    session.flush()
                    self._audit.record(
                        session,
                        actor=actor,
                        action="registration.changed",
                        target=f"registration:{registration_id}",
                        changes=changed,
                    )
        except IntegrityError as error:
            raise _conflict() from error
        self._origins = None
        return registration

    def set_standing(self, registration_id: int, standing: Standing, *, actor: str) -> None:
        """Approve or disable a platform. It holds from the next request on, in every process."""
        with self._database.write() as session:
            registration = _load(session, registration_id)
            if registration.standing is standing:
                return
            before, registration.standing = registration.standing, standing
            registration.updated_at = self._clock.now()
            self._audit.record(
                session,
                actor=actor,
                action="registration.standing",
                target=f"registration:{registration_id}",
                before=before.value,
                after=standing.value,
            )
        self._origins = None

    def set_deployment_standing(
        self, registration_id: int, deployment_id: str, standing: Standing, *, actor: str
    ) -> None:
        """Approve or disable one deployment; an unknown one is created, so that an administrator
        can approve a deployment before its first launch."""
        deployment_id = _deployment_id(deployment_id)
        with self._database.write() as session:
            registration = _load(session, registration_id)
            found = next(
                (each for each in registration.deployments if each.deployment_id == deployment_id),
                None,
            )
            before = found.standing.value if found else None
            if found is None:
                registration.deployments.append(
                    Deployment(
                        deployment_id=deployment_id,
                        standing=standing,
                        created_at=self._clock.now(),
                    )
                )
            elif found.standing is standing:
                return
            else:
                found.standing = standing
            self._audit.record(
                session,
                actor=actor,
                action="deployment.standing",
                target=f"registration:{registration_id}",
                deployment_id=deployment_id,
                before=before,
                after=standing.value,
            )

    def get(self, registration_id: int) -> Registration:
        """Return a registration with its deployments; raises NotFoundError."""
        with self._database.read() as session:
            return _load(session, registration_id)

    def list(self) -> list[Registration]:
        """Return all registrations by name, with their deployments."""
        with self._database.read() as session:
            return list(
                session.scalars(
                    sa.select(Registration)
                    .options(selectinload(Registration.deployments))
                    .order_by(Registration.name, Registration.id)
                )
            )

    def find(self, session: Executor, *, issuer: str, client_id: str | None) -> Registration | None:
        """Find the registration that a login names, whatever its standing.

        Raises:
            AmbiguousClientError: no client id given, and the issuer has several.
        """
        query = _BY_ISSUER if client_id is None else _BY_CLIENT
        found = session.execute(query, {"issuer": issuer, "client_id": client_id}).all()
        if len(found) > 1:
            raise AmbiguousClientError(issuer)
        return _detached(found[0]) if found else None

    def of_login(self, session: Executor, registration_id: int) -> Registration:
        """The registration of a login under way, detached; it is there as long as the login."""
        return _detached(session.execute(_BY_ID, {"wanted": registration_id}).one())

    def launch_url_origin_list(self) -> frozenset[str]:
        """Return the origins that may frame our pages: those of active platforms' sign-in pages."""
        now = self._clock.now()
        kept = self._origins
        if kept is not None and now - kept[0] < _ORIGINS_KEPT:
            return kept[1]
        with self._database.read() as session:
            urls = session.scalars(
                sa.select(Registration.auth_url).where(Registration.standing == Standing.ACTIVE)
            ).all()
        origins = frozenset(origin_of(url) for url in urls)
        self._origins = (now, origins)
        return origins

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        checked = dict(values)
        for field, limit in _LIMITS.items():
            if field in checked:
                checked[field] = _text(checked[field], field=field, limit=limit)
        for field in _URLS:
            if field in checked:
                checked[field] = self._url(checked[field], field=field)
        if "issuer" in checked:
            # An issuer is compared as text; only what can never be one is refused.
            self._url(checked["issuer"], field="issuer")
        if "token_audience" in checked:
            audience = checked["token_audience"] or None
            if audience is not None:
                audience = _text(audience, field="token_audience", limit=_URL_LIMIT)
            checked["token_audience"] = audience
        if not isinstance(checked.get("sourcedid_trusted", False), bool):
            raise InvalidInputError("This must be yes or no.", field="sourcedid_trusted")
        return checked

    def _url(self, value: Any, *, field: str) -> str:
        text = _text(value, field=field, limit=_URL_LIMIT)
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if (
            parts.scheme not in self._schemes
            or not parts.hostname
            or port == 0
            or "@" in parts.netloc
            or parts.fragment
            or any(character.isspace() for character in text)
        ):
            raise InvalidInputError(
                f"This must be an absolute {' or '.join(self._schemes)} address.",
                field=field,
                remedy="Copy the address as the platform shows it.",
            )
        return text


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address as browsers write an origin."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def _detached(values: Sequence[Any]) -> Registration:
    return detached(Registration, dict(zip(_NAMES, values, strict=True)))


def _load(session: Session, registration_id: int) -> Registration:
    registration = session.get(
        Registration, registration_id, options=[selectinload(Registration.deployments)]
    )
    if registration is None:
        raise NotFoundError("There is no such registration.", registration_id=registration_id)
    return registration


def _text(value: Any, *, field: str, limit: int) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > limit or not text.isprintable():
        raise InvalidInputError(f"This must be a text of 1 to {limit} characters.", field=field)
    return text


def _deployment_id(value: str) -> str:
    return _text(value, field="deployment_ids", limit=_DEPLOYMENT_LIMIT)


def _conflict() -> ConflictError:
    return ConflictError(
        "This issuer and client id are registered already.",
        field="client_id",
        remedy="Change the existing registration instead.",
    )
