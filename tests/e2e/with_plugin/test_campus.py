"""A campus of 50 in a real Moodle: made, equal, changed on one side and on the other."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import DIGESTED, Category, Course, Gradebook, Roster, User
from lti_tool.sis.enrolling import Enrolling
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled, sign_in
from tests.e2e.with_plugin.campus import Campus

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


def test_moodle_holds_what_the_sis_says(campus: Campus) -> None:
    assert "Run 1: done" in campus.first
    assert "refused" not in campus.first
    with campus.tool.services() as services:
        (site,) = services.sites.moodles()
        for kind in DIGESTED:
            rendering = services.provisioning.rendering
            rendered = rendering.render(
                kind, rendering.all_keys(kind), now=services.clock.now(), site_id=site.id
            )
            wanted = {
                key: fingerprint(document)
                for key, document in rendered.items()
                if isinstance(document, Category | User | Course | Roster | Gradebook)
            }
            there = {
                item.key: item.fingerprint
                for item in services.provisioning.client.digests(site, kind)
            }
            assert len(wanted) > 10, kind
            # Whatever else stands in that Moodle with a number of its own is not ours to judge.
            assert {key: there.get(key) for key in wanted} == wanted, kind


def test_nobody_got_a_message(campus: Campus) -> None:
    assert campus.plugins.act("told") == []


def test_the_same_again_would_change_nothing(campus: Campus) -> None:
    assert "Nothing would change." in campus.sync("plan", "--all")
    again = campus.sync("apply", "--all")
    assert ": done" in again
    for outcome in ("created", "updated", "suspended", "refused"):
        assert outcome not in again


def test_everything_on_the_way_into_a_course_is_done(campus: Campus) -> None:
    chosen = campus.chosen
    told = campus.sync("explain", chosen.students[0], chosen.class_key)
    assert "✓" in told
    assert "…" not in told
    assert "✕" not in told


def test_a_student_is_a_student_and_a_teacher_may_edit(campus: Campus) -> None:
    student, teacher = campus.place(campus.chosen.students[0]), campus.place(campus.chosen.teacher)
    assert (student["roles"], student["active"]) == (["student"], True)
    assert (teacher["roles"], teacher["active"]) == (["editingteacher"], True)


def test_the_teacher_sees_the_class_among_the_participants(
    campus: Campus, open_browser: OpenBrowser
) -> None:
    page = open_browser().new_page()
    sign_in(page, campus.moodle, *campus.account(campus.chosen.teacher))
    student = campus.place(campus.chosen.students[0])
    page.goto(f"{campus.moodle.url}/user/index.php?id={student['course']}&perpage=5000")
    settled(page)
    table = page.locator("table#participants")
    expect(table.locator("tbody tr[id]:not(.emptyrow)")).to_have_count(
        len(campus.chosen.students) + 1
    )
    row = table.locator("tr", has=page.locator(f"[href*='user/view.php?id={student['user']}&']"))
    expect(row).to_contain_text("Student")
    expect(row).to_contain_text("Active")
    # Ours are not the teacher's to change.
    assert row.locator("a.unenrollink, a.editenrollink").count() == 0


def test_who_drops_is_suspended_and_comes_back_with_everything(campus: Campus) -> None:
    chosen = campus.chosen
    dropped = chosen.students[1]
    with campus.tool.services() as services:
        enrolling = Enrolling(services.database, services.clock)
        enrolling.drop(dropped, chosen.class_key)
        assert "suspended" in campus.sync("plan")
        campus.sync("apply")
        place = campus.place(dropped)
        assert (place["enrolled"], place["active"]) == (True, False)
        assert not place["account_suspended"]
        assert "DROPPED" in campus.sync("explain", dropped, chosen.class_key)
        assert campus.place(chosen.students[0])["active"]
        enrolling.enroll(dropped, chosen.class_key)
        campus.sync("apply")
        place = campus.place(dropped)
        assert (place["roles"], place["active"]) == (["student"], True)


def test_what_was_changed_by_hand_is_named_and_repaired(campus: Campus) -> None:
    chosen = campus.chosen
    before = campus.place(chosen.teacher)["fullname"]
    campus.plugins.act("rename", idnumber=chosen.class_key, fullname="Renamed by hand")
    campus.plugins.send()
    report = campus.sync("reconcile", "--report")
    assert f"course {chosen.class_key} differs (course.updated by Moodle's user" in report
    assert campus.place(chosen.teacher)["fullname"] == "Renamed by hand"
    assert f"course {chosen.class_key} differs" in campus.sync("reconcile")
    assert campus.place(chosen.teacher)["fullname"] == before
    assert "Moodle is equal to the SIS." in campus.sync("reconcile")
