"""Proving that Moodle equals the SIS: drift is named, repaired, and not invented."""

from __future__ import annotations

import datetime as dt

from demo.model import Course, Group, Membership
from demo.model import Person as Account
from lti_tool.moodle.documents import DIGESTED
from lti_tool.moodle.models import MoodleEvent, MoodleSite
from lti_tool.sis.models import ClassHeader, Person
from lti_tool.sync.provisioning.models import RunState, RunTrigger
from tests.sync.provisioning.conftest import Campus


def _site(campus: Campus) -> MoodleSite:
    with campus.database.read() as session:
        return session.get_one(MoodleSite, campus.site.id)


def _course(campus: Campus, key: str) -> Course:
    return next(c for c in campus.platform.state.courses.values() if c.idnumber == key)


def test_where_nothing_differs_nothing_is_written(campus: Campus) -> None:
    campus.run()
    before = repr(campus.platform.state)
    found = campus.parts.reconciler.reconcile(campus.site)
    assert (found.drift, found.run) == ([], None)
    assert found.checked["user"] == len(campus.extracts.person_keys())
    assert repr(campus.platform.state) == before
    assert campus.marks_left() == {}


def test_drift_is_named_with_who_did_it_and_repaired(campus: Campus) -> None:
    campus.run()
    campus.clock.advance(minutes=5)
    key = campus.extracts.person_keys()[0]
    account = next(p for p in campus.platform.state.people.values() if p.idnumber == key)
    with campus.platform.change():
        account.family_name = "BY HAND"
    with campus.database.write() as session:
        for number, days in enumerate((30, 0)):
            at = campus.clock.now() - dt.timedelta(days=days)
            session.add(
                MoodleEvent(
                    site_id=campus.site.id,
                    epoch="e",
                    seq=number + 1,
                    event_id=str(number),
                    type="user.updated",
                    at=at,
                    actor=70 + number,
                    user=account.id,
                    received_at=at,
                )
            )
    report = campus.parts.reconciler.reconcile(campus.site, repair=False)
    [drift] = report.drift
    assert (drift.kind, drift.key, drift.missing) == ("user", key, False)
    assert (drift.by, drift.how) == (71, "user.updated")
    assert account.family_name == "BY HAND"
    assert campus.marks_left() == {}, "a report changes nothing"
    found = campus.parts.reconciler.reconcile(campus.site, actor="night")
    assert found.run is not None
    assert (found.run.trigger, found.run.actor) == (RunTrigger.RECONCILE, "night")
    assert campus.equal()


