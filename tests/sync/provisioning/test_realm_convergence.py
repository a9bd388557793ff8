"""Whatever happens to people, in the SIS and by hand in the realm, both are equal in the end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.moodle.contract import fingerprint
from lti_tool.sis.entities import PersonStatus
from tests.sync.provisioning.realm_world import RealmWorld, build_realm_world

_WHO = st.integers(0, 11)
_IN_THE_SIS = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(PersonStatus)),
    st.tuples(st.just("family_name"), st.sampled_from(["", "SOK", "A<b>", "សុខ"])),
    st.tuples(st.just("school_email"), st.sampled_from([None, "one@s.example", "TWO@s.example"])),
    st.tuples(st.just("is_student"), st.booleans()),
    st.tuples(st.just("is_teacher"), st.booleans()),
)
_BY_HAND = st.sampled_from(["renamed", "opened", "deleted", "left"])
_STEP = st.one_of(
    st.tuples(st.just("sis"), _WHO, _IN_THE_SIS),
    st.tuples(st.just("hand"), _WHO, _BY_HAND),
    st.tuples(st.just("away"), st.booleans(), st.none()),
    st.tuples(st.just("run"), st.none(), st.none()),
)


@pytest.fixture
def world(database: Database, clock: FixedClock, keyring: Keyring, http: HttpClient) -> RealmWorld:
    found = build_realm_world(database, clock, keyring, http)
    found.parts.marks.mark_all(found.site)
    found.run()
    found.realm.make("of-somebody-else", lastName="Other")
    return found


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(_STEP, max_size=8))
def test_both_are_equal_in_the_end(world: RealmWorld, steps: list[Any]) -> None:
    """Each example goes on where the one before ended."""
    keys = sorted(world.wanted())[:12]
    accounts = set(world.realm.users)
    deleted: set[str] = set()
    for what, who, how in steps:
        match what:
            case "sis":
                world.change(keys[who], **{how[0]: how[1]})
            case "hand":
                deleted |= _by_hand(world, keys[who], how)
            case "away":
                world.realm.away = who
            case _:
                _settle(world)
    world.realm.away = False
    world.clock.advance(seconds=900)
    _settle(world)
    world.parts.reconciler.reconcile(world.site)
    _settle(world)
    wanted = world.wanted()
    there = {item.key: item.fingerprint for item in world.directory.digests(world.site, "account")}
    assert there == {key: fingerprint(each) for key, each in wanted.items()}
    # Nobody was deleted but by hand, and what is others' is as it was.
    assert accounts - deleted <= set(world.realm.users)
    [other] = [each for each in world.realm.users.values() if each["username"].startswith("of-")]
    assert (other["lastName"], other["enabled"]) == ("Other", True)
    shared = {(key, key, "email_shared") for key, each in wanted.items() if each.email_shared}
    assert {*world.letters()} == {each for each in shared if each[0] not in world.sharing}


def _by_hand(world: RealmWorld, key: str, how: str) -> set[str]:
    if key not in world.realm.people():
        return set()
    account = str(world.realm.of(key)["id"])
    match how:
        case "renamed":
            world.realm.users[account]["lastName"] = "By hand"
        case "opened":
            world.realm.users[account]["enabled"] = True
        case "deleted":
            del world.realm.users[account]
            return {account}
        case _:
            for ids in world.realm.members.values():
                ids.discard(account)
    return set()


def _settle(world: RealmWorld) -> None:
    """Run, and say yes to what asks for it."""
    world.run()
    while (waiting := world.parts.runs.waiting(world.site.id)) is not None:
        if waiting.guard.get("approved_by"):
            return
        world.parts.runs.approve(waiting.id, actor="tests")
        world.run()
