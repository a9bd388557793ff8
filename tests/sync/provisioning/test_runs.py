"""Runs: one after the other, ended whatever happens, held and let go."""

from __future__ import annotations

import pytest

from lti_tool.core.audit import AuditEvent
from lti_tool.core.errors import NotFoundError
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.moodle.plugin_errors import TokenRefusedError
from lti_tool.sis.models import Person
from lti_tool.sync.provisioning.models import RunState, RunTrigger
from tests.sync.provisioning.conftest import Campus


def _audited(campus: Campus) -> list[str]:
    with campus.database.read() as session:
        return [event.action for event in session.query(AuditEvent).order_by(AuditEvent.id)]


def test_who_died_is_found_by_the_next(campus: Campus) -> None:
    runs, site = campus.parts.runs, campus.site.id
    dead = runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=3, holder="a")
    heir = runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=3, holder="b")
    found = runs.get(dead.id)
    assert (found.state, found.error) == (RunState.FAILED, "interrupted")
    assert found.finished_at is not None
    runs.end(heir, RunState.DONE)
    assert [run.id for run in runs.recent(site)] == [heir.id, dead.id]
    with pytest.raises(NotFoundError):
        runs.get(999)


def test_who_died_is_found_although_nothing_is_due(campus: Campus) -> None:
    runs, site, gates = campus.parts.runs, campus.site.id, campus.parts.gates
    campus.parts.rounds.changes()
    holder = gates.take(site)
    dead = runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=3, holder=holder)
    campus.clock.advance(seconds=59)
    campus.parts.rounds.changes()
    assert runs.get(dead.id).state is RunState.RUNNING, "its lease says that it lives"
    campus.clock.advance(seconds=2)
    # Also where nothing goes by itself, as while a run is undone.
    runs.hold(site, actor="admin:a", reason="undo")
    campus.parts.rounds.changes()
    found = runs.get(dead.id)
    assert (found.state, found.error) == (RunState.FAILED, "interrupted")
    assert found.finished_at == campus.clock.now()
    # It was not dead, but slept: what it says of itself counts.
    runs.end(dead, RunState.DONE)
    assert runs.get(dead.id).state is RunState.DONE


def test_one_that_waits_for_a_yes_has_not_died(campus: Campus) -> None:
    runs, site = campus.parts.runs, campus.site.id
    run = runs.begin(site, trigger=RunTrigger.CHANGES, actor="sync", total=3, holder="a")
    runs.wait(run, {"kind": "roster", "suspended": 3})
    campus.parts.rounds.changes()
    assert runs.get(run.id).state is RunState.WAITING


def test_a_site_is_held_and_let_go(campus: Campus) -> None:
    campus.parts.runs.hold(campus.site.id, actor="admin:a", reason="holidays")
    assert campus.run() is None
    campus.parts.rounds.changes()
    assert campus.fingerprints("user") == {}
    by_hand = campus.run(trigger=RunTrigger.MANUAL)
    assert by_hand is not None, "an administrator's own run goes"
    campus.change(Person, campus.extracts.person_keys()[0], family_name="NEW")
    campus.parts.runs.go_on(campus.site.id, actor="admin:a")
    assert campus.run() is not None
    assert [action for action in _audited(campus) if action.startswith("sync.")] == [
        "sync.held",
        "sync.resumed",
    ]


def test_a_run_stops_at_its_next_call_when_the_site_is_held(campus: Campus) -> None:
    apply = campus.plugin.apply

    def hold(*arguments: object, **options: object) -> object:
        answer = apply(*arguments, **options)  # type: ignore[arg-type]
        campus.parts.runs.hold(campus.site.id, actor="admin:a", reason="stop")
        return answer

    campus.plugin.apply = hold  # type: ignore[method-assign, assignment]
    run = campus.run()
    assert run is not None
    assert (run.state, run.error) == (RunState.DONE, "held")
    assert run.counts["category"]["created"] > 0
    assert "user" not in run.counts


def test_a_token_that_is_refused_pauses_the_site_once(campus: Campus) -> None:
    campus.platform.state.connection.token = "b" * 32
    run = campus.run()
    assert run is not None
    assert (run.state, run.error) == (RunState.FAILED, TokenRefusedError.code)
    with campus.database.read() as session:
        site = session.get_one(MoodleSite, campus.site.id)
    assert site.standing is SiteStanding.PAUSED
    assert campus.parts.engine.run(site) is None
    assert _audited(campus).count("site.standing") == 1
    assert campus.marks_left()["user"] > 0, "nothing is lost"


def test_a_token_that_came_meanwhile_is_not_paused(campus: Campus) -> None:
    campus.platform.state.connection.token = "b" * 32
    with campus.database.write() as session:
        session.get_one(MoodleSite, campus.site.id).token_sealed = b"another"
    run = campus.run()
    assert run is not None
    assert run.error == TokenRefusedError.code
    with campus.database.read() as session:
        assert session.get_one(MoodleSite, campus.site.id).standing is SiteStanding.ACTIVE
    assert "site.standing" not in _audited(campus)


def test_old_runs_go_with_their_journal(campus: Campus) -> None:
    campus.run()
    assert campus.count("moodle_integration_record") > 0
    campus.clock.advance(days=400)
    assert campus.parts.runs.purge(older_than_days=399) == 1
    assert campus.count("moodle_integration_record") == 0
    assert campus.count("synced_document") > 0
