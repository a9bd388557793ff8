"""The gradebook that the SIS built: what a teacher sees and types, what a student sees."""

from __future__ import annotations

from typing import Any

import pytest

from demo.client import parse_forms
from demo.grade_model import Grade
from demo.gradebook import CourseGrades
from demo.provisioning.apply import apply
from demo.provisioning.readings import read

BASE = "http://platform.test"
BOOK = {
    "kind": "gradebook",
    "course": "EHSS-07|A",
    "categories": [
        {"key": "k1", "name": "Midterm", "weight": 4000},
        {"key": "k2", "name": "Final", "weight": 6000},
    ],
    "items": [
        {"key": "p1", "name": "Quiz", "category": "k1", "weight": 2500},
        {"key": "p2", "name": "Exam", "category": "k1", "weight": 7500},
        {"key": "p3", "name": "Final exam", "category": "k2", "weight": 10000},
    ],
    "letters": [{"letter": "A", "minimum": 8500}, {"letter": "F", "minimum": 0}],
}


@pytest.fixture
def built(lab: Any) -> Any:
    [result] = apply(lab.platform.state, [BOOK], dryrun=False)
    assert result["result"] == "created"
    return lab


def _page(lab: Any, who: str, query: str = "") -> Any:
    lab.client.get(f"/signin?user={who}", base_url=BASE)
    return lab.client.get(f"/course/{lab.course.id}/grades{query}", base_url=BASE)


def _item(lab: Any, key: str) -> int:
    found = CourseGrades(lab.platform.state, lab.course).keyed(key)
    assert found is not None
    return found.id


def _cell(lab: Any, key: str, who: str) -> str:
    return f"g-{_item(lab, key)}-{lab.person(who).id}"


def _type(lab: Any, **cells: str) -> Any:
    page = _page(lab, "teacher", "?edit=1")
    form = next(each for each in parse_forms(page.text) if each.action.endswith("/grades"))
    named = {name.replace("_", "-"): value for name, value in cells.items()}
    return lab.client.post(form.action, data={**form.fields, **named}, base_url=BASE)


def test_totals_are_the_weighted_means_of_what_is_graded(built: Any) -> None:
    dara = _cell(built, "p1", "dara")
    assert _type(built, **{dara: "80"}).status_code == 303
    grades, person = CourseGrades(built.platform.state, built.course), built.person("dara").id
    assert grades.total(person) == 8000
    _type(built, **{dara: "80.00", _cell(built, "p2", "dara"): "0"})
    # Zero is a grade: (25 x 80 + 75 x 0) / 100.
    assert grades.total(person) == 2000
    _type(built, **{_cell(built, "p3", "dara"): "100"})
    # (40 x 20 + 60 x 100) / 100.
    assert grades.total(person) == 6800
    assert "68.00 (F)" in _page(built, "teacher").text


def test_what_is_typed_is_read_with_who_and_when(built: Any) -> None:
    _type(built, **{_cell(built, "p1", "dara"): "87,5"})
    scope = {"courses": ["EHSS-07|A"], "keyed": True}
    items = read(built.platform.state, "grades", scope, after=0, limit=99)["items"]
    found = {each["key"]: each for each in items}
    assert set(found) == {"p1", "k1", "#total"}
    assert (found["p1"]["percent"], found["p1"]["by"]) == (8750, built.person("teacher").id)
    assert found["p1"]["at"] == built.platform.epoch()
    _type(built, **{_cell(built, "p1", "dara"): ""})
    [gone] = read(built.platform.state, "grades", scope, after=0, limit=99)["items"]
    assert (gone["key"], gone["percent"]) == ("p1", None)


@pytest.mark.parametrize("wrong", ["101", "-1", "x", "nan", "1e400"])
def test_no_grade_outside_the_range(built: Any, wrong: str) -> None:
    response = _type(built, **{_cell(built, "p1", "dara"): wrong})
    assert response.status_code == 400
    assert "between 0 and 100" in response.text
    assert built.platform.state.grades.get(_item(built, "p1"), {}).get(2) is None


def test_locked_is_not_changed(built: Any) -> None:
    column = built.platform.state.grades.setdefault(_item(built, "p1"), {})
    column[built.person("dara").id] = Grade(50.0, 1.0, locked=True)
    assert _type(built, **{_cell(built, "p1", "dara"): "60"}).status_code == 400
    assert column[built.person("dara").id].final == 50.0


def test_a_read_only_course_is_read_only(built: Any) -> None:
    built.course.readonly = True
    page = _page(built, "teacher", "?edit=1").text
    assert "Read only" in page
    assert "<input" not in page
    answer = built.client.post(f"/course/{built.course.id}/grades", data={}, base_url=BASE)
    assert answer.status_code == 403
    assert "Edit grades" in _page(built, "admin").text


def test_a_student_sees_their_own_with_the_siss_total(built: Any) -> None:
    grade = {"user": "S-1", "item": "#total", "value": 9120, "note": "Naga SIS, approved by Chan"}
    document = {"kind": "grades", "course": "EHSS-07|A", "grades": [grade]}
    [result] = apply(built.platform.state, [document], dryrun=False)
    assert result["result"] == "updated"
    page = _page(built, "dara").text
    assert "Your grades" in page
    assert "91.20 (A)" in page
    assert "Overridden: Naga SIS, approved by Chan" in page
    assert "Bopha" not in page
    assert "Edit grades" not in page


def test_a_teachers_own_item_is_added(built: Any) -> None:
    page = _page(built, "teacher", "?edit=1").text
    form = next(each for each in parse_forms(page) if each.action.endswith("/items"))
    data = {**form.fields, "name": "My quiz", "maximum": "20"}
    built.client.post(form.action, data=data, base_url=BASE)
    items = read(built.platform.state, "items", {"courses": ["EHSS-07|A"]}, after=0, limit=99)
    [mine] = [each for each in items["items"] if each["name"] == "My quiz"]
    assert (mine["key"], mine["source"], mine["max"], mine["weight"]) == (None, False, 20.0, 0.0)
    connected = {**BOOK, "items": [{**BOOK["items"][0], "source": mine["id"]}, *BOOK["items"][1:]]}  # type: ignore[dict-item]
    [result] = apply(built.platform.state, [connected], dryrun=False)
    assert result["result"] == "updated"
    _type(built, **{f"g-{mine['id']}-{built.person('dara').id}": "15"})
    assert CourseGrades(built.platform.state, built.course).total(built.person("dara").id) == 7500
    # Disconnected, it stands where it stood, with its grades; the part has an item of ours again.
    apply(built.platform.state, [BOOK], dryrun=False)
    grades = CourseGrades(built.platform.state, built.course)
    found = grades.find(mine["id"])
    assert found is not None
    assert (found.parent_id, found.weight, found.key) == (None, 0, "")
    assert grades.keyed("p1") is not None
    assert grades.total(built.person("dara").id) is None
