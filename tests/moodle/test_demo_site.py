"""The tool with the built-in platform, connected by a code as an administrator would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from demo.client import parse_forms
from demo.connect import ConnectError, pair
from demo.provisioning.outbox import Sender
from demo.provisioning.pairing import renew_token, unpair
from demo.provisioning.tool import ToolError
from lti_tool.moodle.documents import (
    Category,
    Grade,
    Gradebook,
    GradeCategory,
    GradeItem,
    Grades,
    User,
)
from lti_tool.moodle.models import MoodleEvent, MoodleSite, SiteStanding
from tests.web.world import World, build_world

TERM = Category(idnumber="T1", name="ឆមាសទី ១")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with build_world(tmp_path) as world:
        yield world


@pytest.fixture
def site(world: World) -> MoodleSite:
    assert pair(world.platform.base_url, lambda: _code(world))
    return _site(world)


def _code(world: World) -> str:
    return world.services.pairing.code(actor="test").text


def _site(world: World) -> MoodleSite:
    [site] = world.services.sites.moodles()
    return site


def _events(world: World) -> list[tuple[int, str]]:
    with world.services.database.read() as session:
        rows = session.execute(
            sa.select(MoodleEvent.seq, MoodleEvent.type).order_by(
                MoodleEvent.received_at, MoodleEvent.seq
            )
        )
        return [(seq, kind) for seq, kind in rows]


def test_paired_by_its_page(world: World, site: MoodleSite) -> None:
    assert (site.standing, site.url) == (SiteStanding.ACTIVE, world.platform.base_url)
    assert [
        check for check in world.platform.state.connection.checks if check["status"] == "error"
    ] == []
    assert not pair(world.platform.base_url, lambda: _code(world))


@pytest.mark.parametrize("wrong", ["naga1.abc", "nothing", "cut"])
def test_bad_codes_change_nothing(world: World, wrong: str) -> None:
    code = _code(world)[:-1] if wrong == "cut" else wrong
    with pytest.raises(ConnectError, match="code"):
        pair(world.platform.base_url, lambda: code)
    assert not world.platform.state.connection.paired


def test_documents_arrive(world: World, site: MoodleSite) -> None:
    plugin = world.services.moodle_plugin
    person = User(
        idnumber="P1", username="p1", firstname="Dara", lastname="Sok", email="p1@example.edu"
    )
    preview = plugin.apply(site, [TERM, person], dryrun=True)
    applied = plugin.apply(site, [TERM, person])
    assert [each.result for each in preview.results] == [each.result for each in applied.results]
    assert [each.result for each in plugin.apply(site, [TERM, person]).results] == ["unchanged"] * 2
    assert plugin.status(site).epoch == world.platform.state.connection.epoch


def test_events_arrive_once(world: World, site: MoodleSite) -> None:
    host = world.platform
    before = len(_events(world))
    host.sign_in(2)
    host.enrol(world.course, host.add_person("new", "New", "Person"))
    assert Sender(host).send() == len(_events(world)) - before
    assert [kind for _, kind in _events(world)][-2:] == ["user.loggedin", "enrolment.created"]
    assert Sender(host).send() == 0
    assert _site(world).held == host.state.connection.held


def test_an_answer_that_is_lost(world: World, site: MoodleSite) -> None:
    host = world.platform
    host.sign_in(2)
    waiting = list(host.state.connection.outbox)
    Sender(host).send()
    stored = _events(world)
    held = host.state.connection
    held.outbox, held.held, held.held_id = list(waiting), 0, None
    assert Sender(host).send() == len(waiting)
    assert _events(world) == stored


def test_one_bad_event_is_set_aside(world: World, site: MoodleSite) -> None:
    host = world.platform
    for number in range(10):
        host.record("user.loggedin" if number != 6 else "Not an event!", user=2)
    Sender(host).send()
    held = host.state.connection
    assert [event.type for event in held.set_aside] == ["Not an event!"]
    assert held.set_aside[0].reason
    assert held.outbox == []
    assert _site(world).held == held.held == held.last
    assert [kind for _, kind in _events(world)].count("hole") == 1


def test_a_restored_platform_begins_a_new_epoch(world: World, site: MoodleSite) -> None:
    host = world.platform
    host.sign_in(2)
    Sender(host).send()
    held = host.state.connection
    epoch = held.epoch
    # What a backup of yesterday knows.
    held.last, held.held, held.held_id = 0, 0, None
    host.sign_in(2)
    Sender(host).send()
    assert held.outbox == []
    assert held.epoch != epoch
    assert _site(world).reconcile_since is not None


def test_token_is_renewed_in_time(world: World, site: MoodleSite) -> None:
    host = world.platform
    assert not renew_token(host)
    token = host.state.connection.token
    host.state.connection.token_expires = host.epoch() + 9 * 86_400
    assert renew_token(host)
    assert host.state.connection.token != token
    assert world.services.moodle_plugin.status(_site(world)).name == "Campus"


def test_unpaired_on_both_sides(world: World, site: MoodleSite) -> None:
    unpair(world.platform)
    assert _site(world).standing is SiteStanding.DISCONNECTED
    assert not world.platform.state.connection.paired
    world.platform.sign_in(2)
    assert Sender(world.platform).send() == 0
    with pytest.raises(ToolError):
        unpair(world.platform)


def test_a_typed_grade_is_told(world: World, site: MoodleSite) -> None:
    host, course, plugin = world.platform, world.course, world.services.moodle_plugin
    student = next(p for p, m in host.members(course) if m.role == "student" and p.idnumber)
    category = GradeCategory(key="k", name="Midterm", weight=10_000)
    item = GradeItem(key="p", name="Quiz", category="k", weight=10_000)
    book = Gradebook(course=course.idnumber, categories=[category], items=[item])
    grade = Grade(user=student.idnumber, item="p", value=5000, note="Naga SIS")
    grades = Grades(course=course.idnumber, grades=[grade])
    assert [each.result for each in plugin.apply(site, [book, grades]).results] == [
        "created",
        "updated",
    ]
    # What came from the tool is not told to it.
    assert not any(kind.startswith("grade") for _, kind in _waiting(world))
    scope = {"courses": [course.idnumber], "keyed": True}
    held = plugin.read(site, "grades", scope=scope)
    [mine] = [each for each in held.items if each["key"] == "p"]
    assert (mine["user"], mine["percent"]) == (student.idnumber, 5000)
    with requests.Session() as browser:
        teacher = next(p for p, m in host.members(course) if m.role == "editingteacher")
        browser.get(f"{host.base_url}/signin", params={"user": teacher.username})
        page = browser.get(f"{host.base_url}/course/{course.id}/grades?edit=1").text
        form = next(each for each in parse_forms(page) if each.action.endswith("/grades"))
        typed = {**form.fields, f"g-{mine['item']}-{student.id}": "75"}
        browser.post(host.base_url + form.action, data=typed)
    Sender(host).send()
    assert [kind for _, kind in _events(world)][-1] == "grade.changed"


def _waiting(world: World) -> list[tuple[int, str]]:
    return [(each.seq, each.type) for each in world.platform.state.connection.outbox]
