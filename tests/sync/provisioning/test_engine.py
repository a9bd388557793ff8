"""The engine, from a change in the SIS to what stands at the platform."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lti_tool.sis.change_models import ChangeKind
from lti_tool.sis.changes import record
from lti_tool.sis.entities import ClassStatus, EnrollmentStatus
from lti_tool.sis.models import ClassHeader, CombinedClass, Person
from lti_tool.sync.provisioning.models import RunState
from tests.sync.provisioning.conftest import Campus


def test_a_campus_appears_and_then_nothing_is_left_to_do(campus: Campus) -> None:
    run = campus.parts.engine.run(campus.site)
    assert run is not None
    assert run.state is RunState.DONE, run.error
    assert campus.parts.letters.list(campus.site.id) == []
    assert campus.equal()
    assert campus.parts.marks.counts(campus.site.id) == {}
    assert campus.parts.engine.run(campus.site) is None


def test_only_what_changed_travels(campus: Campus) -> None:
    campus.parts.engine.run(campus.site)
    roster = next(key for key, known in _rosters(campus).items() if known)
    person = _rosters(campus)[roster][0]
    calls = len(campus.platform.state.connection.outbox)
    campus.clock.advance(seconds=1)
    campus.enrolling.drop(person, roster)
    run = campus.parts.engine.run(campus.site)
    assert run is not None
    assert run.counts["roster"]["updated"] == 1
    assert run.counts["roster"]["people_suspended"] == 1
    # The roster, and what is said of the grades of those in it.
    assert run.total == 2
    assert campus.equal()
    campus.clock.advance(seconds=1)
    campus.enrolling.set_status(person, roster, EnrollmentStatus.ENROLLED)
    campus.parts.engine.run(campus.site)
    assert campus.equal()
    assert len(campus.platform.state.connection.outbox) == calls


def test_a_class_that_joins_others_keeps_its_course_in_step(campus: Campus) -> None:
    """Its students have work there: who leaves the class leaves that course too."""
    campus.run()
    host, person = campus.place()
    with campus.database.write() as session:
        header = session.query(ClassHeader).filter_by(sourced_id=host).one()
        first = ClassHeader(
            sourced_id="!" + host,
            course_id=header.course_id,
            term_id=header.term_id,
            section="TOGETHER",
            time_of_day=header.time_of_day,
            status=ClassStatus.ACTIVE,
            updated_at=campus.clock.now(),
        )
        group = CombinedClass(
            term_id=header.term_id, name="together", updated_at=campus.clock.now()
        )
        session.add_all([first, group])
        session.flush()
        first.combined_class_id = group.id
        group_id = group.id
    campus.change(ClassHeader, "!" + host, combined_class_id=group_id)
    campus.change(ClassHeader, host, combined_class_id=group_id)
    campus.settle()
    assert campus.equal()
    assert _active(campus, host, person), "what they did there is still theirs"
    assert _active(campus, "!" + host, person)
    campus.clock.advance(minutes=11)
    campus.enrolling.drop(person, host)
    campus.settle()
    assert not _active(campus, host, person)
    assert not _active(campus, "!" + host, person)
    campus.clock.advance(minutes=11)
    campus.enrolling.enroll(person, host)
    campus.change(ClassHeader, host, combined_class_id=None)
    campus.settle()
    assert campus.equal()
    assert _active(campus, host, person)
    assert not _active(campus, "!" + host, person)


def _active(campus: Campus, class_key: str, person_key: str) -> bool:
    state = campus.platform.state
    course = next(each for each in state.courses.values() if each.idnumber == class_key)
    person = next(each for each in state.people.values() if each.idnumber == person_key)
    held = (course.roster or {}).get(person.id)
    return held is not None and held.status == "active"


def test_looking_at_everything_is_a_statement_per_fifty_records_and_no_call(
    campus: Campus,
) -> None:
    campus.run()
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with campus.database.write() as session:
        for number in range(1500):
            session.add(
                Person(
                    sourced_id=f"MANY-{number:04}",
                    family_name="Many",
                    updated_at=campus.clock.now(),
                )
            )
        campus.clock.advance(seconds=1)
        record(
            session, ChangeKind.PERSON, [f"MANY-{n:04}" for n in range(1500)], at=campus.clock.now()
        )
    campus.run()
    campus.parts.marks.mark_all(campus.site)
    before = repr(campus.platform.state)
    sa.event.listen(campus.database.engine, "before_cursor_execute", note)
    try:
        run = campus.run()
    finally:
        sa.event.remove(campus.database.engine, "before_cursor_execute", note)
    assert run is not None
    assert sum(counts.get("skipped", 0) for counts in run.counts.values()) == run.total
    assert run.total > 1500
    # What any run has, whatever its size: lease, breaker, run, marks and classes of each kind.
    once = 80
    read = [statement for statement in sent if statement.startswith("SELECT")]
    assert len(read) - once <= run.total / 50
    assert len(sent) - once <= run.total / 25
    assert repr(campus.platform.state) == before


def _rosters(campus: Campus) -> dict[str, list[str]]:
    members = campus.extracts.memberships(campus.extracts.class_keys())
    return {
        key: [each.person_key for each in found if each.status.attends]
        for key, found in members.items()
        if key == campus.parts.rendering.hosts([key])[0]
    }
