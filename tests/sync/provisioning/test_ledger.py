"""What comes back is stored once: mappings, journal, dead letters, what waits and what is freed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from demo.model import Course, Person
from lti_tool.moodle.documents import Applied
from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.models import Enrollment
from lti_tool.sis.models import Person as SisPerson
from lti_tool.sync.provisioning.ledger import LeaseLostError
from lti_tool.sync.provisioning.models import (
    MoodleCourseMapping,
    MoodleIntegrationRecord,
    MoodleUserMapping,
    RunState,
    RunTrigger,
)
from tests.sync.provisioning.conftest import Campus


def _account(campus: Campus, key: str) -> Person:
    return next(p for p in campus.platform.state.people.values() if p.idnumber == key)


def _course(campus: Campus, key: str) -> Course:
    return next(c for c in campus.platform.state.courses.values() if c.idnumber == key)


def _remove(campus: Campus, key: str) -> None:
    """Somebody deletes an account in Moodle."""
    with campus.platform.change():
        gone = _account(campus, key).id
        del campus.platform.state.people[gone]
        for course in campus.platform.state.courses.values():
            (course.roster or {}).pop(gone, None)
            for group in course.groups:
                group.members.pop(gone, None)


def test_mappings_say_which_is_which_and_who_made_it(campus: Campus) -> None:
    campus.run(actor="sync")
    campus.change(SisPerson, campus.extracts.person_keys()[0], family_name="NEW")
    campus.run(trigger=RunTrigger.MANUAL, actor="admin:a")
    key = campus.extracts.person_keys()[0]
    with campus.database.read() as session:
        user = session.scalars(
            sa.select(MoodleUserMapping).where(MoodleUserMapping.key == key)
        ).one()
        assert user.moodle_id == _account(campus, key).id
        assert (user.created_by, user.updated_by, user.outcome) == ("sync", "admin:a", "updated")
        courses = session.scalars(sa.select(MoodleCourseMapping)).all()
    assert {course.key for course in courses} == set(campus.parts.rendering.all_keys("course"))


def test_the_journal_holds_no_names(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    campus.change(SisPerson, key, family_name="SECRETNAME")
    campus.run()
    with campus.database.read() as session:
        record = session.scalars(
            sa.select(MoodleIntegrationRecord).where(
                MoodleIntegrationRecord.key == key, MoodleIntegrationRecord.outcome == "updated"
            )
        ).one()
    assert record.detail_sealed is not None
    assert b"SECRETNAME" not in record.detail_sealed
    assert record.moodle_id == _account(campus, key).id


def test_what_moodle_refuses_is_a_dead_letter_and_the_others_go_on(campus: Campus) -> None:
    key = campus.extracts.person_keys()[0]
    campus.change(SisPerson, key, school_email="not an address")
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE
    letters = campus.parts.letters.list(campus.site.id)
    [letter] = [each for each in letters if each.kind == "user"]
    assert (letter.key, letter.code, letter.field) == (key, "email_invalid", "/email")
    assert "not an address" in letter.message
    # Where the person is a member, they alone are missing.
    assert {(each.item, each.code) for each in letters if each.kind == "roster"} <= {
        (key, "user_missing")
    }
    assert len(campus.fingerprints("user")) == len(campus.extracts.person_keys()) - 1
    # A later good change clears it, and places the person.
    campus.change(SisPerson, key, school_email="good@school.edu")
    campus.run()
    assert campus.codes() == []
    assert campus.equal()


def test_a_dead_letter_keeps_since_when(campus: Campus) -> None:
    key = campus.extracts.person_keys()[0]
    campus.change(SisPerson, key, school_email="bad")
    campus.run()
    first = campus.parts.letters.list(campus.site.id, kind="user")[0]
    campus.clock.advance(hours=1)
    campus.parts.rounds.everything()
    again = campus.parts.letters.list(campus.site.id, kind="user")[0]
    assert again.since == first.since
    assert again.last_at > first.last_at


def test_what_somebody_had_and_gave_free_is_tried_again(campus: Campus) -> None:
    campus.run()
    one, other = sorted(campus.extracts.person_keys())[:2]
    with campus.platform.change():
        # By hand, somebody who is not of the school takes the name.
        state = campus.platform.state
        state.last_id += 1
        state.people[state.last_id] = Person(state.last_id, "wanted", "A", "B", "x@y.edu")
    campus.change(SisPerson, one, student_id="wanted")
    campus.run()
    assert ("user", one, "username_taken") in campus.codes()
    with campus.platform.change():
        del state.people[state.last_id]
    campus.change(SisPerson, other, student_id="another")
    campus.run()
    campus.run()
    assert campus.codes() == [], "a name was given free; whoever was refused is tried again"
    assert _account(campus, one).username == "wanted"


def test_two_people_with_one_idnumber_in_moodle_are_named(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    with campus.platform.change():
        state = campus.platform.state
        state.last_id += 1
        state.people[state.last_id] = Person(state.last_id, "twin", "A", "B", "t@y.edu", key)
    campus.change(SisPerson, key, family_name="NEW")
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE
    [letter] = campus.parts.letters.list(campus.site.id, kind="user")
    assert letter.code == "ambiguous_idnumber"
    assert "twin" in letter.message


def test_a_shortname_of_a_foreign_course_stops_that_course_alone(campus: Campus) -> None:
    wanted = next(document for document in campus.documents() if document.kind == "course")
    with campus.platform.change():
        state = campus.platform.state
        state.last_id += 1
        foreign = state.last_id
        state.courses[foreign] = Course(foreign, wanted.shortname, "Somebody's")
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE
    assert ("course", wanted.idnumber, "shortname_taken") in campus.codes()
    # What is in it waits for it by name.
    with campus.database.read() as session:
        waiting = session.execute(
            sa.text("SELECT kind, key, waiting_for FROM sync_mark ORDER BY kind")
        ).all()
    assert [tuple(row) for row in waiting] == [
        (kind, wanted.idnumber, f"course:{wanted.idnumber}")
        for kind in ("gradebook", "grades", "roster")
    ]
    with campus.platform.change():
        del state.courses[foreign]
    assert campus.parts.ledger.retry(campus.site.id) == 4
    campus.run()
    assert campus.equal()
    assert campus.codes() == []


def test_what_was_deleted_by_hand_is_made_again_when_it_is_missed(campus: Campus) -> None:
    campus.run()
    host, person = campus.place()
    _remove(campus, person)
    with campus.platform.change():
        del campus.platform.state.courses[_course(campus, host).id]
    campus.clock.advance(seconds=1)
    campus.parts.marks.mark(campus.site.id, "roster", campus.parts.rendering.all_keys("roster"))
    with campus.database.writing() as connection:
        campus.parts.ledger.send_again(
            connection, campus.site.id, "roster", campus.parts.rendering.all_keys("roster")
        )
    for _ in range(3):
        campus.settle()
    assert campus.equal()
    assert campus.codes() == []


def test_members_that_vanish_take_their_dead_letters_along(campus: Campus) -> None:
    campus.run()
    host, person = campus.place()
    campus.change(SisPerson, person, school_email="bad")
    _remove(campus, person)
    campus.parts.rounds.reconcile()
    campus.settle()
    assert ("roster", host, "user_missing") in campus.codes()
    with campus.database.write() as session:
        person_id = session.scalar(sa.select(SisPerson.id).where(SisPerson.sourced_id == person))
        session.execute(sa.delete(Enrollment).where(Enrollment.person_id == person_id))
    campus.clock.advance(seconds=1)
    campus.parts.rounds.everything()
    campus.settle()
    assert [each for each in campus.codes() if each[0] == "roster"] == []


def test_a_person_merged_into_another_hands_over_the_name(campus: Campus) -> None:
    campus.run()
    people = campus.extracts.people(campus.extracts.person_keys())
    old, new = sorted(people)[:2]
    number = people[old].student_id
    campus.change(SisPerson, old, student_id=None, active=False, status=PersonStatus.INACTIVE)
    campus.change(SisPerson, new, student_id=number)
    campus.settle()
    campus.settle()
    assert campus.codes() == []
    assert campus.equal()
    assert _account(campus, old).suspended
    assert _account(campus, new).username == str(number or new).lower()


def test_what_a_stranger_brings_is_not_stored(campus: Campus) -> None:
    """A worker that was thought dead comes back with its answer: another has its lease."""
    apply = campus.plugin.apply

    def slow(*arguments: object, **options: object) -> Applied:
        answer = apply(*arguments, **options)  # type: ignore[arg-type]
        campus.clock.advance(minutes=10)
        assert campus.parts.gates.take(campus.site.id)
        return answer

    campus.plugin.apply = slow  # type: ignore[method-assign]
    run = campus.run()
    assert run is not None
    assert (run.state, run.error) == (RunState.FAILED, "another worker took over")
    assert campus.count("synced_document") == 0
    assert campus.marks_left()["category"] > 0
    with pytest.raises(LeaseLostError):
        campus.parts.ledger.unchanged(run, "user", [])
