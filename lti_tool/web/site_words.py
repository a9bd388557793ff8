"""How connected Moodles and their checks are put in words."""

from __future__ import annotations

from lti_tool.moodle.messages import Problem
from lti_tool.moodle.models import Site, SiteStanding
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _


def site_badge(site: Site, worst: str = "ok") -> Badge:
    """A site's standing; a connected one says too whether something is wrong."""
    if site.standing is SiteStanding.DISCONNECTED:
        return Badge(_("Disconnected"), "✕", "calm")
    if site.standing is SiteStanding.PAUSED:
        return Badge(_("Paused"), "‖", "warn")
    if worst == "error":
        return Badge(_("Something is wrong"), "✕", "bad")
    if worst == "warning":
        return Badge(_("Something is left to do"), "!", "warn")
    return Badge(_("Connected"), "✓", "good")


def check_badge(status: str) -> Badge:
    """What one check found."""
    return {
        "ok": Badge(_("Good"), "✓", "good"),
        "warning": Badge(_("To do"), "!", "warn"),
        "error": Badge(_("Wrong"), "✕", "bad"),
    }.get(status, Badge(_("Not known"), "?", "calm"))


def check_summary(line: Problem) -> str:
    """What a line of the checklist says; the plugin's own come in the words of its Moodle."""
    return _(line.summary)
