"""Grades both ways in a real Moodle: built, connected, graded, approved, regraded, decided."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Locator, Page, expect

from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import GradeSource, GradeStatus
from lti_tool.sis.grading import GradeEntry
from tests.e2e.browser import Cookies
from tests.e2e.conftest import OpenBrowser
from tests.e2e.moodle.pages import settled
from tests.e2e.pairing import Desk
from tests.e2e.tool_pages import arrived
from tests.e2e.with_plugin.campus import Campus
from tests.e2e.with_plugin.graded import QUIZ, Graded
from tests.e2e.with_plugin.link import Link, arrive
from tests.e2e.with_plugin.pictures import Pictures

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def made(campus: Campus) -> Graded:
    """The class, with a quiz that the teacher made."""
    return Graded.make(campus)


@pytest.fixture(scope="module")
def teacher(made: Graded, link: Link, browsers: OpenBrowser) -> Iterator[Page]:
    """The teacher's window."""
    browser = browsers(Cookies.BLOCKED)
    yield arrive(browser, made.campus, made.campus.chosen.teacher)
    browser.close()


@pytest.fixture(scope="module")
def connected_quiz(made: Graded, link: Link, teacher: Page, pictures: Pictures) -> Graded:
    """The teacher has connected the part with the quiz, on the tool's page in the course."""
    made.attempt(made.people[0], right=True)
    frame = link.open(teacher)
    arrived(frame, link.name)
    frame.get_by_role("link", name="Where each part's grades come from").click()
    arrived(frame, "Where each part's grades come from")
    row = frame.locator("tr", has=frame.locator("th", has_text=made.part.name))
    row.get_by_role("link", name="Connect").click()
    arrived(frame, made.part.name)
    frame.get_by_label(QUIZ).check()
    frame.get_by_role("button", name="Preview").click()
    preview = arrived(frame, QUIZ)
    # 10 of 10 points, which becomes 100.
    expect(preview).to_contain_text("1 grade comes from Moodle to the SIS")
    frame.get_by_role("button", name="Connect", exact=True).click()
    expect(arrived(frame, "Where each part's grades come from")).to_contain_text(QUIZ)
    made.campus.sync("apply")
    return made


def test_the_gradebook_is_built_with_the_weights_of_the_sis(made: Graded, teacher: Page) -> None:
    keys = made.keys()
    for part in made.view.parts:
        held = made.act("item", item=keys[part.part_key], users=[])
        assert held["name"] == part.name
        assert Decimal(str(held["weight"])) == part.weight * 100
    moodle = made.campus.moodle
    teacher.goto(f"{moodle.url}/grade/edit/tree/index.php?id={made.course_id}")
    settled(teacher)
    tree = teacher.locator("#region-main")
    for part in made.view.parts:
        expect(tree).to_contain_text(part.name)


def test_what_was_graded_before_comes_with_the_connection(connected_quiz: Graded) -> None:
    graded = connected_quiz
    grade = graded.comes(graded.people[0], "100")
    assert (grade.status, grade.source) == (GradeStatus.SUBMITTED, GradeSource.MOODLE_IMPORT)
    held = graded.act("item", item=graded.item, users=[])
    # It counts where the part counts, and is called what its teacher called it.
    assert held["name"] == QUIZ
    assert Decimal(str(held["weight"])) == graded.part.weight * 100
    assert graded.keys()[graded.part.part_key] == graded.item


def test_a_grade_of_the_grader_report_comes_with_who_and_when(
    connected_quiz: Graded, teacher: Page
) -> None:
    graded, person = connected_quiz, connected_quiz.people[1]
    before = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=2)
    graded.grade_in_report(teacher, person, "7.5")
    grade = graded.comes(person, "75")
    assert (grade.status, grade.source) == (GradeStatus.SUBMITTED, GradeSource.MOODLE_IMPORT)
    assert grade.entered_by == graded.campus.chosen.teacher
    assert grade.graded_at is not None
    assert before <= grade.graded_at <= dt.datetime.now(dt.UTC)


def test_zero_is_a_grade(connected_quiz: Graded, teacher: Page) -> None:
    graded = connected_quiz
    graded.grade_in_report(teacher, graded.people[2], "0")
    assert graded.comes(graded.people[2], "0").score == 0


