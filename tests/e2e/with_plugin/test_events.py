"""What happens in Moodle arrives in the tool: each event once, whatever stood in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from lti_tool.moodle.messages import ACTIVITY_TYPES, APPLIED, RECORD_TYPES
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import sign_in
from tests.e2e.with_plugin.campus import Campus
from tests.e2e.with_plugin.moodle_events import NAMES

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]

_ACTS = (
    "grades",
    "assignment",
    "quiz",
    "completion",
    "enrolments",
    "groups",
    "courses",
    "content",
    "administration",
)
# Only younger Moodles say this.
_PERHAPS = {"quiz.graded"}


@dataclass
class Provoked:
    """A course made by hand, and what was done in it: the object of each type's event."""

    campus: Campus
    people: dict[str, int]
    log: int
    objects: dict[str, int | None] = field(default_factory=dict)

    def arrived(self, after: int) -> list[Any]:
        """The tool's events after so many."""
        return self.campus.events()[after:]


@pytest.fixture(scope="module")
def provoked(campus: Campus) -> Provoked:
    """Every kind of act has been done once, and sent."""
    campus.plugins.send()
    log = campus.plugins.act("log")["last"]
    people = campus.plugins.act("course", name="e2e-by-hand")
    provoked = Provoked(campus, people, log)
    for act in _ACTS:
        provoked.objects |= campus.plugins.act(act, **people)
    campus.plugins.send()
    return provoked


def test_every_type_of_record_is_provoked(provoked: Provoked) -> None:
    assert set(RECORD_TYPES) - set(provoked.objects) <= _PERHAPS
    assert set(NAMES) == {*RECORD_TYPES, *ACTIVITY_TYPES}


@pytest.mark.parametrize("kind", sorted(RECORD_TYPES))
def test_it_arrives_with_what_it_is_about(provoked: Provoked, kind: str) -> None:
    if kind not in provoked.objects:
        pytest.skip("this Moodle has no such event")
    wanted = provoked.objects[kind]
    found = [
        event for event in provoked.campus.events() if event.type == kind and event.object == wanted
    ]
    assert found
    # By its own id, each is there once.
    assert len({event.event_id for event in found}) == len(found)


def test_as_often_as_moodles_own_log_says_and_in_one_unbroken_line(provoked: Provoked) -> None:
    told = provoked.campus.plugins.act("log", after=provoked.log)["happened"]
    types = {name: kind for kind, name in NAMES.items()}
    happened = Counter(
        {(types[name], course): times for name, course, times in told if name in types}
    )
    with provoked.campus.tool.services() as services:
        (site,) = services.sites.moodles()
    stored = provoked.campus.events()
    first = next(
        number
        for number, event in enumerate(stored)
        if event.type == "course.created" and event.course == provoked.people["course"]
    )
    assert Counter((event.type, event.course or 0) for event in stored[first:]) == happened
    assert [event.seq for event in stored] == list(range(1, len(stored) + 1))
    assert site.held == len(stored)


def test_what_is_sent_holds_no_names(provoked: Provoked) -> None:
    for event in provoked.campus.events():
        for word in ("e2e", "Oral", "Readers", "Read me", "Week", "clubs", "invalid"):
            assert word not in str(event.data), event.type


def test_a_deleted_thing_is_known_by_its_idnumber(provoked: Provoked) -> None:
    (deleted,) = [
        event
        for event in provoked.campus.events()
        if event.type == "user.deleted" and event.object == provoked.objects["user.deleted"]
    ]
    assert set(deleted.data) == {"idnumber"}


def test_a_login_arrives_by_moodles_cron(provoked: Provoked, open_browser: OpenBrowser) -> None:
    campus = provoked.campus
    before = len(campus.events())
    page = open_browser().new_page()
    sign_in(page, campus.moodle, *campus.account(campus.chosen.students[2]))
    campus.moodle.cli("admin/cli/cron.php", "--keep-alive=0")
    user = campus.place(campus.chosen.students[2])["user"]
    found = [event for event in provoked.arrived(before) if event.type == "user.loggedin"]
    assert [event.user for event in found] == [user]


def test_our_own_changes_do_not_come_back(provoked: Provoked) -> None:
    campus = provoked.campus
    before = len(campus.events())
    campus.plugins.act("rename", idnumber=campus.chosen.class_key, fullname="By hand")
    campus.sync("reconcile")
    assert campus.place(campus.chosen.teacher)["fullname"] != "By hand"
    campus.plugins.send()
    arrived = [event.type for event in provoked.arrived(before)]
    # That there were some is told, for the sake of its number; not what they were.
    assert arrived == ["course.updated", APPLIED]


def test_with_the_tool_down_everything_waits_and_then_arrives_once(provoked: Provoked) -> None:
    campus = provoked.campus
    before = len(campus.events())
    campus.tool.stop()
    try:
        groups = campus.plugins.act("groups", **provoked.people)["group.created"]
        campus.plugins.send()
        assert campus.plugins.act("waiting")["count"] == 5
    finally:
        campus.tool.start()
    campus.plugins.send()
    campus.plugins.send()
    assert campus.plugins.act("waiting")["count"] == 0
    assert [(event.type, event.object) for event in provoked.arrived(before)] == [
        (kind, groups)
        for kind in (
            "group.created",
            "group.updated",
            "group.member_added",
            "group.member_removed",
            "group.deleted",
        )
    ]
