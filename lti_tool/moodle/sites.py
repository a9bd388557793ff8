"""The Moodles that are connected: their standing, and the token by which we call them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.errors import NotFoundError
from lti_tool.moodle.errors import SiteDisconnectedError, SiteElsewhereError
from lti_tool.moodle.messages import PairingRequest, ServiceToken, SiteStatus
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.moodle.registrar import Registrar


class Sites:
    """Connected Moodles. Only what changes who may do what is audited."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        audit: AuditLog,
        keyring: Keyring,
        registrar: Registrar,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._keyring = keyring
        self._registrar = registrar

    def list(self) -> list[Site]:
        """All sites by name, those whose connection was ended too."""
        with self._database.read() as session:
            return [*session.scalars(sa.select(Site).order_by(Site.name, Site.id))]

    def moodles(self) -> Sequence[MoodleSite]:
        """Those of them that are Moodles."""
        return [site for site in self.list() if isinstance(site, MoodleSite)]

    def get(self, site_id: int) -> Site:
        """Return a site; raises NotFoundError."""
        with self._database.read() as session:
            return _load(session, site_id)

    def moodle(self, site_id: int) -> MoodleSite:
        """Return a site that is a Moodle; raises NotFoundError."""
        return _moodle(self.get(site_id))

    def at(self, url: str) -> MoodleSite | None:
        """The site at this address (its wwwroot), whatever its standing."""
        with self._database.read() as session:
            return session.scalar(sa.select(MoodleSite).where(MoodleSite.url == url))

    def token(self, site: Site) -> str:
        """The token of the site's service user; raises SiteDisconnectedError where there is none.

        It is a secret: it goes into no log, no message and no address.
        """
        if site.token_sealed is None or site.standing is SiteStanding.DISCONNECTED:
            raise SiteDisconnectedError(
                "This Moodle is not connected.", remedy="Connect it again with a new code."
            )
        return self._keyring.open(site.token_sealed, purpose=_purpose(site.id)).decode()

    def keep(
        self,
        request: PairingRequest,
        *,
        registration_id: int,
        contract: int,
        actor: str,
    ) -> MoodleSite:
        """Store a site that has paired, or mend it; it is active from now on.

        Where it was connected before, events may have been missed since: it wants reconciling.

        Raises:
            SiteElsewhereError: the registration is another site's.
        """
        now = self._clock.now()
        with self._database.write() as session:
            site = session.scalar(sa.select(MoodleSite).where(MoodleSite.url == request.url))
            _check_free(session, registration_id, request.url)
            before = site.standing if site else None
            if site is None:
                site = MoodleSite(
                    url=request.url,
                    epoch=request.epoch,
                    paired_by=actor,
                    paired_at=now,
                    **_nothing_held(),
                )
                session.add(site)
            elif before is SiteStanding.DISCONNECTED:
                site.reconcile_since = site.reconcile_since or site.heard_at or site.paired_at
            if site.epoch != request.epoch:
                site.reconcile_since = site.reconcile_since or site.heard_at or site.paired_at
                # Whose connection was ended begins anew; one that was not is older than we know it.
                if site.epoch is not None and before is not SiteStanding.DISCONNECTED:
                    site.restored_at = now
                site.epoch, site.held, site.held_id = request.epoch, 0, None
            site.registration_id = registration_id
            site.name = request.name
            site.contract = contract
            site.versions = request.versions.model_dump()
            site.standing = SiteStanding.ACTIVE
            site.paired_by, site.paired_at, site.updated_at = actor, now, now
            site.heard_at = now
            session.flush()
            self._seal(site, request.token)
            self._audit.record(
                session,
                actor=actor,
                action="site.paired",
                target=f"site:{site.id}",
                url=site.url,
                registration_id=registration_id,
                before=before.value if before else None,
            )
        return site

    def keep_unpaired(
        self,
        url: str,
        status: SiteStatus,
        *,
        token: str,
        registration_id: int,
        contract: int,
        actor: str,
    ) -> MoodleSite:
        """Store a site that is called with a token of the settings, and does not call us.

        Raises:
            SiteElsewhereError: the registration is another site's.
        """
        now = self._clock.now()
        with self._database.write() as session:
            site = session.scalar(sa.select(MoodleSite).where(MoodleSite.url == url))
            _check_free(session, registration_id, url)
            before = site.standing if site else None
            if site is None:
                site = MoodleSite(url=url, **_nothing_held())
                session.add(site)
            site.registration_id = registration_id
            site.name, site.contract = status.name[:200], contract
            site.versions = {
                **status.versions,
                "contracts": status.contracts,
                "kinds": status.kinds,
            }
            site.standing = SiteStanding.ACTIVE
            # Whoever was paired before begins anew.
            site.epoch = site.held_id = site.heard_at = None
            site.paired_by, site.paired_at, site.updated_at = actor, now, now
            session.flush()
            site.token_sealed = self._keyring.seal(token.encode(), purpose=_purpose(site.id))
            site.token_expires_at = (
                dt.datetime.fromtimestamp(status.token_expires_at, dt.UTC)
                if status.token_expires_at
                else None
            )
            self._audit.record(
                session,
                actor=actor,
                action="site.added",
                target=f"site:{site.id}",
                url=url,
                registration_id=registration_id,
                before=before.value if before else None,
            )
        return site

    def renew_token(self, site_id: int, token: ServiceToken) -> dt.datetime:
        """Take the site's next token; a site that was paused works again. Returns its end."""
        with self._database.write() as session:
            site = _moodle(_load(session, site_id))
            if site.standing is SiteStanding.DISCONNECTED:
                raise SiteDisconnectedError("The connection with this Moodle was ended.")
            expires_at = self._seal(site, token)
            site.standing = SiteStanding.ACTIVE
            site.heard_at = site.updated_at = self._clock.now()
            self._audit.record(
                session,
                actor=f"site:{site_id}",
                action="site.token_renewed",
                target=f"site:{site_id}",
                expires_at=token.expires_at,
            )
        return expires_at

    def pause(self, site_id: int, *, reason: str, actor: str) -> None:
        """Call this site no more until it brings a new token, or somebody resumes it."""
        self._set_standing(site_id, SiteStanding.PAUSED, actor=actor, reason=reason)

    def pause_refused(self, site: Site, *, reason: str, actor: str) -> bool:
        """Pause a site that refused the token which ``site`` was read with; returns whether it is
        paused by this. Nothing happens if it has brought another token since, or has ended."""
        now = self._clock.now()
        with self._database.write() as session:
            found = session.get(Site, site.id, with_for_update=True)
            if (
                found is None
                or found.standing is not SiteStanding.ACTIVE
                or found.token_sealed != site.token_sealed
            ):
                return False
            found.standing, found.updated_at = SiteStanding.PAUSED, now
            self._note_standing(session, found, SiteStanding.ACTIVE, actor=actor, reason=reason)
        return True

    def resume(self, site_id: int, *, actor: str) -> None:
        """Call a paused site again."""
        self._set_standing(site_id, SiteStanding.ACTIVE, actor=actor)

    def disconnect(self, site_id: int, *, actor: str) -> None:
        """End the connection: forget the token, refuse the site's events and its launches.

        What Moodle sent before stays. Ending it twice is ending it once.
        """
        with self._database.write() as session:
            site = _load(session, site_id)
            registration_id = site.registration_id if isinstance(site, MoodleSite) else None
            if site.standing is not SiteStanding.DISCONNECTED:
                site.standing = SiteStanding.DISCONNECTED
                site.token_sealed = site.token_expires_at = None
                site.checklist = []
                site.updated_at = self._clock.now()
                self._audit.record(
                    session,
                    actor=actor,
                    action="site.disconnected",
                    target=f"site:{site_id}",
                    url=site.url,
                )
        if registration_id is not None:
            self._registrar.disable(registration_id, actor=actor)

    def _set_standing(
        self, site_id: int, standing: SiteStanding, *, actor: str, **detail: Any
    ) -> None:
        with self._database.write() as session:
            site = _load(session, site_id)
            if site.standing is SiteStanding.DISCONNECTED:
                raise SiteDisconnectedError(
                    "This Moodle is not connected.", remedy="Connect it again with a new code."
                )
            if site.standing is standing:
                return
            before, site.standing = site.standing, standing
            site.updated_at = self._clock.now()
            self._note_standing(session, site, before, actor=actor, **detail)

    def _note_standing(
        self,
        session: Session,
        site: Site,
        before: SiteStanding,
        *,
        actor: str,
        **detail: Any,
    ) -> None:
        self._audit.record(
            session,
            actor=actor,
            action="site.standing",
            target=f"site:{site.id}",
            before=before.value,
            after=site.standing.value,
            **detail,
        )

    def _seal(self, site: MoodleSite, token: ServiceToken) -> dt.datetime:
        expires_at = dt.datetime.fromtimestamp(token.expires_at, dt.UTC)
        site.token_sealed = self._keyring.seal(token.token.encode(), purpose=_purpose(site.id))
        site.token_expires_at = expires_at
        return expires_at


def _nothing_held() -> dict[str, Any]:
    return {"held": 0, "held_id": None, "backlog": 0, "checklist": [], "versions": {}}


def _load(session: Session, site_id: int) -> Site:
    site = session.get(Site, site_id)
    if site is None:
        raise NotFoundError("There is no such site.", site_id=site_id)
    return site


def _moodle(site: Site) -> MoodleSite:
    if not isinstance(site, MoodleSite):
        raise NotFoundError("There is no such Moodle.", site_id=site.id)
    return site


def _check_free(session: Session, registration_id: int, url: str) -> None:
    other = session.scalar(
        sa.select(MoodleSite.id).where(
            MoodleSite.registration_id == registration_id, MoodleSite.url != url
        )
    )
    if other is not None:
        raise SiteElsewhereError(
            "The registration of this Moodle belongs to another connected Moodle.",
            remedy="Disconnect the other one, or correct the registration's platform ID.",
            site_id=other,
        )


def _purpose(site_id: int) -> str:
    # A token sealed for one site can never be opened as another's.
    return f"moodle_site.token:{site_id}"
