"""A small LTI 1.3 Advantage platform that behaves as Moodle does.

It serves two ends: a newcomer opens the tool from a course page without installing a Moodle, and
the tests launch from it. It shares no code with the tool, so that it can be its judge.
"""

from __future__ import annotations

from flask import Flask

from demo.app import build_app
from demo.quirks import Quirks
from demo.seed import build_platform
from demo.state import Platform, PlatformConfig

__all__ = ["Platform", "PlatformConfig", "Quirks", "create_platform"]


def create_platform(config: PlatformConfig) -> Flask:
    """Build the platform's application; its :class:`Platform` is ``app.extensions["platform"]``."""
    return build_app(build_platform(config))
