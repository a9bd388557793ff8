"""Where each part's grades come from: the pages, and who may change it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.models import ClassPart, Person
from lti_tool.sync.grades.models import GradeConnection
from tests.web.gradebook_world import GradebookWorld, gradebook_world
from tests.web.world import Page, Visit


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GradebookWorld]:
    with gradebook_world(tmp_path_factory.mktemp("graded")) as world:
        world.settle()
        yield world


@pytest.fixture
def teacher(graded: GradebookWorld) -> Visit:
    return graded.world.launch("teacher")


@contextmanager
def taught_by_another(graded: GradebookWorld, part_key: str) -> Iterator[None]:
    """For a while the SIS names the colleague for one part."""
    database = graded.world.services.database

    def name(key: str) -> None:
        with database.write() as session:
            teacher_id = session.scalars(sa.select(Person.id).filter_by(sourced_id=key)).one()
            session.execute(
                sa.update(ClassPart)
                .where(ClassPart.sourced_id == part_key)
                .values(teacher_id=teacher_id)
            )

    name(graded.world.people["colleague"].idnumber)
    try:
        yield
    finally:
        name(graded.world.people["teacher"].idnumber)


def connections(graded: GradebookWorld) -> dict[str, int]:
    with graded.world.services.database.read() as session:
        return {
            found.part_key: found.item_id for found in session.scalars(sa.select(GradeConnection))
        }


def test_a_quiz_is_chosen_previewed_connected_and_disconnected(
    graded: GradebookWorld, teacher: Visit
) -> None:
    part = graded.view.parts[1]
    grade = graded.some_grade(GradeStatus.SUBMITTED, 1)
    graded.grade_there(graded.quiz.id, grade.person_key, 17)
    assert part.name in teacher.get("/grades/connections").text
    choice = teacher.get(f"/grades/connections/choose?part={part.part_key}")
    assert "Midterm quiz" in choice.text
    assert Page(choice.text).unlabelled == []
    query = f"part={part.part_key}&item={graded.quiz.id}"
    preview = teacher.get(f"/grades/connections/preview?{query}").text
    person = graded.world.services.sis.person(grade.person_key)
    assert person is not None
    [row] = [row for row in preview.split("<tr>") if (person.student_id or "-") in row]
    assert ">17<" in row
    assert ">85<" in row
    assert connections(graded) == {}
    fields = {"part": part.part_key, "item": graded.quiz.id}
    assert teacher.post("/grades/connections/connect", fields).status_code == 302
    assert connections(graded) == {part.part_key: graded.quiz.id}
    shown = teacher.get("/grades/connections").text
    assert "Midterm quiz" in shown
    assert "is connected" in shown
    # It says so above its column too.
    assert "← Midterm quiz" in teacher.get("/grades").text
    taken = teacher.get(f"/grades/connections/choose?part={graded.view.parts[2].part_key}").text
    assert f"It serves {part.name} already" in taken
    other = {"part": graded.view.parts[2].part_key, "item": graded.quiz.id}
    assert teacher.post("/grades/connections/connect", other).status_code == 302
    assert "serves another part already" in teacher.get("/grades/connections").text
    assert connections(graded) == {part.part_key: graded.quiz.id}
    words = teacher.get(f"/grades/connections/disconnect?part={part.part_key}").text
    assert "Grades that came to the SIS stay there" in words
    assert (
        teacher.post("/grades/connections/disconnect", {"part": part.part_key}).status_code == 302
    )
    assert connections(graded) == {}


def test_a_connected_item_that_was_deleted_is_told_where_it_can_be_mended(
    graded: GradebookWorld, teacher: Visit
) -> None:
    part = graded.view.parts[2]
    fields = {"part": part.part_key, "item": graded.quiz.id}
    teacher.post("/grades/connections/connect", fields)
    graded.settle()
    with graded.world.platform.change() as state:
        gone = state.line_items.pop(graded.quiz.id)
    services = graded.world.services
    with services.database.writing() as connection:
        services.provisioning.ledger.send_again(
            connection, graded.site.id, "gradebook", [graded.view.class_key]
        )
    services.provisioning.rounds.changes()
    try:
        for path in ("/grades", "/grades/connections"):
            text = teacher.get(path).text
            assert "no longer in Moodle" in text, path
            assert "disconnect it" in text, path
        teacher.post("/grades/connections/disconnect", fields)
        graded.settle()
        assert "no longer in Moodle" not in teacher.get("/grades/connections").text
    finally:
        with graded.world.platform.change() as state:
            gone.key, gone.stood = "", None
            state.line_items[gone.id] = gone


def test_what_is_gone_is_refused_in_words(graded: GradebookWorld, teacher: Visit) -> None:
    part = graded.view.parts[1]
    for query in ("item=99999999", "item=nonsense", ""):
        answer = teacher.get(f"/grades/connections/preview?part={part.part_key}&{query}")
        assert answer.status_code == 302
    assert "no longer in Moodle" in teacher.get("/grades/connections").text
    assert connections(graded) == {}


def test_a_part_of_another_teacher(graded: GradebookWorld, teacher: Visit) -> None:
    part, other = graded.view.parts[1], graded.view.parts[2]
    with taught_by_another(graded, part.part_key):
        fields = {"part": part.part_key, "item": graded.quiz.id}
        for path in ("choose", "preview", "disconnect"):
            answer = teacher.get(
                f"/grades/connections/{path}?part={part.part_key}&item={graded.quiz.id}"
            )
            assert answer.status_code == 403, path
        assert teacher.post("/grades/connections/connect", fields).status_code == 403
        assert teacher.post("/grades/connections/disconnect", fields).status_code == 403
        assert teacher.get(f"/grades?part={part.part_key}").status_code == 403
        assert part.name not in teacher.get("/grades/connections").text
        assert other.name in teacher.get("/grades/connections").text
        # Neither the page nor the table has anything of it, nor totals that hold it.
        for path in ("/grades", "/grades?state=same", "/grades/export.csv"):
            text = teacher.get(path).text
            assert part.name not in text, path
            assert "Final grade" not in text, path
    assert connections(graded) == {}
    # Without any part there is nothing to choose at all.
    for path in ("choose", "preview"):
        assert teacher.get(f"/grades/connections/{path}").status_code == 403


def test_nothing_of_another_teacher_is_sent(graded: GradebookWorld, teacher: Visit) -> None:
    part = graded.view.parts[0]
    grade = graded.some_grade(GradeStatus.APPROVED)
    with taught_by_another(graded, part.part_key):
        for item in (part.part_key, TOTAL, f"{graded.view.class_key}#1"):
            chosen = f"{grade.person_key}\t{item}"
            preview = teacher.post("/grades/sending/preview", {"what": "cells", "cell": chosen})
            assert preview.status_code == 302
            listed = f'{{"{item}":["{grade.person_key}"]}}'
            for path in ("/grades/sending", "/grades/sending/again"):
                teacher.post(path, {"cells": listed, "seal": ""})
    sent = graded.world.services.grades.views.sendings(
        graded.site, graded.view.class_key, [part.part_key, TOTAL, f"{graded.view.class_key}#1"]
    )
    assert sent == []


@pytest.mark.parametrize("who", ["student", "visitor", "unknown_teacher", "admin"])
@pytest.mark.parametrize(
    "path",
    [
        "/grades",
        "/grades/student?person=x",
        "/grades/export.csv",
        "/grades/reading",
        "/grades/connections",
        "/grades/sending/1",
        "/grades/sending/1/body",
    ],
)
def test_pages_are_for_teachers_of_the_course(graded: GradebookWorld, who: str, path: str) -> None:
    visit = graded.world.launch(who)
    assert visit.get(path).status_code == 403


def test_a_teacher_whom_the_sis_does_not_name_sees_nothing(graded: GradebookWorld) -> None:
    colleague = graded.world.launch("colleague")
    page = colleague.get("/grades")
    assert page.status_code == 200
    assert "<table" not in page.text
    assert "<table" not in colleague.get("/grades/connections").text
    assert colleague.get("/grades/export.csv").text.count("\n") == 1
    part = graded.view.parts[0].part_key
    assert colleague.get(f"/grades/connections/choose?part={part}").status_code == 403


def test_forms_that_nobody_of_ours_made(graded: GradebookWorld, teacher: Visit) -> None:
    assert teacher.post("/grades/sending/preview", {"what": "else"}).status_code in (400, 422)
    for cells in ("", "[]", "{", '{"a":1}', '{"a":["b"]}', "null"):
        answer = teacher.post("/grades/sending/again", {"cells": cells})
        assert answer.status_code < 500, cells
    assert teacher.get("/grades/sending/1").status_code == 404
    assert teacher.get(f"/grades/sending/{10**30}").status_code == 404
    assert teacher.get("/grades/student?person=nobody").status_code == 404
