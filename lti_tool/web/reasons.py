"""Errors in plain words and in the reader's language, by their stable code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lti_tool.lti.errors import REASONS
from lti_tool.web.i18n import gettext as _
from lti_tool.web.i18n import lazy_gettext as _l

_ADMINISTRATOR = _l("Give the reference number on this page to the administrator of this tool.")

# Title, what is wrong, what to do. Where an error has more to say itself, the entry is None.
_PAGES: dict[str, tuple[Any, Any, Any]] = {
    "person_unknown": (
        _l("Your account is not connected yet"),
        _l(
            "You came here correctly, but the school's system does not yet know which of its "
            "people your Moodle account belongs to."
        ),
        _l(
            "Ask the school's SIS administrator to connect your account and give them the "
            "reference number below. Then load this page again."
        ),
    ),
    "class_unknown": (
        _l("This course is not connected to a class yet"),
        _l(
            "You came here correctly, but the school's system does not yet know which of its "
            "classes this Moodle course belongs to."
        ),
        _l(
            "Ask the teacher of this course to open the tool once and choose the class. If the "
            "teacher cannot, the SIS administrator can, with the reference number below."
        ),
    ),
    "not_enrolled": (
        _l("You are not in this class"),
        _l("You are in the Moodle course, but the school's system has no enrolment of yours."),
        _l("If you should be in this class, ask the registrar and name the class and its term."),
    ),
    "service_not_shared": (
        _l("Moodle does not share this with the tool"),
        None,
        _l(
            "Ask the Moodle administrator to open the tool's settings, section Services, and to "
            "switch on Names and Roles and Assignment and Grade Services."
        ),
    ),
    "forbidden": (_l("You may not open this page"), None, None),
    "not_found": (
        _l("Not found"),
        None,
        _l("Go back to your course and open the tool from there."),
    ),
    "class_not_taught": (
        _l("You do not teach this class"),
        _l("You can choose only classes that you teach."),
        _l(
            "Ask the registrar to enter you as the teacher, or an administrator to connect "
            "the course."
        ),
    ),
    "class_linked_elsewhere": (_l("This class belongs to another course"), None, None),
    "course_linked": (
        _l("This course has its class already"),
        _l("The course is connected to another class already."),
        _l("An administrator can change which class it is."),
    ),
    "person_link_conflict": (
        _l("Already connected to somebody else"),
        _l("The account or the person is connected already, to another."),
        _l("Remove the wrong connection first, then connect again."),
    ),
    "rate_limited": (
        _l("Too many requests"),
        _l("Too many requests arrived from your address."),
        _l("Wait a minute, then try again."),
    ),
    "sign_in_link_invalid": (
        _l("This sign-in link does not work"),
        _l("The link was used already, has expired, or was not copied whole."),
        _l("Ask for a new one with the command: nagasis admin sign-in-link"),
    ),
    "deployment_pending": (
        _l("Waiting for approval"),
        _l("This Moodle placed the tool in a new spot that nobody has approved yet."),
        _ADMINISTRATOR,
    ),
    "registration_pending": (
        _l("Waiting for approval"),
        _l("This Moodle is registered, but the administrator of this tool has not approved it."),
        _ADMINISTRATOR,
    ),
}

_LAUNCH_TITLE = _l("This link could not be opened")


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason code in plain words."""

    title: str
    detail: str
    remedy: str | None


def known(code: str) -> bool:
    """Whether this code has a title of its own here."""
    return code in _PAGES or code in REASONS


def explain(code: str, *, detail: str | None = None, remedy: str | None = None) -> Explanation:
    """Say what ``code`` means; ``detail`` and ``remedy`` are the error's own, where it has any."""
    title, what, todo = _PAGES.get(code, (None, None, None))
    if code in REASONS:
        reason = REASONS[code]
        return Explanation(
            str(title or _LAUNCH_TITLE),
            str(what or _(reason.detail)),
            str(todo or _(reason.remedy)),
        )
    # gettext("") is the catalogue's header, not an empty text.
    own = _(remedy) if remedy else None
    return Explanation(
        str(title or _("Something went wrong")),
        str(what or _(detail or code)),
        # Where the error says itself what is wrong, it also knows best what to do.
        own if own and what is None else (str(todo) if todo else own),
    )