def test_it_does_not_come_back_as_news(connected_quiz: Graded) -> None:
    graded = connected_quiz
    graded.campus.sync("apply")
    before = graded.in_moodle(graded.people[1])
    assert before["final"] == 7.5
    # What stands there is still the teacher's: nothing was written over it.
    assert not str(before["source"]).startswith("Naga SIS")


@pytest.fixture(scope="module")
def approved(connected_quiz: Graded) -> Graded:
    """All grades of the second student are approved in the SIS, and have been sent."""
    graded, person = connected_quiz, connected_quiz.people[1]
    graded.comes(person, "75")
    keys = [part.part_key for part in graded.view.parts]
    with graded.campus.tool.services() as services:
        have = {
            grade.part_key
            for grade in services.sis.part_grades(graded.view.class_key, keys)
            if grade.person_key == person and grade.score is not None
        }
        missing = [GradeEntry(person, key, Decimal(80)) for key in keys if key not in have]
        services.grading.enter(missing, actor="e2e", submitted=True)
        services.grading.submit(keys, actor="e2e", person_keys=[person])
        services.grading.approve(keys, actor="e2e", person_keys=[person])
        totals = services.sis.class_totals(graded.view.class_key, [person])[person]
        assert totals.final is not None
        assert totals.final.status is GradeStatus.APPROVED
    graded.campus.sync("apply")
    return graded


def _final(graded: Graded, person: str) -> Decimal:
    with graded.campus.tool.services() as services:
        totals = services.sis.class_totals(graded.view.class_key, [person])[person]
        assert totals.final is not None
        assert totals.final.score is not None
        return Decimal(totals.final.score)


def test_the_final_grade_stands_in_moodles_own_reports(
    approved: Graded, teacher: Page, open_browser: OpenBrowser, pictures: Pictures
) -> None:
    person = approved.people[1]
    shown = f"{_final(approved, person):.2f}"
    total = approved.keys()[TOTAL]
    held = approved.in_moodle(person, total)
    assert held["overridden"]
    assert f"{held['final']:.2f}" == shown
    assert str(held["source"]).startswith("Naga SIS, approved by")
    approved.report(teacher)
    expect(approved.report_cell(teacher, person, total)).to_contain_text(shown)
    page = arrive(open_browser(), approved.campus, person)
    moodle = approved.campus.moodle
    page.goto(f"{moodle.url}/grade/report/user/index.php?id={approved.course_id}")
    settled(page)
    row = page.locator("tr", has=page.locator("th", has_text=re.compile("Course total")))
    expect(row).to_contain_text(shown)


def test_the_teacher_and_the_student_see_it_in_the_tool(
    approved: Graded, link: Link, teacher: Page, open_browser: OpenBrowser
) -> None:
    person = approved.people[1]
    shown = f"{_final(approved, person):f}".rstrip("0").rstrip(".")
    with approved.campus.tool.services() as services:
        name = services.sis_extracts.people([person])[person].full_name
    frame = link.open(teacher)
    arrived(frame, link.name)
    row = frame.locator("tr", has=frame.get_by_role("link", name=name, exact=True))
    expect(row.get_by_role("cell").last).to_contain_text(shown)
    own = link.open(arrive(open_browser(), approved.campus, person))
    expect(arrived(own)).to_contain_text(shown)


def _regraded(graded: Graded, teacher: Page, points: str) -> int:
    """Regraded in Moodle after the approval; the conflict's id."""
    person = graded.people[1]
    graded.grade_in_report(teacher, person, points)
    with graded.campus.tool.services() as services:
        graded.pull(services)
        found = services.grades.conflicts.undecided(person_key=person)
    assert [conflict.reason for conflict in found] == ["locked"]
    assert found[0].moodle_value == int(Decimal(points) * 1000)
    return found[0].id


def _opened(desk: Desk, graded: Graded, conflict: int) -> Locator:
    """The registrar's page of one conflict."""
    desk.in_tool.bring_to_front()
    desk.in_tool.goto(f"{desk.tool.url}/admin/grades")
    desk.in_tool.locator(f"#conflict-{conflict}").get_by_role("link").first.click()
    return arrived(desk.in_tool, graded.part.name)


