"""People's own pages without a launch: what they find there, and what nobody finds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.identity.models import AdminSignIn
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis.entities import EnrollmentStatus, PersonStatus
from lti_tool.sis.models import ClassPart, Person
from lti_tool.sync.grades.models import GradeReading
from lti_tool.sync.provisioning.models import MoodleCourseMapping
from tests.identity.launched import add_school
from tests.sync.school import School
from tests.web.desk import Desk, open_desk
from tests.web.own_school import (
    CLASSMATE,
    COLLEAGUE,
    MINE,
    OTHERS,
    STUDENT,
    TEACHER,
    own_school,
)
from tests.web.world import Page


@pytest.fixture
def school(database: Database, clock: FixedClock) -> School:
    return own_school(database, clock)


@pytest.fixture
def desk(school: School, database: Database, clock: FixedClock, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(database, clock, tmp_path) as desk:
        yield desk


def come_in(desk: Desk, person: str, *roles: str) -> None:
    """Sign in as somebody to whom the provider gives these roles."""
    desk.oidc.person = {"person_uuid": person, "name": person.upper(), "sid": f"sid-{person}"}
    desk.oidc.person |= {"sub": f"account-{person}", "naga_roles": list(roles)}
    answer = desk.come_in()
    assert answer.status_code == 303, answer.text


def test_a_student_sees_own_classes_and_grades_and_nobody_elses(desk: Desk) -> None:
    come_in(desk, STUDENT)
    page = desk.get("/my/").text
    assert f"/my/classes/{MINE}" in page
    assert "81.5" in page
    assert OTHERS not in page
    assert "teaching" not in page
    report = desk.get(f"/my/classes/{MINE}").text
    assert "81.5" in report
    # A draft is nobody's grade yet.
    assert "13.25" not in report
    for secret in ("67.75", "CHAN", "Bopha", "LEFT"):
        assert secret not in page + report


def test_a_teacher_sees_own_classes_their_roster_and_their_grades(desk: Desk) -> None:
    come_in(desk, TEACHER)
    page = desk.get("/my/")
    assert '<td data-label="Students" class="number">2</td>' in page.text
    assert OTHERS not in page.text
    roster = desk.get(f"/my/teaching/{MINE}").text
    assert "2 students take part." in roster
    assert "Left the class on" in roster
    assert roster.index("SOK Dara") < roster.index("LEFT Already")
    assert "67.75" not in roster
    grades = desk.get(f"/my/teaching/{MINE}?show=grades").text
    for known in ("67.75", "81.5", "13.25", "Draft", "Total so far"):
        assert known in grades
    assert "LEFT Already" not in grades


@pytest.mark.parametrize(
    ("person", "path"),
    [
        (STUDENT, f"/my/classes/{OTHERS}"),
        (STUDENT, "/my/classes/no-such-class"),
        (TEACHER, f"/my/teaching/{OTHERS}"),
        (TEACHER, "/my/teaching/no-such-class"),
        ("gone", f"/my/classes/{MINE}"),
        # A role opens pages, and gives nobody a class.
        (STUDENT, f"/my/teaching/{MINE}"),
        (TEACHER, f"/my/classes/{MINE}"),
    ],
)
def test_a_strangers_class_is_told_apart_from_none_by_nothing(
    desk: Desk, person: str, path: str
) -> None:
    come_in(desk, person, "student", "teacher", "administrator")
    answer = desk.get(path)
    assert answer.status_code == 404
    assert "You have no such class." in answer.text
    for secret in ("LAW-9", "67.75", "CHAN", "SOKHA", "Reading"):
        assert secret not in answer.text


def test_a_teacher_sees_the_grades_of_own_parts_alone(desk: Desk, school: School) -> None:
    with desk.services.database.write() as session:
        other = session.scalars(sa.select(Person.id).filter_by(sourced_id=COLLEAGUE)).one()
        session.execute(
            sa.update(ClassPart)
            .where(ClassPart.sourced_id == f"{MINE}/writing")
            .values(teacher_id=other)
        )
    come_in(desk, TEACHER)
    grades = desk.get(f"/my/teaching/{MINE}?show=grades").text
    assert "67.75" in grades
    assert "13.25" not in grades
    assert "totals are not shown" in grades
    assert "Total so far" not in grades


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_the_sis_says_who_is_what_whatever_the_provider_says(desk: Desk, role: str) -> None:
    person = {"student": STUDENT, "teacher": TEACHER}[role]
    come_in(desk, person, "unheard-of")
    assert desk.get("/my/").status_code == 200
    with desk.services.database.read() as session:
        assert session.scalars(sa.select(AdminSignIn.roles)).all() == [[role]]


def test_roles_of_the_provider_add_to_it_and_each_area_leads_to_the_other(desk: Desk) -> None:
    come_in(desk, TEACHER, "registrar")
    mine = desk.get("/my/").text
    assert 'href="/admin/"' in mine
    administration = desk.get("/admin/registrations")
    assert administration.status_code == 200
    assert 'href="/my/"' in administration.text
    come_in(desk, STUDENT)
    assert "/admin" not in desk.get("/my/").text
    refused = desk.get("/admin/registrations")
    assert (refused.status_code, "Your role does not allow this." in refused.text) == (403, True)


def test_the_tools_own_address_leads_in(desk: Desk) -> None:
    assert desk.get("/").location == "/sign-in"


def test_where_people_land_and_that_they_come_to_what_they_wanted(desk: Desk) -> None:
    asked = desk.get(f"/my/classes/{MINE}")
    assert (asked.status_code, asked.location) == (302, f"/sign-in?onward=/my/classes/{MINE}")
    desk.oidc.person = {"person_uuid": STUDENT}
    assert desk.come_in(asked.location).location == f"/my/classes/{MINE}"
    # Who is in already goes on, and nobody to what is not theirs, or not ours.
    assert desk.get(asked.location).location == f"/my/classes/{MINE}"
    for elsewhere in (
        "/admin/registrations",
        "https://evil.example/my/",
        "//evil.example/my/",
        "/\\evil.example",
        "/my/../admin",
        "/lti/login",
        "javascript:alert(1)",
        "/myself",
    ):
        answer = desk.client.get(
            "/sign-in", base_url="http://localhost:8700", query_string={"onward": elsewhere}
        )
        assert answer.location == "/my/", elsewhere
    desk.oidc.person = {"person_uuid": TEACHER, "naga_roles": ["administrator"]}
    desk.post("/my/sign-out", of="/my/")
    assert desk.come_in().location == "/admin/"


def test_a_form_of_another_site_begins_nothing(desk: Desk) -> None:
    refused = desk.client.post(
        "/sign-in", base_url="http://localhost:8700", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert refused.status_code == 400


def test_the_cookie_goes_with_nobody_elses_requests(desk: Desk) -> None:
    desk.oidc.person = {"person_uuid": STUDENT}
    cookies = desk.come_in().headers.getlist("Set-Cookie")
    own = next(each for each in cookies if each.startswith("__Host-naga-signed-in="))
    parts = set(own.split("; ")[1:])
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(each.startswith(("Domain", "Partitioned")) for each in parts)
    for path in ("/my/", "/sign-in"):
        policy = desk.get(path).headers.get("Content-Security-Policy", "frame-ancestors 'self'")
        assert policy.endswith("frame-ancestors 'self'"), path


def test_the_way_out(desk: Desk) -> None:
    come_in(desk, STUDENT)
    left = desk.post("/my/sign-out", of="/my/")
    assert "You are signed out" in left.text
    assert 'post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8700%2Fsign-in"' in left.text
    assert desk.get("/my/").status_code == 302
    refused = desk.client.post("/my/sign-out", base_url="http://localhost:8700")
    assert refused.status_code == 400, "no form of ours"


def test_a_new_sign_in_ends_the_session_before(desk: Desk) -> None:
    come_in(desk, STUDENT)
    come_in(desk, TEACHER, "registrar")
    desk.oidc.person = {"person_uuid": STUDENT}
    answer = desk.come_back(desk.post("/admin/sign-in", again="1"))
    assert answer.location == "/my/", "the administration is not theirs"
    with desk.services.database.read() as session:
        live = session.scalars(
            sa.select(AdminSignIn.person_key).where(AdminSignIn.secret_hash.is_not(None))
        ).all()
    assert live == [STUDENT], "each was replaced by the next"


def test_who_was_suspended_is_out_at_the_next_page(desk: Desk) -> None:
    come_in(desk, STUDENT)
    with desk.services.database.write() as session:
        session.execute(
            sa.update(Person)
            .where(Person.sourced_id == STUDENT)
            .values(status=PersonStatus.SUSPENDED)
        )
    closed = desk.get(f"/my/classes/{MINE}")
    assert (closed.status_code, "Your account is closed" in closed.text) == (403, True)
    assert "81.5" not in closed.text
    assert desk.get("/my/").status_code == 302, "the session has ended"
    refused = desk.come_in()
    assert (refused.status_code, "they have left" in refused.text) == (403, True)


def test_empty_pages_say_so(desk: Desk, school: School) -> None:
    school.person("new")
    come_in(desk, "new")
    assert "in no class yet" in desk.get("/my/").text
    school.person("new-teacher", teacher=True)
    come_in(desk, "new-teacher")
    assert "teacher of no class yet" in desk.get("/my/").text


def test_a_link_of_the_administration_opens_nobodys_own_pages(desk: Desk) -> None:
    token = desk.services.admin_sessions.sign_in_link("tests").rsplit("/", 1)[1]
    desk.post(f"/admin/sign-in/{token}", of=f"/admin/sign-in/{token}")
    assert desk.get("/admin/registrations").status_code == 200
    assert desk.get("/my/").status_code == 403


def test_the_course_in_moodle_is_a_link_where_there_is_one(desk: Desk) -> None:
    now = desk.clock.now()
    registration_id = add_school(desk.services.database, desk.clock)
    with desk.services.database.write() as session:
        site = MoodleSite(
            registration_id=registration_id,
            url="https://moodle.example",
            name="Campus",
            paired_by="t",
            paired_at=now,
            updated_at=now,
        )
        session.add(site)
        session.flush()
        by = {"created_at": now, "created_by": "t", "updated_at": now, "updated_by": "t"}
        session.add(
            MoodleCourseMapping(site_id=site.id, key=MINE, moodle_id=77, outcome="created", **by)
        )
        session.add(GradeReading(site_id=site.id, course_key=MINE, read_at=now))
    for person, path in ((TEACHER, f"/my/teaching/{MINE}"), (STUDENT, f"/my/classes/{MINE}")):
        come_in(desk, person)
        assert "https://moodle.example/course/view.php?id=77" in desk.get(path).text
    assert "last brought over from Moodle" in desk.get(path).text, "as in the course"
    with desk.services.database.write() as session:
        session.execute(sa.update(MoodleSite).values(standing=SiteStanding.DISCONNECTED))
    assert "moodle.example" not in desk.get(path).text


@pytest.mark.parametrize(
    ("person", "path", "at_most"),
    [
        (STUDENT, "/my/", 7),
        (TEACHER, "/my/", 8),
        (STUDENT, f"/my/classes/{MINE}", 11),
        (TEACHER, f"/my/teaching/{MINE}", 9),
        (TEACHER, f"/my/teaching/{MINE}?show=grades", 14),
    ],
)
def test_pages_ask_no_provider_and_little_of_the_database(
    desk: Desk, school: School, person: str, path: str, at_most: int
) -> None:
    come_in(desk, person)
    desk.get(path)

    def asked() -> list[str]:
        with desk.statements() as statements:
            assert desk.get(path).status_code == 200
        return [each for each in statements if not each.startswith("PRAGMA")]

    before, called = asked(), len(desk.oidc.stub.requests)
    for number in range(8):
        school.class_(f"MORE-{number}", teacher=TEACHER)
        school.enrol(STUDENT, f"MORE-{number}")
        school.student(f"another-{number}", MINE)
    after = asked()
    assert len(desk.oidc.stub.requests) == called
    assert sum("admin_sign_in" in each for each in after) == 1
    assert len(after) == len(before), "no statement per class or per person"
    assert len(after) <= at_most, after


def test_pages_are_whole_and_speak_khmer(desk: Desk) -> None:
    seen = [("/sign-in", desk.get("/sign-in"), desk.get("/sign-in", **{"Accept-Language": "km"}))]
    for person, paths in (
        (STUDENT, ["/my/", f"/my/classes/{MINE}", f"/my/classes/{OTHERS}"]),
        (TEACHER, ["/my/", f"/my/teaching/{MINE}", f"/my/teaching/{MINE}?show=grades"]),
    ):
        come_in(desk, person)
        seen += [
            (path, desk.get(path), desk.get(path, **{"Accept-Language": "km"})) for path in paths
        ]
    seen.append(("out", desk.post("/my/sign-out", of="/my/"), desk.get("/sign-in")))
    for name, english, other in seen:
        page = Page(english.text)
        assert page.headings.count("h1") == 1, name
        assert page.headings[0] == "h1", name
        assert {"main", "header"} <= page.landmarks, name
        assert page.unlabelled == [], name
        assert page.styled == [], name
        assert len(page.ids) == len(set(page.ids)), name
        if name != "out":
            assert Page(other.text).lang == "km", name
            assert "Sign out" not in other.text, name


def test_a_class_that_was_left_is_named_and_not_open(desk: Desk, school: School) -> None:
    school.enrol(STUDENT, MINE, EnrollmentStatus.WITHDRAWN)
    come_in(desk, STUDENT)
    page = desk.get("/my/").text
    assert "Withdrawn" in page
    assert "81.5" not in page
    assert f"/my/classes/{MINE}" not in page
    assert desk.get(f"/my/classes/{MINE}").status_code == 404


def test_without_a_provider_it_is_said_that_there_is_none(
    database: Database, clock: FixedClock, tmp_path: Path, school: School
) -> None:
    with open_desk(database, clock, tmp_path) as desk:
        desk.services.__dict__["signing_in"] = None
        assert desk.get("/my/").location == "/sign-in?onward=/my/"
        off = desk.get("/sign-in")
        assert (off.status_code, "not set up" in off.text) == (404, True)


def test_a_session_there_that_ends_ends_this_one(desk: Desk) -> None:
    come_in(desk, CLASSMATE)
    told = desk.app.test_client().post(
        "/sign-in/logout",
        base_url="http://localhost:8700",
        data={
            "logout_token": desk.oidc.logout_token(
                sub=f"account-{CLASSMATE}", sid=f"sid-{CLASSMATE}"
            )
        },
    )
    assert told.status_code == 200
    assert desk.get("/my/").status_code == 302
