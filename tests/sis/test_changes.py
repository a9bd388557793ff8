"""What changed in the SIS is noted in the transaction that changes it, from every way in."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.change_models import ChangeKind, SisChange
from lti_tool.sis.changes import record, record_classes, record_since
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.enrolling import Enrolling
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Course,
    Enrollment,
    Person,
    Term,
)


def _noted(database: Database) -> dict[ChangeKind, set[str]]:
    found: dict[ChangeKind, set[str]] = {}
    with database.read() as session:
        for row in session.scalars(sa.select(SisChange)):
            found.setdefault(row.kind, set()).add(row.key)
    return found


def _forget(database: Database, clock: FixedClock) -> None:
    with database.write() as session:
        session.execute(sa.delete(SisChange))
    clock.advance(seconds=1)


def test_a_hundred_changes_to_one_thing_are_one_row(database: Database, clock: FixedClock) -> None:
    for _ in range(100):
        clock.advance(seconds=1)
        with database.write() as session:
            record(session, ChangeKind.PERSON, ["S1", "S1"], at=clock.now())
    with database.read() as session:
        [row] = session.scalars(sa.select(SisChange))
    assert (row.kind, row.key, row.at) == (ChangeKind.PERSON, "S1", clock.now())


def test_a_change_that_is_rolled_back_leaves_no_row(database: Database, clock: FixedClock) -> None:
    def fail() -> None:
        with database.write() as session:
            record(session, ChangeKind.TERM, ["T1"], at=clock.now())
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert _noted(database) == {}


def test_many_keys_are_a_statement_per_thousand(database: Database, clock: FixedClock) -> None:
    with database.write() as session:
        record(session, ChangeKind.PERSON, [f"S{n}" for n in range(2500)], at=clock.now())
        record(session, ChangeKind.PERSON, [], at=clock.now())
    assert len(_noted(database)[ChangeKind.PERSON]) == 2500


def test_a_campus_is_noted_whole_and_the_same_again_not_at_all(
    campus: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    noted = _noted(database)
    with database.read() as session:
        for kind, model in (
            (ChangeKind.TERM, Term),
            (ChangeKind.PERSON, Person),
            (ChangeKind.CLASS, ClassHeader),
        ):
            assert noted[kind] == set(session.scalars(sa.select(model.sourced_id)))
    assert noted[ChangeKind.ROSTER]
    _forget(database, clock)
    generate_campus(database, clock, size=50)
    # Totals are computed anew, whatever came of it.
    assert _noted(database).keys() <= {ChangeKind.GRADES}


def test_enrolling_notes_the_roster(
    campus: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    enrolling = Enrolling(database, clock)
    with database.read() as session:
        person, class_key = session.execute(
            sa.select(Person.sourced_id, ClassHeader.sourced_id)
            .select_from(Enrollment)
            .join(Person, Person.id == Enrollment.person_id)
            .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
            .where(Enrollment.status == EnrollmentStatus.ENROLLED)
        ).first() or ("", "")
    for act in (enrolling.drop, enrolling.enroll):
        _forget(database, clock)
        act(person, class_key)
        assert _noted(database)[ChangeKind.ROSTER] == {class_key}
    _forget(database, clock)
    enrolling.enroll(person, class_key)
    assert _noted(database) == {}, "nothing changed"


def test_whatever_a_class_is_shown_with_changes_it(
    campus: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    with database.read() as session:
        header = session.scalars(
            sa.select(ClassHeader).where(ClassHeader.combined_class_id.is_not(None))
        ).first()
        assert header is not None
        together = set(
            session.scalars(
                sa.select(ClassHeader.sourced_id).where(
                    ClassHeader.combined_class_id == header.combined_class_id
                )
            )
        )
        of_course = set(
            session.scalars(
                sa.select(ClassHeader.sourced_id).where(ClassHeader.course_id == header.course_id)
            )
        )
        half = session.scalars(
            sa.select(ClassSession).where(ClassSession.header_id == header.id)
        ).first()
        assert half is not None
    for model, where, expected in (
        (ClassHeader, ClassHeader.id == header.id, {header.sourced_id}),
        (ClassSession, ClassSession.id == half.id, {header.sourced_id}),
        (ClassPart, ClassPart.session_id == half.id, {header.sourced_id}),
        (CombinedClass, CombinedClass.id == header.combined_class_id, together),
        (Course, Course.id == header.course_id, of_course),
    ):
        _forget(database, clock)
        now = clock.now()
        with database.write() as session:
            session.execute(sa.update(model).where(where).values(updated_at=now))
            record_since(session, now)
        assert _noted(database) == {ChangeKind.CLASS: expected}, model.__name__


def test_classes_are_noted_by_their_ids_too(
    campus: EmbeddedSis, database: Database, clock: FixedClock
) -> None:
    _forget(database, clock)
    with database.write() as session:
        header = session.scalars(sa.select(ClassHeader)).first()
        assert header is not None
        record_classes(session, ChangeKind.GRADES, [header.id, 999_999], at=clock.now())
    assert _noted(database) == {ChangeKind.GRADES: {header.sourced_id}}
