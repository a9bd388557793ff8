"""The SIS as documents: names, addresses, courses, rosters, classes taught together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Base, Database
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Course, Kind, Roster, User
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.entities import ClassStatus, PersonStatus
from lti_tool.sis.extracts import Extracts
from lti_tool.sis.models import ClassHeader, CombinedClass, Person, Term
from lti_tool.sync.grades.rendering import GradeRendering
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.rendered import Former, Nothing, Rendered, Unfit
from lti_tool.sync.rendering import Rendering

Render = Callable[[Kind, str], Rendered]
SITE = 1


def _rendering(database: Database) -> Rendering:
    sis, lifecycle = Extracts(database), Lifecycle(ZoneInfo("Asia/Phnom_Penh"))
    return Rendering(sis, lifecycle, GradeRendering(database, sis, lifecycle))


@pytest.fixture
def rendering(database: Database, clock: FixedClock) -> Rendering:
    generate_campus(database, clock, size=50)
    return _rendering(database)


@pytest.fixture
def render(rendering: Rendering, clock: FixedClock) -> Render:
    def one(kind: Kind, key: str) -> Rendered:
        return rendering.render(kind, [key], now=clock.now(), site_id=SITE)[key]

    return one


@pytest.fixture
def person(rendering: Rendering) -> str:
    return rendering.all_keys("user")[0]


@pytest.fixture
def together(rendering: Rendering, database: Database) -> list[str]:
    """Keys of two classes that are taught together."""
    with database.read() as session:
        group = session.scalars(sa.select(CombinedClass.id)).first()
        return list(
            session.scalars(
                sa.select(ClassHeader.sourced_id)
                .where(ClassHeader.combined_class_id == group)
                .order_by(ClassHeader.sourced_id)
            )
        )


def _set(database: Database, model: type[Base], key: str, **values: Any) -> None:
    with database.write() as session:
        session.execute(
            sa.update(model).where(model.sourced_id == key).values(**values)  # type: ignore[attr-defined]
        )


def test_a_person_becomes_an_account(render: Render, database: Database, person: str) -> None:
    _set(
        database,
        Person,
        person,
        student_id="ST 001",
        family_name="SOK",
        personal_name="",
        khmer_name="សុខ",
        school_email=None,
    )
    user = render("user", person)
    assert isinstance(user, User)
    assert (user.username, user.firstname, user.lastname) == ("st-001", "-", "SOK")
    assert user.alternatename == "សុខ"
    assert user.email == "st-001@no-address.invalid"
    assert not user.suspended
    _set(database, Person, person, status=PersonStatus.SUSPENDED, family_name="<b>" + "x" * 200)
    user = render("user", person)
    assert isinstance(user, User)
    assert user.suspended
    assert user.lastname.startswith("‹b›")
    assert user.lastname.endswith("…")
    assert len(user.lastname) == 100


def test_an_address_of_two_is_nobodys(
    render: Render, rendering: Rendering, database: Database
) -> None:
    first, second = rendering.all_keys("user")[:2]
    _set(database, Person, first, school_email="same@x.edu")
    assert getattr(render("user", first), "email") == "same@x.edu"  # noqa: B009
    _set(database, Person, second, school_email="SAME@x.edu")
    for key in (first, second):
        user = render("user", key)
        assert isinstance(user, User)
        assert user.email.endswith(".invalid")


@pytest.mark.parametrize("key", ["x" * 101, "has\ttab", "ends with a space ", "e\u0301"])
def test_a_key_that_moodle_cannot_hold_fits_not_and_stops_nobody_else(
    render: Render, rendering: Rendering, database: Database, person: str, key: str
) -> None:
    class_key = sorted(rendering._sis.classes_of_people([person]))[0]
    host = rendering.hosts([class_key])[0]
    before = render("roster", host)
    assert isinstance(before, Roster)
    _set(database, Person, person, sourced_id=key)
    found = render("user", key)
    assert isinstance(found, Unfit)
    assert found.field == "/idnumber"
    assert "Correct it in the SIS" in found.message
    after = render("roster", host)
    assert isinstance(after, Roster)
    assert after.count == before.count - 1
    assert {member.user for member in before.members} - {
        member.user for member in after.members
    } == {person}


def test_a_term_that_no_calendar_holds_stops_only_its_own(
    render: Render, rendering: Rendering, database: Database, clock: FixedClock
) -> None:
    host = rendering.all_keys("course")[0]
    term = getattr(render("course", host), "category")  # noqa: B009
    _set(database, Term, term, start_date=dt.date.min, end_date=dt.date.max)
    rendered = rendering.render(
        "course", rendering.all_keys("course"), now=clock.now(), site_id=SITE
    )
    assert isinstance(rendered[host], Unfit)
    assert any(isinstance(each, Course) for each in rendered.values())


def test_unknown_keys_and_drafts_are_nothing(
    render: Render, rendering: Rendering, database: Database
) -> None:
    kinds: tuple[Kind, ...] = ("category", "user", "course", "roster")
    for kind in kinds:
        assert render(kind, "no such key") == Nothing("unknown")
    host = rendering.all_keys("course")[0]
    _set(database, ClassHeader, host, status=ClassStatus.DRAFT, combined_class_id=None)
    assert render("course", host) == Nothing("draft")
    assert render("roster", host) == Nothing("draft")


def test_classes_taught_together_are_one_course_with_a_group_each(
    render: Render, rendering: Rendering, together: list[str]
) -> None:
    host, other = together[0], together[1]
    assert rendering.hosts([other]) == [host]
    assert other not in rendering.all_keys("course")
    course = render("course", host)
    assert isinstance(course, Course)
    assert [group.idnumber for group in course.groups] == together
    assert {section.key.rpartition("#")[0] for section in course.sections} == set(together)
    roster = render("roster", host)
    assert isinstance(roster, Roster)
    active = [member for member in roster.members if member.status == "active"]
    assert active
    assert all(member.groups for member in active)
    assert all(not member.groups for member in roster.members if member.status == "suspended")


def test_a_class_that_is_now_taught_with_others_goes_on_with_the_course_that_it_had(
    render: Render, together: list[str], database: Database
) -> None:
    host, other = together[0], together[1]
    found = render("roster", other)
    assert isinstance(found, Former)
    assert found.host == host
    assert isinstance(found.document, Roster)
    assert found.document.course == other
    assert all(member.groups == [] for member in found.document.members)
    _set(database, ClassHeader, other, combined_class_id=None)
    alone = render("roster", other)
    assert isinstance(alone, Roster)
    assert fingerprint(alone) == fingerprint(found.document)
    course = render("course", host)
    assert isinstance(course, Course)
    assert other not in [group.idnumber for group in course.groups]


def test_a_teacher_who_studies_in_the_class_teaches_it(
    render: Render, rendering: Rendering, database: Database
) -> None:
    for host in rendering.all_keys("roster"):
        roster = render("roster", host)
        assert isinstance(roster, Roster)
        teachers = [m for m in roster.members if m.role == "editingteacher"]
        assert len({m.user for m in roster.members}) == roster.count
        if teachers:
            return
    pytest.fail("no class has a teacher")


def test_rendering_and_comparing_is_a_statement_per_fifty_records(
    rendering: Rendering, clock: FixedClock, statements: list[str]
) -> None:
    records = 0
    kinds: tuple[Kind, ...] = ("category", "user", "course", "roster")
    for kind in kinds:
        keys = rendering.all_keys(kind)
        statements.clear()
        rendered = rendering.render(kind, keys, now=clock.now(), site_id=SITE)
        sent = len(statements)
        records += sum(each.count if isinstance(each, Roster) else 1 for each in rendered.values())
        # However many there are: the smallest campus already shares them among many.
        assert sent <= {"category": 1, "user": 2, "course": 8, "roster": 11}[kind]
        twice = rendering.render(kind, keys[:1], now=clock.now(), site_id=SITE)
        assert twice.keys() <= rendered.keys()
    assert records > 200


def test_archived_courses_can_only_be_read(
    database: Database, render: Render, clock: FixedClock, together: list[str]
) -> None:
    first, *others = sorted(together)
    course = render("course", first)
    assert isinstance(course, Course)
    assert not course.readonly
    _end_term(database, clock, first, days=400)
    half = render("course", first)
    assert isinstance(half, Course)
    # One of the classes still goes on.
    assert not half.readonly
    for other in others:
        _end_term(database, clock, other, days=400)
    archived = render("course", first)
    assert isinstance(archived, Course)
    assert (archived.readonly, archived.visible) == (True, True)
    assert fingerprint(archived) != fingerprint(archived.model_copy(update={"readonly": False}))


def _end_term(database: Database, clock: FixedClock, key: str, *, days: int) -> None:
    """Move a class into a term of its own that ended so many days ago."""
    today = clock.now().date()
    with database.write() as session:
        header = session.scalars(sa.select(ClassHeader).filter_by(sourced_id=key)).one()
        old = session.get_one(Term, header.term_id)
        values = {c.name: getattr(old, c.name) for c in Term.__table__.columns if c.name != "id"}
        ended = today - dt.timedelta(days=days)
        values |= {
            "sourced_id": f"past {key}",
            "code": f"past {key}"[:20],
            "start_date": ended - dt.timedelta(days=100),
            "end_date": ended,
        }
        past = Term(**values)
        session.add(past)
        session.flush()
        header.term_id = past.id
