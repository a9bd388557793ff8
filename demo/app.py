"""The Flask application around a platform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from demo import (
    administration,
    assignment_grades,
    deep_linking,
    grade_pages,
    line_items,
    names_roles,
    oidc,
    pages,
    registration,
    tokens,
)
from demo.answers import ERRORS, signed_in
from demo.faults import fault_from_json
from demo.provisioning import pages as connection
from demo.provisioning import service as provisioning
from demo.state import Platform


def build_app(platform: Platform) -> Flask:
    """Put the platform's endpoints and pages together."""
    app = Flask("demo", root_path=str(Path(__file__).parent))
    app.extensions["platform"] = platform
    # Moodle's own limit on what it reads from a tool is far higher; this keeps a demo alive.
    # 8 MB of documents in Khmer are three times that in a form.
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = 32 * 1024 * 1024
    platform.faults.install(app)
    for room in (
        oidc,
        tokens,
        registration,
        names_roles,
        line_items,
        assignment_grades,
        deep_linking,
        pages,
        grade_pages,
        administration,
        provisioning,
        connection,
    ):
        app.register_blueprint(room.blueprint)
    for error, handler in ERRORS:
        app.register_error_handler(error, handler)

    @app.context_processor
    def site() -> dict[str, Any]:
        return {"site_name": platform.state.site_name, "me": signed_in(), "quirks": platform.quirks}

    @app.after_request
    def fresh(response: Response) -> Response:
        if not request.path.startswith("/static/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    if not platform.config.demo:
        _add_fault_control(app, platform)
    return app


def _add_fault_control(app: Flask, platform: Platform) -> None:
    """Let tests in another process arm failures: POST a fault, DELETE all, GET the calls."""

    @app.post("/-/faults")
    def arm() -> Response:
        try:
            platform.faults.add(fault_from_json(request.get_json()))
        except ValueError as error:
            response = jsonify(error=str(error))
            response.status_code = 400
            return response
        return jsonify(armed=True)

    @app.delete("/-/faults")
    def disarm() -> Response:
        platform.faults.clear()
        return jsonify(armed=False)

    @app.get("/-/faults")
    def calls() -> Response:
        return jsonify(calls=dict(platform.faults.calls))
