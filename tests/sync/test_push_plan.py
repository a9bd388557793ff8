"""What a preview says, before anything is sent."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest

from lti_tool.core.errors import InvalidInputError
from lti_tool.lti.assignment_grades import AgsNotOfferedError
from lti_tool.sis.entities import EnrollmentStatus, GradeStatus
from lti_tool.sync.models import ItemState
from tests.sync.world import World


@pytest.fixture
def world(world: World) -> World:
    world.school.class_("C")
    world.link_course()
    return world


def test_every_refusal_of_the_preview_has_its_reason(world: World) -> None:
    for key in ("audits", "audits2", "dropped", "withdrawn", "none", "null", "draft", "unlinked"):
        world.school.student(key, "C")
    world.school.student("elsewhere", "C")
    world.school.student("fine", "C")
    world.account("fine")
    world.account("elsewhere", enrolled=False)
    for key in ("audits", "audits2", "dropped", "unlinked", "elsewhere", "fine"):
        world.school.grade(key, "C/part", "70")
    world.school.grade("null", "C/part", None)
    world.school.grade("draft", "C/part", "70", GradeStatus.DRAFT)
    world.school.enrol("audits", "C", EnrollmentStatus.AUDIT)
    world.school.enrol("audits2", "C", audit=True)
    world.school.enrol("dropped", "C", EnrollmentStatus.DROPPED)
    # Left without a grade: nobody looks for them.
    world.school.enrol("withdrawn", "C", EnrollmentStatus.WITHDRAWN)

    push = world.push()

    assert world.states(push) == {
        "audits": ("refused", "audit"),
        "audits2": ("refused", "audit"),
        "dropped": ("refused", "dropped"),
        "none": ("refused", "no_grade"),
        "null": ("refused", "no_grade"),
        "draft": ("refused", "draft"),
        "unlinked": ("refused", "not_linked"),
        "elsewhere": ("refused", "not_in_course"),
        "fine": ("sent", None),
    }
    assert world.held() == {"fine": 70.0}
    refused = world.pushes.items(push.id, state=ItemState.REFUSED)
    assert all(line.reason and line.name for line in refused)


@pytest.mark.parametrize("score", ["-0.01", "100.01", "NaN", "Infinity"])
def test_a_grade_that_is_none_is_refused_before_it_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, score: str
) -> None:
    """Our own store keeps such grades out; another SIS may not."""
    world.students("a")
    world.school.grade("a", "C/part", "70")
    (grade,) = world.sis.part_grades("C", ["C/part"])
    wrong = dataclasses.replace(grade, score=Decimal(score))
    monkeypatch.setattr(world.sis, "part_grades", lambda *_keys: [wrong])
    push = world.push()
    assert world.states(push) == {"a": ("refused", "out_of_range")}
    assert [line.item.detail for line in world.pushes.items(push.id)] == [score]
    assert world.traffic.scores == []


def test_who_finished_or_failed_the_class_still_gets_the_grade(world: World) -> None:
    world.students("a", "b")
    world.school.grade("a", "C/part", "90", GradeStatus.FINALIZED)
    world.school.grade("b", "C/part", "20", GradeStatus.APPROVED)
    world.school.enrol("a", "C", EnrollmentStatus.COMPLETED)
    world.school.enrol("b", "C", EnrollmentStatus.FAILED)
    world.push()
    assert world.held() == {"a": 90.0, "b": 20.0}


def test_without_names_and_roles_nobody_is_refused_as_not_in_the_course(world: World) -> None:
    world.students("a")
    world.school.grade("a", "C/part", "70")
    assert world.states(world.preview(nrps=None))["a"] == ("send", "column_new")


def test_an_identifier_links_only_where_it_is_trusted(world: World) -> None:
    for key in ("a", "twice"):
        world.school.student(key, "C")
        world.school.grade(key, "C/part", "70")
    world.account("a", linked=False, idnumber="a")
    world.account("t1", linked=False, idnumber="twice")
    world.account("t2", linked=False, idnumber="twice")
    assert world.states(world.preview())["a"] == ("refused", "not_linked")

    world.registration.sourcedid_trusted = True
    states = world.states(world.preview())

    assert states["a"] == ("send", "column_new")
    assert states["twice"] == ("refused", "not_linked")


@pytest.mark.parametrize(
    ("ags", "missing"),
    [
        (None, None),
        ({}, None),
        ({"scope": []}, None),
        ({"lineitems": "https://p.test/l", "scope": []}, ["lineitem", "score", "result.readonly"]),
    ],
)
def test_without_the_grade_service_nothing_starts(
    world: World, ags: dict[str, object] | None, missing: list[str] | None
) -> None:
    with pytest.raises(AgsNotOfferedError) as caught:
        world.preview(ags=ags)
    assert caught.value.code == "ags_not_offered"
    assert caught.value.remedy
    if missing is not None:
        assert [scope.rsplit("/", 1)[-1] for scope in caught.value.context["missing"]] == missing
    assert world.pushes.recent(world.registration.id, world.context_id) == []


def test_scores_without_columns_are_not_enough(world: World) -> None:
    world.tool.grade_sync = 1
    with pytest.raises(AgsNotOfferedError, match="lineitem"):
        world.preview()


def test_a_class_of_another_course_is_not_pushed_here(world: World) -> None:
    world.school.class_("X")
    with pytest.raises(InvalidInputError, match="not linked"):
        world.preview(class_keys=["X"])
    with pytest.raises(InvalidInputError, match="no class part"):
        world.preview(part_keys=["nothing"])
