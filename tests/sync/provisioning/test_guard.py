"""A mass change waits for somebody's yes, in one step or in many small ones."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.errors import ConflictError, NotFoundError
from lti_tool.moodle.documents import MemberResult, Result, Roster, User
from lti_tool.sis.entities import EnrollmentStatus, PersonStatus
from lti_tool.sis.models import ClassHeader, CombinedClass, Enrollment, Person
from lti_tool.sync.lifecycle import account_suspended
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncedDocument
from lti_tool.sync.provisioning.people import active_people, count_people, people_lost, suspends
from tests.sync.provisioning.conftest import Campus


def _enrolled(campus: Campus) -> list[tuple[str, str]]:
    """People and classes, where the class is alone."""
    with campus.database.read() as session:
        return [
            (person, class_key)
            for person, class_key in session.execute(
                sa.select(Person.sourced_id, ClassHeader.sourced_id)
                .select_from(Enrollment)
                .join(Person, Person.id == Enrollment.person_id)
                .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
                .where(
                    Enrollment.status == EnrollmentStatus.ENROLLED,
                    ClassHeader.combined_class_id.is_(None),
                )
                .order_by(Enrollment.id)
            )
        ]


def _users(campus: Campus) -> list[str]:
    """People who may sign in."""
    return [
        key
        for key, person in campus.extracts.people(campus.extracts.person_keys()).items()
        if not account_suspended(person.status)
    ]


def _suspended_places(campus: Campus) -> int:
    return sum(
        member.status == "suspended"
        for course in campus.platform.state.courses.values()
        for member in (course.roster or {}).values()
    )


def test_a_mass_change_stops_before_its_first_change(campus: Campus) -> None:
    campus.run()
    before = repr(campus.platform.state)
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    campus.change(Person, campus.extracts.person_keys()[0], family_name="NEW")
    for person, class_key in _enrolled(campus)[: limit + 1]:
        campus.enrolling.drop(person, class_key)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.WAITING
    assert (run.guard["kind"], run.guard["suspended"], run.guard["limit"]) == (
        "roster",
        limit + 1,
        limit,
    )
    assert repr(campus.platform.state) == before, "not even the harmless part of it"
    assert campus.run() is None, "it waits, without a run each few seconds"


def test_it_goes_on_under_its_number_once_somebody_said_yes(campus: Campus) -> None:
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    enrolled = _enrolled(campus)
    for person, class_key in enrolled[: limit + 1]:
        campus.enrolling.drop(person, class_key)
    waiting = campus.run()
    assert waiting is not None
    campus.clock.advance(seconds=5)
    # Something harmless comes in between: the same run waits, by the same number.
    campus.change(Person, campus.extracts.person_keys()[0], family_name="NEW")
    again = campus.run()
    assert again is not None
    assert (again.id, again.state) == (waiting.id, RunState.WAITING)
    campus.parts.runs.approve(waiting.id, actor="admin:a")
    done = campus.run()
    assert done is not None
    assert (done.id, done.state) == (waiting.id, RunState.DONE)
    assert campus.equal()
    with pytest.raises(ConflictError):
        campus.parts.runs.approve(waiting.id, actor="admin:a")
    with pytest.raises(NotFoundError):
        campus.parts.runs.approve(999, actor="admin:a")


def test_a_yes_is_for_what_was_counted(campus: Campus) -> None:
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    enrolled = _enrolled(campus)
    for person, class_key in enrolled[: limit + 1]:
        campus.enrolling.drop(person, class_key)
    waiting = campus.run()
    assert waiting is not None
    campus.parts.runs.approve(waiting.id, actor="admin:a")
    campus.clock.advance(seconds=1)
    for person, class_key in enrolled[limit + 1 : 2 * limit + 2]:
        campus.enrolling.drop(person, class_key)
    again = campus.run()
    assert again is not None
    assert again.state is RunState.WAITING
    assert again.guard["suspended"] == 2 * limit + 2
    assert _suspended_places(campus) == 0
    assert campus.run() is None


def test_a_yes_outlives_an_interruption(campus: Campus) -> None:
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    for person, class_key in _enrolled(campus)[: limit + 1]:
        campus.enrolling.drop(person, class_key)
    waiting = campus.run()
    assert waiting is not None
    campus.parts.runs.approve(waiting.id, actor="admin:a")
    kept = campus.parts.ledger.applied
    campus.parts.ledger.applied = _die  # type: ignore[assignment, method-assign]
    with pytest.raises(RuntimeError):
        campus.run()
    campus.parts.ledger.applied = kept  # type: ignore[method-assign]
    campus.clock.advance(seconds=600)
    done = campus.run()
    assert done is not None
    assert done.state is RunState.DONE
    assert campus.equal()


def _die(*_: object) -> None:
    raise RuntimeError


def test_many_small_steps_are_a_large_one(campus: Campus) -> None:
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    run = None
    for person, class_key in _enrolled(campus)[: limit + 1]:
        campus.enrolling.drop(person, class_key)
        run = campus.run()
        assert run is not None
        if run.state is RunState.WAITING:
            break
    assert run is not None
    assert run.state is RunState.WAITING
    assert run.guard["suspended"] == 1
    assert 1 < _suspended_places(campus) <= limit


def test_by_and_by_it_is_no_mass_change(campus: Campus) -> None:
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    for person, class_key in _enrolled(campus)[: limit + 2]:
        campus.clock.advance(seconds=300)
        campus.enrolling.drop(person, class_key)
        run = campus.run()
        assert run is not None
        assert run.state is RunState.DONE


def test_accounts_are_counted_whatever_else_changes_with_them(campus: Campus) -> None:
    campus.run()
    limit, before = campus.parts.guard.limit(campus.site.id, "user"), repr(campus.platform.state)
    for key in sorted(_users(campus))[: limit + 1]:
        campus.change(Person, key, status=PersonStatus.SUSPENDED, family_name="OTHER")
    run = campus.run()
    assert run is not None
    assert run.state is RunState.WAITING
    assert run.guard["kind"] == "user"
    assert repr(campus.platform.state) == before


def test_one_person_always_may(campus: Campus) -> None:
    campus.parts.guard._share = 0.0
    campus.run()
    person, class_key = _enrolled(campus)[0]
    campus.enrolling.drop(person, class_key)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE


def test_with_a_limit_of_none_everyone_waits(campus: Campus) -> None:
    campus.parts.guard._count = 0
    campus.run()
    person, class_key = _enrolled(campus)[0]
    campus.enrolling.drop(person, class_key)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.WAITING


def test_what_is_not_known_is_asked_of_moodle(campus: Campus) -> None:
    """The tool was restored from a backup, or the site was connected anew: it remembers nobody."""
    campus.run()
    limit = campus.parts.guard.limit(campus.site.id, "roster")
    with campus.database.write() as session:
        session.execute(sa.delete(SyncedDocument))
    for person, class_key in _enrolled(campus)[: limit + 1]:
        campus.enrolling.drop(person, class_key)
    campus.clock.advance(seconds=1)
    campus.parts.marks.mark_all(campus.site)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.WAITING
    assert run.guard["suspended"] == limit + 1
    assert _suspended_places(campus) == 0


def test_combining_is_counted_by_people_not_by_groups(campus: Campus) -> None:
    campus.run()
    with campus.database.read() as session:
        header = session.scalars(
            sa.select(ClassHeader).where(ClassHeader.combined_class_id.is_not(None))
        ).first()
    assert header is not None
    now = campus.clock.now()
    with campus.database.write() as session:
        session.add(CombinedClass(term_id=header.term_id, name="other", updated_at=now))
    members = campus.extracts.memberships([header.sourced_id])[header.sourced_id]
    leaving = [each.person_key for each in members if each.status.attends]
    for person in leaving:
        campus.enrolling.drop(person, header.sourced_id)
    run = campus.run(trigger=RunTrigger.MANUAL)
    assert run is not None
    lost = run.guard.get("suspended") or run.counts["roster"].get("people_suspended", 0)
    assert lost == len(leaving), "each loses a group with the place"


def test_people_are_told_apart() -> None:
    whole = Roster.model_validate(
        {
            "course": "C",
            "count": 3,
            "members": [
                {"user": "A"},
                {"user": "B", "status": "suspended"},
                {"user": "ដារា"},
            ],
        }
    )
    less = whole.model_copy(update={"members": whole.members[:2]})
    assert count_people(active_people(whole)) == 2
    assert people_lost(active_people(whole), active_people(less)) == 1
    assert people_lost(active_people(less), active_people(whole)) == 0
    assert people_lost(b"", active_people(whole)) == 0
    user = User(idnumber="A", username="a", firstname="", lastname="", email="a@x.edu")
    assert people_lost(active_people(user), b"") == 1
    assert active_people(user.model_copy(update={"suspended": True})) == b""


def test_a_suspension_is_seen_beside_other_changes() -> None:
    change = {"field": "status", "before": "active", "after": "suspended"}
    assert suspends(
        MemberResult.model_validate({"user": "A", "result": "updated", "changes": [change]})
    )
    assert suspends(Result(kind="user", key="A", result="suspended"))
    other = {"field": "suspended", "before": True, "after": False}
    assert not suspends(
        Result.model_validate({"kind": "user", "key": "A", "result": "updated", "changes": [other]})
    )


def test_a_call_carries_what_it_can() -> None:
    def roster(key: str, people: int) -> Roster:
        members = [{"user": f"S{n}"} for n in range(people)]
        return Roster.model_validate({"course": key, "count": people, "members": members})

    documents = [roster("A", 5000), roster("B", 5000), roster("C", 10), roster("D", 12_000)]
    found = [[document.course for document in some] for some in batches(documents, most=3)]  # type: ignore[union-attr]
    assert found == [["A"], ["B", "C"], ["D"]]
    assert [len(some) for some in batches(documents[2:3] * 7, most=3)] == [3, 3, 1]
    assert list(batches([], most=3)) == []


def test_a_share_of_one_switches_the_guard_off(campus: Campus) -> None:
    campus.run()
    campus.parts.guard._share, campus.parts.guard._count = 1.0, 0
    for person, class_key in _enrolled(campus):
        campus.enrolling.drop(person, class_key)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE
    assert campus.equal()
    # What went then surprises nobody later.
    campus.parts.guard._share = 0.05
    campus.change(Person, _users(campus)[0], status=PersonStatus.FROZEN)
    waiting = campus.run()
    assert waiting is not None
    assert waiting.state is RunState.WAITING, "the number alone is zero"
