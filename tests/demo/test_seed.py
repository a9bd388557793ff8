"""Seeds, saved state, and the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from demo import Platform, PlatformConfig, create_platform
from demo.model import MEMBERSHIPS
from demo.platform import main
from demo.seed import SeedError, make_awkward, read_seed


def _platform(**config: Any) -> Platform:
    found: Platform = create_platform(PlatformConfig(**config)).extensions["platform"]
    return found


def test_sample_is_awkward() -> None:
    platform = _platform()
    people = {person.username: person for person in platform.state.people.values()}
    course = next(iter(platform.state.courses.values()))
    assert people["prak.vuthy"].id not in course.members
    assert course.members[people["nuon.pisey"].id].status == "suspended"
    assert course.members[people["visitor"].id].role == "student"
    assert people["visitor"].idnumber == ""
    assert people["admin"].id == 2


def test_awkward_leaves_its_input_alone() -> None:
    document: dict[str, Any] = {
        "courses": [{"members": [{"username": name} for name in ("a", "b", "c")]}]
    }
    changed = make_awkward(document)
    assert len(document["courses"][0]["members"]) == 3
    assert [m["username"] for m in changed["courses"][0]["members"]] == ["a", "b", "visitor"]


def test_seed_with_tools_and_links(tmp_path: Path) -> None:
    tool = {
        "name": "Naga",
        "client_id": "abc",
        "login_uri": "http://t.test/login",
        "redirect_uris": ["http://t.test/launch"],
        "jwks_uri": "http://t.test/jwks",
        "target_link_uri": "http://t.test/launch",
    }
    link = {"tool": "Naga", "title": "Class", "line_item": {"scoreMaximum": 10}}
    seed = tmp_path / "seed.json"
    seed.write_text(
        json.dumps(
            {
                "tools": [tool],
                "courses": [{"shortname": "A", "fullname": "Course A", "links": [link]}],
            }
        )
    )
    platform = _platform(course_json=seed)
    course = next(iter(platform.state.courses.values()))
    assert platform.links_of(course.id)[0].title == "Class"
    assert platform.line_items_of(course.id)[0].maximum == 10
    registered = platform.tool_of_client("abc")
    assert registered is not None
    assert registered.deployment_id == "2"
    assert len(platform.state.tools) == 1
    assert any(person.site_admin for person in platform.state.people.values())


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"people": [{"username": "x"}]}, "people.0.family_name"),
        ({"courses": [{"shortname": "A"}]}, "courses.0.fullname"),
        ({"unknown": 1}, "unknown"),
        (
            {"courses": [{"shortname": "A", "fullname": "A", "members": [{"username": "x"}]}]},
            "no person 'x'",
        ),
        (
            {
                "courses": [
                    {"shortname": "A", "fullname": "A", "links": [{"tool": "x", "title": "t"}]}
                ]
            },
            "no tool 'x'",
        ),
        ({"people": [{"username": "x", "family_name": "X"}] * 2}, "occurs twice"),
        ({"tools": [{"name": "x"}]}, "tools"),
    ],
)
def test_bad_seeds_say_where(document: dict[str, Any], where: str) -> None:
    with pytest.raises(SeedError, match=where):
        _platform(course_json=document)


def test_seed_that_is_no_json(tmp_path: Path) -> None:
    path = tmp_path / "seed.json"
    with pytest.raises(SeedError, match="cannot be read"):
        read_seed(path)
    path.write_text("[1]")
    with pytest.raises(SeedError):
        read_seed(path)


def test_state_is_continued(tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    first = _platform(state_file=state_file)
    tool = first.add_tool(
        name="T", login_uri="", redirect_uris=["x"], jwks_uri="", target_link_uri=""
    )
    course = next(iter(first.state.courses.values()))
    link = first.add_link(course, tool, "Class", line_item={"scoreMaximum": 5})
    token = first.issue_token(tool, [MEMBERSHIPS])
    second = _platform(state_file=state_file)
    assert second.state == first.state
    assert second.signing.active.kid == first.signing.active.kid
    assert second.state.links[link.id].title == "Class"
    assert second.token(token) is not None
    assert second.next_id() > link.id
    assert state_file.stat().st_mode & 0o077 == 0


def test_a_seed_that_fails_leaves_no_state(tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    with pytest.raises(SeedError):
        _platform(state_file=state_file, course_json={"tools": [{}]})
    assert not state_file.exists()


def test_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text('{"people": 3}')
    assert main(["--seed", str(seed), "--port", "0"]) == 2
    assert "people" in capsys.readouterr().err
    broken = tmp_path / "state.json"
    broken.write_text("{")
    assert main(["--state", str(broken), "--port", "0"]) == 2
