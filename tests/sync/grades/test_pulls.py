"""Grades from Moodle to the SIS, on a platform that reads and writes as the plugin does."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from demo.gradebook import CourseGrades
from lti_tool.moodle.models import MoodleEvent
from lti_tool.sis.entities import EnrollmentStatus, GradeSource, GradeStatus
from lti_tool.sis.grading import GradeEntry
from lti_tool.sync.grades.models import ConflictState, GradeConflict, GradePull, GradeReading
from tests.sync.grades.grade_world import GradeWorld, counted


def conflicts(world: GradeWorld) -> list[tuple[str, str, str, str]]:
    """Person, item, reason and state of all conflicts."""
    with world.database.read() as session:
        rows = session.scalars(sa.select(GradeConflict).order_by(GradeConflict.id))
        return [(each.person_key, each.item_key, each.reason, each.state.value) for each in rows]


def waiting(world: GradeWorld) -> GradePull:
    """The one course that waits to be read."""
    with world.database.read() as session:
        return session.scalars(sa.select(GradePull)).one()


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
    assert (draft.score, draft.status) == (60, GradeStatus.DRAFT)
    world.send()
    assert world.moodle("B", "K/mid") == 62
    assert conflicts(world) == []


def test_an_approved_grade_waits_for_a_decision(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.approve(["K/mid"], actor="registrar")
    world.send()
    world.grade("A", "K/mid", "90")
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert conflicts(world) == [("A", "K/mid", "locked", "open")]
    world.pull()
    world.send()
    assert conflicts(world) == [("A", "K/mid", "locked", "open")]
    assert world.moodle("A", "K/mid") == 90
    assert [move for move, _, _ in world.movements("A", "K/mid")].count("conflict") == 1


def test_a_conflict_holds_both_sides(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.grading.approve(["K/mid"], actor="registrar")
    world.send()
    world.grade("A", "K/mid", "90")
    world.pull()
    [conflict] = world.conflicts.undecided()
    assert (conflict.sis_value, conflict.sis_status, conflict.sis_by) == (
        8000,
        "APPROVED",
        "registrar",
    )
    assert (conflict.moodle_value, conflict.moodle_by, conflict.moodle_name) == (
        9000,
        "T",
        "T Dara",
    )
    assert conflict.sis_at is not None
    assert conflict.moodle_at is not None
    assert conflict.sis_at < conflict.moodle_at
    assert (conflict.person_name, conflict.item_name) == ("A Dara", "Mid")
    assert conflict.remedy


def test_a_withdrawn_grade_is_not_erased(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert conflicts(world) == [("A", "K/mid", "withdrawn", "open")]


def test_equal_again_ends_a_conflict(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "80")
    world.pull()
    world.grade("A", "K/mid", None)
    world.grade("B", "K/mid", None)
    world.pull()
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "81")
    world.pull()
    assert {state for *_, state in conflicts(world)} == {"closed"}
    assert world.score("B", "K/mid") == 81


def test_another_value_renews_the_conflict(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.approve(["K/mid"], actor="registrar")
    for score in ("90", "91"):
        world.grade("A", "K/mid", score)
        world.pull()
    [conflict] = world.conflicts.undecided()
    assert conflict.moodle_value == 9100
    assert [after for move, _, after in world.movements("A", "K/mid") if move == "conflict"] == [
        9000,
        9100,
    ]


def test_a_held_grade_wins_until_it_is_lifted(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    world.grading.hold(
        GradeEntry("A", "K/mid", Decimal(60)), actor="registrar", reason="Copied work."
    )
    world.send()
    assert world.moodle("A", "K/mid") == 60
    world.grade("A", "K/mid", "85")
    world.pull()
    world.send()
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (60, 60)
    assert conflicts(world) == []
    assert ("refused", 6000, 8500) in world.movements("A", "K/mid")
    world.grading.lift("A", "K/mid", actor="registrar", reason="Settled.")
    world.grade("A", "K/mid", "85")
    world.pull()
    assert world.score("A", "K/mid") == 85


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


def test_who_left_gets_no_grade_and_it_is_said_once(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.grade("B", "K/mid", "70")
    world.school.enrol("A", "K", EnrollmentStatus.DROPPED)
    world.pull()
    world.pull()
    assert conflicts(world) == [("A", "K/mid", "not_attending", "open")]
    assert world.movements("A", "K/mid") == [("refused", None, 8000)]
    assert world.score("B", "K/mid") == 70
    world.school.enrol("A", "K")
    world.pull()
    assert world.score("A", "K/mid") == 80
    assert conflicts(world) == [("A", "K/mid", "not_attending", "closed")]


def test_an_auditor_gets_no_grade(world: GradeWorld) -> None:
    world.school.enrol("A", "K", audit=True)
    world.grade("A", "K/mid", "80")
    world.pull()
    assert conflicts(world) == [("A", "K/mid", "audit", "open")]


def test_an_account_that_nobody_knows(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    account = world.account("A")
    account.idnumber = ""
    world.pull()
    who = f"moodle:{account.id}"
    assert conflicts(world) == [(who, "K/mid", "unknown_person", "open")]
    account.idnumber = "stranger"
    world.pull()
    assert conflicts(world) == [
        (who, "K/mid", "unknown_person", "closed"),
        ("stranger", "K/mid", "unknown_person", "open"),
    ]


def test_more_than_all_points_is_refused(world: GradeWorld) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    world.grade("A", "K/mid", "80")
    world.platform.state.grades[item.id][world.account("A").id].final = 104.0
    world.grade("B", "K/mid", "70")
    world.pull()
    assert conflicts(world) == [("A", "K/mid", "out_of_range", "open")]
    assert world.score("A", "K/mid") is None
    assert world.score("B", "K/mid") == 70


def test_the_range_of_an_item_counts(world: GradeWorld) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    item.minimum, item.maximum = 10.0, 30.0  # type: ignore[union-attr]
    world.grade("A", "K/mid", "25")
    assert world.platform.state.grades[item.id][world.account("A").id].final == 15
    world.pull()
    assert world.score("A", "K/mid") == 25


def test_an_item_deleted_in_moodle_takes_no_grade_away(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    state = world.platform.state
    item = CourseGrades(state, world.course("K")).keyed("K/mid")
    assert item is not None
    del state.line_items[item.id]
    state.grades.pop(item.id)
    world.pull()
    assert conflicts(world) == []
    assert world.receipt("A", "K/mid").base is None
    world.send()
    assert world.moodle("A", "K/mid") == 80


def test_a_course_deleted_in_moodle_takes_nothing_away(world: GradeWorld) -> None:
    for person in ("A", "B"):
        world.grade(person, "K/mid", "80")
    world.pull()
    world.grade("B", "K/mid", None)
    world.pull()
    course = world.course("K")
    del world.platform.state.courses[course.id]
    world.event("course.deleted", course.id)
    assert world.pulls.take_events(world.site) == 1
    assert world.pulls.run(world.site) == 0
    assert world.score("A", "K/mid") == 80
    assert conflicts(world) == [("B", "K/mid", "withdrawn", "closed")]
    assert world.receipt("A", "K/mid").seen is None


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


def test_a_moodle_that_is_away_loses_nothing(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.platform.state.connection.token = "b" * 32
    assert world.pull() == 0
    pull = waiting(world)
    assert pull.attempts == 1
    assert pull.last_error == "moodle_token_refused"
    assert pull.not_before is not None
    world.platform.state.connection.token = "a" * 32
    assert world.pulls.run(world.site) == 0
    world.clock.advance(seconds=10)
    assert world.pulls.run(world.site) == 1
    assert world.score("A", "K/mid") == 80


def test_what_comes_while_a_course_is_read_is_read_again(
    world: GradeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grade("A", "K/mid", "80")
    pages = world.parts.client.pages

    def pages_and_a_change(*args: object) -> object:
        found = list(pages(*args))  # type: ignore[arg-type]
        monkeypatch.setattr(world.parts.client, "pages", pages)
        world.grade("A", "K/mid", "81")
        world.pulls.request(world.site.id, ["K"])
        return found

    monkeypatch.setattr(world.parts.client, "pages", pages_and_a_change)
    assert world.pull() == 2
    assert world.score("A", "K/mid") == 81
    assert world.pulls.waiting(world.site.id) == set()


def test_what_is_sent_while_a_course_is_read_is_not_judged_by_the_old(
    world: GradeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.enter("A", "K/mid", "60")
    world.send()
    world.enter("A", "K/mid", "70")
    pages = world.parts.client.pages

    def pages_and_a_sending(*args: object) -> object:
        found = list(pages(*args))  # type: ignore[arg-type]
        monkeypatch.setattr(world.parts.client, "pages", pages)
        world.send()
        return found

    monkeypatch.setattr(world.parts.client, "pages", pages_and_a_sending)
    world.pull()
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (70, 70)
    assert world.pulls.waiting(world.site.id) == {"K"}
    world.clock.advance(seconds=10)
    world.pulls.run(world.site)
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (70, 70)
    assert world.pulls.waiting(world.site.id) == set()


def test_two_workers_do_not_read_one_course(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pulls.request(world.site.id, ["K"])
    first = world.pulls.claim(world.site.id)
    assert first is not None
    assert world.pulls.claim(world.site.id) is None
    assert world.pulls.run(world.site) == 0
    # The first one died: its claim ends by time.
    world.clock.advance(seconds=130)
    assert world.pulls.run(world.site) == 1
    assert world.score("A", "K/mid") == 80


def test_what_was_read_under_a_lost_claim_is_not_stored(
    world: GradeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grade("A", "K/mid", "80")
    pages = world.parts.client.pages

    def slow_pages(*args: object) -> object:
        found = list(pages(*args))  # type: ignore[arg-type]
        monkeypatch.setattr(world.parts.client, "pages", pages)
        world.clock.advance(seconds=130)
        world.grade("A", "K/mid", "90")
        assert world.pulls.run(world.site) == 1
        return found

    monkeypatch.setattr(world.parts.client, "pages", slow_pages)
    world.pull()
    assert world.score("A", "K/mid") == 90
    assert world.movements("A", "K/mid") == [("imported", None, 9000)]


def test_killed_before_the_end_it_never_happened(
    world: GradeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.grade("A", "K/mid", "80")

    class KilledError(BaseException):
        """The process ends, at once."""

    def killed(*_: object, **__: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(world.parts.ledger, "send_again", killed)
        with pytest.raises(KilledError):
            world.pull()
    assert world.score("A", "K/mid") is None
    assert world.count("grade_receipt") == 0
    assert world.count("moodle_grade_sync_log") == 0
    world.clock.advance(seconds=130)
    assert world.pulls.run(world.site) == 1
    assert world.score("A", "K/mid") == 80
    assert world.movements("A", "K/mid") == [("imported", None, 8000)]


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
    assert (world.score("D", "L/mid"), world.score("E", "M/mid")) == (71, 72)
    assert world.receipt("E", "M/mid").class_key == "M"
    assert conflicts(world) == [("E", "L/mid", "other_class", "open")]


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
    assert (world.score("D", "L/mid"), world.score("D", "M/mid")) == (71, 75)
    assert conflicts(world) == []
    world.grade("D", "L/mid", "72", course="L")
    world.pull("L")
    assert conflicts(world) == [("D", "L/mid", "other_class", "open")]


def test_everything_of_a_site(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    assert world.pulls.request_all(world.site) == 1
    assert world.pulls.run(world.site) == 1
    assert ConflictState.OPEN not in {state for *_, state in conflicts(world)}
