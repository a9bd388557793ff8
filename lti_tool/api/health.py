"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from flask import Blueprint, Response, jsonify

from lti_tool.migrations import heads
from lti_tool.wiring import services

blueprint = Blueprint("health", __name__)
log = structlog.get_logger(__name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers. Touches nothing else, so that a slow database restarts nobody."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The process can serve: its database answers and has this version's tables."""
    try:
        with services().database.read() as session:
            current = set(session.scalars(sa.text("SELECT version_num FROM alembic_version")))
    except sa.exc.SQLAlchemyError as error:
        log.error("readyz.database_failed", error=type(error).__name__)
        return jsonify(status="unavailable", database="unreachable or without tables"), 503
    if current != set(heads()):
        return jsonify(status="unavailable", database="run `nagasis database upgrade`"), 503
    return jsonify(status="ok", database="ok"), 200
