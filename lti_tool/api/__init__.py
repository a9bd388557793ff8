"""What programs call."""

from __future__ import annotations

from flask import Flask

from lti_tool.api import health


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    app.register_blueprint(health.blueprint)
