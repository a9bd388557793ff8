"""Line items: list, make, replace, delete, and each quirk on and off."""

from __future__ import annotations

from typing import Any

import pytest

from demo import Quirks
from demo.line_items import CONTAINER, ITEM
from demo.model import LINEITEM, LINEITEM_READONLY, Grade


def _path(lab: Any) -> str:
    return f"/mod/lti/services.php/{lab.course.id}/lineitems"


def _list(lab: Any, query: str = "", accept: str = CONTAINER) -> Any:
    return lab.call("GET", _path(lab) + query, LINEITEM_READONLY, headers={"Accept": accept})


def _make(lab: Any, **changes: Any) -> Any:
    body = {"label": "Part 1", "scoreMaximum": 100, "resourceId": "part-1", "tag": "naga-part"}
    kept = {k: v for k, v in (body | changes).items() if v is not None}
    return lab.call("POST", _path(lab), LINEITEM, json=kept, headers={"Content-Type": ITEM})


def test_make_and_read(lab: Any) -> None:
    made = _make(lab, resourceLinkId=str(lab.link.id), startDateTime="2026-01-01T00:00:00Z")
    assert made.status_code == 201
    assert made.mimetype == ITEM
    url = made.get_json()["id"]
    assert url.endswith(f"/lineitem?type_id={lab.tool.id}")
    read = lab.call("GET", url, LINEITEM_READONLY)
    assert read.get_json() == {
        "id": url,
        "label": "Part 1",
        "scoreMaximum": 100.0,
        "resourceId": "part-1",
        "tag": "naga-part",
        "resourceLinkId": str(lab.link.id),
    }
    assert _list(lab).get_json() == [read.get_json()]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"label": None}, 400),
        ({"scoreMaximum": None}, 400),
        ({"scoreMaximum": "many"}, 400),
        ({"resourceLinkId": "999"}, 403),
    ],
)
def test_refused_items(lab: Any, changes: dict[str, Any], status: int) -> None:
    assert _make(lab, **changes).status_code == status
    assert _list(lab).get_json() == []


def test_wrong_content_type(lab: Any) -> None:
    response = lab.call("POST", _path(lab), LINEITEM, json={"label": "x", "scoreMaximum": 1})
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?tag=naga-part", 2),
        ("?resource_id=part-2", 1),
        ("?resource_id=part-2&tag=other", 0),
        ("?resource_link_id=LINK", 1),
        ("?lti_link_id=LINK", 1),
        ("?limit=2", 2),
        ("?limit=2&from=2", 1),
    ],
)
def test_filters(lab: Any, query: str, count: int) -> None:
    _make(lab)
    _make(lab, resourceId="part-2", resourceLinkId=str(lab.link.id))
    _make(lab, resourceId="part-3", tag=None)
    found = _list(lab, query.replace("LINK", str(lab.link.id))).get_json()
    assert len(found) == count


@pytest.mark.parametrize("on", [True, False])
def test_accept(make_lab: Any, on: bool) -> None:
    lab = make_lab(Quirks().but(ags_strict_accept=on))
    assert _list(lab, accept="*/*").status_code == (400 if on else 200)
    assert _list(lab, accept="text/html").status_code == 400


def test_curly_link_headers(lab: Any) -> None:
    for number in range(3):
        _make(lab, resourceId=f"p{number}")
    link = _list(lab, "?limit=1&from=1").headers["Link"].encode("latin-1").decode()
    assert "rel=“next”" in link
    assert "&amp;from=2" in link
    assert "rel=“prev”" in link


def test_plain_link_headers_by_the_spec(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    for number in range(2):
        _make(lab, resourceId=f"p{number}")
    link = _list(lab, "?limit=1").headers["Link"]
    assert 'lineitems?limit=1&from=1>; rel="next"' in link


@pytest.mark.parametrize(("on", "kept"), [(True, False), (False, True)])
def test_put_replaces(make_lab: Any, on: bool, kept: bool) -> None:
    lab = make_lab(Quirks().but(ags_put_drops_link=on))
    url = _make(lab, resourceLinkId=str(lab.link.id)).get_json()["id"]
    item = lab.platform.line_items_of(lab.course.id)[0]
    student = lab.person("dara").id
    lab.platform.state.grades[item.id] = {student: Grade(50.0, 1.0)}
    body = {"label": "New", "scoreMaximum": 40}
    assert lab.call("PUT", url, LINEITEM, json=body).status_code == 200
    assert (item.label, item.resource_id, item.tag) == ("New", "", "")
    assert (item.link_id is not None) is kept
    assert lab.platform.grade(item.id, student).final == 20.0


def test_delete(lab: Any) -> None:
    url = _make(lab).get_json()["id"]
    assert lab.call("DELETE", url, LINEITEM).status_code == 204
    assert lab.call("GET", url, LINEITEM).status_code == 404


def test_column_of_an_activity_is_deleted_only_if_the_service_knows_it(lab: Any) -> None:
    for line_item, status in (({"scoreMaximum": 10}, 403), ({"tag": "naga-part"}, 204)):
        lab.platform.add_link(lab.course, lab.tool, "Part", line_item=line_item)
        item = lab.platform.line_items_of(lab.course.id)[-1]
        path = f"{_path(lab)}/{item.id}/lineitem"
        assert lab.call("DELETE", path, LINEITEM).status_code == status


def test_another_tools_items_are_out_of_sight(lab: Any) -> None:
    url = _make(lab).get_json()["id"]
    mine = lab.tool
    lab.tool = lab.platform.add_tool(
        name="Other", login_uri="", redirect_uris=[], jwks_uri="", target_link_uri=""
    )
    assert _list(lab).get_json() == []
    assert lab.call("GET", url, LINEITEM).status_code == 404
    lab.tool = mine
    assert lab.call("GET", url, LINEITEM).status_code == 200


def test_unknown_course(lab: Any) -> None:
    assert lab.call("GET", "/mod/lti/services.php/99/lineitems", LINEITEM).status_code == 404
