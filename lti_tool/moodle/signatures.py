"""Requests that a Moodle has signed with its LTI platform key (``docs/contract.md``).

The tool trusts that key since the LTI registration: there is no shared secret to lose. The token
names the address that is called and holds the hash of the body as sent, lives a minute, and works
once.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, cast

import sqlalchemy as sa

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import NagaError
from lti_tool.moodle.errors import SiteDisconnectedError, SiteUnknownError
from lti_tool.moodle.models import MoodleSite, SeenRequest, SiteStanding
from lti_tool.moodle.registrar import Registrar

# Between ``iat`` and ``exp``, in seconds.
LIFETIME = 60
# How far Moodle's clock may be from ours, in seconds.
SKEW = 60
_MAX_TOKEN = 8 * 1024
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_JTI = re.compile(r"[A-Za-z0-9._-]{16,64}")
_LENGTHS = {"iss": 500, "sub": 255, "aud": 2000, "bh": 64}
_NOT_OURS = "Update the plugin local_nagasis in Moodle."
_CLOCKS = "Set the clocks of both servers by NTP."


class RequestUnsignedError(NagaError):
    """The request is not signed as it must be: no token, another key, or another body."""

    code = "request_unsigned"
    status = 401
    title = "The request is not signed"


class RequestExpiredError(NagaError):
    """The signature's minute is over, or has not begun: one of the two clocks is wrong."""

    code = "request_expired"
    status = 401
    title = "The request is out of date"


class RequestReplayedError(NagaError):
    """This very request was taken before."""

    code = "request_replayed"
    status = 401
    title = "The request was sent twice"


class SiteDisabledError(NagaError):
    """The Moodle's LTI registration is switched off in the tool."""

    code = "site_disabled"
    status = 403
    title = "This Moodle is switched off"


class SiteKeysUnavailableError(NagaError):
    """The Moodle's public keys cannot be read at this moment, so nothing can be judged."""

    code = "site_keys_unavailable"
    status = 503
    title = "The keys of this Moodle cannot be read"


