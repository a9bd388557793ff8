"""Marks: one per thing, made from changes, settled only as they were read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import sqlalchemy as sa

from lti_tool.moodle.documents import DIGESTED
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis.change_models import ChangeKind, SisChange
from lti_tool.sis.changes import record
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.models import ClassHeader, CombinedClass, Person
from lti_tool.sync.provisioning.models import SyncMark
from tests.sync.provisioning.conftest import Campus


def _mark(campus: Campus, kind: str, key: str) -> SyncMark | None:
    with campus.database.read() as session:
        return session.get(SyncMark, (campus.site.id, kind, key))


def test_changes_become_marks_and_are_gone(campus: Campus) -> None:
    assert campus.parts.marks.gather() > 100
    assert campus.count("sis_change") == 0
    assert campus.parts.marks.gather() == 0
    counts = campus.marks_left()
    for kind in DIGESTED:
        assert counts[kind] >= len(campus.desired(kind))


def test_a_person_changes_the_rosters_that_they_are_in(campus: Campus) -> None:
    campus.run()
    host = campus.parts.rendering.all_keys("roster")[0]
    person = campus.extracts.memberships([host])[host][0].person_key
    campus.change(Person, person, family_name="NEW")
    campus.parts.marks.gather()
    classes = campus.extracts.classes_of_people([person])
    assert campus.marks_left() == {
        "user": 1,
        "roster": len(classes | set(campus.parts.rendering.hosts(classes))),
        "grades": len(classes | set(campus.parts.rendering.hosts(classes))),
    }


def test_a_change_that_is_noted_again_meanwhile_stays(campus: Campus) -> None:
    campus.run()
    campus.change(Person, campus.extracts.person_keys()[0], family_name="ONE")
    wanted = campus.parts.marks._wanted

    def change_again(rows: object) -> object:
        campus.clock.advance(seconds=1)
        with campus.database.write() as session:
            record(
                session,
                ChangeKind.PERSON,
                [campus.extracts.person_keys()[0]],
                at=campus.clock.now(),
            )
        return wanted(rows)  # type: ignore[arg-type]

    campus.parts.marks._wanted = change_again  # type: ignore[method-assign, assignment]
    campus.parts.marks.gather()
    assert campus.count("sis_change") == 1


def test_two_workers_gather_at_once(campus: Campus) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: campus.parts.marks.gather(), range(4)))
    assert campus.count("sis_change") == 0
    assert campus.marks_left()["user"] == len(campus.extracts.person_keys())


def test_a_mark_made_while_its_document_is_under_way_stays(campus: Campus) -> None:
    marks = campus.parts.marks
    marks.mark(campus.site.id, "user", ["S1"])
    [read] = marks.due(campus.site.id, "user")
    campus.clock.advance(seconds=1)
    marks.mark(campus.site.id, "user", ["S1"])
    with campus.database.writing() as connection:
        marks.settle(connection, campus.site.id, "user", [read])
        marks.postpone(connection, campus.site.id, "user", {"S1": read}, {"S1": "timeout"})
    mark = _mark(campus, "user", "S1")
    assert mark is not None
    assert (mark.attempts, mark.not_before) == (0, None), "what is new need not wait"
    assert mark.since == read.since


def test_what_failed_waits_longer_each_time_and_travels_last(campus: Campus) -> None:
    marks = campus.parts.marks
    marks.mark(campus.site.id, "user", ["A", "B"])
    pauses = []
    for _ in range(4):
        found = {mark.key: mark for mark in marks.due(campus.site.id, "user")}
        with campus.database.writing() as connection:
            marks.postpone(connection, campus.site.id, "user", found, {"A": "timeout"})
        assert [mark.key for mark in marks.due(campus.site.id, "user")] == ["B"]
        row = _mark(campus, "user", "A")
        assert row is not None
        assert row.not_before is not None
        pauses.append((row.not_before - campus.clock.now()).total_seconds())
        campus.clock.advance(seconds=pauses[-1])
        assert [mark.key for mark in marks.due(campus.site.id, "user")] == ["B", "A"]
    assert pauses[0] <= 4
    assert pauses[3] >= 16


def test_what_waits_for_something_is_let_go_with_it(campus: Campus) -> None:
    marks = campus.parts.marks
    marks.mark(campus.site.id, "course", ["C1"])
    found = {mark.key: mark for mark in marks.due(campus.site.id, "course")}
    with campus.database.writing() as connection:
        marks.postpone(connection, campus.site.id, "course", found, {"C1": "category:T1"})
        marks.release(connection, campus.site.id, ["category:T2"])
    assert marks.due(campus.site.id, "course") == []
    with campus.database.writing() as connection:
        marks.release(connection, campus.site.id, ["category:T1"])
    assert len(marks.due(campus.site.id, "course")) == 1


def test_those_whom_a_class_leaves_change_too(campus: Campus) -> None:
    campus.run()
    with campus.database.read() as session:
        group = session.scalars(sa.select(CombinedClass.id)).first()
        together = list(
            session.scalars(
                sa.select(ClassHeader.sourced_id)
                .where(ClassHeader.combined_class_id == group)
                .order_by(ClassHeader.sourced_id)
            )
        )
    host, *others = together
    campus.change(ClassHeader, others[-1], combined_class_id=None)
    campus.settle()
    assert campus.equal()
    assert others[-1] in campus.fingerprints("course")
    # The host itself leaves: those who stay have a course of their own now.
    campus.change(ClassHeader, others[-1], combined_class_id=group)
    campus.settle()
    campus.change(ClassHeader, host, combined_class_id=None)
    campus.settle()
    assert campus.equal()
    assert host in campus.fingerprints("course"), "the course that it had stays"


def test_sites_that_are_disconnected_get_no_marks(campus: Campus) -> None:
    with campus.database.write() as session:
        session.get_one(MoodleSite, campus.site.id).standing = SiteStanding.DISCONNECTED
    campus.parts.marks.gather()
    assert campus.marks_left() == {}
    with campus.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SisChange)) == 0


def test_who_takes_an_address_or_leaves_it_marks_who_has_it(campus: Campus) -> None:
    one, other, third = campus.extracts.person_keys()[:3]
    for key in (one, other, third):
        campus.change(Person, key, school_email=f"{key}@school.edu".lower())
    campus.settle()

    def emails() -> list[str]:
        people = {p.idnumber: p for p in campus.platform.state.people.values()}
        return [people[key].email.split("@")[1] for key in (one, other, third)]

    assert emails() == ["school.edu"] * 3
    shared = f"{one}@School.edu"
    for key in (other, third):
        campus.change(Person, key, school_email=shared)
        campus.settle()
    assert emails() == ["no-address.invalid"] * 3, "nobody gets another's letters"
    campus.change(Person, other, school_email="own@school.edu")
    campus.settle()
    assert emails() == ["no-address.invalid", "school.edu", "no-address.invalid"]
    campus.change(Person, third, school_email=None)
    campus.settle()
    assert emails() == ["school.edu", "school.edu", "no-address.invalid"]
    assert campus.count("shared_address") == 0


def test_grades_change_grades_alone(campus: Campus) -> None:
    campus.run()
    campus.clock.advance(seconds=1)
    classes = campus.extracts.classes(campus.extracts.class_keys())
    members = campus.extracts.memberships(list(classes))
    outcomes = campus.grading.enter(
        [
            GradeEntry(member.person_key, view.parts[0].part_key, Decimal("50.25"))
            for key, view in classes.items()
            for member in members[key]
        ],
        actor="T",
        submitted=True,
    )
    assert "entered" in {each.state for each in outcomes}
    campus.parts.marks.gather()
    assert set(campus.marks_left()) <= {"grades"}
    assert campus.marks_left()["grades"] >= 1