def test_regraded_after_approval_and_the_siss_is_kept(
    approved: Graded, teacher: Page, desk: Desk, pictures: Pictures
) -> None:
    person = approved.people[1]
    conflict = _regraded(approved, teacher, "9")
    with approved.campus.tool.services() as services:
        grade = approved.in_sis(services, person)
        assert grade is not None
        assert (grade.score, grade.status) == (Decimal(75), GradeStatus.APPROVED)
    page = desk.in_tool
    main = _opened(desk, approved, conflict)
    expect(main).to_contain_text("75")
    expect(main).to_contain_text("90")
    pictures.take(page, "tool-grade-conflict")
    page.get_by_role("button", name="Keep the SIS's grade").click()
    arrived(page)
    approved.campus.sync("apply")
    assert approved.in_moodle(person)["final"] == 7.5
    with approved.campus.tool.services() as services:
        assert services.grades.conflicts.undecided(person_key=person) == []


def test_regraded_again_and_moodles_is_taken(approved: Graded, teacher: Page, desk: Desk) -> None:
    person = approved.people[1]
    before = _final(approved, person)
    conflict = _regraded(approved, teacher, "9.5")
    page = desk.in_tool
    _opened(desk, approved, conflict)
    page.get_by_label("Why (required)").fill("The quiz was marked wrongly")
    page.get_by_role("button", name="Take Moodle's grade").click()
    arrived(page)
    with approved.campus.tool.services() as services:
        grade = approved.in_sis(services, person)
        assert grade is not None
        assert (grade.score, grade.status) == (Decimal(95), GradeStatus.APPROVED)
    # The total follows, in the SIS and then in Moodle.
    after = _final(approved, person)
    assert after > before
    approved.campus.sync("apply")
    held = approved.in_moodle(person, approved.keys()[TOTAL])
    assert f"{held['final']:.2f}" == f"{after:.2f}"


def test_the_teacher_is_asked_and_answers_inside_the_course(
    approved: Graded, link: Link, teacher: Page, desk: Desk
) -> None:
    person = approved.people[1]
    conflict = _regraded(approved, teacher, "9.9")
    _opened(desk, approved, conflict)
    page = desk.in_tool
    page.get_by_label("Question (required)").fill("Did the student sit it twice?")
    page.get_by_role("button", name="Ask the teacher").click()
    arrived(page)
    frame = link.open(teacher)
    arrived(frame, link.name)
    frame.get_by_role("link", name="Decide", exact=True).click()
    expect(arrived(frame, "Questions about grades")).to_contain_text("sit it twice?")
    asked = frame.locator(f"#conflict-{conflict}")
    asked.get_by_label("Moodle's: 99").check()
    asked.get_by_label("Why (required)").fill("Yes, with leave")
    asked.get_by_role("button", name="Answer").click()
    arrived(frame, "Questions about grades")
    main = _opened(desk, approved, conflict)
    expect(main).to_contain_text("Yes, with leave")
    page.get_by_role("button", name="Take Moodle's grade").click()
    arrived(page)
    with approved.campus.tool.services() as services:
        grade = approved.in_sis(services, person)
    assert grade is not None
    assert (grade.score, grade.status) == (Decimal(99), GradeStatus.APPROVED)


def test_withdrawn_in_moodle_is_a_conflict_and_no_erasure(approved: Graded, teacher: Page) -> None:
    person = approved.people[2]
    approved.grade_in_report(teacher, person, "")
    with approved.campus.tool.services() as services:
        approved.pull(services)
        found = services.grades.conflicts.undecided(person_key=person)
        assert [conflict.reason for conflict in found] == ["withdrawn"]
        grade = approved.in_sis(services, person)
        assert grade is not None
        assert grade.score == 0


def test_disconnected_the_quiz_stands_where_it_stood(
    approved: Graded, link: Link, teacher: Page
) -> None:
    frame = link.open(teacher)
    arrived(frame, link.name)
    frame.get_by_role("link", name="Where each part's grades come from").click()
    arrived(frame, "Where each part's grades come from")
    row = frame.locator("tr", has=frame.locator("th", has_text=approved.part.name))
    row.get_by_role("link", name="Disconnect").click()
    arrived(frame, "Disconnect")
    frame.get_by_role("button", name="Disconnect").click()
    arrived(frame, "Where each part's grades come from")
    approved.campus.sync("apply")
    held = approved.act("item", item=approved.item, users=[approved.users[approved.people[0]]])
    assert held["name"] == QUIZ
    assert held["weight"] == 0
    # Its grades are still there, and the part has an item of its own with the SIS's.
    assert held["grades"][str(approved.users[approved.people[0]])]["final"] == 10
    own = approved.keys()[approved.part.part_key]
    assert own != approved.item
    assert approved.in_moodle(approved.people[1], own)["final"] == 99
