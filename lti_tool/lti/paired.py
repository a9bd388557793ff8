"""Registrations of platforms that were connected by a code: made, mended and switched off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lti_tool.lti.models import Registration, Standing
from lti_tool.lti.registrations import Registrations

# No Moodle calls this tool so.
_NOT_PAIRED = "not-paired"


class Addresses(Protocol):
    """How a platform says that it knows this tool."""

    @property
    def issuer(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def deployment_id(self) -> str: ...
    @property
    def auth_url(self) -> str: ...
    @property
    def token_url(self) -> str: ...
    @property
    def jwks_url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PairedRegistration:
    """A registration as it stands. ``active``: it and a deployment of it may launch."""

    id: int
    name: str
    issuer: str
    client_id: str
    jwks_url: str
    active: bool
    sourcedid_trusted: bool


class PairedRegistrations:
    """Keeps registrations as their platforms say they are; launches read the same rows."""

    def __init__(self, registrations: Registrations) -> None:
        self._registrations = registrations

    def view(self, registration_id: int) -> PairedRegistration:
        """Return a registration; raises NotFoundError."""
        return _view(self._registrations.get(registration_id))

    def ensure(
        self, lti: Addresses, *, name: str, former: int | None, actor: str
    ) -> PairedRegistration:
        """Register a Moodle, or mend its registration: active, its deployment approved.

        A Moodle that has made the tool anew has a new client id; the ``former`` registration gets
        it, since accounts and courses are connected by registration. The ID number is trusted:
        pairing locks it in Moodle.
        """
        found = self._find(lti, former)
        if found is None:
            found = self._registrations.create(
                actor=actor,
                name=name,
                issuer=lti.issuer,
                client_id=lti.client_id,
                auth_url=lti.auth_url,
                token_url=lti.token_url,
                jwks_url=lti.jwks_url,
                platform_family="moodle",
                deployment_ids=[lti.deployment_id],
                sourcedid_trusted=True,
            )
            return _view(found)
        self._registrations.update(
            found.id,
            actor=actor,
            client_id=lti.client_id,
            auth_url=lti.auth_url,
            token_url=lti.token_url,
            jwks_url=lti.jwks_url,
            platform_family="moodle",
            sourcedid_trusted=True,
        )
        self._registrations.set_deployment_standing(
            found.id, lti.deployment_id, Standing.ACTIVE, actor=actor
        )
        self._registrations.set_standing(found.id, Standing.ACTIVE, actor=actor)
        return self.view(found.id)

    def stand_in(self, url: str, *, name: str, actor: str) -> PairedRegistration:
        """The registration of the Moodle at this address; one that lets nobody in, if there is
        none: nobody has told what that Moodle calls this tool."""
        found = [each for each in self._registrations.list() if each.issuer == url]
        if found:
            # The oldest: that of the plugin, or what an administrator has registered.
            return _view(min(found, key=lambda each: each.id))
        return _view(
            self._registrations.create(
                actor=actor,
                name=name,
                issuer=url,
                client_id=_NOT_PAIRED,
                auth_url=f"{url}/mod/lti/auth.php",
                token_url=f"{url}/mod/lti/token.php",
                jwks_url=f"{url}/mod/lti/certs.php",
                platform_family="moodle",
                standing=Standing.DISABLED,
            )
        )

    def disable(self, registration_id: int, *, actor: str) -> None:
        """Refuse its launches from now on, and end its sessions."""
        self._registrations.set_standing(registration_id, Standing.DISABLED, actor=actor)

    def _find(self, lti: Addresses, former: int | None) -> Registration | None:
        same = [each for each in self._registrations.list() if each.issuer == lti.issuer]
        exact = [each for each in same if each.client_id == lti.client_id]
        return next(iter(exact), None) or next((each for each in same if each.id == former), None)


def _view(registration: Registration) -> PairedRegistration:
    active = registration.standing is Standing.ACTIVE and any(
        each.standing is Standing.ACTIVE for each in registration.deployments
    )
    return PairedRegistration(
        id=registration.id,
        name=registration.name,
        issuer=registration.issuer,
        client_id=registration.client_id,
        jwks_url=registration.jwks_url,
        active=active,
        sourcedid_trusted=registration.sourcedid_trusted,
    )
