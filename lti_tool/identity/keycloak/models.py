"""Tables of the Keycloak room."""

from __future__ import annotations

from lti_tool.moodle.models import Site, System


class Realm(Site):
    """A realm of a Keycloak whose people are those of the SIS. ``url`` is its issuer."""

    __mapper_args__ = {"polymorphic_identity": System.KEYCLOAK.value}  # noqa: RUF012

    @property
    def server(self) -> str:
        """The address of the Keycloak."""
        return self.url.rpartition("/realms/")[0]

    @property
    def realm(self) -> str:
        """The realm's name there."""
        return self.url.rpartition("/realms/")[2]