def test_what_happened_before_it_was_made_equal_blames_nobody(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    account = next(p for p in campus.platform.state.people.values() if p.idnumber == key)
    at = campus.clock.now() - dt.timedelta(days=30)
    with campus.database.write() as session:
        session.add(
            MoodleEvent(
                site_id=campus.site.id,
                epoch="e",
                seq=1,
                event_id="1",
                type="user.updated",
                at=at,
                actor=70,
                user=account.id,
                received_at=at,
            )
        )
    with campus.platform.change():
        account.family_name = "BY HAND"
    [drift] = campus.parts.reconciler.reconcile(campus.site, repair=False).drift
    assert (drift.by, drift.how) == (None, None)


def test_what_is_missing_is_made_again(campus: Campus) -> None:
    campus.run()
    host, _ = campus.place()
    moodle_id = _course(campus, host).id
    with campus.platform.change():
        del campus.platform.state.courses[moodle_id]
    found = campus.parts.reconciler.reconcile(campus.site)
    [course] = [each for each in found.drift if each.kind == "course"]
    assert (course.key, course.missing, course.moodle_id) == (host, True, moodle_id)
    campus.settle()
    assert campus.equal()


def test_foreign_things_are_listed_and_left_alone(campus: Campus) -> None:
    campus.run()
    state = campus.platform.state
    with campus.platform.change():
        state.people[9001] = Account(9001, "guest9", "A", "B", "a@b.c", "FOREIGN")
        state.people[9002] = Account(9002, "nobody", "A", "B", "b@b.c")
    before = repr(state)
    found = campus.parts.reconciler.reconcile(campus.site)
    assert found.foreign["user"] == 1
    assert found.foreign_keys["user"] == ["FOREIGN"]
    assert found.drift == []
    assert repr(state) == before


def test_what_a_teacher_adds_in_our_way_is_no_drift(campus: Campus) -> None:
    """A group with an idnumber, a group of a class that has left: in the fingerprint, not ours."""
    campus.run()
    host, _ = campus.place()
    with campus.platform.change():
        _course(campus, host).groups.append(Group(9003, "My own", "mine"))
    found = campus.parts.reconciler.reconcile(campus.site)
    assert (found.drift, found.run) == ([], None)


def test_one_course_alone(campus: Campus) -> None:
    campus.run()
    host, person = campus.place()
    with campus.platform.change():
        _course(campus, host).fullname = "BY HAND"
        for account in campus.platform.state.people.values():
            if account.idnumber == person:
                account.family_name = "BY HAND"
    found = campus.parts.reconciler.reconcile(campus.site, courses=[host])
    assert [(each.kind, each.key) for each in found.drift] == [("course", host)]
    assert found.foreign == {}
    assert [each.kind for each in campus.parts.reconciler.reconcile(campus.site).drift] == ["user"]


def test_what_is_on_its_way_is_no_drift(campus: Campus) -> None:
    campus.run()
    campus.change(Person, campus.extracts.person_keys()[0], family_name="NEW")
    assert campus.parts.reconciler.reconcile(campus.site, repair=False).drift == []
    campus.run()
    assert campus.equal()


def test_a_repair_waits_for_a_yes_where_it_would_suspend_many(campus: Campus) -> None:
    """Moodle was restored from an older backup: whoever left since is back in it."""
    campus.run()
    ours = [each for each in campus.platform.state.people.values() if each.idnumber]
    with campus.platform.change():
        for course in campus.platform.state.courses.values():
            for account in ours[::3]:
                if course.roster is not None:
                    course.roster.setdefault(account.id, Membership(account.id))
    before = repr(campus.platform.state)
    found = campus.parts.reconciler.reconcile(campus.site)
    assert found.run is not None
    assert found.run.state is RunState.WAITING
    assert repr(campus.platform.state) == before
    campus.settle()
    assert campus.equal()


def test_only_what_was_known_to_be_missed_is_seen(campus: Campus) -> None:
    campus.run()
    first = campus.clock.now()
    with campus.database.write() as session:
        session.get_one(MoodleSite, campus.site.id).reconcile_since = first
    seen = campus.parts.rendering.own_keys

    def miss_more(kind: object) -> object:
        with campus.database.write() as session:
            session.get_one(MoodleSite, campus.site.id).reconcile_since = first - dt.timedelta(1)
        return seen(kind)  # type: ignore[arg-type]

    campus.parts.rendering.own_keys = miss_more  # type: ignore[method-assign, assignment]
    campus.parts.rounds.reconcile(missed=True)
    assert _site(campus).reconcile_since is not None, "more was missed meanwhile"
    campus.parts.rendering.own_keys = seen  # type: ignore[method-assign]
    campus.parts.rounds.reconcile(missed=True)
    assert _site(campus).reconcile_since is None


def test_a_class_that_moved_is_not_foreign(campus: Campus) -> None:
    campus.run()
    host, _ = campus.place()
    campus.change(ClassHeader, host, status="DRAFT")
    campus.settle()
    found = campus.parts.reconciler.reconcile(campus.site)
    assert found.foreign == dict.fromkeys(DIGESTED, 0)
    assert _course(campus, host).visible in (True, False)


def test_a_gradebook_that_was_changed_by_hand_is_found_and_repaired(campus: Campus) -> None:
    campus.run()
    host, _ = campus.place()
    with campus.platform.change():
        book = _course(campus, host).gradebook
        assert book is not None
        book.categories[0].weight = 1
    found = campus.parts.reconciler.reconcile(campus.site)
    assert [(each.kind, each.key) for each in found.drift] == [("gradebook", host)]
    assert campus.equal()


def test_grades_are_reconciled_by_reading_them(campus: Campus) -> None:
    campus.run()
    campus.parts.reconciler.reconcile(campus.site)
    courses = set(campus.desired("gradebook"))
    assert campus.pulls.waiting(campus.site.id) == courses
    campus.clock.advance(seconds=10)
    for _ in range(10):
        campus.pulls.run(campus.site)
    assert campus.pulls.waiting(campus.site.id) == set()
    campus.parts.reconciler.reconcile(campus.site, courses=[sorted(courses)[0]])
    assert len(campus.pulls.waiting(campus.site.id)) == 1
    campus.parts.reconciler.reconcile(campus.site, repair=False)
    assert len(campus.pulls.waiting(campus.site.id)) == 1, "a report reads nothing"
