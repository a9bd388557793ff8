from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.audit import AuditEvent, AuditLog
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.core.errors import InvalidInputError, NotFoundError
from lti_tool.lti.models import Registration
from lti_tool.lti.registrations import Registrations
from lti_tool.sync.courses import (
    ClassLinkedElsewhereError,
    ClassNotTaughtError,
    CourseLinkedError,
    Courses,
)
from tests.sync.school import School


@pytest.fixture
def registration(database: Database, clock: FixedClock, audit: AuditLog) -> Registration:
    return Registrations(database, clock, audit).create(
        actor="test",
        name="Platform",
        issuer="https://platform.test",
        client_id="client",
        auth_url="https://platform.test/auth",
        token_url="https://platform.test/token",
        jwks_url="https://platform.test/jwks",
    )


@pytest.fixture
def courses(database: Database, clock: FixedClock, audit: AuditLog) -> Courses:
    school = School(database, clock)
    school.person("t", teacher=True)
    school.person("other", teacher=True)
    school.class_("A", teacher="t", combined="together")
    school.class_("B", teacher="other", combined="together")
    school.class_("C", teacher="t")
    school.class_("D", teacher="other")
    return Courses(database, clock, school.sis, audit)


def test_a_course_is_recognised_by_its_class_with_those_combined(
    courses: Courses, registration: Registration, database: Database
) -> None:
    assert courses.recognise(registration, context_id="1", sourced_id=None) == []
    assert courses.recognise(registration, context_id="1", sourced_id="unknown") == []
    assert courses.recognise(registration, context_id="1", sourced_id="A") == ["A", "B"]
    # Once linked, what the platform says later changes nothing.
    assert courses.recognise(registration, context_id="1", sourced_id="C") == ["A", "B"]
    assert courses.class_keys(registration.id, "1") == ["A", "B"]
    with database.read() as session:
        events = session.scalars(sa.select(AuditEvent).filter_by(action="course.linked")).all()
    assert [event.detail for event in events] == [{"class_keys": ["A", "B"]}]


def test_an_identifier_takes_no_class_from_another_course(
    courses: Courses, registration: Registration
) -> None:
    courses.recognise(registration, context_id="1", sourced_id="C")
    assert courses.recognise(registration, context_id="2", sourced_id="C") == []
    assert courses.class_keys(registration.id, "2") == []


def test_a_teacher_chooses_among_their_own_classes(
    courses: Courses, registration: Registration
) -> None:
    for keys in (["D"], ["C", "D"], ["unknown"]):
        with pytest.raises(ClassNotTaughtError):
            courses.choose(registration.id, "1", keys, person_key="t")
    with pytest.raises(InvalidInputError):
        courses.choose(registration.id, "1", [], person_key="t")
    assert courses.choose(registration.id, "1", ["A"], person_key="t") == ["A", "B"]
    assert courses.choose(registration.id, "1", ["A", "B"], person_key="t") == ["A", "B"]
    with pytest.raises(CourseLinkedError):
        courses.choose(registration.id, "1", ["C"], person_key="t")


def test_a_class_of_another_course_is_refused_with_where_and_an_administrator_may(
    courses: Courses, registration: Registration
) -> None:
    courses.choose(registration.id, "1", ["C"], person_key="t")
    with pytest.raises(ClassLinkedElsewhereError, match="id 1") as caught:
        courses.choose(registration.id, "2", ["C"], person_key="t")
    assert caught.value.context["links"] == [{"class_key": "C", "context_id": "1"}]
    assert courses.link(registration.id, "2", ["C"], actor="admin") == ["C"]
    assert courses.link(registration.id, "2", ["A"], actor="admin") == ["A", "B", "C"]
    assert [link.context_id for link in courses.courses_of(registration.id, ["C"])] == ["1", "2"]
    with pytest.raises(NotFoundError):
        courses.link(registration.id, "2", ["unknown"], actor="admin")


def test_an_administrator_unlinks_one_class_or_all(
    courses: Courses, registration: Registration, database: Database
) -> None:
    courses.link(registration.id, "1", ["A", "C"], actor="admin")
    courses.unlink(registration.id, "1", actor="admin", class_keys=["C"])
    assert courses.class_keys(registration.id, "1") == ["A", "B"]
    courses.unlink(registration.id, "1", actor="admin")
    assert courses.class_keys(registration.id, "1") == []
    with pytest.raises(NotFoundError):
        courses.unlink(registration.id, "1", actor="admin")
    with database.read() as session:
        events = session.scalars(sa.select(AuditEvent).filter_by(action="course.unlinked")).all()
        assert [event.detail["class_keys"] for event in events] == [["C"], ["A", "B"]]
        assert AuditLog.first_broken(session) is None
