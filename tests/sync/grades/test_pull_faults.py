"""Reading grades when something dies, is away, is deleted, or happens at the same time."""

from __future__ import annotations

import threading
from decimal import Decimal

import pytest
import sqlalchemy as sa

from demo.gradebook import CourseGrades
from lti_tool.sync.grades.models import (
    GradePull,
)
from tests.sync.grades.grade_world import GradeWorld, counted


def waiting(world: GradeWorld) -> GradePull:
    """The one course that waits to be read."""
    with world.database.read() as session:
        return session.scalars(sa.select(GradePull)).one()


def test_an_item_deleted_in_moodle_takes_no_grade_away(world: GradeWorld) -> None:
    world.grade("A", "K/mid", "80")
    world.pull()
    state = world.platform.state
    item = CourseGrades(state, world.course("K")).keyed("K/mid")
    assert item is not None
    del state.line_items[item.id]
    state.grades.pop(item.id)
    world.pull()
    assert world.disputes() == []
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
    assert world.disputes() == [("B", "K/mid", "withdrawn", "closed")]
    assert world.receipt("A", "K/mid").seen is None


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
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (Decimal(70), Decimal(70))
    assert world.pulls.waiting(world.site.id) == {"K"}
    world.clock.advance(seconds=10)
    world.pulls.run(world.site)
    assert (world.score("A", "K/mid"), world.moodle("A", "K/mid")) == (Decimal(70), Decimal(70))
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


def test_killed_at_any_statement_nothing_is_lost_or_doubled(world: GradeWorld) -> None:
    class KilledError(BaseException):
        """The process ends, at once."""

    left = 0

    def count_down(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KilledError

    number = 0
    finished = False
    while not finished:
        number += 1
        world.grade("A", "K/mid", str(number))
        world.pulls.request(world.site.id, ["K"])
        left = number
        sa.event.listen(world.database.engine, "before_cursor_execute", count_down)
        try:
            world.pulls.run(world.site)
            finished = True
        except KilledError:
            pass
        finally:
            sa.event.remove(world.database.engine, "before_cursor_execute", count_down)
        world.clock.advance(seconds=130)
        world.pulls.run(world.site)
        assert world.score("A", "K/mid") == number
        assert world.pulls.waiting(world.site.id) == set()
    assert number > 15
    imported = [after for _, _, after in world.movements("A", "K/mid")]
    assert imported == [each * 100 for each in range(1, number + 1)]


def test_two_workers_at_once_import_once(world: GradeWorld) -> None:
    for person in ("A", "B", "C"):
        world.grade(person, "K/mid", "80")
    world.pulls.request(world.site.id, ["K"])
    start = threading.Barrier(2)
    compared: list[int] = []

    def work() -> None:
        start.wait()
        compared.append(world.pulls.run(world.site))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(compared) == [0, 3]
    assert world.count("moodle_grade_sync_log") == 3


def test_the_number_of_statements_does_not_grow(world: GradeWorld) -> None:
    others = ["L1", "L2", "L3", "L4"]
    for key in others:
        world.school.class_(key, parts=("mid", "final"), teacher="T")
        for person in ("A", "B", "C"):
            world.school.enrol(person, key)
    world.changed()
    world.send()
    counts = []
    for courses in (["K"], ["K", *others]):
        for key in courses:
            for person in ("A", "B", "C")[: len(courses)]:
                world.grade(person, f"{key}/final", str(50 + len(courses)), course=key)
        world.pulls.request(world.site.id, courses)
        world.clock.advance(seconds=1)
        with counted(world.database) as sent:
            world.pulls.run(world.site)
        counts.append(len(sent))
    assert counts[1] <= counts[0] + 2
