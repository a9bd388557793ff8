"""The engine with a realm: the same marks, guard, letters, undo and comparison as for a Moodle."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.moodle.models import SiteStanding
from lti_tool.sis.entities import PersonStatus
from lti_tool.sync.provisioning.explain import StepState
from lti_tool.sync.provisioning.first_look import first_look
from lti_tool.sync.provisioning.models import BreakerState, RunState, SyncMark
from tests.identity.keycloak.realm_in_memory import CLAIM
from tests.sync.provisioning.realm_world import RealmWorld, build_realm_world


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient) -> RealmWorld:
    return build_realm_world(database, clock, keyring, http)


@pytest.fixture
def settled(world: RealmWorld) -> RealmWorld:
    """Everybody has their account."""
    world.parts.marks.mark_all(world.site)
    run = world.ran()
    assert (run.state, run.done) == (RunState.DONE, len(world.wanted()))
    return world


def test_a_change_of_a_person_is_marked_for_each_site_in_its_own_kind(world: RealmWorld) -> None:
    world.parts.marks.gather()
    with world.database.writing() as connection:
        connection.execute(sa.delete(SyncMark))
    key = world.active(1)[0]
    world.change(key, family_name="NEW")
    world.parts.marks.gather()
    marks = world.parts.marks
    assert marks.counts(world.site.id) == {"account": 1}
    assert marks.waiting(world.site.id, "account", [key]) == {key}
    assert marks.waiting(world.moodle.id, "user", [key]) == {key}
    assert "account" not in marks.counts(world.moodle.id)


def test_everything_of_the_sis_is_marked_by_what_a_site_takes(world: RealmWorld) -> None:
    world.parts.marks.gather()
    assert world.parts.marks.mark_all(world.site) == len(world.wanted())
    assert set(world.parts.marks.counts(world.site.id)) == {"account"}
    world.parts.marks.mark_all(world.moodle)
    assert "account" not in world.parts.marks.counts(world.moodle.id)


def test_everybody_has_an_account_and_nothing_is_written_twice(settled: RealmWorld) -> None:
    wanted = settled.wanted()
    assert settled.realm.people() == set(wanted)
    for key, document in wanted.items():
        there = settled.realm.of(key)
        assert (there["username"], there["enabled"], there["groups"]) == (
            document.username,
            document.enabled,
            document.groups,
        )
    settled.realm.written.clear()
    settled.parts.marks.mark_all(settled.site)
    assert settled.ran().done == len(wanted)
    assert settled.realm.written == []


def test_a_mass_disabling_waits_for_a_yes(settled: RealmWorld) -> None:
    people = settled.active(10)
    settled.change(*people, status=PersonStatus.DROPPED)
    settled.realm.written.clear()
    run = settled.ran()
    assert (run.state, run.guard["kind"], run.guard["suspended"]) == (
        RunState.WAITING,
        "account",
        10,
    )
    assert settled.realm.written == []
    assert all(settled.realm.of(key)["enabled"] for key in people)
    settled.parts.runs.approve(run.id, actor="tests")
    assert settled.ran().state is RunState.DONE
    assert not any(settled.realm.of(key)["enabled"] for key in people)
    # Whoever is not let in any more is not in any more.
    assert set(settled.realm.logged_out) >= {settled.realm.of(key)["id"] for key in people}


def test_accounts_that_stand_there_are_counted_before_the_first_change(world: RealmWorld) -> None:
    """The database is young, the realm is not: a dry run says whom it would close."""
    # With one whose address is shared: that has a line of its own, and counts all the same.
    people = [*world.active(9), min(world.sharing)]
    for number, key in enumerate(people):
        world.realm.make(f"old-{number}", person=key)
    world.change(*people, status=PersonStatus.SUSPENDED)
    world.parts.marks.mark_all(world.site)
    run = world.ran()
    assert (run.state, run.guard["suspended"]) == (RunState.WAITING, 10)
    assert world.realm.written == []


def test_an_undo_disables_what_was_made_and_brings_back_fields_and_groups(
    settled: RealmWorld,
) -> None:
    newcomer, changed = settled.active(2)
    # As if one had never been sent.
    settled.realm.users.pop(settled.realm.of(newcomer)["id"])
    before = settled.realm.of(changed)
    moved = "naga-teachers" not in before["groups"]
    settled.change(changed, family_name="Changed", is_teacher=moved)
    settled.parts.account_sync.resync(settled.site, newcomer)
    run = settled.ran()
    assert settled.realm.of(changed)["lastName"] == "Changed"
    assert settled.realm.of(changed)["groups"] != before["groups"]
    planned = settled.parts.undo.undo(settled.site, run.id, actor="tests", plan=True)
    assert {each.key: each.result for each in planned.results} == {
        newcomer: "updated",
        changed: "updated",
    }
    undone = settled.parts.undo.undo(settled.site, run.id, actor="tests")
    assert undone.left == []
    assert settled.realm.of(changed) == before
    assert settled.realm.of(newcomer)["enabled"] is False
    assert settled.parts.runs.held(settled.site.id)
    assert settled.run() is None


def test_a_shared_address_is_told_and_the_telling_ends_with_it(settled: RealmWorld) -> None:
    one, other = settled.active(2)
    settled.change(one, school_email="both@school.example")
    settled.change(other, school_email="Both@School.example")
    run = settled.ran()
    assert run.state is RunState.DONE
    assert run.counts["account"]["people_refused"] == 2
    assert settled.letters() == [
        (one, one, "email_shared"),
        (other, other, "email_shared"),
    ]
    placeholders = [settled.realm.of(key)["email"] for key in (one, other)]
    assert all(each.endswith("@no-address.invalid") for each in placeholders)
    assert len(set(placeholders)) == 2
    steps = settled.parts.explanations.explain_account(settled.site, one)
    assert [step.code for step in steps] == [
        "person",
        "account_wanted",
        "account_email_shared",
        "account",
        "account_equal",
    ]
    settled.change(other, school_email="other@school.example")
    settled.ran()
    assert settled.letters() == []
    assert settled.realm.of(one)["email"] == "both@school.example"
    assert settled.realm.of(other)["email"] == "other@school.example"


def test_who_gets_the_address_of_another_is_told_though_nothing_changes_there(
    settled: RealmWorld,
) -> None:
    one, other = settled.active(2)
    settled.change(one, school_email=None)
    settled.change(other, school_email="both@school.example")
    settled.ran()
    settled.change(one, school_email="both@school.example")
    settled.ran()
    assert [key for key, _, _ in settled.letters()] == [one, other]


def test_a_comparison_names_what_was_changed_by_hand_and_repairs_it(settled: RealmWorld) -> None:
    changed, gone, moved = settled.active(3)
    settled.realm.users[settled.realm.of(changed)["id"]]["lastName"] = "By hand"
    settled.realm.users.pop(settled.realm.of(gone)["id"])
    for ids in settled.realm.members.values():
        ids.discard(settled.realm.of(moved)["id"])
    found = settled.parts.reconciler.reconcile(settled.site, repair=False)
    assert {(each.key, each.missing) for each in found.drift} == {
        (changed, False),
        (gone, True),
        (moved, False),
    }
    assert found.checked == {"account": len(settled.wanted())}
    assert found.run is None
    repaired = settled.parts.reconciler.reconcile(settled.site)
    assert repaired.run is not None
    assert settled.realm.people() == set(settled.wanted())
    assert settled.realm.of(changed)["lastName"] == settled.wanted()[changed].lastname
    assert settled.realm.of(moved)["groups"] == settled.wanted()[moved].groups
    again = settled.parts.reconciler.reconcile(settled.site)
    assert (again.drift, again.run) == ([], None)


def test_accounts_of_others_are_named_and_left_alone(settled: RealmWorld) -> None:
    mine = settled.realm.make("somebody", email="somebody@elsewhere.example")
    theirs = settled.realm.make("former", person="NOT-IN-THE-SIS")
    before = [dict(settled.realm.users[each]) for each in (mine, theirs)]
    found = settled.parts.reconciler.reconcile(settled.site)
    assert found.foreign == {"account": 1}
    assert found.foreign_keys == {"account": ["NOT-IN-THE-SIS"]}
    settled.parts.marks.mark_all(settled.site)
    settled.ran()
    assert [settled.realm.users[each] for each in (mine, theirs)] == before


def test_a_name_that_somebody_has_is_a_letter_and_the_others_go_on(world: RealmWorld) -> None:
    key = world.active(1)[0]
    held = world.realm.make(world.wanted()[key].username)
    world.parts.marks.mark_all(world.site)
    run = world.ran()
    assert run.counts["account"]["refused"] == 1
    assert world.letters() == [(key, "", "username_taken")]
    assert len(world.realm.people()) == len(world.wanted()) - 1
    [*_, last] = world.parts.explanations.explain_account(world.site, key)
    assert (last.code, last.state) == ("account_username_taken", StepState.STOPPED)
    # Whoever mends it there, and says so, is believed.
    world.realm.users[held]["attributes"] = {CLAIM: [key]}
    assert world.parts.ledger.retry(world.site.id, kind="account", key=key) == 1
    world.ran()
    assert world.letters() == []
    assert world.realm.of(key)["id"] == held


def test_a_realm_that_is_away_is_left_alone_and_loses_nothing(settled: RealmWorld) -> None:
    key = settled.active(1)[0]
    settled.change(key, family_name="Later")
    settled.realm.away = True
    settled.run()
    for _ in range(3):
        settled.clock.advance(seconds=30)
        settled.run()
    gate = settled.parts.gates.state(settled.site.id)
    assert gate is not None
    assert gate.breaker is BreakerState.OPEN
    assert settled.letters() == []
    codes = [each.code for each in settled.parts.explanations.explain_account(settled.site, key)]
    assert "site_unreachable" in codes
    assert codes[-1] == "account_queued"
    settled.realm.away = False
    settled.clock.advance(seconds=600)
    settled.run()
    assert settled.realm.of(key)["lastName"] == "Later"


def test_whom_keycloak_does_not_let_in_is_paused(settled: RealmWorld) -> None:
    settled.change(settled.active(1)[0], family_name="Later")
    settled.realm.closed = True
    # A connection that was good before is not asked again; a new one is refused.
    settled.directory._realms.clear()
    run = settled.ran()
    assert (run.state, run.error) == (RunState.FAILED, "keycloak_forbidden")
    assert settled.sites.get(settled.site.id).standing is SiteStanding.PAUSED
    [*_, last] = settled.parts.explanations.explain_account(
        settled.sites.get(settled.site.id), settled.active(1)[0]
    )
    assert last.code == "site_paused"


def test_a_connection_that_ends_leaves_every_account_as_it_is(settled: RealmWorld) -> None:
    key = settled.active(1)[0]
    before = {each: settled.realm.of(each) for each in settled.realm.people()}
    settled.sites.disconnect(settled.site.id, actor="tests")
    settled.change(key, family_name="Too late", status=PersonStatus.DROPPED)
    assert settled.run() is None
    assert settled.parts.marks.counts(settled.site.id) == {}
    assert {each: settled.realm.of(each) for each in settled.realm.people()} == before


def test_why_somebody_cannot_sign_in_step_by_step(settled: RealmWorld) -> None:
    key, closed = settled.active(2)
    settled.change(closed, status=PersonStatus.FROZEN)
    explain = settled.parts.explanations.explain_account
    assert [each.code for each in explain(settled.site, "NOBODY")] == ["person_unknown"]
    [*_, last] = explain(settled.site, closed)
    assert (last.code, last.state) == ("person_closed", StepState.STOPPED)
    assert {each.state for each in explain(settled.site, key)} == {StepState.DONE}
    settled.parts.runs.hold(settled.site.id, actor="admin:a", reason="exams")
    [*_, last] = explain(settled.site, key)
    assert (last.code, "exams" in last.text) == ("site_held", True)


def test_a_first_look_counts_and_changes_nothing(world: RealmWorld) -> None:
    wanted = world.wanted()
    right, wrong, *_ = world.active(2)
    document = wanted[right]
    held = world.realm.make(
        document.username,
        person=right,
        firstName=document.firstname,
        lastName=document.lastname,
        email=document.email,
    )
    for group in document.groups:
        world.realm.members[group].add(held)
    world.realm.make("other", person=wrong)
    world.realm.make("nobody")
    found = first_look(world.site, world.directory, world.parts.rendering, world.clock.now())
    assert (found.accounts, found.foreign, found.people) == (3, 1, len(wanted))
    assert (found.unchanged, found.changed, found.created) == (1, 1, len(wanted) - 2)
    assert found.closed == sum(not each.enabled for each in wanted.values())
    assert world.realm.written == []
