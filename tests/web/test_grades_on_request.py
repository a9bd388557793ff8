"""Where grades go to Moodle only when a teacher sends them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.grading import GradeEntry
from tests.web.gradebook_world import GradebookWorld, gradebook_world
from tests.web.world import Page, Visit


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GradebookWorld]:
    with gradebook_world(tmp_path_factory.mktemp("graded"), push="on_request") as world:
        world.settle()
        yield world


def chosen(visit: Visit, cell: str) -> dict[str, str]:
    """What a preview of one grade hands back."""
    preview = visit.post("/grades/sending/preview", {"what": "cells", "cell": cell})
    fields = Page(preview.text).fields
    return {key: fields[key] for key in ("cells", "seal")}


def test_a_grade_goes_as_it_was_sent_and_is_marked_when_it_changes(
    graded: GradebookWorld,
) -> None:
    part_key = graded.view.parts[1].part_key
    person_key = graded.some_grade(GradeStatus.SUBMITTED, 1).person_key
    grading = graded.world.services.grading
    teacher = graded.world.launch("teacher")

    def enter(score: str) -> None:
        grading.enter(
            [GradeEntry(person_key, part_key, Decimal(score))], actor="tests", submitted=True
        )
        graded.settle()

    def waits(state: str) -> bool:
        listed = teacher.get(f"/grades?state={state}").text
        return f"{person_key}\t{part_key}" in listed.replace("&#9;", "\t")

    enter("61")
    teacher.post("/grades/sending", chosen(teacher, f"{person_key}\t{part_key}"))
    assert waits("sending") is False
    graded.settle()
    assert graded.held(part_key, person_key) == 6100
    enter("62")
    # Nothing goes by itself: it is marked, and waits for the teacher.
    assert graded.held(part_key, person_key) == 6100
    assert waits("changed")
    assert "Send it." in teacher.get("/grades?state=changed").text
    teacher.post("/grades/sending", chosen(teacher, f"{person_key}\t{part_key}"))
    graded.settle()
    assert graded.held(part_key, person_key) == 6200
    assert not waits("changed")


def test_the_words_of_connecting_know_that_nothing_goes_by_itself(
    graded: GradebookWorld,
) -> None:
    part_key = graded.view.parts[1].part_key
    teacher = graded.world.launch("teacher")
    query = f"part={part_key}&item={graded.quiz.id}"
    preview = teacher.get(f"/grades/connections/preview?{query}").text
    assert "until you send them" in preview
    teacher.post("/grades/connections/connect", {"part": part_key, "item": graded.quiz.id})
    graded.settle()
    words = teacher.get(f"/grades/connections/disconnect?part={part_key}").text
    assert "when you send them" in words
    # Nothing of the SIS has gone into the quiz.
    assert graded.held(part_key, graded.some_grade(GradeStatus.SUBMITTED, 1).person_key) is None
