"""Scores and results, and each quirk on and off."""

from __future__ import annotations

from typing import Any

import pytest

from demo import Quirks
from demo.assignment_grades import SCORE_TYPE
from demo.model import RESULT_READONLY, SCORE, LineItem


def _item(lab: Any, maximum: float = 100, *, coupled: bool = False) -> LineItem:
    item = LineItem(
        lab.platform.next_id(), lab.course.id, lab.tool.id, "Part", maximum, coupled=coupled
    )
    lab.platform.state.line_items[item.id] = item
    return item


def _path(item: LineItem) -> str:
    return f"/mod/lti/services.php/{item.course_id}/lineitems/{item.id}/lineitem"


def _post(lab: Any, item: LineItem, **changes: Any) -> Any:
    score = {
        "userId": str(lab.person("dara").id),
        "timestamp": "2026-03-02T10:00:00+07:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "scoreGiven": 80,
        "scoreMaximum": 100,
    } | changes
    kept = {name: value for name, value in score.items() if value is not None}
    query = f"/scores?type_id={lab.tool.id}"
    return lab.call(
        "POST", _path(item) + query, SCORE, json=kept, headers={"Content-Type": SCORE_TYPE}
    )


def _final(lab: Any, item: LineItem, username: str = "dara") -> float | None:
    grade = lab.platform.grade(item.id, lab.person(username).id)
    return None if grade is None else grade.final


def test_score_is_scaled_to_the_column(lab: Any) -> None:
    item = _item(lab, 40)
    response = _post(lab, item, scoreGiven=8, scoreMaximum=10, comment="Good")
    assert (response.status_code, response.data) == (200, b"")
    assert _final(lab, item) == 32.0
    result = lab.call("GET", _path(item) + "/results", RESULT_READONLY).get_json()[0]
    assert result["resultScore"] == 32.0
    assert result["resultMaximum"] == 40
    assert result["comment"] == "Good"
    assert result["userId"] == str(lab.person("dara").id)


def test_zero_is_a_grade(lab: Any) -> None:
    item = _item(lab)
    _post(lab, item, scoreGiven=0)
    result = lab.call("GET", _path(item) + "/results", RESULT_READONLY).get_json()[0]
    assert result["resultScore"] == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"userId": None},
        {"timestamp": None},
        {"timestamp": "yesterday"},
        {"activityProgress": None},
        {"gradingProgress": None},
        {"scoreGiven": "many"},
        {"scoreMaximum": None},
        {"scoreMaximum": 0},
    ],
)
def test_bad_scores(lab: Any, changes: dict[str, Any]) -> None:
    item = _item(lab)
    assert _post(lab, item, **changes).status_code == 400
    assert _final(lab, item) is None


@pytest.mark.parametrize("username", ["teacher", "outsider"])
@pytest.mark.parametrize(("on", "status"), [(True, 400), (False, 403)])
def test_who_cannot_be_graded(make_lab: Any, username: str, on: bool, status: int) -> None:
    lab = make_lab(Quirks().but(ags_ungradable_is_400=on))
    response = _post(lab, _item(lab), userId=str(lab.person(username).id))
    assert response.status_code == status


def test_suspended_students_can_be_graded(lab: Any) -> None:
    item = _item(lab)
    assert _post(lab, item, userId=str(lab.person("gone").id)).status_code == 200
    assert _final(lab, item, "gone") == 80


@pytest.mark.parametrize(("on", "status"), [(True, 0), (False, 400)])
def test_user_id_that_is_no_number(make_lab: Any, on: bool, status: int) -> None:
    lab = make_lab(Quirks().but(ags_code_zero=on))
    assert _post(lab, _item(lab), userId="abc").status_code == status


@pytest.mark.parametrize(
    ("stamp", "moodle", "spec"),
    [
        ("2026-03-02T09:59:59+07:00", 409, 409),
        ("2026-03-02T10:00:00+07:00", 409, 409),
        ("2026-03-02T03:00:00.500Z", 409, 200),
        ("2026-03-02T03:00:01Z", 200, 200),
    ],
)
def test_timestamps_must_grow(make_lab: Any, stamp: str, moodle: int, spec: int) -> None:
    for quirks, status in ((Quirks(), moodle), (Quirks.spec(), spec)):
        lab = make_lab(quirks)
        item = _item(lab)
        assert _post(lab, item).status_code == 200
        assert _post(lab, item, timestamp=stamp, scoreGiven=90).status_code == status


