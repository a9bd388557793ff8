"""A Moodle that is away, slow, half-answered, asked twice, or thrown back to an older state."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from lti_tool.moodle.models import SiteStanding
from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grade_rows import standing_grades
from lti_tool.sync.provisioning.models import BreakerState
from tests.drills import crowd
from tests.drills.door import Answer, Call
from tests.drills.site import Installation
from tests.e2e.with_plugin.plugins import Plugins

pytestmark = [pytest.mark.moodle, pytest.mark.timeout(900)]
AWAY = 60
SLOW = 5
MAINTAIN = "\\local_nagasis\\task\\maintain"


def test_a_moodle_that_is_down_for_a_minute(installation: Installation) -> None:
    installation.door.shut()
    installation.shake(101)
    time.sleep(AWAY)
    gate = installation.services.provisioning.gates.state(installation.site.id)
    assert gate is not None
    assert gate.breaker is not BreakerState.CLOSED
    marks = installation.services.provisioning.marks.counts(installation.site.id)
    assert sum(marks.values()) > crowd_size(installation)
    assert installation.services.provisioning.letters.counts(installation.site.id) == {}
    installation.door.calls.clear()
    installation.door.open()
    installation.settle(300)
    installation.proven()
    # No stampede: one call after the other, the first of them alone to see whether it is back.
    assert installation.door.most_at_once == 1


def crowd_size(installation: Installation) -> int:
    """How many people the SIS has."""
    return len(installation.services.provisioning.rendering.all_keys("user"))


def test_a_moodle_that_takes_five_seconds_for_each_answer(installation: Installation) -> None:
    def slowly(call: Call) -> Answer | None:
        time.sleep(SLOW)
        return call.send()

    installation.door.calls.clear()
    with installation.door.doing(slowly):
        installation.shake(102)
        installation.settle(600)
        calls = [at for at, function in installation.door.calls if function == "apply"]
    installation.proven()
    assert all(later - earlier >= SLOW for earlier, later in pairwise(calls))


def test_an_answer_that_is_lost_after_the_work_was_done(installation: Installation) -> None:
    lost: list[Answer] = []

    def deaf(call: Call) -> Answer | None:
        answer = call.send()
        if call.function == "apply" and len(lost) < 2:
            lost.append(answer)
            return None
        return answer

    with installation.door.doing(deaf):
        installation.shake(103)
        installation.settle()
    assert len(lost) == 2
    installation.proven()


def test_a_batch_that_is_delivered_twice(installation: Installation) -> None:
    twice = 0

    def again(call: Call) -> Answer | None:
        nonlocal twice
        if call.function != "apply":
            return call.send()
        twice += 1
        call.send()
        return call.send()

    crowd.add_people(installation.services.database, 50, prefix=f"{crowd.PREFIX}twice-")
    with installation.door.doing(again):
        installation.shake(104)
        installation.settle()
    assert twice
    installation.proven()


def test_answers_that_are_none(installation: Installation) -> None:
    said = [
        Answer(503, b"", "text/plain"),
        Answer(200, b"<html>Maintenance</html>", "text/html"),
        Answer(200, b'"{\\"contract\\": 1, \\"dryr', "application/json"),
        Answer(200, b"", "application/json"),
    ]

    def rubbish(call: Call) -> Answer | None:
        return said.pop() if said else call.send()

    with installation.door.doing(rubbish):
        installation.shake(105)
        installation.settle()
    assert not said
    installation.proven()


def test_a_token_that_is_revoked_and_renewed(installation: Installation, plugins: Plugins) -> None:
    assert installation.act("revoke")["revoked"]
    installation.shake(106)
    assert _comes_to_be(installation, SiteStanding.PAUSED)
    assert installation.services.provisioning.letters.counts(installation.site.id) == {}
    plugins.moodle.cli("admin/cli/scheduled_task.php", f"--execute={MAINTAIN}", "--force")
    assert _comes_to_be(installation, SiteStanding.ACTIVE)
    installation.settle()
    installation.proven()


def test_a_moodle_that_is_restored_from_an_older_backup(
    installation: Installation, plugins: Plugins, tmp_path: Path
) -> None:
    if installation.act_once("database")["family"] != "postgres":
        pytest.skip("this Moodle's database is not PostgreSQL: no backup is made of it here")
    course = installation.services.provisioning.rendering.all_keys("course")[0]
    with installation.backup(tmp_path) as restore:
        crowd.add_people(installation.services.database, 20, prefix=f"{crowd.PREFIX}later-")
        installation.shake(107)
        installation.settle()
        # By hand, so that an event tells of it: the tool holds more than Moodle will know of.
        installation.act("rename", course=course, fullname="Renamed by hand")
        by_hand = _grade_by_hand(installation)
        plugins.send()
        installation.settle()
        assert len(installation.entered - installation.sis()) == len(by_hand)
        installation.enter()
        disputed = installation.disputes()
        restore()
    # Before it is known that this is an older Moodle: its grades are older too, and no news.
    installation.services.grades.pulls.request_all(installation.site)
    time.sleep(10)
    assert installation.sis() == installation.entered
    installation.act("rename", course=course, fullname="Renamed after the restore")
    plugins.send()
    assert installation.site.reconcile_since is not None
    assert installation.differences()
    _reconciled(installation)
    installation.proven()
    assert installation.sis() == installation.entered
    assert installation.disputes() == disputed
    there = installation.grades_in_moodle()
    assert {cell: there.get(cell) for cell in by_hand} == by_hand


def test_a_restore_is_noticed_although_nobody_did_anything(
    installation: Installation, plugins: Plugins, tmp_path: Path
) -> None:
    if installation.act_once("database")["family"] != "postgres":
        pytest.skip("this Moodle's database is not PostgreSQL: no backup is made of it here")
    plugins.send()
    installation.settle()
    with installation.backup(tmp_path) as restore:
        installation.shake(108)
        installation.settle()
        plugins.send()
        restore()
    installation.services.grades.pulls.request_all(installation.site)
    time.sleep(5)
    assert installation.sis() == installation.entered
    installation.act("silent")
    plugins.send()
    assert installation.site.reconcile_since is not None
    _reconciled(installation)
    installation.proven()
    assert installation.sis() == installation.entered


def _reconciled(installation: Installation) -> None:
    """What the schedule does within ten minutes."""
    installation.ask_worker("reconcile_missed")
    deadline = time.monotonic() + 300
    while installation.site.reconcile_since is not None and time.monotonic() < deadline:
        time.sleep(0.5)
    installation.settle()


def _grade_by_hand(installation: Installation) -> dict[tuple[str, str, str], int]:
    """Five grades that nobody has approved are changed in Moodle; returns what they are then."""
    cells = installation.grades_for_moodle()
    with installation.services.database.write() as session:
        standing = standing_grades(session, {item for _, _, item in cells})
    open_ = [
        cell
        for cell in sorted(cells)
        if (grade := standing.get(cell[1:])) is not None and grade.status is GradeStatus.SUBMITTED
    ]
    given = {cell: 1200 + 100 * number for number, cell in enumerate(open_[:5])}
    assert given
    for (course, person, item), value in given.items():
        done = installation.act("grade", course=course, user=person, item=item, value=value / 100)
        assert done["done"]
    return given


def _comes_to_be(installation: Installation, standing: SiteStanding) -> bool:
    deadline = time.monotonic() + 60
    while installation.site.standing is not standing and time.monotonic() < deadline:
        time.sleep(0.25)
    return installation.site.standing is standing
