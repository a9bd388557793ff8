"""Names and Roles: filters, pages, and each quirk on and off."""

from __future__ import annotations

import re
from typing import Any

import pytest

from demo import Quirks
from demo.id_token import MEMBERSHIP
from demo.model import MEMBERSHIPS
from demo.names_roles import MEDIA_TYPE


def _get(lab: Any, query: str = "", **headers: str) -> Any:
    path = f"/mod/lti/services.php/CourseSection/{lab.course.id}/bindings/{lab.tool.id}/memberships"
    return lab.call("GET", path + query, MEMBERSHIPS, headers={"Accept": MEDIA_TYPE, **headers})


def _members(response: Any) -> dict[str, dict[str, Any]]:
    assert response.status_code == 200, response.data
    return {m["ext_user_username"]: m for m in response.get_json()["members"]}


def test_everybody_active_in_one_page(lab: Any) -> None:
    response = _get(lab)
    assert response.mimetype == MEDIA_TYPE
    assert "Link" not in response.headers
    members = _members(response)
    assert set(members) == {"teacher", "assistant", "dara", "bopha"}
    assert members["dara"] == {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": str(lab.person("dara").id),
        "lis_person_sourcedid": "S-1",
        "name": "ដារា សុខ",
        "given_name": "ដារា",
        "family_name": "សុខ",
        "ext_user_username": "dara",
        "email": "dara@example.edu",
    }
    assert members["bopha"]["lis_person_sourcedid"] == ""
    assert members["teacher"]["roles"] == ["Instructor"]
    assert members["assistant"]["roles"] == ["Learner"]


def test_by_the_spec(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    members = _members(_get(lab, Accept="application/json"))
    assert members["gone"]["status"] == "Inactive"
    assert members["assistant"]["roles"] == [MEMBERSHIP + "Instructor"]
    assert "lis_person_sourcedid" not in members["bopha"]


def test_spec_platform_pages_by_itself(make_lab: Any) -> None:
    lab = make_lab(Quirks.spec())
    for number in range(60):
        person = lab.platform.add_person(f"s{number}", "S", f"Family {number:02}")
        lab.platform.enrol(lab.course, person)
    first = _get(lab)
    assert len(first.get_json()["members"]) == 50
    following = re.match(r'<[^>]+(\?[^>]+)>; rel="next"', first.headers["Link"])
    assert following
    second = _get(lab, following[1])
    assert len(second.get_json()["members"]) == 15
    assert "Link" not in second.headers


@pytest.mark.parametrize(("accept", "status"), [("application/json", 400), ("*/*", 200)])
def test_accept(lab: Any, accept: str, status: int) -> None:
    assert _get(lab, Accept=accept).status_code == status


@pytest.mark.parametrize(("on", "kept"), [(True, False), (False, True)])
def test_next_link_and_the_role(make_lab: Any, on: bool, kept: bool) -> None:
    lab = make_lab(Quirks().but(nrps_next_drops_role=on))
    response = _get(lab, f"?role=Learner&limit=1&rlid={lab.link.id}")
    assert len(response.get_json()["members"]) == 1
    assert response.headers["Link"].startswith("<http://platform.test/mod/lti/services.php/")
    assert response.headers["Link"].endswith('; rel="next"')
    assert ("role=Learner" in response.headers["Link"]) is kept
    assert f"rlid={lab.link.id}" in response.headers["Link"]


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("Instructor", {"teacher"}),
        ("Learner", {"assistant", "dara", "bopha"}),
        (MEMBERSHIP.replace("#", "%23") + "Instructor", {"teacher"}),
        ("Mentor", {"teacher", "assistant", "dara", "bopha"}),
    ],
)
def test_role_filter(lab: Any, role: str, names: set[str]) -> None:
    assert set(_members(_get(lab, f"?role={role}"))) == names


def test_globally_suspended_accounts_are_listed(lab: Any) -> None:
    lab.person("dara").suspended = True
    assert "dara" in _members(_get(lab))


def test_privacy(lab: Any) -> None:
    lab.tool.send_name = lab.tool.send_email = False
    for member in _get(lab).get_json()["members"]:
        assert set(member) == {"status", "roles", "user_id", "lis_person_sourcedid"}


def test_unknown_course_and_link(lab: Any) -> None:
    path = f"/mod/lti/services.php/CourseSection/999/bindings/{lab.tool.id}/memberships"
    assert lab.call("GET", path, MEMBERSHIPS).status_code == 404
    assert _get(lab, "?rlid=999").status_code == 404