LATER = "2026-03-02T11:00:00+07:00"


@pytest.mark.parametrize(("on", "final"), [(True, None), (False, 80)])
def test_progress_only_score(make_lab: Any, on: bool, final: float | None) -> None:
    lab = make_lab(Quirks().but(ags_progress_wipes_grade=on))
    item = _item(lab)
    _post(lab, item)
    pending = _post(lab, item, timestamp=LATER, gradingProgress="Pending", scoreGiven=None)
    assert pending.status_code == 200
    assert _final(lab, item) == final


def test_cleared_grade_is_a_result_without_a_score(lab: Any) -> None:
    item = _item(lab)
    _post(lab, item, comment="Good")
    _post(lab, item, timestamp=LATER, scoreGiven=None)
    result = lab.call("GET", _path(item) + "/results", RESULT_READONLY).get_json()[0]
    assert "resultScore" not in result
    assert "comment" not in result


@pytest.mark.parametrize(("on", "final"), [(True, 100), (False, 120)])
def test_over_the_maximum(make_lab: Any, on: bool, final: float) -> None:
    lab = make_lab(Quirks().but(ags_clips=on))
    item = _item(lab)
    assert _post(lab, item, scoreGiven=120).status_code == 200
    assert _final(lab, item) == final


def test_overridden_and_locked_grades(lab: Any) -> None:
    for coupled, final in ((True, 80), (False, 90)):
        item = _item(lab, coupled=coupled)
        _post(lab, item)
        grade = lab.platform.grade(item.id, lab.person("dara").id)
        grade.overridden = True
        assert _post(lab, item, timestamp=LATER, scoreGiven=90).status_code == 200
        assert grade.final == final
        grade.locked = True
        assert _post(lab, item, timestamp="2026-03-03T00:00:00Z").status_code == 500


@pytest.mark.parametrize("on", [True, False])
def test_results_with_limit_and_type(make_lab: Any, on: bool) -> None:
    lab = make_lab(Quirks().but(ags_results_limit_crash=on))
    item = _item(lab)
    for username in ("dara", "bopha"):
        _post(lab, item, userId=str(lab.person(username).id))
    path = f"{_path(item)}/results?limit=1"
    both = lab.call("GET", f"{path}&type_id={lab.tool.id}", RESULT_READONLY)
    assert both.status_code == (500 if on else 200)
    page = lab.call("GET", path, RESULT_READONLY)
    assert len(page.get_json()) == 1
    assert "next" in page.headers["Link"]


def test_results_of_one_person(lab: Any) -> None:
    item = _item(lab)
    for username in ("dara", "bopha"):
        _post(lab, item, userId=str(lab.person(username).id))
    wanted = lab.person("bopha").id
    found = lab.call("GET", f"{_path(item)}/results?user_id={wanted}", RESULT_READONLY).get_json()
    assert [result["userId"] for result in found] == [str(wanted)]


def test_scores_need_their_media_type_and_scope(lab: Any) -> None:
    item = _item(lab)
    assert lab.call("POST", _path(item) + "/scores", SCORE, json={}).status_code == 400
    assert lab.call("POST", _path(item) + "/scores", RESULT_READONLY, json={}).status_code == 401
    assert lab.call("GET", _path(item) + "/results", SCORE).status_code == 401


def test_pushed_grades_are_seen_in_the_gradebook(lab: Any) -> None:
    item = _item(lab)
    _post(lab, item, scoreGiven=73)
    lab.browser.sign_in(lab.person("teacher").id)
    page = lab.client.get(f"/course/{lab.course.id}/grades", base_url="http://platform.test")
    assert b"73.00" in page.data
    assert "ដារា".encode() in page.data
    lab.browser.sign_in(lab.person("bopha").id)
    own = lab.client.get(f"/course/{lab.course.id}/grades", base_url="http://platform.test")
    assert b"73.00" not in own.data
