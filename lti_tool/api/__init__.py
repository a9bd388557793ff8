"""What programs call."""

from __future__ import annotations

from flask import Flask

from lti_tool.api import health, moodle, moodle_pairing


def init_app(app: Flask) -> None:
    """Register the blueprints."""
    app.register_blueprint(health.blueprint)
    for blueprint in (moodle.blueprint, moodle_pairing.blueprint):
        app.register_blueprint(blueprint)
        # No browser sends these: what protects them is a signature, or a code.
        app.extensions["csrf"].exempt(blueprint)
