"""Whose grades a teacher may see, by what the SIS says about teachers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from lti_tool.lti import roles
from lti_tool.lti.models import Launch, Registration
from lti_tool.sis.entities import (
    ClassStatus,
    ClassType,
    ClassView,
    PartView,
    PersonStatus,
    PersonView,
    SessionView,
    TimeOfDay,
)
from lti_tool.web.viewer import ClassUnknownError, PersonUnknownError, Viewer


def part(key: str, teacher: str | None) -> PartView:
    half = Decimal("0.5")
    return PartView(key, 1, 1, key, "MAIN", half, half, teacher, teacher, None, (), None, None)


def class_of(*parts: PartView) -> ClassView:
    return ClassView(
        class_key="C",
        course_code="EHSS-07",
        course_title="English",
        term_code="T",
        term_start=dt.date(2026, 1, 1),
        term_end=dt.date(2026, 3, 1),
        section="A",
        time_of_day=TimeOfDay.EVE,
        class_type=ClassType.STANDARD,
        status=ClassStatus.DRAFT,
        sessions=(SessionView(1, "One", Decimal(1), parts),),
    )


def viewer(*parts: PartView, person: str | None = "me") -> Viewer:
    found = Viewer(Launch(reference="R", roles=[roles.INSTRUCTOR]), Registration(id=1))
    known = person and PersonView(
        person, None, "Family", "", None, None, PersonStatus.ACTIVE, False, True
    )
    # What would be read from the SIS, given.
    found.__dict__["found_person"] = known or None
    found.__dict__["found_classes"] = (class_of(*parts),) if parts else ()
    return found


@pytest.mark.parametrize(
    ("teachers", "seen"),
    [
        (["me", "me"], [0, 1]),
        (["me", "other"], [0]),
        (["me", None], [0, 1]),
        (["other", None], []),
        (["other", "other"], []),
        ([None, None], [0, 1]),
    ],
)
def test_a_teacher_sees_own_parts(teachers: list[str | None], seen: list[int]) -> None:
    parts = [part(str(number), teacher) for number, teacher in enumerate(teachers)]
    who = viewer(*parts)
    assert [parts.index(each) for each in who.gradable_parts] == seen
    assert who.sees_all_parts is (len(seen) == len(parts))


def test_nobody_is_known_by_their_role_alone() -> None:
    who = viewer(part("p", None), person=None)
    with pytest.raises(PersonUnknownError):
        _ = who.gradable_parts
    with pytest.raises(ClassUnknownError):
        _ = viewer().gradable_parts


@pytest.mark.parametrize(
    ("role", "teacher", "administrator"),
    [
        (roles.INSTRUCTOR, True, False),
        (roles.LEARNER, False, False),
        (roles.CONTEXT_ADMINISTRATOR, False, False),
        ("http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator", False, False),
        ("http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor", False, False),
        ("Instructor", False, False),
        (roles.SYSTEM_ADMINISTRATOR, False, True),
    ],
)
def test_only_exact_roles_count(role: str, teacher: bool, administrator: bool) -> None:
    who = Viewer(Launch(reference="R", roles=[role]), Registration(id=1))
    assert who.is_teacher is teacher
    assert who.is_site_administrator is administrator
