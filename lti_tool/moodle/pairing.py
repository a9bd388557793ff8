"""Connecting a Moodle with one code: made here, pasted there, used once."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import sqlalchemy as sa

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.moodle.contract import SUPPORTED, VERSION
from lti_tool.moodle.errors import (
    ContractUnsupportedError,
    PairingCodeExpiredError,
    PairingCodeUnknownError,
    PairingCodeUsedError,
    PairingRefusedError,
)
from lti_tool.moodle.messages import PairingOffer, PairingRequest
from lti_tool.moodle.models import MoodleSite, PairingCode
from lti_tool.moodle.registrar import Registrar
from lti_tool.moodle.sites import Sites

LIFETIME = dt.timedelta(minutes=15)
# Kept for a while, so that a late paste hears "expired" and not "unknown".
_KEPT = dt.timedelta(days=1)
_PREFIX = "naga1"
_SUM_LENGTH = 6
# Characters of the secret's hash that name a code where it is not used.
_REFERENCE = 12
_NEW_CODE = "Ask the administrator of the tool for a new code."


class SignatureCheck(Protocol):
    """Judges a request that is signed with a Moodle's LTI platform key."""

    def verify_against(
        self,
        *,
        authorization: str | None,
        body: bytes,
        url: str,
        jwks_url: str,
        issuer: str,
        client_id: str,
    ) -> Any:
        """Raise unless the key set at ``jwks_url`` signed this request for ``url``."""
        ...


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it is shown, once: ``text`` holds the secret. ``reference`` names it in the log."""

    text: str
    reference: str
    expires_at: dt.datetime


class Pairing:
    """Makes codes, says what the tool is, and connects the Moodle that brings a code back."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        registrar: Registrar,
        sites: Sites,
        signatures: SignatureCheck,
        *,
        public_url: str,
        tool_name: str,
        allow_http: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._registrar = registrar
        self._sites = sites
        self._signatures = signatures
        self._public_url = public_url.rstrip("/")
        self._tool_name = tool_name
        self._schemes = ("https", "http") if allow_http else ("https",)

    def code(self, *, actor: str) -> Code:
        """Make a code: good once, for 15 minutes. Only its secret's hash is stored."""
        secret = secrets.token_urlsafe(24)
        digest = _hash(secret)
        now = self._clock.now()
        with self._database.write() as session:
            session.add(
                PairingCode(
                    secret_hash=digest,
                    created_by=actor,
                    created_at=now,
                    expires_at=now + LIFETIME,
                )
            )
            self._audit.record(
                session,
                actor=actor,
                action="pairing_code.made",
                target=f"pairing_code:{digest[:_REFERENCE]}",
            )
        return Code(compose(self._public_url, secret), digest[:_REFERENCE], now + LIFETIME)

    def connected(self, reference: str) -> MoodleSite | None:
        """The site that the code with this reference has connected; ``None`` while none has."""
        with self._database.read() as session:
            return session.scalar(
                sa.select(MoodleSite)
                .join(PairingCode, PairingCode.site_id == MoodleSite.id)
                .where(_referred(reference))
                .limit(1)
            )

    def alive(self, reference: str) -> bool:
        """Whether the code with this reference has not expired."""
        with self._database.read() as session:
            return (
                session.scalar(
                    sa.select(sa.literal(1))
                    .where(_referred(reference), PairingCode.expires_at > self._clock.now())
                    .limit(1)
                )
                is not None
            )

    def offer(self, *, contract: int, secret: str, sign_in_url: str | None = None) -> PairingOffer:
        """What the tool says of itself to whoever holds a code that works.

        Raises:
            ContractUnsupportedError, PairingCodeUnknownError, PairingCodeExpiredError,
            PairingCodeUsedError.
        """
        _speak(contract)
        code = self._usable(secret)
        base = self._public_url
        return PairingOffer(
            contract=contract,
            contracts=[*SUPPORTED],
            tool_name=self._tool_name,
            tool_url=base,
            expires_at=int(code.expires_at.timestamp()),
            login_url=f"{base}/lti/login",
            launch_url=f"{base}/lti/launch",
            keys_url=f"{base}/lti/keys",
            sign_in_url=sign_in_url,
        )

    def pair(
        self, request: PairingRequest, *, authorization: str | None, body: bytes, url: str
    ) -> MoodleSite:
        """Connect the Moodle that sent ``body``; the same again within the minutes mends.

        The code is judged first: a stranger without one makes us call nobody.

        Raises:
            as :meth:`offer`; PairingRefusedError, or the signature's own errors; nothing has
            happened then, and the code works still.
        """
        _speak(request.contract)
        known = self._sites.at(request.url)
        self._usable(request.secret, known=known)
        self._check_addresses(request)
        self._signatures.verify_against(
            authorization=authorization,
            body=body,
            url=url,
            jwks_url=request.lti.jwks_url,
            issuer=request.url,
            client_id=request.lti.client_id,
        )
        contract = _common(request.versions.contracts)
        with self._taken(request.secret, known) as actor:
            registration = self._registrar.ensure(
                request.lti,
                name=request.name,
                former=known.registration_id if known else None,
                actor=actor,
            )
            site = self._sites.keep(
                request, registration_id=registration.id, contract=contract, actor=actor
            )
            with self._database.write() as session:
                session.execute(
                    sa.update(PairingCode)
                    .where(PairingCode.secret_hash == _hash(request.secret))
                    .values(site_id=site.id)
                )
        return site

    def purge(self) -> int:
        """Delete codes that expired a day ago or longer; returns how many."""
        with self._database.write() as session:
            result = session.execute(
                sa.delete(PairingCode).where(PairingCode.expires_at < self._clock.now() - _KEPT)
            )
        return cast("sa.CursorResult[Any]", result).rowcount

    def _usable(self, secret: str, *, known: MoodleSite | None = None) -> PairingCode:
        with self._database.read() as session:
            code = session.get(PairingCode, _hash(secret))
        if code is None:
            raise PairingCodeUnknownError(
                "The tool has made no such code.",
                field="secret",
                remedy="Copy the whole code once more, or ask for a new one.",
            )
        if code.expires_at <= self._clock.now():
            raise PairingCodeExpiredError(
                "A code works for 15 minutes, and they are over.", field="secret", remedy=_NEW_CODE
            )
        if code.used_at is not None and (known is None or code.site_id != known.id):
            raise PairingCodeUsedError(
                "A code works once, and this one was used.", field="secret", remedy=_NEW_CODE
            )
        return code

    @contextmanager
    def _taken(self, secret: str, known: MoodleSite | None) -> Iterator[str]:
        """Take the code, in one statement: of two at once one wins. It is given back on failure.

        Yields whom the connection is attributed to.
        """
        digest = _hash(secret)
        now = self._clock.now()
        free: list[sa.ColumnElement[bool]] = [PairingCode.used_at.is_(None)]
        if known is not None:
            free.append(PairingCode.site_id == known.id)
        with self._database.write() as session:
            created_by = session.scalar(
                sa.update(PairingCode)
                .where(
                    PairingCode.secret_hash == digest, PairingCode.expires_at > now, sa.or_(*free)
                )
                .values(used_at=now)
                .returning(PairingCode.created_by)
            )
        if created_by is None:
            self._usable(secret, known=known)
            raise PairingCodeUsedError("The code is in use.", field="secret", remedy=_NEW_CODE)
        try:
            yield f"pairing code of {created_by}"[:200]
        except BaseException:
            with self._database.write() as session:
                session.execute(
                    sa.update(PairingCode)
                    .where(PairingCode.secret_hash == digest, PairingCode.site_id.is_(None))
                    .values(used_at=None)
                )
            raise

    def _check_addresses(self, request: PairingRequest) -> None:
        """Refuse a Moodle whose keys or pages are not under the address that it gives itself."""
        url = request.url
        parts = urlsplit(url)
        if (
            parts.scheme not in self._schemes
            or not parts.hostname
            or "@" in parts.netloc
            or parts.query
            or parts.fragment
            or url.endswith("/")
            or not url.isprintable()
        ):
            raise PairingRefusedError(
                f"The address of Moodle must be an absolute {' or '.join(self._schemes)} address.",
                field="url",
                remedy="Correct $CFG->wwwroot in Moodle's config.php.",
            )
        if request.lti.issuer != url:
            raise PairingRefusedError(
                "The platform ID is not the address of this Moodle.", field="lti.issuer"
            )
        for field in ("auth_url", "token_url", "jwks_url"):
            if not _within(getattr(request.lti, field), url):
                raise PairingRefusedError(
                    "This address does not lie under the address of this Moodle.",
                    field=f"lti.{field}",
                )


def compose(tool_url: str, secret: str) -> str:
    """Write a code: ``naga1.`` and what Moodle needs to know, and a sum against a cut copy."""
    content = json.dumps({"u": tool_url, "s": secret}, separators=(",", ":")).encode()
    text = f"{_PREFIX}.{base64.urlsafe_b64encode(content).rstrip(b'=').decode()}"
    return f"{text}.{hashlib.sha256(text.encode()).hexdigest()[:_SUM_LENGTH]}"


def _referred(reference: str) -> sa.ColumnElement[bool]:
    return sa.func.substr(PairingCode.secret_hash, 1, _REFERENCE) == reference


def _speak(contract: int) -> None:
    if contract not in SUPPORTED:
        raise ContractUnsupportedError(contract)


def _common(offered: list[int]) -> int:
    """The highest version that both speak."""
    both = set(offered) & set(SUPPORTED)
    if not both:
        raise ContractUnsupportedError(max(offered, default=VERSION))
    return max(both)


def _within(address: str, url: str) -> bool:
    # Dots would lead elsewhere once a server or a proxy has tidied the path.
    return (
        address.startswith(url + "/")
        and address.isprintable()
        and not any(part in address for part in ("..", "%", "\\"))
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
