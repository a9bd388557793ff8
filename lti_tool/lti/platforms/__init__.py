"""What is peculiar to one learning platform: a class each, chosen by the registration's family."""

from __future__ import annotations

from lti_tool.lti.platforms.base import Platform
from lti_tool.lti.platforms.moodle import Moodle

__all__ = ["Moodle", "Platform", "platform_for"]

_FAMILIES: dict[str, Platform] = {"moodle": Moodle()}
_GENERIC = Platform()


def platform_for(family: str | None) -> Platform:
    """The platform's class for a ``product_family_code``; the specification's own if unknown."""
    return _FAMILIES.get((family or "").strip().lower(), _GENERIC)
