"""How rights of the service account, and what people must do at their first sign-in, are put in
words."""

from __future__ import annotations

from collections.abc import Iterable

from lti_tool.identity.keycloak.realm_checks import NEEDED_FOR, Rights
from lti_tool.web.display import Badge
from lti_tool.web.i18n import gettext as _


def right_rows(rights: Rights) -> list[tuple[str, str, Badge]]:
    """Each right: its name, what it is needed for, and whether it is given, lacking or beyond."""
    given = Badge(_("Given"), "✓", "good")
    lacking = Badge(_("Lacking"), "✕", "bad")
    beyond = Badge(_("More than needed"), "!", "warn")
    rows = [
        (right, _(NEEDED_FOR[right]), lacking if right in rights.lacking else given)
        for right in rights.needs
    ]
    return rows + [
        (right, _("For nothing that this tool does."), beyond) for right in rights.beyond
    ]


def required_actions(names: Iterable[str]) -> list[tuple[str, str]]:
    """What Keycloak asks of people at their first sign-in: its own name for it, and words."""
    known = {
        "UPDATE_PASSWORD": _("Choose a password of their own"),
        "VERIFY_EMAIL": _("Prove the e-mail address by a mail"),
        "UPDATE_PROFILE": _("Look through their profile"),
        "CONFIGURE_TOTP": _("Set up a second factor"),
        "TERMS_AND_CONDITIONS": _("Accept the terms"),
    }
    return [(name, known.get(name, name)) for name in names]
