"""Who may open what: roles by pages, other people's data, other courses, other platforms."""

from __future__ import annotations

import pytest

from tests.web.world import World

# Status by page for each role. 302 leads on to where the person may be.
TABLE = {
    "student": {"/": 200, "/roster": 403, "/grades": 403, "/class": 403, "/deep-link": 403,
                "/registration": 403, "/registration/launches": 403, "/registration/people": 403},
    "teacher": {"/": 200, "/roster": 200, "/grades": 200, "/class": 302, "/deep-link": 403,
                "/registration": 403, "/registration/launches": 403, "/registration/people": 403},
    "colleague": {"/": 200, "/roster": 200, "/grades": 200, "/class": 302, "/deep-link": 403,
                  "/registration": 403, "/registration/courses": 403},
    "unknown_teacher": {"/": 403, "/roster": 403, "/grades": 403, "/class": 403,
                        "/registration": 403},
    "visitor": {"/": 403, "/roster": 403, "/grades": 403, "/registration": 403},
    "admin": {"/": 302, "/registration": 200, "/registration/launches": 200,
              "/registration/people": 200, "/registration/courses": 200, "/roster": 403,
              "/grades": 403},
}  # fmt: skip


@pytest.mark.parametrize("who", TABLE)
def test_roles_by_pages(world: World, who: str) -> None:
    visit = world.launch(who)
    found = {path: visit.get(path).status_code for path in TABLE[who]}
    assert found == TABLE[who]


@pytest.mark.parametrize("who", ["student", "teacher", "admin"])
def test_no_launch_opens_the_administration_of_the_tool(world: World, who: str) -> None:
    visit = world.launch(who)
    for path in ("/admin/registrations", "/admin/launches", "/admin/registrations/1/people"):
        response = visit.client.get(path, base_url=world.url)
        assert response.status_code == 401, path


def test_without_a_session_nothing_opens(world: World) -> None:
    visit = world.launch("teacher")
    stranger = world.app.test_client()
    for path in ("/", "/roster", "/grades", "/registration"):
        response = stranger.get(f"/l/{visit.reference}{path}", base_url=world.url)
        assert response.status_code == 401
        assert visit.reference not in response.get_data(as_text=True)


def test_a_session_of_one_launch_opens_no_other(world: World) -> None:
    teacher, student = world.launch("teacher"), world.launch("student")
    response = student.client.get(f"/l/{teacher.reference}/grades", base_url=world.url)
    assert response.status_code == 401


def test_a_student_sees_own_grades_and_nobody_elses(world: World) -> None:
    page = world.launch("student").first.get_data(as_text=True)
    own = world.services.sis.person(world.people["student"].idnumber)
    assert own is not None
    roster = [
        entry.person
        for chunk in world.services.sis.roster(world.class_.class_key)
        for entry in chunk
        if entry.person.person_key != own.person_key
    ]
    assert len(roster) > 5
    for other in roster:
        assert other.person_key not in page
        if other.khmer_name and other.khmer_name != own.khmer_name:
            assert other.khmer_name not in page
        if other.full_name != own.full_name:
            assert other.full_name not in page
    grades = world.services.sis.student_grades(own.person_key, world.class_.class_key)
    shown = [f"{grade.score:f}".rstrip("0").rstrip(".") for grade in grades.parts if grade.score]
    assert shown
    assert all(score in page for score in shown)


def test_a_student_cannot_ask_for_another_students_grades(world: World) -> None:
    visit = world.launch("student")
    other = world.people["classmate"].id
    assert visit.get(f"/grades/of/{other}").status_code == 403


def test_a_teacher_whom_the_sis_does_not_name_sees_no_grades(world: World) -> None:
    visit = world.launch("colleague")
    page = visit.get("/grades").get_data(as_text=True)
    assert "Preview what would change" not in page
    assert "may see its roster" in page
    part = world.class_.parts[0].part_key
    assert visit.get("/grades", query_string={"part": part}).status_code == 403
    subject = world.people["student"].id
    assert "74." not in visit.get(f"/grades/of/{subject}").get_data(as_text=True)


def test_a_push_of_one_course_is_closed_to_other_courses_and_teachers(world: World) -> None:
    teacher = world.launch("teacher")
    made = teacher.post("/grades/preview")
    assert made.status_code == 302
    push = made.headers["Location"].rsplit("/", 1)[1]
    assert teacher.get(f"/pushes/{push}").status_code == 200
    assert world.launch("colleague").get(f"/pushes/{push}").status_code == 404
    assert world.launch("student").get(f"/pushes/{push}").status_code == 403
    world.services.courses.link(
        world.registration.id, str(world.other_course.id), [world.class_.class_key], actor="tests"
    )
    try:
        elsewhere = world.launch("teacher", "other")
        assert elsewhere.get(f"/pushes/{push}").status_code == 404
    finally:
        world.services.courses.unlink(
            world.registration.id, str(world.other_course.id), actor="tests"
        )


def test_a_site_administrator_reaches_own_platform_only(world: World) -> None:
    other = world.services.registrations.create(
        actor="tests",
        name="Elsewhere",
        issuer="https://elsewhere.example",
        client_id="other",
        auth_url="https://elsewhere.example/auth",
        token_url="https://elsewhere.example/token",
        jwks_url="https://elsewhere.example/jwks",
    )
    visit = world.launch("admin")
    page = visit.get("/registration").get_data(as_text=True)
    assert "Campus Moodle" in page
    assert "Elsewhere" not in page
    assert visit.get(f"/registration/{other.id}").status_code == 404
    forged = visit.post("/registration/rename", {"name": "Renamed", "registration_id": other.id})
    assert forged.status_code == 302
    try:
        assert world.services.registrations.get(other.id).name == "Elsewhere"
        assert world.services.registrations.get(world.registration.id).name == "Renamed"
    finally:
        world.services.registrations.update(
            world.registration.id, actor="tests", name="Campus Moodle"
        )


def test_a_site_administrator_may_not_switch_trust_or_link_themselves(world: World) -> None:
    visit = world.launch("admin")
    assert visit.post("/registration/trust", {"trusted": "no"}).status_code == 403
    assert visit.post("/registration/standing", {"standing": "disabled"}).status_code == 403
    own = str(world.people["admin"].id)
    teacher = world.people["teacher"].idnumber
    linked = visit.post("/registration/people/link", {"subject": own, "person_key": teacher})
    assert linked.status_code == 403
    many = visit.post("/registration/people/confirm", {"pair": f"{own}\t{teacher}"})
    assert many.status_code == 403
    with world.services.database.read() as session:
        assert not world.services.people.links(session, world.registration.id, [own])


def test_a_demotion_counts_from_the_next_launch(world: World) -> None:
    person = world.people["colleague"]
    world.platform.enrol(world.course, person, "student")
    try:
        assert world.launch("colleague").get("/roster").status_code == 403
    finally:
        world.platform.enrol(world.course, person, "editingteacher")
