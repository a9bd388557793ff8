"""Launches from Moodle's frame: by everybody, whatever the browser does with cookies."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.e2e import oneroster, school
from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import GRADEBOOK, ROSTER, SPEAKING, Links, come_in
from tests.e2e.platform import Platform
from tests.e2e.tool_pages import arrived

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]

EVERY_BROWSER = pytest.mark.parametrize("cookies", list(Cookies))


def test_who_is_not_known_yet_is_told_whom_to_ask(unknown: dict[str, str]) -> None:
    for text in unknown.values():
        assert "administrator" in text
        assert re.search(r"reference number", text)


@EVERY_BROWSER
def test_a_student_sees_their_own_grades_and_nobody_elses(
    trusted: Links, platform: Platform, open_browser: OpenBrowser, cookies: Cookies
) -> None:
    student = school.student(3)
    page = come_in(open_browser(cookies), platform, student)
    place = trusted.follow(page, GRADEBOOK, cookies)
    text = arrived(place, "EHSS-07").inner_text()
    score = oneroster.speaking_score(student)
    assert f"{score:f}".rstrip("0").rstrip(".") in text
    assert "A-201" in text
    others = {school.name(key).personal for key in school.SIS_STUDENTS} - {
        school.name(student).personal
    }
    assert not [name for name in others if re.search(rf"\b{name}\b", text)]


def test_zero_and_no_grade_are_not_the_same(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    for number, shown in ((1, r"\b0\b"), (2, "no grade yet")):
        page = come_in(open_browser(), platform, school.student(number))
        frame = trusted.open(page, GRADEBOOK)
        row = arrived(frame, "EHSS-07").locator("tr", has_text=SPEAKING)
        expect(row).to_contain_text(re.compile(shown))


def test_a_student_gets_none_of_the_teachers_pages(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    page = come_in(open_browser(Cookies.ALLOWED), platform, school.student(4))
    frame = trusted.open(page, ROSTER)
    arrived(frame, "EHSS-07")
    for path in ("roster", "grades", "class", "registration"):
        assert _status(frame, path) == 403, path


@EVERY_BROWSER
def test_a_teacher_arrives_where_the_link_leads(
    trusted: Links, platform: Platform, open_browser: OpenBrowser, cookies: Cookies
) -> None:
    page = come_in(open_browser(cookies), platform, school.TEACHER)
    arrived(trusted.follow(page, ROSTER, cookies), ROSTER)
    arrived(trusted.follow(page, GRADEBOOK, cookies), GRADEBOOK)
    place = trusted.follow(page, SPEAKING, cookies)
    expect(arrived(place, SPEAKING)).to_contain_text("Send grades to Moodle")


@EVERY_BROWSER
def test_moodles_administrator_reaches_this_moodles_registration_and_no_more(
    trusted: Links, platform: Platform, open_browser: OpenBrowser, cookies: Cookies
) -> None:
    page = come_in(open_browser(cookies), platform, platform.moodle.admin_user)
    place = trusted.follow(page, ROSTER, cookies)
    text = arrived(place, "Moodle").inner_text()
    assert platform.moodle.url in text
    assert "Approve" not in text
    assert "Switch off now" not in text
    assert _status(place, "/admin/registrations") == 401


def test_two_links_open_in_two_tabs_at_once(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    browser = open_browser()
    first = come_in(browser, platform, school.TEACHER)
    second = browser.new_page()
    one, two = trusted.open(first, ROSTER), trusted.open(second, SPEAKING)
    arrived(two, SPEAKING)
    first.bring_to_front()
    arrived(one, ROSTER)
    one.get_by_role("link", name=GRADEBOOK, exact=True).click()
    arrived(one, GRADEBOOK)


def test_the_teacher_chooses_the_class_of_a_course_without_id_number(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    # Opening the tool anywhere in this Moodle makes the account known.
    student = come_in(open_browser(), platform, school.NOT_IN_COURSE[0])
    frame = trusted.open(student, ROSTER, course=school.SECOND_COURSE)
    expect(arrived(frame)).to_contain_text("teacher")
    teacher = come_in(open_browser(), platform, school.TEACHER)
    frame = trusted.open(teacher, ROSTER, course=school.SECOND_COURSE)
    arrived(frame, "Which class is this?")
    offered = frame.locator("input[name='key']").evaluate_all("all => all.map(e => e.value)")
    assert set(offered) == {school.BIG_CLASS, school.SECOND_CLASS}
    frame.locator(f"input[value='{school.SECOND_CLASS}']").check()
    frame.get_by_role("button", name="Show this class").click()
    frame.get_by_role("button", name="Yes, connect this course to it").click()
    arrived(frame, re.compile(ROSTER))
    frame = trusted.open(student, ROSTER, course=school.SECOND_COURSE)
    arrived(frame, "EHSS-08")


def _status(place: FrameLocator | Page, path: str) -> int:
    """Ask for another page of the same launch, as somebody curious would."""
    status: int = place.locator("body").evaluate(
        "(_, path) => fetch(new URL(path, location.href)).then((answer) => answer.status)", path
    )
    return status
