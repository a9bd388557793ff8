"""What teachers do: read the roster, push grades, choose a class, place a link."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from demo.client import parse_forms
from demo.faults import Fault
from lti_tool.sync.models import GradePush, PushState
from tests.web.world import EVIL, Page, Visit, World

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
ESCAPED = html.escape(EVIL)


def text_of(visit: Visit, path: str) -> str:
    response = visit.get(path)
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_data(as_text=True)


def test_the_roster_says_who_is_missing_and_why(world: World) -> None:
    visit = world.launch("teacher")
    part = visit.post("/roster/read", headers={"HX-Request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.get_data(as_text=True)
    whole = text_of(visit, "/roster")
    assert ESCAPED in whole
    assert EVIL not in whole
    assert "Vanna Visitor" in whole, "a member whom the SIS does not know has Moodle's name"
    missing = text_of(visit, "/roster?state=missing_account")
    assert "we do not know their Moodle account" in missing
    assert "Vanna Visitor" not in missing
    found = text_of(visit, "/roster?q=vanna")
    assert "Vanna Visitor" in found
    assert ESCAPED not in found
    assert "Nobody fits this search" in text_of(visit, "/roster?q=zzzz")
    assert text_of(visit, "/roster?state=nonsense&page=99999999999999999999")


def test_without_scripts_the_roster_is_a_form(world: World) -> None:
    response = world.launch("teacher").post("/roster/read")
    assert response.status_code == 302
    assert response.headers["Location"].endswith("/roster")


def test_grades_go_from_preview_to_receipts_and_twice_changes_nothing(world: World) -> None:
    world.empty_gradebook()
    visit = world.launch("teacher")
    push = visit.post("/grades/preview").headers["Location"].rsplit("/", 1)[1]
    preview = text_of(visit, f"/pushes/{push}")
    number = re.search(r"Send (\d+) grades", preview)
    assert number, preview
    assert ESCAPED in preview
    assert EVIL not in preview
    assert "still a draft" in text_of(visit, f"/pushes/{push}?state=refused")

    started = visit.post(f"/pushes/{push}/send")
    assert started.status_code == 302
    waiting = text_of(visit, f"/pushes/{push}/body")
    assert "every 1s" in waiting
    assert 'aria-live="polite"' in waiting

    world.services.pushes.resume_abandoned()
    receipts = text_of(visit, f"/pushes/{push}/body")
    assert "every 1s" not in receipts
    assert f"{number[1]} grades sent" in receipts
    assert push in text_of(visit, "/grades"), "a closed browser finds it again"

    again = visit.post("/grades/preview").headers["Location"].rsplit("/", 1)[1]
    assert "There is nothing to send" in text_of(visit, f"/pushes/{again}")
    assert visit.post(f"/pushes/{push}/send").status_code == 409
    assert visit.post(f"/pushes/{push}/retry").status_code == 409


def test_what_the_platform_says_of_a_stopped_push_is_text(world: World) -> None:
    world.empty_gradebook()
    visit = world.launch("teacher")
    push = visit.post("/grades/preview").headers["Location"].rsplit("/", 1)[1]
    with world.services.database.write() as session:
        stopped = session.get_one(GradePush, push)
        stopped.state, stopped.error = PushState.FAILED, EVIL
        stopped.finished_at = world.services.clock.now()
    page = text_of(visit, f"/pushes/{push}?state=refused")
    assert f"<p>{ESCAPED}</p>" in page
    assert EVIL not in page


def test_a_part_link_opens_its_column_for_the_teacher_and_own_grade_for_the_student(
    world: World,
) -> None:
    part = world.class_.parts[0]
    teacher = world.launch("teacher", "part")
    page = teacher.first.get_data(as_text=True)
    assert f"<h1>{part.name}</h1>" in page
    assert "Total so far" not in page
    student = world.launch("student", "part").first.get_data(as_text=True)
    assert 'aria-current="true"' in student
    assert "Gradebook" not in student
    assert world.launch("teacher", "roster").first.request.path.endswith("/roster")


def test_a_review_opens_that_students_grades(world: World) -> None:
    world.launch("student")
    visit = world.launch("teacher")
    page = text_of(visit, f"/grades/of/{world.people['student'].id}")
    person = world.services.sis.person(world.people["student"].idnumber)
    assert person is not None
    assert person.full_name in page
    nobody = visit.get("/grades/of/nobody")
    assert nobody.status_code == 404
    assert "Look at the roster" in nobody.get_data(as_text=True)


def as_review_of(world: World, who: str) -> Callable[[dict[str, Any], dict[str, Any]], None]:
    def change(claims: dict[str, Any], _header: dict[str, Any]) -> None:
        claims[f"{CLAIM}message_type"] = "LtiSubmissionReviewRequest"
        person = world.people[who]
        claims[f"{CLAIM}for_user"] = {
            "user_id": str(person.id),
            "person_sourcedid": person.idnumber,
        }
        claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"] = (
            f"{world.platform.base_url}/mod/lti/services.php/1/lineitems/1/lineitem"
        )

    return change


def test_what_failed_is_sent_again(world: World) -> None:
    world.empty_gradebook()
    visit = world.launch("teacher")
    push = visit.post("/grades/preview").headers["Location"].rsplit("/", 1)[1]
    visit.post(f"/pushes/{push}/send")
    world.platform.faults.add(Fault("scores", status=403, times=2))
    try:
        world.services.pushes.resume_abandoned()
    finally:
        world.platform.faults.clear()
    page = text_of(visit, f"/pushes/{push}")
    assert "Retry failed" in page
    assert "Moodle did not take this grade" in page or "does not let this tool write" in page
    assert visit.post(f"/pushes/{push}/retry").status_code == 302
    world.services.pushes.resume_abandoned()
    assert "Retry failed" not in text_of(visit, f"/pushes/{push}")


@pytest.mark.parametrize("who", ["teacher", "classmate"])
def test_a_submission_review_opens_the_students_grades_for_teachers_alone(
    world: World, who: str
) -> None:
    world.platform.mutate_id_token = as_review_of(world, "student5")
    try:
        visit = world.launch(who)
    finally:
        world.platform.mutate_id_token = None
    page = visit.first.get_data(as_text=True)
    assert visit.first.status_code == 200, page
    student = world.services.sis.person(world.people["student5"].idnumber)
    assert student is not None
    assert (student.full_name in page) is (who == "teacher")


def test_a_teacher_chooses_the_class_of_a_course_once(world: World) -> None:
    visit = world.launch("teacher", "other")
    assert visit.first.request.path.endswith("/class")
    taught = world.services.sis.classes_taught_by(world.people["teacher"].idnumber)
    other = next(each for each in taught if each.class_key != world.class_.class_key)
    shown = text_of(visit, f"/class?key={other.class_key}")
    assert "Yes, connect this course to it" in shown
    assert visit.post("/class", {"key": world.class_.class_key + "x"}).status_code == 403
    assert visit.post("/class", {"key": ""}).status_code == 400
    # The class of the other course is taken: a second course is an administrator's decision.
    world.launch("teacher")
    taken = visit.post("/class", {"key": world.class_.class_key})
    assert taken.status_code == 409
    chosen = visit.post("/class", {"key": other.class_key})
    assert chosen.status_code == 302
    try:
        assert other.label in text_of(visit, "/")
        student = world.launch("student", "other")
        assert student.first.status_code in (200, 403)
    finally:
        world.services.courses.unlink(
            world.registration.id, str(world.other_course.id), actor="tests"
        )


def test_a_student_of_an_unconnected_course_is_told_whom_to_ask(world: World) -> None:
    response = world.launch("student", "other").first
    page = response.get_data(as_text=True)
    assert response.status_code == 404
    assert "not connected to a class yet" in page
    assert "Ask the teacher" in page
    assert 'id="reference"' in page


@pytest.mark.parametrize("choice", ["roster", "gradebook", "part"])
def test_a_link_is_placed(world: World, choice: str) -> None:
    visit = world.select_content("teacher")
    part = world.class_.parts[1]
    value = f"part:{part.part_key}" if choice == "part" else choice
    page = visit.post("/deep-link", {"choice": value})
    assert page.status_code == 200
    form = parse_forms(page.get_data(as_text=True))[-1]
    assert form.action.startswith(world.platform.base_url)
    assert form.fields["JWT"].count(".") == 2
    assert "<button" in page.get_data(as_text=True), "it works without scripts"
    assert (
        world.platform.base_url in page.headers["Content-Security-Policy"].split("form-action")[1]
    )
    again = visit.post("/deep-link", {"choice": value})
    assert again.status_code == 409


def test_placing_a_link_can_be_cancelled_and_nonsense_is_refused(world: World) -> None:
    visit = world.select_content("teacher")
    assert visit.post("/deep-link", {"choice": "part:nothing"}).status_code == 400
    cancelled = visit.post("/deep-link", {"cancel": "yes"})
    assert cancelled.status_code == 200
    assert "JWT" in Page(cancelled.get_data(as_text=True)).fields
