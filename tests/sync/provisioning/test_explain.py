"""Why is this student not in the course? Each step, and the one where the way ends."""

from __future__ import annotations

import pytest

from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.sis.entities import ClassStatus, PersonStatus
from lti_tool.sis.models import ClassHeader, Person
from lti_tool.sync.provisioning.explain import Step, StepState
from tests.sync.provisioning.conftest import Campus


@pytest.fixture
def pair(campus: Campus) -> tuple[str, str]:
    """Course and student."""
    return campus.place()


def _steps(campus: Campus, person: str, class_key: str) -> list[Step]:
    with campus.database.read() as session:
        site = session.get_one(MoodleSite, campus.site.id)
    return campus.parts.explanations.explain(site, person, class_key)


def _last(campus: Campus, pair: tuple[str, str]) -> str:
    step = _steps(campus, pair[1], pair[0])[-1]
    assert step.state is StepState.STOPPED
    assert step.remedy
    return step.code


def test_the_whole_way_of_someone_who_is_there(campus: Campus, pair: tuple[str, str]) -> None:
    campus.run()
    steps = _steps(campus, pair[1], pair[0])
    assert all(step.state is StepState.DONE for step in steps)
    # The term is over.
    codes = [
        "person",
        "class",
        "enrolled",
        "category",
        "user",
        "course",
        "roster",
        "readonly",
        "equal",
    ]
    assert [step.code for step in steps] == codes


def test_unknown_people_and_classes(campus: Campus, pair: tuple[str, str]) -> None:
    assert _last(campus, (pair[0], "nobody")) == "person_unknown"
    assert _last(campus, ("no class", pair[1])) == "class_unknown"


def test_what_the_sis_says(campus: Campus, pair: tuple[str, str]) -> None:
    host, person = pair
    stranger = next(
        key
        for key in campus.extracts.person_keys()
        if host not in campus.extracts.classes_of_people([key])
        and campus.extracts.people([key])[key].is_student
    )
    assert _last(campus, (host, stranger)) == "not_enrolled"
    campus.enrolling.drop(person, host)
    assert _last(campus, pair) == "enrollment_ended"
    campus.enrolling.enroll(person, host)
    campus.change(Person, person, status=PersonStatus.FROZEN)
    assert _last(campus, pair) == "person_suspended"
    campus.change(Person, person, status=PersonStatus.ACTIVE)
    campus.change(ClassHeader, host, status=ClassStatus.DRAFT)
    assert _last(campus, pair) == "class_draft"


def test_what_the_site_says(campus: Campus, pair: tuple[str, str]) -> None:
    campus.run()
    campus.parts.runs.hold(campus.site.id, actor="admin:a", reason="holidays")
    assert _last(campus, pair) == "site_held"
    campus.parts.runs.go_on(campus.site.id, actor="admin:a")
    campus.parts.guard._count = 0
    campus.enrolling.drop(pair[1], pair[0])
    campus.run()
    campus.enrolling.enroll(pair[1], pair[0])
    assert _last(campus, pair) == "mass_change"
    with campus.database.write() as session:
        session.get_one(MoodleSite, campus.site.id).standing = SiteStanding.PAUSED
    assert _last(campus, pair) == "site_paused"


def test_what_waits_and_what_is_refused(campus: Campus, pair: tuple[str, str]) -> None:
    states = {step.code: step.state for step in _steps(campus, pair[1], pair[0])}
    assert states["user_never"] is StepState.WAITING
    campus.parts.gates.failed(campus.site.id, "down", open_=True)
    codes = [step.code for step in _steps(campus, pair[1], pair[0])]
    assert "site_unreachable" in codes
    campus.clock.advance(seconds=10)
    campus.change(Person, pair[1], school_email="bad")
    campus.run()
    assert _last(campus, pair) == "user_email_invalid"
    campus.change(Person, pair[1], school_email="good@school.edu")
    campus.parts.marks.gather()
    # The refusal stands until the change has been sent.
    assert _last(campus, pair) == "user_email_invalid"
    campus.settle()
    assert _steps(campus, pair[1], pair[0])[-1].code == "equal"


def test_when_a_course_can_only_be_read_or_is_hidden(campus: Campus, pair: tuple[str, str]) -> None:
    campus.run()
    campus.clock.advance(seconds=400 * 86400)
    codes = [step.code for step in _steps(campus, pair[1], pair[0])]
    assert "readonly" in codes
    assert "course_hidden" not in codes
    campus.change(ClassHeader, pair[0], status=ClassStatus.CANCELLED)
    campus.settle()
    assert "course_hidden" in [step.code for step in _steps(campus, pair[1], pair[0])]
