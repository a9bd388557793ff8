"""Where the grades of each part come from: the SIS, or something that Moodle has."""

from __future__ import annotations

from flask import Blueprint

from lti_tool.web.viewer import in_course

blueprint = in_course(Blueprint("grades_connections", __name__, url_prefix="/l/<reference>"))
