"""For whom an administrator's page works: all platforms, or the one that a launch came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import g, request, url_for

from lti_tool.core.errors import ForbiddenError, NotFoundError
from lti_tool.lti.models import Registration
from lti_tool.web.sessions import current_admin
from lti_tool.web.viewer import require_site_administrator
from lti_tool.wiring import services


@dataclass(frozen=True, slots=True)
class Scope:
    """Who acts, and on what.

    ``only``: the one registration that this administrator may see, or ``None`` for all.
    ``own_subject``: their own account there, which they may not connect themselves: whoever
    administers a Moodle could else become any teacher of the SIS.
    """

    blueprint: str
    actor: str
    only: int | None = None
    own_subject: str | None = None

    def registration(self, registration_id: int | None) -> Registration:
        """The registration that the address names, if it is within this scope."""
        wanted = self.only if registration_id is None else registration_id
        if wanted is None or self.only not in (None, wanted):
            raise NotFoundError("There is no such registration.")
        return services().registrations.get(wanted)

    def url(self, page: str, registration: Registration | int | None = None, **values: Any) -> str:
        """The address of a page of this scope."""
        if self.only is None and registration is not None:
            values["registration_id"] = (
                registration if isinstance(registration, int) else registration.id
            )
        return url_for(f"{self.blueprint}.{page}", **values)

    def require_all(self) -> None:
        """Refuse what only the administrator of the whole tool may do."""
        if self.only is not None:
            raise ForbiddenError("Only the administrator of the whole tool may do this.")

    def check_subject(self, subject: str) -> None:
        """Refuse to let somebody connect their own account."""
        if self.own_subject is not None and subject == self.own_subject:
            raise ForbiddenError(
                "You cannot connect your own account.",
                remedy="Ask the administrator of this tool to do it.",
            )


def scope() -> Scope:
    """The scope of this request; raises where nobody is signed in as an administrator."""
    if "scope" not in g:
        if request.blueprint == "site":
            who = require_site_administrator()
            g.scope = Scope(
                blueprint="site",
                actor=f"registration:{who.registration.id}/account:{who.launch.subject}",
                only=who.registration.id,
                own_subject=who.launch.subject,
            )
        else:
            g.admin = current_admin()
            g.scope = Scope(blueprint="admin", actor=f"admin:{g.admin.name}")
    found: Scope = g.scope
    return found
