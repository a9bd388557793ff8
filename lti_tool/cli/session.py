"""What every command begins with: the settings read, the logs set, the services built."""

from __future__ import annotations

import getpass

from lti_tool.core.errors import ConflictError, NotFoundError
from lti_tool.core.logging import configure_logging
from lti_tool.moodle.models import MoodleSite, Site, SiteStanding
from lti_tool.settings import load_settings
from lti_tool.wiring import Services, build_services


def open_services() -> Services:
    """Build the services of this process; logs go to standard error, warnings and worse."""
    settings = load_settings()
    configure_logging(level="WARNING", json=False)
    return build_services(settings)


def actor() -> str:
    """Who runs this command, for the audit log."""
    return f"cli:{getpass.getuser()}"


def connected_sites(services: Services) -> list[Site]:
    """The Moodles and realms that are connected, or paused."""
    return [
        site for site in services.sites.list() if site.standing is not SiteStanding.DISCONNECTED
    ]


def connected_moodles(services: Services) -> list[MoodleSite]:
    """The Moodles among them."""
    return [site for site in connected_sites(services) if isinstance(site, MoodleSite)]


def chosen_site(services: Services, site_id: int | None) -> Site:
    """The site with this number; without one the only Moodle that is connected.

    Raises:
        NotFoundError: there is none. ConflictError: there are several.
    """
    return services.sites.get(site_id) if site_id is not None else chosen_moodle(services, None)


def chosen_moodle(services: Services, site_id: int | None) -> MoodleSite:
    """As :func:`chosen_site`, of the Moodles alone."""
    if site_id is not None:
        return services.sites.moodle(site_id)
    sites = connected_moodles(services)
    if not sites:
        raise NotFoundError("No Moodle is connected.", remedy="Run `nagasis site code`.")
    if len(sites) > 1:
        names = ", ".join(f"{site.id} ({site.name})" for site in sites)
        raise ConflictError("Several Moodles are connected.", remedy=f"Say --site: {names}.")
    return sites[0]
