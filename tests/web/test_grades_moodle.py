"""The gradebook of a course that the plugin keeps: both sides, sending, receipts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from demo.gradebook import CourseGrades
from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grading import GradeEntry
from lti_tool.sync.grades.cells import CellState
from lti_tool.web.grades_moodle import harmless
from tests.web.gradebook_world import GradebookWorld, gradebook_world
from tests.web.world import Page, Visit


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GradebookWorld]:
    with gradebook_world(tmp_path_factory.mktemp("graded")) as world:
        world.settle()
        yield world


@pytest.fixture
def teacher(graded: GradebookWorld) -> Visit:
    graded.settle()
    return graded.world.launch("teacher")


def state(graded: GradebookWorld, person_key: str, item_key: str) -> CellState:
    """Where a grade stands."""
    table = graded.world.services.grades.views.table(
        graded.site,
        [graded.view],
        part_keys=[part.part_key for part in graded.view.parts],
        totals=True,
    )
    return next(
        cell.state
        for _row, _column, cell in table.cells()
        if (cell.person_key, cell.item_key) == (person_key, item_key)
    )


def change(graded: GradebookWorld, score: str, number: int = 0) -> tuple[str, str]:
    """Enter another grade in the SIS; returns its person and part."""
    part_key = graded.view.parts[1].part_key
    grades = graded.world.services.sis.part_grades(graded.view.class_key, [part_key])
    submitted = [g for g in grades if g.status is GradeStatus.SUBMITTED and g.score is not None]
    person_key = submitted[number].person_key
    graded.world.services.grading.enter(
        [GradeEntry(person_key, part_key, Decimal(score))], actor="tests", submitted=True
    )
    return person_key, part_key


def name(graded: GradebookWorld, person_key: str) -> str:
    person = graded.world.services.sis.person(person_key)
    assert person is not None
    assert person.student_id
    return person.student_id


def row_of(text: str, mark: str) -> str:
    [found] = [row for row in text.split("<tr>") if mark in row]
    return found


def test_a_changed_grade_is_seen_previewed_sent_and_receipted(
    graded: GradebookWorld, teacher: Visit
) -> None:
    person_key, part_key = change(graded, "12.25")
    page = teacher.get("/grades")
    assert "Changed since sent" in row_of(page.text, name(graded, person_key))
    listed = teacher.get("/grades?state=different").text
    assert "12.25" in row_of(listed, name(graded, person_key))
    before = graded.held(part_key, person_key)
    preview = teacher.post("/grades/sending/preview", {"what": "all"})
    assert "1 grade would change in Moodle" in preview.text
    shown = row_of(preview.text, name(graded, person_key))
    assert "<strong>12.25</strong>" in shown
    # Looking changes nothing.
    assert graded.held(part_key, person_key) == before
    fields = Page(preview.text).fields
    sent = teacher.post("/grades/sending", {key: fields[key] for key in ("cells", "seal")})
    assert sent.status_code == 302
    address = sent.headers["Location"].split(teacher.reference)[1]
    waiting = teacher.get(address)
    assert "<progress" in waiting.text
    assert 'aria-live="polite"' in waiting.text
    assert state(graded, person_key, part_key) is CellState.SENDING
    assert address in teacher.get("/grades").text
    graded.settle()
    # Another browser finds it again.
    other = graded.world.launch("teacher")
    done = other.get(address)
    assert "1 grade is in Moodle" in done.text
    assert "<progress" not in done.text
    assert "<progress" not in teacher.get(f"{address}/body").text
    assert graded.held(part_key, person_key) == 1225
    receipts = other.get(f"/grades/student?person={person_key}").text
    actor = graded.world.services.sis.person(graded.world.people["teacher"].idnumber)
    assert actor is not None
    assert actor.full_name in receipts


def test_only_what_was_chosen_is_sent(graded: GradebookWorld, teacher: Visit) -> None:
    first, part_key = change(graded, "21", 1)
    second, _part = change(graded, "22", 2)
    preview = teacher.post(
        "/grades/sending/preview", {"what": "cells", "cell": f"{first}\t{part_key}"}
    )
    assert name(graded, first) in preview.text
    assert name(graded, second) not in preview.text
    assert "1 grade would change" in preview.text
    by_person = teacher.post("/grades/sending/preview", {"what": "people", "person": second})
    assert name(graded, second) in by_person.text
    assert name(graded, first) not in by_person.text
    nothing = teacher.post("/grades/sending/preview", {"what": "people"})
    assert nothing.status_code == 302
    assert "No grade was chosen" in teacher.get("/grades").text


def test_a_grade_that_changed_after_the_preview_is_shown_again(
    graded: GradebookWorld, teacher: Visit
) -> None:
    change(graded, "31", 3)
    fields = Page(teacher.post("/grades/sending/preview", {"what": "all"}).text).fields
    person_key, part_key = change(graded, "32", 3)
    answer = teacher.post("/grades/sending", {key: fields[key] for key in ("cells", "seal")})
    assert answer.status_code == 200
    assert "Grades changed after the preview" in answer.text
    assert "<strong>32</strong>" in row_of(answer.text, name(graded, person_key))
    assert state(graded, person_key, part_key) is CellState.CHANGED


def test_a_refusal_names_item_student_value_and_remedy_and_can_be_tried_again(
    graded: GradebookWorld, teacher: Visit
) -> None:
    person_key, part_key = change(graded, "41", 4)
    held = CourseGrades(
        graded.world.platform.state,
        graded.world.platform.state.courses[graded.world.course.id],
    )
    item = held.keyed(part_key)
    assert item is not None
    fields = Page(teacher.post("/grades/sending/preview", {"what": "all"}).text).fields
    with graded.world.platform.change():
        item.locked = True
    try:
        refused = teacher.post("/grades/sending/preview", {"what": "all"}).text
        assert "Moodle would refuse 1 grade" in refused
        sent = teacher.post("/grades/sending", {key: fields[key] for key in ("cells", "seal")})
        address = sent.headers["Location"].split(teacher.reference)[1]
        graded.settle()
        done = teacher.get(address).text
    finally:
        with graded.world.platform.change():
            item.locked = False
    assert "1 grade was refused" in done
    line = row_of(done, name(graded, person_key))
    part = next(part for part in graded.view.parts if part.part_key == part_key)
    for words in (part.name, ">41<", "locked in Moodle", "Unlock it"):
        assert words in line
    assert state(graded, person_key, part_key) is CellState.REFUSED
    again = teacher.post("/grades/sending/again", {"cells": Page(done).fields["cells"]})
    assert again.status_code == 302
    graded.settle()
    assert (
        "1 grade is in Moodle"
        in teacher.get(again.headers["Location"].split(teacher.reference)[1]).text
    )
    assert graded.held(part_key, person_key) == 4100


def test_grades_are_brought_over_when_asked(graded: GradebookWorld, teacher: Visit) -> None:
    services = graded.world.services
    part_key = graded.view.parts[1].part_key
    grade = graded.some_grade(GradeStatus.SUBMITTED, 1)
    services.grades.pulls.run(graded.site)
    held = CourseGrades(
        graded.world.platform.state,
        graded.world.platform.state.courses[graded.world.course.id],
    )
    item = held.keyed(part_key)
    assert item is not None
    graded.grade_there(item.id, grade.person_key, 66.5)
    assert teacher.post("/grades/read").status_code == 302
    page = teacher.get("/grades").text
    assert "Grades are being read from Moodle" in page
    assert "every 3s" in teacher.get("/grades/reading").text
    services.grades.pulls.run(graded.site)
    after = teacher.get("/grades/reading").text
    assert "Read from Moodle last" in after
    assert "hx-get" not in after
    assert state(graded, grade.person_key, part_key) is CellState.MOODLE
    row = row_of(teacher.get("/grades").text, name(graded, grade.person_key))
    assert "66.5" in row
    assert "Comes from Moodle" in row


def test_a_search_and_a_filter_go_together(graded: GradebookWorld, teacher: Visit) -> None:
    person_key, _part = change(graded, "51", 5)
    number = name(graded, person_key)
    found = teacher.get(f"/grades?q={number}")
    assert found.text.count('name="person"') == 1
    assert teacher.get(f"/grades?state=changed&q={number}").text.count('name="cell"') == 1
    assert "Nobody fits this search" in teacher.get("/grades?q=nobody-is-called-so").text
    assert teacher.get("/grades?state=nonsense&q=%00&page=99999&show=-1").status_code == 200


def test_a_table_that_no_spreadsheet_runs(graded: GradebookWorld, teacher: Visit) -> None:
    answer = teacher.get("/grades/export.csv")
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    grade = graded.some_grade(GradeStatus.APPROVED)
    number = name(graded, grade.person_key)
    part = graded.view.parts[0]
    [line] = [r for r in rows if r["Student number"] == number and r["Item"] == part.name]
    assert line["In the SIS"] == f"{grade.score:.2f}"
    assert line["Status"] == "Approved"
    assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("សុខ", "សុខ"),
        ("A-", "A-"),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_text(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_how_grades_go_is_said_in_a_sentence(graded: GradebookWorld, teacher: Visit) -> None:
    services = graded.world.services
    assert "by themselves as soon as" in teacher.get("/grades").text
    services.settings = services.settings.model_copy(
        update={"moodle_grade_push": "on_request", "moodle_sync_enabled": False}
    )
    try:
        page = teacher.get("/grades").text
    finally:
        services.settings = services.settings.model_copy(
            update={"moodle_grade_push": "automatic", "moodle_sync_enabled": True}
        )
    assert "Grades go to Moodle when you send them" in page
    assert "switched off" in page


def test_a_paused_connection_is_no_way_around(graded: GradebookWorld, teacher: Visit) -> None:
    sites = graded.world.services.sites
    sites.pause(graded.site.id, reason="tests", actor="tests")
    try:
        page = teacher.get("/grades").text
        assert "is paused" in page
        assert "Bring grades over from Moodle now" in page
        assert teacher.post("/grades/preview").status_code == 403
    finally:
        sites.resume(graded.site.id, actor="tests")
    assert "is paused" not in teacher.get("/grades").text


def test_the_way_of_before_is_closed_here(graded: GradebookWorld, teacher: Visit) -> None:
    assert teacher.post("/grades/preview").status_code == 403
    # A course without the plugin's gradebook goes on as before.
    other = graded.world.launch("teacher", "other")
    assert other.get("/grades").status_code in (302, 404)


@pytest.mark.parametrize(
    "path", ["/grades", "/grades?state=different", "/grades/connections", "/grades?state=same"]
)
def test_pages_can_be_read_with_a_screen_reader(
    graded: GradebookWorld, teacher: Visit, path: str
) -> None:
    change(graded, str(len(path)), 6)
    text = teacher.get(path).text
    page = Page(text)
    assert page.lang == "en"
    assert page.unlabelled == []
    assert len(page.ids) == len(set(page.ids))
    assert page.styled == []
    assert page.headings[0] == "h1"
    assert re.search(r"<table[^>]*>\s*<caption", text)
    assert "<th scope=" in text
    assert "<th>" not in text
