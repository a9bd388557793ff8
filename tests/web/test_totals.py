"""One student, one total: the teacher's gradebook and the student's page say the same."""

from __future__ import annotations

import re

from tests.web.world import World


def test_teacher_and_student_read_the_same_final_grade(world: World) -> None:
    own = world.launch("student").get("/").text
    final = re.search(r'<p class="h4">(\S+)\s+<span class="muted">([\d.]+)</span>', own)
    assert final, own
    letter, score = final.groups()
    person = world.services.sis.person(world.people["student"].idnumber)
    assert person is not None
    assert person.student_id
    table = world.launch("teacher").get("/grades").text
    (row,) = [row for row in table.split("<tr>") if person.student_id in row]
    assert f">{score} ({letter})</td>" in row
