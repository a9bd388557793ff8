"""Our signing keys: sealed in the database, published ahead of use, rotated by schedule."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import RSAKey
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import ConfigurationError
from lti_tool.lti.models import ToolKey

KEY_BITS = 2048
ACTIVE_FOR = dt.timedelta(days=30)
LEAD_TIME = dt.timedelta(hours=24)
KEPT_AFTER = dt.timedelta(days=2)
_PURPOSE = "lti_tool_key.private"
_RELOAD_AFTER = dt.timedelta(seconds=60)
# Any constant: it names the rotation among the database's advisory locks.
_LOCK = 0x6C746B
_REGISTRY = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)


@dataclass(frozen=True, slots=True)
class _Loaded:
    at: dt.datetime
    public: list[dict[str, Any]]
    signers: list[tuple[dt.datetime, str, RSAKey]]  # oldest first


class ToolKeys:
    """Signs what we send and publishes the keys to check it with.

    At any time one key signs and the next is published already; a key that has been followed is
    published for two more days, so that no platform meets a signature it cannot check.
    """

    def __init__(self, database: Database, clock: Clock, keyring: Keyring, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._audit = audit
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._objects: dict[str, RSAKey] = {}

    def ensure(self) -> None:
        """Make sure that a key can sign now and that the next one is published."""
        with self._database.read() as session:
            now = self._clock.now()
            ready = _signing(session, now) is not None and _next(session, now) is not None
        if not ready:
            self._turn(actor="system", now=False)

    def rotate(self, *, actor: str, now: bool = False) -> None:
        """Do what the schedule asks for: retire keys that were followed, publish the next one.

        Safe to call often and from several processes. With ``now`` the published next key takes
        over at once.
        """
        self._turn(actor=actor, now=now)

    def public_keyset(self) -> dict[str, list[dict[str, Any]]]:
        """Return ``{"keys": [...]}``: public members with ``kid``, ``alg`` and ``use`` only."""
        return {"keys": [dict(key) for key in self._current().public]}

    def sign(self, claims: dict[str, Any], *, headers: dict[str, Any] | None = None) -> str:
        """Return a compact RS256 JWT of ``claims``; its ``kid`` is in the public key set."""
        now = self._clock.now()
        signers = [each for each in self._current().signers if each[0] <= now]
        if not signers:
            raise ConfigurationError("There is no signing key.", remedy="Run `nagasis init`.")
        _, kid, key = signers[-1]
        protected = {"typ": "JWT", **(headers or {}), "alg": "RS256", "kid": kid}
        payload = json.dumps(claims, separators=(",", ":"), allow_nan=False).encode()
        return jws.serialize_compact(protected, payload, key, registry=_REGISTRY)

    def _turn(self, *, actor: str, now: bool) -> None:
        # Made before the transaction: a key takes longer than anyone should wait for the lock.
        spare = [RSAKey.generate_key(KEY_BITS, private=True) for _ in range(2 if now else 1)]
        with self._database.write() as session:
            if session.get_bind().dialect.name == "postgresql":
                session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            at = self._clock.now()
            if _signing(session, at) is None:
                self._add(session, spare, at=at, active_from=at, actor=actor)
            following = _next(session, at)
            if now:
                if following is None:
                    following = self._add(session, spare, at=at, active_from=at, actor=actor)
                following.active_from = at
                session.flush()
                self._audit.record(
                    session, actor=actor, action="tool_key.forced", target=following.kid
                )
            signing = _signing(session, at)
            if signing is None:  # pragma: no cover - one was added above
                raise ConfigurationError("There is no signing key.")
            session.execute(
                sa.update(ToolKey)
                .where(
                    ToolKey.active_from <= at,
                    ToolKey.kid != signing.kid,
                    ToolKey.expires_at.is_(None),
                )
                .values(expires_at=max(signing.active_from, at) + KEPT_AFTER)
            )
            session.execute(sa.delete(ToolKey).where(ToolKey.expires_at <= at))
            if _next(session, at) is None:
                due = max(signing.active_from + ACTIVE_FOR, at + LEAD_TIME)
                self._add(session, spare, at=at, active_from=due, actor=actor)
        self._loaded = None

    def _add(
        self,
        session: Session,
        spare: list[RSAKey],
        *,
        at: dt.datetime,
        active_from: dt.datetime,
        actor: str,
    ) -> ToolKey:
        key = spare.pop() if spare else RSAKey.generate_key(KEY_BITS, private=True)
        kid = key.thumbprint()
        public = key.as_dict(private=False)
        row = ToolKey(
            kid=kid,
            public_jwk={
                "kty": "RSA",
                "n": public["n"],
                "e": public["e"],
                "kid": kid,
                "alg": "RS256",
                "use": "sig",
            },
            private_sealed=self._keyring.seal(key.as_pem(private=True), purpose=_PURPOSE),
            created_at=at,
            active_from=active_from,
        )
        session.add(row)
        session.flush()
        self._audit.record(
            session,
            actor=actor,
            action="tool_key.published",
            target=kid,
            active_from=active_from.isoformat(),
        )
        return row

    def _current(self) -> _Loaded:
        now = self._clock.now()
        loaded = self._loaded
        if loaded is not None and now - loaded.at < _RELOAD_AFTER:
            return loaded
        with self._lock:
            loaded = self._loaded
            if loaded is None or now - loaded.at >= _RELOAD_AFTER:
                loaded = self._loaded = self._load(now)
        return loaded

    def _load(self, now: dt.datetime) -> _Loaded:
        rows = self._rows(now)
        if not any(row.active_from <= now for row in rows):
            self.ensure()
            rows = self._rows(now)
        for row in rows:
            # Parsing a private key costs a hundred signatures: once per process.
            if row.kid not in self._objects:
                pem = self._keyring.open(row.private_sealed, purpose=_PURPOSE)
                self._objects[row.kid] = RSAKey.import_key(pem)
        return _Loaded(
            now,
            [row.public_jwk for row in rows],
            [(row.active_from, row.kid, self._objects[row.kid]) for row in rows],
        )

    def _rows(self, now: dt.datetime) -> list[ToolKey]:
        with self._database.read() as session:
            return list(
                session.scalars(
                    sa.select(ToolKey)
                    .where(sa.or_(ToolKey.expires_at.is_(None), ToolKey.expires_at > now))
                    .order_by(ToolKey.active_from, ToolKey.kid)
                )
            )


def _signing(session: Session, now: dt.datetime) -> ToolKey | None:
    return session.scalars(
        sa.select(ToolKey)
        .where(ToolKey.active_from <= now)
        .order_by(ToolKey.active_from.desc(), ToolKey.kid.desc())
        .limit(1)
    ).first()


def _next(session: Session, now: dt.datetime) -> ToolKey | None:
    return session.scalars(
        sa.select(ToolKey).where(ToolKey.active_from > now).order_by(ToolKey.active_from).limit(1)
    ).first()
