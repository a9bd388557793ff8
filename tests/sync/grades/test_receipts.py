"""What becomes of grades that are sent: receipts, the log, what is done again, what is told."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from demo.gradebook import CourseGrades
from lti_tool.moodle.documents import TOTAL
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.grading import GradeEntry
from lti_tool.sync.grades.models import GradeConflict
from lti_tool.sync.provisioning.models import SyncRun
from tests.sync.grades.grade_world import GradeWorld


def letters(world: GradeWorld) -> list[tuple[str, str, str, str]]:
    found = world.parts.letters.list(world.site.id)
    return sorted((each.kind, each.key, each.item, each.code) for each in found)


def last_run(world: GradeWorld) -> SyncRun:
    return world.parts.runs.recent(world.site.id, limit=1)[0]


def test_a_grade_that_was_taken_has_a_receipt(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    assert world.moodle("A", "K/mid") == 80
    receipt = world.receipt("A", "K/mid")
    assert (receipt.base, receipt.seen, receipt.sent, receipt.code) == (8000, 8000, 8000, None)
    assert (receipt.class_key, receipt.sent_by) == ("K", "sync")
    assert receipt.agreed_at == receipt.sent_at
    assert world.movements("A", "K/mid") == [("sent", None, 8000)]
    assert last_run(world).counts["grades"] == {"updated": 1, "grades_updated": 1}


def test_the_same_again_is_no_call_and_no_row(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    before, run = world.receipt("A", "K/mid").sent_at, last_run(world).id
    world.clock.advance(seconds=60)
    world.parts.marks.mark(world.site.id, "grades", ["K"])
    world.send()
    assert last_run(world).id > run
    assert last_run(world).counts["grades"] == {"skipped": 1}
    with world.database.writing() as connection:
        world.parts.ledger.send_again(connection, world.site.id, "grades", ["K"])
    world.send()
    assert last_run(world).counts["grades"] == {"unchanged": 1, "grades_unchanged": 1}
    assert world.receipt("A", "K/mid").sent_at == before
    assert len(world.movements("A", "K/mid")) == 1


def test_totals_stand_in_moodle_and_belong_to_their_class(world: GradeWorld) -> None:
    for part in ("K/mid", "K/final"):
        world.enter("A", part, "80")
    world.grading.approve(["K/mid", "K/final"], actor="T")
    world.send()
    assert _total(world, "A") == 8000
    assert world.moodle("A", "K#1") == 80
    assert world.receipt("A", TOTAL).class_key == "K"


def test_of_classes_taught_together_each_total_is_its_own_class_s(world: GradeWorld) -> None:
    for key in ("M", "N"):
        world.school.class_(key, parts=("p",), combined="both")
        world.school.student(f"student-{key}", key)
    world.changed()
    for key, score in (("M", "70"), ("N", "90")):
        world.enter(f"student-{key}", f"{key}/p", score)
        world.grading.approve([f"{key}/p"], actor="T")
    world.send()
    for key, shown in (("M", 70), ("N", 90)):
        person = f"student-{key}"
        assert _total(world, person, "M") == shown * 100
        for item in (f"{key}/p", f"{key}#1"):
            assert world.moodle(person, item, course="M") == Decimal(shown)
        for item in (f"{key}/p", f"{key}#1", TOTAL):
            receipt = world.receipt(person, item)
            assert (receipt.course_key, receipt.class_key) == ("M", key)


def test_a_grade_that_changed_is_sent_by_itself(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.enter("A", "K/mid", "85")
    world.send()
    assert world.moodle("A", "K/mid") == 85
    assert world.movements("A", "K/mid") == [("sent", None, 8000), ("sent", 8000, 8500)]


def test_what_somebody_graded_in_moodle_meanwhile_is_read_and_no_failure(
    world: GradeWorld,
) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.grade("A", "K/mid", "95")
    world.enter("A", "K/mid", "85")
    world.send()
    assert world.moodle("A", "K/mid") == 95
    assert letters(world) == []
    receipt = world.receipt("A", "K/mid")
    assert (receipt.code, receipt.seen, receipt.base) == ("changed_in_moodle", 8000, 8000)
    assert world.pulls.waiting(world.site.id) == {"K"}
    # The SIS's came later: it goes, now that what stands there is known.
    world.clock.advance(seconds=1)
    world.pulls.run(world.site)
    world.send()
    assert world.moodle("A", "K/mid") == 85
    assert world.receipt("A", "K/mid").code is None


def test_a_refused_grade_has_a_letter_and_the_others_go_on(world: GradeWorld) -> None:
    _lock(world, "K/mid", True)
    world.enter("A", "K/mid", "80")
    world.enter("A", "K/final", "70")
    world.send()
    assert letters(world) == [("grades", "K", "A K/mid", "item_locked")]
    assert world.moodle("A", "K/final") == 70
    assert world.movements("A", "K/mid") == [("refused", None, 8000)]
    receipt = world.receipt("A", "K/mid")
    assert (receipt.code, receipt.sent, receipt.base, receipt.agreed_at) == (
        "item_locked",
        8000,
        None,
        None,
    )
    # Asked for again and refused again: that is said once.
    world.parts.ledger.retry(world.site.id)
    world.send()
    assert len(world.movements("A", "K/mid")) == 1
    _lock(world, "K/mid", False)
    world.parts.ledger.retry(world.site.id)
    world.send()
    assert letters(world) == []
    assert world.moodle("A", "K/mid") == 80


def test_what_is_no_grade_any_more_is_taken_back_once(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.grading.correct(GradeEntry("A", "K/mid"), actor="T", reason="mistaken")
    world.send()
    assert world.moodle("A", "K/mid") is None
    receipt = world.receipt("A", "K/mid")
    assert (receipt.base, receipt.seen, receipt.sent, receipt.code) == (None, None, None, None)
    # There is nothing more to say of it: the next look finds the document as it was.
    world.parts.marks.mark(world.site.id, "grades", ["K"])
    world.send()
    assert last_run(world).counts["grades"] == {"skipped": 1}


def test_grades_wait_for_their_gradebook_by_name(world: GradeWorld) -> None:
    world.school.class_("L")
    world.school.student("D", "L")
    world.changed()
    world.school.grade("D", "L/part", "55")
    world.changed()
    world.send()
    assert world.moodle("D", "L/part", course="L") == 55
    # Somebody empties the gradebook in Moodle: it is made again, and the grades with it.
    with world.platform.change():
        for item in CourseGrades(world.platform.state, world.course("L")).items():
            _delete(world, item.id)
        world.course("L").gradebook = None
    world.enter("D", "L/part", "56")
    world.send()
    with world.database.read() as session:
        waiting = session.scalars(
            sa.text("SELECT waiting_for FROM sync_mark WHERE kind = 'grades'")
        )
        assert waiting.all() == ["gradebook:L"]
    world.send()
    assert world.moodle("D", "L/part", course="L") == 56
    assert letters(world) == []


def test_an_item_that_was_deleted_is_made_again_with_its_grades(world: GradeWorld) -> None:
    for person in ("A", "B"):
        world.enter(person, "K/mid", "80")
    world.send()
    item = CourseGrades(world.platform.state, world.course("K")).keyed("K/mid")
    assert item is not None
    with world.platform.change():
        _delete(world, item.id)
    world.enter("A", "K/mid", "81")
    world.send()
    assert world.moodle("A", "K/mid") == 81
    assert world.moodle("B", "K/mid") == 80
    assert letters(world) == []
    world.pull()
    assert world.count("grade_conflict") == 0


def test_an_account_that_was_deleted_comes_back_with_its_grades(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    account = world.account("A")
    with world.platform.change():
        state = world.platform.state
        del state.people[account.id]
        for cells in state.grades.values():
            cells.pop(account.id, None)
        (world.course("K").roster or {}).pop(account.id)
    with world.database.write() as session:
        session.add(
            GradeConflict(
                site_id=world.site.id,
                course_key="K",
                class_key="K",
                person_key="A",
                item_key="K/mid",
                reason="withdrawn",
                since=world.clock.now(),
            )
        )
    world.parts.reconciler.reconcile(world.site)
    world.send()
    assert world.moodle("A", "K/mid") == 80
    assert letters(world) == []
    assert world.count("grade_conflict", "state = 'closed'") == 1


def test_who_has_no_place_in_moodle_gets_it_and_the_grade_with_it(world: GradeWorld) -> None:
    account = world.account("A")
    with world.platform.change():
        (world.course("K").roster or {}).pop(account.id)
    world.enter("A", "K/mid", "80")
    world.send()
    assert world.moodle("A", "K/mid") == 80
    assert letters(world) == []


def test_who_leaves_and_comes_back_finds_the_grade(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.school.enrol("A", "K", EnrollmentStatus.DROPPED)
    world.changed()
    world.send()
    assert letters(world) == []
    assert world.moodle("A", "K/mid") == 80
    world.school.enrol("A", "K", EnrollmentStatus.ENROLLED)
    world.changed()
    world.enter("A", "K/mid", "85")
    world.send()
    assert world.moodle("A", "K/mid") == 85


def test_an_undo_brings_grades_back(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    world.enter("A", "K/mid", "90")
    world.enter("B", "K/mid", "60")
    world.send()
    undone = world.parts.undo.undo(world.site, last_run(world).id, actor="admin")
    assert undone.left == []
    assert (world.moodle("A", "K/mid"), world.moodle("B", "K/mid")) == (Decimal(80), None)
    assert world.movements("A", "K/mid")[-1] == ("sent", 9000, 8000)
    # The undo can be undone, and what the SIS says goes on after it.
    world.parts.runs.go_on(world.site.id, actor="admin")
    world.parts.marks.mark(world.site.id, "grades", ["K"])
    world.send()
    assert (world.moodle("A", "K/mid"), world.moodle("B", "K/mid")) == (Decimal(90), Decimal(60))


def test_an_undo_leaves_what_somebody_graded_since(world: GradeWorld) -> None:
    world.enter("A", "K/mid", "80")
    world.send()
    run = last_run(world).id
    world.grade("A", "K/mid", "99")
    world.parts.undo.undo(world.site, run, actor="admin")
    assert world.moodle("A", "K/mid") == 99


def test_a_plugin_that_knows_no_grades_is_sent_none(world: GradeWorld) -> None:
    with world.database.write() as session:
        site = session.merge(world.site)
        site.versions = {"kinds": ["category", "user", "course", "roster"]}
    world.site.versions = {"kinds": ["category", "user", "course", "roster"]}
    runs = len(world.parts.runs.recent(world.site.id, limit=100))
    world.enter("A", "K/mid", "80")
    world.send()
    assert world.count("grade_receipt") == 0
    assert letters(world) == []
    # What waits for an update of the plugin begins no run.
    assert len(world.parts.runs.recent(world.site.id, limit=100)) == runs
    world.site.versions = {}
    world.send()
    assert world.moodle("A", "K/mid") == 80


def _delete(world: GradeWorld, item_id: int) -> None:
    del world.platform.state.line_items[item_id]
    world.platform.state.grades.pop(item_id, None)


def _total(world: GradeWorld, person: str, course: str = "K") -> int | None:
    grades = CourseGrades(world.platform.state, world.course(course))
    return grades.total(world.account(person).id)


def _lock(world: GradeWorld, part: str, locked: bool) -> None:
    item = CourseGrades(world.platform.state, world.course("K")).keyed(part)
    assert item is not None
    with world.platform.change():
        item.locked = locked
