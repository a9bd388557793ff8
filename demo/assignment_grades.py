"""Assignment and Grade Services: scores and results."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from flask import Blueprint, Response, request

from demo.answers import ServiceError, authorise, whole_number
from demo.line_items import media_type, number, open_item, page_links
from demo.model import RESULT_READONLY, SCORE, Grade, LineItem, Tool
from demo.service_urls import line_item_url
from demo.state import Platform, platform

blueprint = Blueprint("assignment_grades", __name__)
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
_PATH = "/mod/lti/services.php/<int:course_id>/lineitems/<int:item_id>/lineitem"


@blueprint.post(_PATH + "/scores")
def scores(course_id: int, item_id: int) -> Response:
    """Take a score; 200 with an empty body."""
    host = platform()
    tool = authorise(SCORE)
    if media_type("Content-Type") != SCORE_TYPE:
        raise ServiceError(400, "Unsupported content type")
    item = open_item(course_id, item_id, tool)
    score, at = _read_score(host)
    user_id = _gradable(host, item, str(score["userId"]))
    with host.change():
        _save(host, item, user_id, score, at)
        grade = host.grade(item.id, user_id)
        host.record(
            "grade.changed",
            user=user_id,
            course=item.course_id,
            item=item.id,
            overridden=bool(grade and grade.overridden),
            final=grade.final if grade else None,
        )
    return Response("", 200, content_type=SCORE_TYPE)


def _read_score(host: Platform) -> tuple[dict[str, Any], float]:
    """Return the score and its timestamp in seconds since the epoch."""
    wrong = ServiceError(400, "Incorrect score received")
    try:
        score = json.loads(request.get_data())
    except ValueError as error:
        raise wrong from error
    required = ("userId", "timestamp", "activityProgress", "gradingProgress")
    if not isinstance(score, dict) or any(score.get(name) is None for name in required):
        raise wrong
    given, maximum = score.get("scoreGiven"), score.get("scoreMaximum")
    if given is not None and (number(given) is None or maximum is None):
        raise wrong
    if maximum is not None and (number(maximum) or 0) <= 0:
        raise wrong
    try:
        at = dt.datetime.fromisoformat(str(score["timestamp"]))
    except ValueError as error:
        raise wrong from error
    if at.tzinfo is None:
        at = at.replace(tzinfo=dt.UTC)
    seconds = at.timestamp()
    return score, float(int(seconds)) if host.quirks.ags_whole_seconds else seconds


def _gradable(host: Platform, item: LineItem, user_id: str) -> int:
    """Return the id of a student of the course; suspended ones can be graded too."""
    if not user_id.isdigit():
        # A database error on Moodle: an exception whose code is 0 becomes the status.
        raise ServiceError(0 if host.quirks.ags_code_zero else 400, "Error reading from database")
    member = host.member(item.course_id, int(user_id))
    if member is None or member.role != "student":
        raise ServiceError(
            400 if host.quirks.ags_ungradable_is_400 else 403, "Incorrect score received"
        )
    return int(user_id)


def _save(host: Platform, item: LineItem, user_id: int, score: dict[str, Any], at: float) -> None:
    cells = host.state.grades.setdefault(item.id, {})
    grade = cells.get(user_id)
    if grade is not None and grade.modified >= at:
        raise ServiceError(
            409,
            f"Refusing score with an earlier timestamp for item {item.id} and user {user_id}",
        )
    if grade is not None and grade.locked:
        raise ServiceError(500, "The grade is locked")
    given = number(score.get("scoreGiven"))
    graded = score["gradingProgress"] == "FullyGraded"
    if not graded and not host.quirks.ags_progress_wipes_grade:
        return
    final: float | None = None
    if given is not None and graded:
        final = given * item.maximum / (number(score.get("scoreMaximum")) or 1.0)
        if host.quirks.ags_clips:
            final = min(max(final, 0.0), item.maximum)
    comment = score.get("comment")
    if grade is None:
        grade = cells[user_id] = Grade(None, at)
    # An overridden grade of an activity keeps its final value, and the answer is still 200.
    if not (grade.overridden and item.coupled):
        grade.final = final
        grade.comment = str(comment) if comment is not None else None
    grade.modified = at


@blueprint.get(_PATH + "/results")
def results(course_id: int, item_id: int) -> Response:
    """Return the results (``user_id``, ``limit``, ``from``)."""
    host = platform()
    tool = authorise(RESULT_READONLY)
    if request.headers.get("Accept", "") not in ("", "*/*", RESULTS_TYPE):
        raise ServiceError(400, "Invalid request made")
    item = open_item(course_id, item_id, tool)
    user_id = whole_number("user_id")
    with host.lock:
        cells = sorted(host.state.grades.get(item.id, {}).items())
    found = [(user, grade) for user, grade in cells if user_id <= 0 or user == user_id]
    limit, start = whole_number("limit"), max(0, whole_number("from"))
    if limit > 0 and found and "type_id" in request.args and host.quirks.ags_results_limit_crash:
        return Response("", 500, content_type="text/html; charset=utf-8")
    page = found[start : start + limit] if limit > 0 else found
    body = [_result(host, item, tool, user, grade) for user, grade in page]
    response = Response(json.dumps(body, ensure_ascii=False), content_type=RESULTS_TYPE)
    if limit > 0 and found:
        base = line_item_url(host, item, tool).split("?")[0] + "/results"
        query = {"limit": str(limit), "from": str(start)}
        response.headers["Link"] = page_links(host, base, query, len(found))
    return response


def _result(
    host: Platform, item: LineItem, tool: Tool, user_id: int, grade: Grade
) -> dict[str, Any]:
    url = line_item_url(host, item, tool)
    bare, _, query = url.partition("?")
    entry: dict[str, Any] = {
        "id": f"{bare}/results?{query + '&' if query else ''}user_id={user_id}",
        "userId": str(user_id),
        "scoreOf": url,
        "timestamp": dt.datetime.fromtimestamp(grade.modified, dt.UTC).isoformat(),
    }
    if grade.final is not None:
        entry["resultScore"] = grade.final
        entry["resultMaximum"] = item.maximum
    if grade.comment:
        entry["comment"] = grade.comment
    return entry
