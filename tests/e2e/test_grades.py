"""Grades go from the SIS to Moodle's own gradebook, and are read back there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import oneroster, school
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import SPEAKING, Links, come_in
from tests.e2e.grading import column, enter, lines, name, preview, send
from tests.e2e.moodle.site import Moodle
from tests.e2e.platform import Platform
from tests.e2e.tool_pages import arrived

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]

_HERE = school.IN_BIG_CLASS[: school.HERE]
_GRADED = [key for key in _HERE if oneroster.speaking_score(key) is not None]


@pytest.fixture
def teacher(trusted: Links, platform: Platform, open_browser: OpenBrowser) -> Page:
    return come_in(open_browser(), platform, school.TEACHER)


@pytest.fixture(scope="module")
def pushed(trusted: Links, platform: Platform, browsers: OpenBrowser) -> dict[str, dict[str, int]]:
    """All grades of one part are sent; what preview and receipts counted."""
    browser = browsers()
    frame = trusted.open(come_in(browser, platform, school.TEACHER), SPEAKING)
    arrived(frame, SPEAKING)
    seen = {"preview": preview(frame), "receipts": send(frame)}
    browser.close()
    return seen


def test_the_preview_counts_what_would_be_sent_and_what_not(
    pushed: dict[str, dict[str, int]],
) -> None:
    refused = len(school.IN_BIG_CLASS) - len(_GRADED)
    assert pushed["preview"] == {
        "All": school.ENROLLED,
        "Will be sent": len(_GRADED),
        "Not sent": refused,
    }


def test_every_grade_is_in_moodles_gradebook(
    pushed: dict[str, dict[str, int]], moodle: Moodle
) -> None:
    assert pushed["receipts"]["Sent"] == len(_GRADED)
    assert "Failed" not in pushed["receipts"]
    held = column(moodle, SPEAKING).scores
    expected = {key: float(oneroster.speaking_score(key) or 0) for key in _GRADED}
    assert {user: score for user, score in held.items() if score is not None} == expected
    # Zero is a grade; no grade is none.
    assert held[school.student(1)] == 0
    assert held.get(school.student(2)) is None


def test_a_second_push_changes_nothing(
    pushed: dict[str, dict[str, int]], trusted: Links, moodle: Moodle, teacher: Page
) -> None:
    before = column(moodle, SPEAKING)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    assert preview(frame)["Unchanged"] == len(_GRADED)
    expect(frame.get_by_text("There is nothing to send")).to_be_visible()
    assert column(moodle, SPEAKING) == before


def test_who_got_no_grade_is_named_with_the_reason(
    pushed: dict[str, dict[str, int]], trusted: Links, teacher: Page
) -> None:
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    preview(frame)
    refused = lines(frame, "refused")
    assert refused.keys() == {
        name(key) for key in (school.student(2), *school.NOT_IN_COURSE, *school.NO_ACCOUNT)
    }
    assert "no grade in the SIS" in refused[name(school.student(2))]
    assert "Moodle account" in refused[name(school.NO_ACCOUNT[0])]


def test_a_change_in_moodle_shows_in_the_next_preview(
    pushed: dict[str, dict[str, int]], trusted: Links, moodle: Moodle, teacher: Page
) -> None:
    student = school.student(5)
    moodle.call("grade", item=column(moodle, SPEAKING).id, username=student, value=12.5)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    assert preview(frame)["Will be sent"] == 1
    line = lines(frame, "send")[name(student)]
    assert "12.5" in line
    assert f"{oneroster.speaking_score(student):f}".rstrip("0").rstrip(".") in line


def test_a_changed_grade_is_sent_and_nothing_else(
    pushed: dict[str, dict[str, int]],
    trusted: Links,
    platform: Platform,
    moodle: Moodle,
    teacher: Page,
) -> None:
    student = school.student(6)
    enter(platform.tool, {student: Decimal("77.25")}, oneroster.SPEAKING)
    before = column(moodle, SPEAKING)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    preview(frame)
    assert name(student) in lines(frame, "send")
    send(frame)
    after = column(moodle, SPEAKING)
    assert after.scores[student] == 77.25
    changed = {user for user in after.modified if after.modified[user] != before.modified[user]}
    # The one whose grade a teacher changed in Moodle meanwhile may be among them.
    assert student in changed <= {student, school.student(5)}


def test_a_grade_set_by_hand_in_moodle_stays_and_the_receipt_says_so(
    pushed: dict[str, dict[str, int]],
    trusted: Links,
    moodle: Moodle,
    teacher: Page,
) -> None:
    student = school.student(14)
    moodle.call("grade", item=column(moodle, SPEAKING).id, username=student, value=33)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    preview(frame)
    receipts = send(frame)
    assert column(moodle, SPEAKING).scores[student] == 33
    unsent = {
        name: line
        for label, state in (("Not sent", "refused"), ("Failed", "failed"))
        if label in receipts
        for name, line in lines(frame, state).items()
    }
    assert "by hand" in unsent[name(student)]


def test_a_locked_grade_and_one_who_left_are_reported_each(
    pushed: dict[str, dict[str, int]],
    trusted: Links,
    platform: Platform,
    moodle: Moodle,
    teacher: Page,
) -> None:
    locked, gone, fine = (school.student(number) for number in (7, 8, 9))
    item = column(moodle, SPEAKING).id
    moodle.call("lock", item=item, username=locked, locked=True)
    new = dict.fromkeys((locked, gone, fine), Decimal("66.5"))
    enter(platform.tool, new, oneroster.SPEAKING)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    preview(frame)
    # Only after the preview: the teacher could not know.
    moodle.call("unenrol", course=school.BIG_COURSE, username=gone)
    try:
        receipts = send(frame)
        failed = lines(frame, "failed") | (
            lines(frame, "refused") if receipts.get("Not sent") else {}
        )
        assert "Moodle did not" in failed[name(locked)]
        assert "Moodle did not" in failed[name(gone)]
        held = column(moodle, SPEAKING).scores
        assert held[fine] == 66.5
        assert held[locked] == float(oneroster.speaking_score(locked) or 0)
    finally:
        moodle.call("lock", item=item, username=locked, locked=False)
        moodle.call("enrol", course=school.BIG_COURSE, username=gone)


def test_failed_grades_are_sent_by_retrying(
    pushed: dict[str, dict[str, int]],
    trusted: Links,
    platform: Platform,
    moodle: Moodle,
    teacher: Page,
) -> None:
    student = school.student(10)
    item = column(moodle, SPEAKING).id
    moodle.call("lock", item=item, username=student, locked=True)
    enter(platform.tool, {student: Decimal(91)}, oneroster.SPEAKING)
    frame = trusted.open(teacher, SPEAKING)
    arrived(frame, SPEAKING)
    preview(frame)
    send(frame)
    moodle.call("lock", item=item, username=student, locked=False)
    frame.get_by_role("button", name="Retry failed").click()
    expect(frame.get_by_role("button", name="Retry failed")).to_have_count(0)
    expect(frame.get_by_text("Finished at")).to_be_visible()
    assert column(moodle, SPEAKING).scores[student] == 91


def test_a_part_without_a_link_gets_a_column_of_its_own(
    trusted: Links, platform: Platform, moodle: Moodle, teacher: Page
) -> None:
    students = (school.student(11), school.student(12))
    enter(platform.tool, dict.fromkeys(students, Decimal(88)), oneroster.WRITING)
    frame = trusted.open(teacher, "Gradebook")
    arrived(frame, "Gradebook")
    preview(frame)
    expect(frame.get_by_text("1 new column is made")).to_be_visible()
    send(frame)
    held = column(moodle, oneroster.PART_NAMES[oneroster.WRITING]).scores
    assert {user: score for user, score in held.items() if score is not None} == dict.fromkeys(
        students, 88.0
    )
