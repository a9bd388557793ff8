"""Gradebooks and grades as documents: what is said of a course, and what is not."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.moodle.documents import TOTAL, Grade, Gradebook, Grades
from lti_tool.sis.entities import EnrollmentStatus, GradeSource, GradeStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.grade_models import ClassPartGrade, FinalGrade
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.models import ClassHeader, Course, Cycle
from lti_tool.sync.grades.models import (
    ConflictState,
    GradeConflict,
    GradeConnection,
    GradeReceipt,
)
from lti_tool.sync.grades.rendering import GradeRendering
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.rendered import Nothing, Rendered
from tests.sync.grades.grade_world import GradeWorld, counted


def rendered(world: GradeWorld, kind: str, key: str = "K") -> Rendered:
    return world.parts.rendering.render(
        kind,  # type: ignore[arg-type]
        [key],
        now=world.clock.now(),
        site_id=world.site.id,
    )[key]


def grades(world: GradeWorld, key: str = "K") -> dict[tuple[str, str], Grade]:
    document = rendered(world, "grades", key)
    assert isinstance(document, Grades)
    return {(each.user, each.item): each for each in document.grades}


def receipt(world: GradeWorld, person: str, item: str, **values: object) -> None:
    with world.database.write() as session:
        session.merge(
            GradeReceipt(
                site_id=world.site.id,
                course_key="K",
                class_key="K",
                person_key=person,
                item_key=item,
                **{"sent_text": "", "asked_text": ""} | values,
            )
        )


def test_sessions_are_categories_and_parts_are_items(world: GradeWorld) -> None:
    world.school.class_(
        "L",
        parts=("a", "b", "c"),
        sessions=2,
        weights=(Decimal(30), Decimal(50), Decimal(70)),
    )
    world.changed()
    document = rendered(world, "gradebook", "L")
    assert isinstance(document, Gradebook)
    assert [(each.key, each.name, each.weight) for each in document.categories] == [
        ("L#1", "Session 1", 5000),
        ("L#2", "Session 2", 5000),
    ]
    assert [(each.key, each.name, each.category, each.weight) for each in document.items] == [
        ("L/a", "A", "L#1", 3000),
        ("L/c", "C", "L#1", 7000),
        ("L/b", "B", "L#2", 10000),
    ]
    minimums = [each.minimum for each in document.letters]
    assert minimums == sorted(minimums, reverse=True)
    assert minimums[-1] == 0


def test_a_part_takes_its_grades_from_where_a_teacher_said_at_this_site(world: GradeWorld) -> None:
    with world.database.write() as session:
        session.add(
            GradeConnection(
                site_id=world.site.id,
                part_key="K/mid",
                class_key="K",
                item_id=77,
                item_type="mod",
                item_name="Quiz",
                connected_by="T",
                connected_at=world.clock.now(),
            )
        )
    document = rendered(world, "gradebook")
    assert isinstance(document, Gradebook)
    assert {each.key: each.source for each in document.items} == {"K/mid": 77, "K/final": None}


def test_a_class_without_parts_has_no_gradebook(world: GradeWorld) -> None:
    world.school.class_("L", parts=())
    world.changed()
    assert isinstance(rendered(world, "gradebook", "L"), Nothing)
    assert isinstance(rendered(world, "grades", "L"), Nothing)


def test_classes_taught_together_share_a_gradebook(world: GradeWorld, database: Database) -> None:
    for key in ("M", "N"):
        world.school.class_(key, parts=("p",), combined="both")
        world.school.student(f"student-{key}", key)
    world.changed()
    world.enter("student-N", "N/p", "70")
    world.grading.approve(["N/p"], actor="T")
    book = rendered(world, "gradebook", "M")
    assert isinstance(book, Gradebook)
    assert [each.key for each in book.categories] == ["M#1", "N#1"]
    assert [each.name for each in book.items] == ["M A: P", "N A: P"]
    assert book.letters
    assert set(grades(world, "M")) == {
        ("student-N", "N/p"),
        ("student-N", "N#1"),
        ("student-N", TOTAL),
    }
    # The course of its own goes on, and its grades stand where they are taught.
    assert isinstance(rendered(world, "gradebook", "N"), Nothing)
    assert isinstance(rendered(world, "grades", "N"), Nothing)
    with database.write() as session:
        course = sa.select(ClassHeader.course_id).where(ClassHeader.sourced_id == "N")
        session.execute(
            sa.update(Course).where(Course.id == course.scalar_subquery()).values(cycle=Cycle.BA)
        )
    other = rendered(world, "gradebook", "M")
    assert isinstance(other, Gradebook)
    assert other.letters == [], "one course, two scales: numbers"


def test_what_is_submitted_is_said_and_drafts_are_not(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "87.125")
    world.enter("B", "K/mid", "50", submitted=False)
    world.enter("C", "K/mid", "0")
    assert {key: each.value for key, each in grades(world).items()} == {
        ("A", "K/mid"): 8713,
        ("C", "K/mid"): 0,
    }


def test_totals_are_said_when_all_that_is_in_them_is_approved(world: GradeWorld) -> None:
    for part in ("K/mid", "K/final"):
        world.enter("A", part, "80")
    world.grading.approve(["K/mid"], actor="T")
    assert set(grades(world)) == {("A", "K/mid"), ("A", "K/final")}
    world.grading.approve(["K/final"], actor="T")
    found = grades(world)
    assert {item: each.value for (_, item), each in found.items()} == {
        "K/mid": 8000,
        "K/final": 8000,
        "K#1": 8000,
        TOTAL: 8000,
    }
    assert found["A", TOTAL].note == "Naga SIS, approved by T Dara"
    assert found["A", "K#1"].note == "Naga SIS, approved by T Dara"


def test_who_answers_for_a_grade_is_named(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.school.grade("B", "K/mid", "70")
    with world.database.write() as session:
        session.execute(
            sa.update(ClassPartGrade)
            .where(ClassPartGrade.score == 70)
            .values(entered_by="moodle:17")
        )
    found = grades(world)
    assert found["A", "K/mid"].note == "Naga SIS, entered by teacher"
    assert found["B", "K/mid"].note == "Naga SIS"


@pytest.mark.parametrize("status", [EnrollmentStatus.DROPPED, EnrollmentStatus.WITHDRAWN])
def test_of_who_left_nothing_is_said(world: GradeWorld, status: EnrollmentStatus) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.school.enrol("A", "K", status)
    # Not even that it is taken back: who comes back finds it.
    assert grades(world) == {}


def test_an_auditor_has_no_grade_and_one_that_was_sent_is_taken_back(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.school.enrol("A", "K", EnrollmentStatus.AUDIT, audit=True)
    found = grades(world)
    assert set(found) == {("A", "K/mid")}
    assert (found["A", "K/mid"].value, found["A", "K/mid"].expected) == (None, 8000)


def test_a_letter_without_a_number_is_a_text(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    with world.database.write() as session:
        session.execute(
            sa.update(FinalGrade).values(
                score=None, letter="I", special="I", status=GradeStatus.APPROVED
            )
        )
    total = grades(world)["A", TOTAL]
    assert (total.value, total.text) == (None, "I")


def test_what_came_from_moodle_is_not_sent_there(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "60")
    world.pull()
    assert world.score("A", "K/mid") == 60
    assert grades(world) == {}
    with world.database.write() as session:
        session.execute(sa.update(ClassPartGrade).values(held_by="registrar"))
    assert grades(world)["A", "K/mid"].value == 6000, "the registrar holds it: it is ours"
    with world.database.write() as session:
        session.execute(sa.update(ClassPartGrade).values(held_by=None, score=65))
    assert grades(world)["A", "K/mid"].expected == 6000


def test_while_somebody_is_to_decide_nothing_is_said(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    with world.database.write() as session:
        session.add(
            conflict := GradeConflict(
                site_id=world.site.id,
                course_key="K",
                class_key="K",
                person_key="A",
                item_key="K/mid",
                reason="locked",
                since=world.clock.now(),
            )
        )
    assert grades(world) == {}
    with world.database.write() as session:
        session.get_one(GradeConflict, conflict.id).state = ConflictState.KEPT
    assert set(grades(world)) == {("A", "K/mid")}


def test_a_receipt_of_another_course_says_nothing(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    with world.database.write() as session:
        session.add(
            GradeReceipt(
                site_id=world.site.id,
                course_key="elsewhere",
                class_key="K",
                person_key="A",
                item_key="K/mid",
                seen=1200,
                sent_text="",
                asked_text="",
            )
        )
    assert grades(world)["A", "K/mid"].expected is None


class TestOnRequest:
    """``MOODLE_GRADE_PUSH=on_request``: only what a teacher sent, as it was then."""

    @pytest.fixture
    def world(self, world: GradeWorld) -> GradeWorld:
        rendering = world.parts.rendering
        rendering.grades = GradeRendering(
            world.database,
            Extracts(world.database),
            Lifecycle(ZoneInfo("Asia/Phnom_Penh")),
            on_request=True,
        )
        return world

    def test_nothing_goes_by_itself(self, world: GradeWorld) -> None:
        world.enter("A", "K/mid", "80")
        assert grades(world) == {}

    def test_what_was_sent_stays_so_until_it_is_sent_anew(self, world: GradeWorld) -> None:
        world.enter("A", "K/mid", "80")
        receipt(world, "A", "K/mid", asked=8000, asked_by="T", asked_at=world.clock.now())
        world.enter("A", "K/mid", "90")
        cell = grades(world)["A", "K/mid"]
        assert (cell.value, cell.note) == (8000, "Naga SIS, sent by T Dara")

    def test_what_moodle_said_since_is_newer(self, world: GradeWorld) -> None:
        world.enter("A", "K/mid", "80")
        asked, since = world.clock.now(), world.clock.advance
        receipt(world, "A", "K/mid", asked=8000, asked_by="T", asked_at=asked, sent=8000)
        since(seconds=5)
        receipt(
            world,
            "A",
            "K/mid",
            asked=8000,
            asked_by="T",
            asked_at=asked,
            base=8500,
            seen=8500,
            agreed_at=world.clock.now(),
            sent=8000,
            sent_at=asked,
        )
        assert grades(world) == {}


def test_many_courses_are_a_handful_of_statements(world: GradeWorld) -> None:
    _large(world, classes=2, students=5)
    with counted(world.database) as few:
        _all(world)
    _large(world, classes=40, students=25)
    with counted(world.database) as many:
        documents = _all(world)
    cells = sum(len(each.grades) for each in documents if isinstance(each, Grades))
    assert cells == (2 * 5 + 40 * 25) * 4
    assert len(many) == len(few) <= 20


def _all(world: GradeWorld) -> list[Rendered]:
    keys = world.parts.rendering.all_keys("grades")
    found = world.parts.rendering.render(
        "grades", keys, now=world.clock.now(), site_id=world.site.id
    )
    return list(found.values())


def _large(world: GradeWorld, *, classes: int, students: int) -> None:
    """Classes of which everybody has four grades that are submitted."""
    school = world.school
    for number in range(classes):
        key = f"{classes}-{number}"
        parts = ("p1", "p2", "p3", "p4")
        school.class_(key, parts=parts)
        people = [school.student(f"{key}-{n}", key) for n in range(students)]
        world.grading.enter(
            [GradeEntry(who, f"{key}/{part}", Decimal(50)) for who in people for part in parts],
            actor="T",
            source=GradeSource.MANUAL_TEACHER,
            submitted=True,
        )
    world.changed()
