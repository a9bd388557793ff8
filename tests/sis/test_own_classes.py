"""All classes of one person at once: the same as one at a time, in few statements."""

from __future__ import annotations

import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.models import ClassHeader, Enrollment
from tests.sis.conftest import Counting


def test_own_enrolments_are_those_that_one_sees_alone(
    campus: EmbeddedSis, database: Database, statements: Counting
) -> None:
    extracts = Extracts(database)
    seen = graded = 0
    for key in extracts.person_keys():
        with statements() as sent:
            found = campus.enrollments_of(key)
        assert len(sent) <= 5
        assert {each.class_.class_key for each in found} == extracts.classes_of_people([key])
        starts = [each.class_.term_start for each in found]
        assert starts == sorted(starts, reverse=True), "the newest term first"
        for each in found:
            alone = campus.enrollment(key, each.class_.class_key)
            assert alone is not None
            assert (each.status, each.is_audit) == (alone.status, alone.is_audit)
            assert each.final == campus.student_grades(key, each.class_.class_key).final
            assert each.class_ == campus.class_(each.class_.class_key)
            seen += 1
            graded += each.final is not None
    assert seen > graded > 20
    assert campus.enrollments_of("nobody") == []


def test_sizes_are_of_those_who_attend_or_have_ended(
    campus: EmbeddedSis, database: Database, statements: Counting
) -> None:
    keys = Extracts(database).class_keys()
    with statements() as sent:
        sizes = campus.class_sizes(keys)
    assert len(sent) == 1
    for key in keys:
        roster = [entry for some in campus.roster(key) for entry in some]
        counted = [entry for entry in roster if entry.status.attends or entry.status.ended]
        assert sizes.get(key, 0) == len(counted)
    assert campus.class_sizes(["no such class"]) == {}


def test_a_class_that_was_removed_is_nobodys(campus: EmbeddedSis, database: Database) -> None:
    with database.write() as session:
        key = session.scalars(
            sa.select(ClassHeader.sourced_id)
            .join(Enrollment)
            .where(Enrollment.status == EnrollmentStatus.ENROLLED)
        ).first()
        assert key is not None
        session.execute(
            sa.update(ClassHeader).where(ClassHeader.sourced_id == key).values(active=False)
        )
    people = {entry.person.person_key for some in campus.roster(key) for entry in some}
    assert people
    for person in people:
        assert key not in {each.class_.class_key for each in campus.enrollments_of(person)}
