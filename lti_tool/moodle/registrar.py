"""What the Moodle room needs of LTI registrations; who builds the services hands it in.

A connected Moodle is trusted through its LTI registration: there its signing keys are known, and
there it is switched off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lti_tool.moodle.messages import LtiRegistration


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A registration as the Moodle room sees it. ``active``: it and a deployment may launch."""

    id: int
    name: str
    issuer: str
    client_id: str
    jwks_url: str
    active: bool
    sourcedid_trusted: bool


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

    def disable(self, registration_id: int, *, actor: str) -> None:
        """Refuse its launches from now on."""
        ...
