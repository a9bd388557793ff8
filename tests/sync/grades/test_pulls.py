"""Grades from Moodle to the SIS, on a platform that reads and writes as the plugin does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from demo.grade_model import Grade, LineItem
from demo.gradebook import CourseGrades
from lti_tool.moodle.models import MoodleEvent
from lti_tool.sis.entities import EnrollmentStatus, GradeSource, GradeStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sync.grades.arrivals import Arrivals, Reading
from lti_tool.sync.grades.judging import Item, Seen
from lti_tool.sync.grades.models import (
    GradeConnection,
    GradeReading,
)
from tests.sync.grades.grade_world import GradeWorld, counted


def test_a_grade_given_in_moodle_is_a_submitted_part_grade(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "87.5")
    assert world.pull() == 1
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert (grade.score, grade.status, grade.source) == (
        Decimal("87.50"),
        GradeStatus.SUBMITTED,
        GradeSource.MOODLE_IMPORT,
    )
    assert grade.entered_by == "T"
    assert grade.graded_at is not None
    assert grade.graded_at < world.clock.now()
    assert world.movements("A", "K/mid") == [("imported", None, 8750)]
    receipt = world.receipt("A", "K/mid")
    assert (receipt.base, receipt.seen, receipt.class_key) == (8750, 8750, "K")
    assert world.pulls.waiting(world.site.id) == set()


def test_what_grades_itself_is_graded_by_moodle(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "87.5", by="A")
    world.pull()
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert grade.entered_by == "moodle"


def test_a_grader_whom_the_sis_does_not_know(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    world.platform.state.grades[item.id][world.account("A").id].grader = 4711
    world.pull()
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert grade.entered_by == "moodle:4711"


def test_zero_is_a_grade(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "0")
    world.pull()
    assert world.score("A", "K/mid") == 0
    world.grade("A", "K/mid", "5")
    world.pull()
    world.grade("A", "K/mid", "0")
    world.pull()
    assert world.score("A", "K/mid") == 0


def test_the_same_again_writes_nothing(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "70")
    world.pull()
    with counted(world.database) as sent:
        assert world.pull() == 1
    written = {
        line.split()[2 if line.startswith(("INSERT", "DELETE")) else 1]
        for line in sent
        if line.startswith(("INSERT", "UPDATE", "DELETE"))
    }
    assert written <= {"grade_pull", "grade_reading", "sync_gate"}


def test_what_we_sent_is_no_news(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "66.6")
    world.send()
    assert world.moodle("A", "K/mid") == Decimal("66.6")
    world.pull()
    grade = world.sis("A", "K/mid")
    assert grade is not None
    assert grade.source is GradeSource.MANUAL_TEACHER
    assert [move for move, _, _ in world.movements("A", "K/mid")] == ["sent"]


def test_what_came_from_moodle_is_not_sent_back(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "70")
    world.pull()
    world.send()
    assert world.moodle("A", "K/mid") == 70
    assert world.movements("A", "K/mid") == [("imported", None, 7000)]


def test_the_later_one_wins(world: GradeWorld) -> None:
    for person in ("A", "B"):
        world.enter(person, "K/mid", "60")
    world.send()
    world.enter("A", "K/mid", "61")
    world.grade("A", "K/mid", "62")
    world.grade("B", "K/mid", "62")
    world.enter("B", "K/mid", "61")
    world.pull()
    assert world.score("A", "K/mid") == 62
    assert world.score("B", "K/mid") == 61
    world.send()
    assert world.moodle("A", "K/mid") == 62
    assert world.moodle("B", "K/mid") == 61
    assert [move for move, _, _ in world.movements("B", "K/mid")] == ["sent", "refused", "sent"]


def test_a_clock_that_is_ahead_makes_nothing_later(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "60")
    world.send()
    world.grade("A", "K/mid", "62")
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    world.platform.state.grades[item.id][world.account("A").id].modified += 600
    world.enter("A", "K/mid", "61")
    world.site.clock_skew = 600.0
    world.pull()
    assert world.score("A", "K/mid") == 61


def test_a_draft_gives_way_and_is_not_sent(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "60", submitted=False)
    world.grade("A", "K/mid", "62")
    world.grade("B", "K/mid", "62")
    world.enter("B", "K/mid", "60", submitted=False)
    world.pull()
    assert world.score("A", "K/mid") == 62
    draft = world.sis("B", "K/mid")
    assert draft is not None
    assert (draft.score, draft.status) == (Decimal(60), GradeStatus.DRAFT)
    world.send()
    assert world.moodle("B", "K/mid") == 62
    assert world.disputes() == []


def test_the_final_grade_is_the_sis_s(world: GradeWorld) -> None:
    for part in ("K/mid", "K/final"):
        world.enter("A", part, "80")
    world.grading.approve(["K/mid", "K/final"], actor="registrar")
    world.send()
    state = world.platform.state
    book = world.course("K").gradebook
    assert book is not None
    cell = state.grades[book.total_id][world.account("A").id]
    cell.final, cell.grader = 95.0, world.account("T").id
    world.pull()
    assert [move for move, *_ in world.movements("A", "#total")] == ["sent", "refused"]
    world.send()
    assert state.grades[book.total_id][world.account("A").id].final == 80


def test_the_range_of_an_item_counts(world: GradeWorld) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    item.minimum, item.maximum = 10.0, 30.0  # type: ignore[union-attr]
    world.grade("A", "K/mid", "25")
    assert world.platform.state.grades[item.id][world.account("A").id].final == 15
    world.pull()
    assert world.score("A", "K/mid") == 25


def test_events_ask_for_their_course_and_no_more(world: GradeWorld) -> None:
    course = world.course("K").id
    for kind in ("grade.changed", "grade_item.updated", "quiz.graded", "assign.graded"):
        world.event(kind, course)
    world.event("grade.changed", 99_999)
    world.event("user.loggedin", None)
    assert world.pulls.take_events(world.site) == 5
    assert world.pulls.waiting(world.site.id) == {"K"}
    assert world.pulls.take_events(world.site) == 0
    with world.database.read() as session:
        left = session.scalars(sa.select(MoodleEvent.type).where(MoodleEvent.taken_at.is_(None)))
        assert left.all() == ["user.loggedin"]


def test_when_a_course_was_read(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    before = world.clock.now()
    world.pull()
    with world.database.read() as session:
        reading = session.get(GradeReading, (world.site.id, "K"))
    assert reading is not None
    assert reading.compared == 1
    assert before <= reading.read_at <= world.clock.now() + dt.timedelta(0)


def test_classes_taught_together(world: GradeWorld) -> None:
    world.school.class_("L", parts=("mid",), teacher="T", combined="both")
    world.school.class_("M", parts=("mid",), teacher="T", combined="both")
    for key, class_key in (("D", "L"), ("E", "M")):
        world.school.student(key, class_key)
    world.changed()
    world.send()
    world.grade("D", "L/mid", "71", course="L")
    world.grade("E", "M/mid", "72", course="L")
    world.grade("E", "L/mid", "73", course="L")
    world.pull("L", "M")
    assert (world.score("D", "L/mid"), world.score("E", "M/mid")) == (Decimal(71), Decimal(72))
    assert world.receipt("E", "M/mid").class_key == "M"
    assert world.disputes() == [("E", "L/mid", "other_class", "open")]


def test_a_student_who_moved_between_classes_taught_together(world: GradeWorld) -> None:
    world.school.class_("L", parts=("mid",), teacher="T", combined="both")
    world.school.class_("M", parts=("mid",), teacher="T", combined="both")
    world.school.student("D", "L")
    world.changed()
    world.send()
    world.grade("D", "L/mid", "71", course="L")
    world.pull("L")
    world.school.enrol("D", "L", EnrollmentStatus.DROPPED)
    world.school.enrol("D", "M")
    world.changed()
    world.send()
    world.grade("D", "M/mid", "75", course="L")
    world.pull("L")
    assert (world.score("D", "L/mid"), world.score("D", "M/mid")) == (Decimal(71), Decimal(75))
    assert world.disputes() == []
    world.grade("D", "L/mid", "72", course="L")
    world.pull("L")
    assert world.disputes() == [("D", "L/mid", "other_class", "open")]


def test_an_item_of_the_teacher_s_own_that_is_connected(world: GradeWorld) -> None:
    state, course = world.platform.state, world.course("K")
    quiz = LineItem(9001, course.id, 0, "Quiz 1", 20.0, known_to_service=False)
    state.line_items[quiz.id] = quiz
    for person, points in (("A", 15.0), ("B", 10.0)):
        state.grades.setdefault(quiz.id, {})[world.account(person).id] = Grade(
            points, world.platform.epoch(), grader=world.account("T").id
        )
    with world.database.write() as session:
        session.add(
            GradeConnection(
                site_id=world.site.id,
                part_key="K/mid",
                class_key="K",
                item_id=quiz.id,
                item_type="mod",
                item_name="Quiz 1",
                connected_by="T",
                connected_at=world.clock.now(),
            )
        )
    with world.database.writing() as connection:
        world.parts.ledger.send_again(connection, world.site.id, "gradebook", ["K"])
    world.send()
    world.pull()
    assert (world.score("A", "K/mid"), world.score("B", "K/mid")) == (Decimal(75), Decimal(50))
    # What the teacher types over the quiz's own grade is what counts.
    cell = state.grades[quiz.id][world.account("A").id]
    cell.final, cell.overridden = 20.0, True
    world.pull()
    assert world.score("A", "K/mid") == 100


def test_everything_of_a_site(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    assert world.pulls.request_all(world.site) == 1
    assert world.pulls.run(world.site) == 1
    assert world.score("A", "K/mid") == 80


@pytest.mark.parametrize(
    ("steps", "value", "stands"),
    [
        (None, 8746, 8746),
        (4, 8746, 7500),
        (4, 8750, 10_000),
        (3, 5000, 6667),
        (3, 3333, 3333),
        (1, 4999, 0),
        (1, 5000, 10_000),
    ],
)
def test_a_scale_has_no_more_than_its_words(steps: int | None, value: int, stands: int) -> None:
    assert Item(steps).stands(value) == stands
    assert Item(steps).stands(stands) == stands


def test_the_word_that_a_scale_made_of_ours_is_no_news(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "87.46")
    world.send()
    arrivals = Arrivals(
        world.database,
        world.clock,
        Extracts(world.database),
        world.grading,
        world.parts.ledger,
        world.log,
    )
    for value, expected in ((7500, Decimal("87.46")), (5000, Decimal(50))):
        world.clock.advance(seconds=1)
        word = Seen("A", True, value, True, world.clock.now(), 7)
        classes = [Extracts(world.database).classes(["K"])["K"]]
        reading = Reading("K", classes, {("A", "K/mid"): word}, items={"K/mid": Item(4)})
        with world.database.write() as session:
            arrivals.store(session, world.site, [reading], {}, began=world.clock.now())
        assert world.score("A", "K/mid") == expected
    assert [move for move, *_ in world.movements("A", "K/mid")] == ["sent", "imported"]


def test_a_course_whose_gradebook_is_to_change_is_read_after_that(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "70")
    world.parts.marks.mark(world.site.id, "gradebook", ["K"])
    assert world.pull("K") == 0
    assert world.score("A", "K/mid") is None
    world.send()
    assert world.pull() > 0
    assert world.score("A", "K/mid") == 70
