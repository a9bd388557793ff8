"""What the Moodle room needs of LTI registrations; who builds the services hands it in.

A connected Moodle is trusted through its LTI registration: there its signing keys are known, and
there it is switched off.
"""

from __future__ import annotations

from typing import Protocol

from lti_tool.moodle.messages import LtiRegistration


class RegistrationView(Protocol):
    """A registration as the Moodle room sees it. ``active``: it and a deployment may launch."""

    @property
    def id(self) -> int: ...
    @property
    def issuer(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def jwks_url(self) -> str: ...
    @property
    def active(self) -> bool: ...
    @property
    def sourcedid_trusted(self) -> bool: ...


class Registrar(Protocol):
    """Keeps the LTI registrations of connected Moodles."""

    def view(self, registration_id: int) -> RegistrationView:
        """Return a registration; raises NotFoundError."""
        ...

    def ensure(
        self, lti: LtiRegistration, *, name: str, former: int | None, actor: str
    ) -> RegistrationView:
        """Register this Moodle or mend its registration, so that its launches are taken.

        ``former`` is the registration that the site had: it keeps the connections of its people
        where Moodle has made a new client id.
        """
        ...

    def stand_in(self, url: str, *, name: str, actor: str) -> RegistrationView:
        """The registration of the Moodle at this address; one that lets nobody in, if there is
        none. Pairing makes it a real one."""
        ...

    def disable(self, registration_id: int, *, actor: str) -> None:
        """Refuse its launches from now on."""
        ...
