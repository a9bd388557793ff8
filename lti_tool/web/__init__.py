"""What people see: a blueprint per audience, in Moodle's look inside the course."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, url_for

from lti_tool.web import (
    administrator,
    deep_linking,
    display,
    errors,
    grades,
    grades_connections,
    grades_inbox,
    grades_moodle,
    grades_send,
    home,
    i18n,
    instructor,
    lti,
    navigation,
    own,
    request_log,
    security,
    sessions,
    sign_in,
)
from lti_tool.wiring import services

_HERE = Path(__file__).parent
# A changed file has another address (its hash is in it), so browsers may keep what they have.
_STATIC_SECONDS = 365 * 24 * 3600

# Not a page: what all pages share.
_shared = Blueprint(
    "web", __name__, static_folder="static", static_url_path="/static", template_folder="templates"
)


def init_app(app: Flask) -> None:
    """Register everything that people see."""
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = _STATIC_SECONDS
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.extensions["naga"].settings.timezone
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=asset, tool_name=tool_name, navigation=navigation.links)
    request_log.init_app(app)
    sessions.init_app(app)
    i18n.init_app(app)
    display.init_app(app)
    security.init_app(app)
    errors.init_app(app)
    for blueprint in (
        _shared,
        lti.blueprint,
        home.blueprint,
        instructor.blueprint,
        grades.blueprint,
        grades_moodle.blueprint,
        grades_send.blueprint,
        grades_connections.blueprint,
        grades_inbox.blueprint,
        deep_linking.blueprint,
        *administrator.blueprints,
        own.blueprint,
        *sign_in.blueprints,
    ):
        app.register_blueprint(blueprint)
    # The platform posts there; state and nonce are what protects these.
    security.csrf.exempt(lti.blueprint)


@cache
def asset(path: str) -> str:
    """The address of a static file, with its version. The tool lives at the root of its host."""
    return url_for("web.static", filename=path, v=_version(path))


@cache
def _version(path: str) -> str:
    return hashlib.sha256((_HERE / "static" / path).read_bytes()).hexdigest()[:12]


def tool_name() -> str:
    """What this school calls the tool."""
    return str(services().settings.tool_name)
