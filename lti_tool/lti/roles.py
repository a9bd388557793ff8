"""LTI roles: full URIs, their short forms, and the questions that pages ask of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"
MEMBERSHIP = _VOCABULARY + "membership#"

INSTRUCTOR = MEMBERSHIP + "Instructor"
LEARNER = MEMBERSHIP + "Learner"
MENTOR = MEMBERSHIP + "Mentor"
CONTENT_DEVELOPER = MEMBERSHIP + "ContentDeveloper"
CONTEXT_ADMINISTRATOR = MEMBERSHIP + "Administrator"
SYSTEM_ADMINISTRATOR = _VOCABULARY + "system/person#Administrator"
SYSTEM_SYSADMIN = _VOCABULARY + "system/person#SysAdmin"

# LTI Core 1.3, A.2.3: only context roles have short forms.
_SHORT = {
    name: MEMBERSHIP + name
    for name in (
        "Administrator",
        "ContentDeveloper",
        "Instructor",
        "Learner",
        "Manager",
        "Member",
        "Mentor",
        "Officer",
    )
}


def expand(roles: Iterable[str]) -> tuple[str, ...]:
    """Return full URIs, each once, in order; unknown roles stay as they are and grant nothing."""
    return tuple(dict.fromkeys(_SHORT.get(role, role) for role in roles if role))


def is_instructor(roles: Collection[str]) -> bool:
    """Whether they teach this course. An institution's staff are no teachers of it."""
    return INSTRUCTOR in roles


def is_learner(roles: Collection[str]) -> bool:
    """Whether they study in this course."""
    return LEARNER in roles


def is_site_administrator(roles: Collection[str]) -> bool:
    """Whether they administer the whole platform, not only a course or an institution."""
    return SYSTEM_ADMINISTRATOR in roles or SYSTEM_SYSADMIN in roles
