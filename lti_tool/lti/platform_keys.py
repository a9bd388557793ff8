"""The platforms' keys: fetched seldom, shared through the database, kept ready in the process."""

from __future__ import annotations

import base64
import datetime as dt
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import OutboundError
from lti_tool.core.http import HttpClient
from lti_tool.lti import tokens
from lti_tool.lti.errors import LaunchError
from lti_tool.lti.models import PlatformKeySet

log = structlog.get_logger(__name__)

MAX_BYTES = 256 * 1024
TIMEOUT_SECONDS = 5.0
MAX_KEYS = 50
MIN_BITS = 2048
# A key that the platform has withdrawn is trusted no longer than this.
_REFRESH_AFTER = dt.timedelta(hours=12)
# How long a process relies on what it read from the database.
_RELOAD_AFTER = dt.timedelta(minutes=5)
# How long a process waits for another one that is fetching the same set at this moment.
_OTHER_FETCH = dt.timedelta(seconds=2)


@dataclass(slots=True)
class _KeySet:
    fetched_at: dt.datetime
    read_at: dt.datetime
    usable: dict[str, list[RSAKey]] = field(default_factory=dict)
    weak: frozenset[str] = frozenset()


class PlatformKeys:
    """Verifies tokens with the keys that platforms publish.

    Args:
        cooldown_seconds: the shortest time between two fetches of one key set, whatever arrives.
    """

    def __init__(
        self, database: Database, clock: Clock, http: HttpClient, *, cooldown_seconds: int = 60
    ) -> None:
        self._database = database
        self._clock = clock
        self._http = http
        self._cooldown = dt.timedelta(seconds=cooldown_seconds)
        self._sets: dict[str, _KeySet] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._own_attempts: dict[str, dt.datetime] = {}

    def decode(self, token: str, *, jwks_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of a token signed by a key published at ``jwks_url``.

        Raises:
            LaunchError: with the reason; the claims themselves are not judged here.
        """
        header = tokens.read_header(token)
        return header, tokens.verify(token, self._keys(jwks_url, header["kid"]))

    def decode_cached(
        self, token: str, *, jwks_url: str
    ) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """As :meth:`decode`, with what the process holds and neither database nor network.

        Returns ``None`` if that is not enough to judge the token.
        """
        header = tokens.read_header(token)
        keys = self._known(jwks_url, header["kid"])
        return None if keys is None else (header, tokens.verify(token, keys))

    def _known(self, jwks_url: str, kid: str) -> list[RSAKey] | None:
        known = self._sets.get(jwks_url)
        now = self._clock.now()
        if (
            known is None
            or now - known.read_at >= _RELOAD_AFTER
            or now - known.fetched_at >= _REFRESH_AFTER
        ):
            return None
        return known.usable.get(kid)

    def _keys(self, jwks_url: str, kid: str) -> list[RSAKey]:
        keys = self._known(jwks_url, kid)
        if keys is not None:
            return keys
        # One thread asks; the others find what it brought.
        with self._locks[jwks_url]:
            keys = self._known(jwks_url, kid)
            if keys is not None:
                return keys
            known = self._read(jwks_url)
            fresh = known is not None and self._clock.now() - known.fetched_at < _REFRESH_AFTER
            if known is None or not fresh or kid not in known.usable:
                known = self._fetch(jwks_url, kid) or known
        if known is None:
            raise LaunchError("platform_keys_unavailable", field="jwks_url")
        if kid not in known.usable:
            code = "token_key_weak" if kid in known.weak else "token_key_unknown"
            raise LaunchError(code, field="kid")
        return known.usable[kid]

    def _read(self, jwks_url: str) -> _KeySet | None:
        with self._database.read() as session:
            row = session.execute(
                sa.select(PlatformKeySet.keys, PlatformKeySet.fetched_at).where(
                    PlatformKeySet.jwks_url == jwks_url
                )
            ).one_or_none()
        if row is None or row.fetched_at is None:
            return None
        held = self._sets.get(jwks_url)
        if held is not None and held.fetched_at == row.fetched_at:
            held.read_at = self._clock.now()
            return held
        known = _parse(row.keys, fetched_at=row.fetched_at, read_at=self._clock.now())
        self._sets[jwks_url] = known
        return known

    def _fetch(self, jwks_url: str, kid: str) -> _KeySet | None:
        """Fetch the set if the cool-down allows it; ``None`` if it does not, or it failed."""
        if not self._claim(jwks_url):
            return self._wait_for_other(jwks_url)
        try:
            response = self._http.request(
                "GET",
                jwks_url,
                headers={"Accept": "application/jwk-set+json, application/json"},
                total_timeout=TIMEOUT_SECONDS,
                max_bytes=MAX_BYTES,
            )
            document = response.json() if response.ok else None
        except (OutboundError, RecursionError) as error:
            code = getattr(error, "code", "outbound_not_json")
            log.warning("platform_keys.fetch_failed", jwks_url=jwks_url, code=code)
            return None
        keys = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
            log.warning("platform_keys.not_a_key_set", jwks_url=jwks_url, status=response.status)
            return None
        now = self._clock.now()
        public = [_public(key) for key in keys if isinstance(key, dict)]
        known = _parse(public, fetched_at=now, read_at=now)
        if not known.usable:
            log.warning("platform_keys.no_usable_key", jwks_url=jwks_url, count=len(keys))
            if kid in known.weak:
                raise LaunchError("token_key_weak", field="kid")
            return None
        with self._database.write() as session:
            session.execute(
                sa.update(PlatformKeySet)
                .where(PlatformKeySet.jwks_url == jwks_url)
                .values(keys=public, fetched_at=now)
            )
        self._sets[jwks_url] = known
        return known

    def _claim(self, jwks_url: str) -> bool:
        """Take this cool-down's one attempt, for all processes, in one statement."""
        now = self._clock.now()
        table = cast(sa.Table, PlatformKeySet.__table__)
        statement = self._database.upsert(table).values(
            jwks_url=jwks_url, keys=[], fetched_at=None, attempted_at=now
        )
        with self._database.write() as session:
            claimed = session.execute(
                statement.on_conflict_do_update(
                    index_elements=[table.c.jwks_url],
                    set_={"attempted_at": now},
                    where=table.c.attempted_at <= now - self._cooldown,
                ).returning(table.c.jwks_url)
            ).first()
        if claimed is None:
            return False
        self._own_attempts[jwks_url] = now
        return True

    def _wait_for_other(self, jwks_url: str) -> _KeySet | None:
        deadline = time.monotonic() + _OTHER_FETCH.total_seconds()
        while True:
            with self._database.read() as session:
                row = session.execute(
                    sa.select(PlatformKeySet.fetched_at, PlatformKeySet.attempted_at).where(
                        PlatformKeySet.jwks_url == jwks_url
                    )
                ).one()
            done = row.fetched_at is not None and row.fetched_at >= row.attempted_at
            recent = self._clock.now() - row.attempted_at < _OTHER_FETCH
            own = self._own_attempts.get(jwks_url) == row.attempted_at
            if done or own or not recent or time.monotonic() > deadline:
                return self._read(jwks_url)
            time.sleep(0.05)


def _public(key: dict[str, Any]) -> dict[str, Any]:
    """Keep what a public RSA key needs: what a platform publishes by mistake is not stored."""
    return {
        name: key[name]
        for name in ("kty", "kid", "use", "alg", "n", "e")
        if isinstance(key.get(name), str)
    }


def _bits(modulus: str) -> int:
    content = base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4))
    return int.from_bytes(content).bit_length()


def _parse(keys: list[Any], *, fetched_at: dt.datetime, read_at: dt.datetime) -> _KeySet:
    usable: dict[str, list[RSAKey]] = {}
    weak: set[str] = set()
    for key in keys:
        kid = key.get("kid")
        if (
            not kid
            or key.get("kty") != "RSA"
            or key.get("use", "sig") != "sig"
            or key.get("alg", "RS256") != "RS256"
        ):
            continue
        try:
            if _bits(key["n"]) < MIN_BITS:
                weak.add(kid)
                continue
            parsed = RSAKey.import_key({"kty": "RSA", "n": key["n"], "e": key["e"]})
        except (KeyError, ValueError, JoseError):
            continue
        usable.setdefault(kid, []).append(parsed)
    return _KeySet(fetched_at, read_at, usable, frozenset(weak - usable.keys()))