class SigningKeys(Protocol):
    """Verifies tokens with the keys that a platform publishes."""

    def decode(self, token: str, *, jwks_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return header and claims of a token that a key at ``jwks_url`` signed, RS256 alone.

        Raises a NagaError: of status 5xx where the keys could not be had.
        """
        ...


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says, once verified. ``skew``: seconds that Moodle's clock is ahead."""

    issuer: str
    client_id: str
    jti: str
    expires_at: dt.datetime
    skew: float


class SignedRequests:
    """Tells which Moodle has sent a request; each request is taken once."""

    def __init__(
        self, database: Database, clock: Clock, registrar: Registrar, keys: SigningKeys
    ) -> None:
        self._database = database
        self._clock = clock
        self._registrar = registrar
        self._keys = keys

    def verify(self, *, authorization: str | None, body: bytes, url: str) -> MoodleSite:
        """Return the connected site that signed this request, and note that it was heard.

        A paused site is returned too: it must be able to bring a new token.

        Args:
            authorization: the header, as it came.
            body: the body's bytes as sent, still packed.
            url: the full public address that was called.

        Raises:
            RequestUnsignedError, RequestExpiredError, RequestReplayedError, SiteUnknownError (401);
            SiteDisabledError (403), SiteDisconnectedError (410), SiteKeysUnavailableError (503).
        """
        token = _bearer(authorization)
        claimed = _peek(token)
        with self._database.read() as session:
            site = session.scalar(sa.select(MoodleSite).where(MoodleSite.url == claimed["iss"]))
        if site is None:
            raise _unknown()
        registration = self._registrar.view(site.registration_id)
        if registration.client_id != claimed["sub"] or registration.issuer != claimed["iss"]:
            raise _unknown()
        signed = self.verify_against(
            authorization=authorization,
            body=body,
            url=url,
            jwks_url=registration.jwks_url,
            issuer=registration.issuer,
            client_id=registration.client_id,
        )
        if site.standing is SiteStanding.DISCONNECTED:
            raise SiteDisconnectedError(
                "The administrator of the tool has ended the connection with this Moodle.",
                remedy="Connect it again with a new code.",
            )
        if not registration.active:
            raise SiteDisabledError(
                "The registration of this Moodle is switched off in the tool.",
                remedy="Ask the tool's administrator to switch it on; nothing is lost meanwhile.",
            )
        self._take(site, signed)
        return site

    def verify_against(
        self,
        *,
        authorization: str | None,
        body: bytes,
        url: str,
        jwks_url: str,
        issuer: str,
        client_id: str,
    ) -> Signed:
        """Judge a request by this key set, issuer and client id alone; for pairing.

        Whether it was taken before is not looked at: a lost answer to pairing may be asked again.

        Raises:
            RequestUnsignedError, RequestExpiredError, SiteKeysUnavailableError.
        """
        token = _bearer(authorization)
        try:
            _header, claims = self._keys.decode(token, jwks_url=jwks_url)
        except NagaError as error:
            if error.status >= 500:
                raise SiteKeysUnavailableError(
                    "The tool could not read the public keys of this Moodle.",
                    remedy="Check that the tool can reach Moodle at this address, then try again.",
                    jwks_url=jwks_url,
                ) from error
            raise RequestUnsignedError(
                error.detail,
                field="Authorization",
                remedy="Connect this Moodle again with a new code if it stays.",
                reason=error.code,
            ) from error
        expected = {"iss": issuer, "sub": client_id, "aud": url, "bh": body_hash(body)}
        for name, value in expected.items():
            if not hmac.compare_digest(_text(claims, name).encode(), value.encode()):
                _mismatch(name, url)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not _JTI.fullmatch(jti):
            raise _claim("jti")
        now = self._clock.now().timestamp()
        issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
        if not 0 < expires - issued <= LIFETIME:
            raise _claim("exp")
        skew = round(issued - now, 3)
        if now >= expires + SKEW or skew > SKEW:
            raise RequestExpiredError(
                f"The request was signed {abs(skew):.0f} seconds "
                + ("ahead of" if skew > 0 else "before")
                + " the tool's time.",
                field="exp" if skew <= 0 else "iat",
                remedy=_CLOCKS,
                now=int(now),
            )
        # Once this moment is over the request is refused by its age: it need not be remembered.
        until = dt.datetime.fromtimestamp(expires + SKEW, dt.UTC)
        return Signed(issuer, client_id, jti, until, skew)

    def purge(self) -> int:
        """Forget requests that have expired; returns how many."""
        with self._database.write() as session:
            result = session.execute(
                sa.delete(SeenRequest).where(SeenRequest.expires_at < self._clock.now())
            )
        return cast("sa.CursorResult[Any]", result).rowcount

    def _take(self, site: MoodleSite, signed: Signed) -> None:
        now = self._clock.now()
        with self._database.writing() as connection:
            taken = connection.execute(
                self._database.upsert(SeenRequest)
                .values(site_id=site.id, jti=signed.jti, expires_at=signed.expires_at)
                .on_conflict_do_nothing()
                .returning(SeenRequest.jti)
            ).first()
            if taken is None:
                raise RequestReplayedError(
                    "This request was taken before.", field="jti", remedy="Sign it anew."
                )
            connection.execute(
                sa.update(MoodleSite)
                .where(MoodleSite.id == site.id)
                .values(heard_at=now, clock_skew=signed.skew)
            )
        site.heard_at, site.clock_skew = now, signed.skew


def body_hash(body: bytes) -> str:
    """The ``bh`` of a body: base64url of its SHA-256, unpadded."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise RequestUnsignedError(
            "The request carries no signature.",
            field="Authorization",
            remedy="Check that no proxy in between removes the Authorization header.",
        )
    if len(token) > _MAX_TOKEN or not _COMPACT.fullmatch(token):
        raise _malformed()
    return token


def _peek(token: str) -> dict[str, str]:
    """Who the token says that it is from, before that is proved."""
    payload = token.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _malformed() from error
    if not isinstance(claims, dict):
        raise _malformed()
    return {name: _text(claims, name) for name in ("iss", "sub")}


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    # What no database and no encoder takes is no issuer either: NUL and lone surrogates.
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LENGTHS[name]
        or not value.isprintable()
    ):
        raise _claim(name)
    return value


def _seconds(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**32:
        raise _claim(name)
    return value


def _mismatch(name: str, url: str) -> NoReturn:
    if name == "aud":
        raise RequestUnsignedError(
            f"The request was signed for another address than {url}.",
            field="aud",
            remedy="Check the tool's public address on both sides; connect again if it changed.",
        )
    if name == "bh":
        raise RequestUnsignedError(
            "The body is not the one that was signed.",
            field="bh",
            remedy="Check that no proxy in between unpacks or changes what is sent.",
        )
    raise RequestUnsignedError("The signature is of another Moodle.", field=name)


def _claim(name: str) -> RequestUnsignedError:
    return RequestUnsignedError(
        f"The signature lacks the claim {name}, or it is not valid.", field=name, remedy=_NOT_OURS
    )


def _malformed() -> RequestUnsignedError:
    return RequestUnsignedError(
        "The signature is not a signed token.", field="Authorization", remedy=_NOT_OURS
    )


def _unknown() -> SiteUnknownError:
    return SiteUnknownError(
        "The tool knows no Moodle of this address and client id.",
        field="iss",
        remedy="Connect this Moodle with a code from the tool.",
    )
