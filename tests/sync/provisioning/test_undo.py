"""Undoing a run: what it made is out of sight, what it changed is as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lti_tool.core.errors import ConflictError, NotFoundError
from lti_tool.moodle.documents import DIGESTED, Applied, Document
from lti_tool.moodle.documents import Course as CourseDocument
from lti_tool.moodle.models import Site
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.plugin_errors import TransientError
from lti_tool.sis.models import ClassHeader, ClassSession, Course, Person
from lti_tool.sync.provisioning.former import former_document
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun
from tests.sync.provisioning.conftest import Campus


def _changed(campus: Campus) -> SyncRun:
    """A run that renamed a person, a course and a section, and took away a place."""
    host, person = campus.place()
    campus.change(Person, person, family_name="NEW")
    campus.change(ClassHeader, host, section="NEW")
    now = campus.clock.now()
    with campus.database.write() as session:
        header = session.query(ClassHeader).filter_by(sourced_id=host).one()
        half = session.query(ClassSession).filter_by(header_id=header.id).first()
        assert half is not None
        half.name, half.updated_at = "Renamed half", now
        title = session.get_one(Course, header.course_id)
        title.title, title.updated_at = "Renamed course", now
    campus.change(Person, person, personal_name="ALSO NEW")
    campus.enrolling.drop(person, host)
    run = campus.run()
    assert run is not None
    assert run.state is RunState.DONE
    return run


def test_fields_sections_and_places_come_back(campus: Campus) -> None:
    campus.run()
    before = {kind: campus.fingerprints(kind) for kind in DIGESTED}
    run = _changed(campus)
    assert before != {kind: campus.fingerprints(kind) for kind in DIGESTED}
    planned = campus.parts.undo.undo(campus.site, run.id, actor="admin:a", plan=True)
    assert planned.run is None
    assert not campus.parts.runs.held(campus.site.id)
    undone = campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    assert undone.left == []
    assert [r.result for r in undone.results] == [r.result for r in planned.results]
    assert before == {kind: campus.fingerprints(kind) for kind in DIGESTED}
    assert undone.run is not None
    assert (undone.run.trigger, undone.run.state) == (RunTrigger.UNDO, RunState.DONE)
    assert undone.run.done == undone.run.total == len(undone.documents)


def test_the_site_is_held_and_goes_on_when_told(campus: Campus) -> None:
    campus.run()
    run = _changed(campus)
    campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    campus.change(Person, campus.extracts.person_keys()[3], family_name="LATER")
    assert campus.run() is None
    campus.parts.runs.go_on(campus.site.id, actor="admin:a")
    campus.parts.rounds.everything()
    assert campus.equal(), "what the SIS still wants comes back"


def test_what_a_run_made_is_taken_out_of_sight(campus: Campus) -> None:
    run = campus.run()
    assert run is not None
    undone = campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    state = campus.platform.state
    assert all(person.suspended for person in state.people.values() if person.idnumber)
    assert not any(course.visible for course in state.courses.values() if course.idnumber)
    assert not any(
        member.status == "active"
        for course in state.courses.values()
        for member in (course.roster or {}).values()
    )
    # The undoing is a run with a journal: it can be undone itself.
    assert undone.run is not None
    campus.parts.undo.undo(campus.site, undone.run.id, actor="admin:a")
    assert campus.equal()


def test_killed_in_between_it_is_asked_for_again(campus: Campus) -> None:
    campus.run()
    before = campus.fingerprints("user")
    run = _changed(campus)
    plugin, calls = campus.plugin, 0

    def fail(site: Site, documents: Sequence[Document], *, dryrun: bool = False) -> Applied:
        nonlocal calls
        calls += 1
        MoodlePlugin.apply(plugin, site, documents, dryrun=dryrun)
        raise TransientError("gone")

    plugin.apply = fail  # type: ignore[method-assign]
    with pytest.raises(TransientError):
        campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    del plugin.apply
    [last, *_] = campus.parts.runs.recent(campus.site.id)
    assert (last.state, last.error) == (RunState.FAILED, "moodle_unavailable")
    undone = campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    assert {result.result for result in undone.results} == {"unchanged"}
    assert campus.fingerprints("user") == before


def test_it_waits_for_the_run_that_is_under_way(campus: Campus) -> None:
    campus.run()
    run = _changed(campus)
    holder = campus.parts.gates.take(campus.site.id)
    assert holder is not None
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            campus.parts.gates.give_back(campus.site.id, holder)

    campus.parts.undo._sleep = sleep
    assert campus.parts.undo.undo(campus.site, run.id, actor="admin:a").run is not None
    assert len(waited) == 3
    campus.parts.gates.take(campus.site.id)
    with pytest.raises(ConflictError):
        campus.parts.undo.undo(campus.site, run.id, actor="admin:a")


def test_what_cannot_be_undone_is_refused_or_named(campus: Campus) -> None:
    campus.run()
    with pytest.raises(NotFoundError):
        campus.parts.undo.undo(campus.site, 999, actor="admin:a")
    run = _changed(campus)
    with campus.database.write() as session:
        host, _ = campus.place()
        session.query(ClassHeader).filter_by(sourced_id=host).one().status = "DRAFT"  # type: ignore[assignment]
    undone = campus.parts.undo.undo(campus.site, run.id, actor="admin:a", plan=True)
    assert any(key == host for _, key, _ in undone.left)


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"field": "sections/C#1", "before": None, "after": "One"}, ["sections/C#1 stays"]),
        ({"field": "groups/C", "before": "Old", "after": "New"}, []),
        (
            {"field": "category", "before": "", "after": "T"},
            ["category stays: what it was fits no document"],
        ),
        ({"field": "of a younger plugin", "before": 1, "after": 2}, ["of a younger plugin stays"]),
    ],
)
def test_a_course_as_it_was(change: dict[str, Any], left: list[str]) -> None:
    document = CourseDocument.model_validate(
        {
            "idnumber": "C",
            "shortname": "new",
            "fullname": "New",
            "category": "T",
            "startdate": 1,
            "sections": [{"key": "C#1", "name": "One"}],
            "groups": [{"idnumber": "C", "name": "New"}],
        }
    )
    name = {"field": "shortname", "before": "old", "after": "new"}
    found, told = former_document(document, [{"outcome": "updated", "changes": [name, change]}])
    assert isinstance(found, CourseDocument)
    assert found.shortname == "old"
    assert told == left
    assert found.groups[0].name == ("Old" if change["field"] == "groups/C" else "New")


def test_a_course_that_was_frozen_is_opened_again(campus: Campus) -> None:
    campus.run()
    before = campus.fingerprints("course")
    campus.clock.advance(seconds=400 * 86400)
    campus.parts.marks.mark_all(campus.site)
    run = campus.settle()
    assert run is not None
    assert any(course.readonly for course in campus.platform.state.courses.values())
    assert campus.fingerprints("course") == campus.desired("course") != before
    campus.parts.undo.undo(campus.site, run.id, actor="admin:a")
    assert campus.fingerprints("course") == before
