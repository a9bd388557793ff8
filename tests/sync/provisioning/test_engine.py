"""The engine, from a change in the SIS to what stands at the platform."""

from __future__ import annotations

from lti_tool.sis.entities import EnrollmentStatus
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
    assert run.total == 1
    assert campus.equal()
    campus.clock.advance(seconds=1)
    campus.enrolling.set_status(person, roster, EnrollmentStatus.ENROLLED)
    campus.parts.engine.run(campus.site)
    assert campus.equal()
    assert len(campus.platform.state.connection.outbox) == calls


def _rosters(campus: Campus) -> dict[str, list[str]]:
    members = campus.extracts.memberships(campus.extracts.class_keys())
    return {
        key: [each.person_key for each in found if each.status.attends]
        for key, found in members.items()
        if key == campus.parts.rendering.hosts([key])[0]
    }
