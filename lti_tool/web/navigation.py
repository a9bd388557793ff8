"""The links in the bar above every page: what this viewer may open from here."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request, url_for

from lti_tool.identity.rights import OWN
from lti_tool.web.i18n import gettext as _

_SITES = (
    "admin.sites",
    "admin.site",
    "admin.connect",
    "admin.new_realm",
    "admin.look_at_realm",
    "admin.connect_realm",
)


@dataclass(frozen=True, slots=True)
class Link:
    """One place to go, and whether it is where the viewer is."""

    href: str
    label: str
    current: bool


def links() -> list[Link]:
    """The links for this request; none on pages of strangers (errors, sign-in)."""
    found: list[tuple[str, str]] = []
    if "viewer" in g:
        who = g.viewer
        try:
            if who.is_teacher and who.found_person and who.found_classes:
                found = [("instructor.roster", _("Roster")), ("grades.gradebook", _("Gradebook"))]
        except Exception:  # noqa: BLE001 - the page of an error must not fail for its bar
            found = []
        if who.is_site_administrator:
            found.append(("site.registration", _("This Moodle")))
    elif "admin" in g:
        found = [
            ("admin.registrations", _("Registrations")),
            ("admin.sites", _("Systems")),
            ("admin.grades", _("Grades")),
            ("admin.launches", _("Launches")),
        ]
        if g.admin.rights & OWN:
            found.append(("own.index", _("My classes")))
    elif "own" in g:
        found = [("own.index", _("My classes"))]
        if g.own.administers:
            found.append(("admin.index", _("Administration")))
    here = request.endpoint or ""
    return [Link(url_for(name), label, _same(name, here)) for name, label in found]


def _same(name: str, here: str) -> bool:
    if name == "site.registration":
        return here.startswith("site.")
    if name == "own.index":
        return here.startswith("own.")
    if name == "admin.sites":
        return _of_sites(here)
    if name == "admin.grades":
        return here.startswith(name)
    if name == "admin.registrations":
        elsewhere = here == "admin.launches" or here.startswith("admin.grades") or _of_sites(here)
        return here.startswith("admin.") and not elsewhere
    if name == "grades.gradebook":
        # Sending, connections and conflicts are pages of the gradebook too.
        return here.startswith("grades")
    return here == name or (name == "instructor.roster" and here.startswith("instructor.roster"))


def _of_sites(here: str) -> bool:
    return here in _SITES or here.startswith("admin.sync")
