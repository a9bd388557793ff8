"""A realm that people edit by hand: in the end it equals the SIS, and nobody is there twice."""

from __future__ import annotations

import pytest

from lti_tool.moodle.models import SiteStanding
from lti_tool.sis.entities import PersonStatus
from lti_tool.sync.provisioning.models import RunState
from tests.drills.crowd import PREFIX
from tests.drills.realm_school import PEOPLE, RealmSchool
from tests.e2e.keycloak import CLAIM

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(600)]


def test_a_group_that_was_deleted(school: RealmSchool) -> None:
    group = school.call("GET", "/group-by-path/naga-students")
    school.call("DELETE", f"/groups/{group['id']}")
    school.newcomers(3, prefix="group-")
    _paused(school, "keycloak_groups", "naga-students is missing")
    assert school.letters() == {}
    said = school.prepare()
    assert "group naga-students" in said
    school.resume()
    assert len(school.repair()) >= PEOPLE, "whoever was in it"
    school.settle()
    school.proven()


def test_a_right_that_was_taken_away(school: RealmSchool) -> None:
    (management,) = school.call("GET", "/clients?clientId=realm-management")
    (service,) = school.call("GET", "/clients?clientId=naga-service")
    user = school.call("GET", f"/clients/{service['id']}/service-account-user")
    role = school.call("GET", f"/clients/{management['id']}/roles/manage-users")
    school.call("DELETE", f"/users/{user['id']}/role-mappings/clients/{management['id']}", [role])
    school.rename("rightless", count=5)
    # A token that was given before goes on holding for its time.
    school.forget_connection()
    _paused(school, "keycloak_rights", "manage-users")
    assert school.letters() == {}
    assert "manage-users" in school.prepare()
    school.resume()
    school.settle()
    school.proven()


def test_an_attribute_that_was_taken_out_of_the_profile(school: RealmSchool) -> None:
    profile = school.call("GET", "/users/profile")
    profile["attributes"] = [each for each in profile["attributes"] if each["name"] != CLAIM]
    school.call("PUT", "/users/profile", profile)
    before = len(school.users())
    school.newcomers(3, prefix="attribute-")
    school.forget_connection()
    _paused(school, "keycloak_attribute", CLAIM)
    assert len(school.users()) == before
    assert CLAIM in school.prepare()
    school.resume()
    school.repair()
    school.settle()
    school.proven()


def test_somebody_is_given_the_address_of_somebody_else(school: RealmSchool) -> None:
    """Both have accounts: the address is free again before it is needed."""
    first, second = f"{PREFIX}0001", f"{PREFIX}0002"
    theirs = school.user(second)["email"]
    school.by_hand(second, email="")
    school.by_hand(first, email=theirs)
    found = school.repair()
    assert found.keys() == {first, second}
    # Both at once, whoever's turn came first.
    school.proven()
    assert school.user(second)["email"] == theirs


def test_somebody_is_given_the_address_of_a_newcomer(school: RealmSchool) -> None:
    """The newcomer is refused as long as somebody else has their address, and says so."""
    first = f"{PREFIX}0003"
    (newcomer,) = school.newcomers(1, prefix="address-")
    school.by_hand(first, email=f"{newcomer}@example.edu")
    run = school.run()
    assert run.counts["account"] == {"refused": 1}
    assert school.letters() == {newcomer: "email_taken"}
    (letter,) = school.services.provisioning.letters.list(school.realm.id)
    assert first in letter.message
    assert first in school.repair()
    school.retry()
    school.proven()


def test_an_account_that_was_deleted(school: RealmSchool) -> None:
    key = f"{PREFIX}0004"
    school.call("DELETE", f"/users/{school.user(key)['id']}")
    assert school.repair() == {key: True}
    school.settle()
    school.proven()


def test_a_user_name_that_was_changed(school: RealmSchool) -> None:
    key = f"{PREFIX}0005"
    school.call("PUT", "", {"editUsernameAllowed": True})
    try:
        school.by_hand(key, username="by-hand")
        assert school.repair() == {key: False}
        school.settle()
        school.proven()
        # Where the realm keeps user names, it is said, and the rest arrives.
        school.by_hand(key, username="by-hand")
    finally:
        school.call("PUT", "", {"editUsernameAllowed": False})
    school.change(key, personal_name="Sophea")
    school.repair()
    school.settle()
    assert school.letters() == {key: "username_fixed"}
    assert school.user(key)["firstName"] == "Sophea"
    school.call("PUT", "", {"editUsernameAllowed": True})
    school.retry()
    school.call("PUT", "", {"editUsernameAllowed": False})
    school.proven()


def test_an_account_that_lost_its_key(school: RealmSchool) -> None:
    """It is nobody's of the SIS now: it is not doubled, and not taken over by its name."""
    key = f"{PREFIX}0006"
    user = school.user(key)
    school.call("PUT", f"/users/{user['id']}", {**user, "attributes": {}})
    before = len(school.users())
    assert school.repair() == {key: True}
    school.settle()
    # Both are taken; Keycloak names one of them.
    assert school.letters().keys() == {key}
    assert school.letters()[key] in ("username_taken", "email_taken")
    assert len(school.users()) == before
    school.call("PUT", f"/users/{user['id']}", user)
    school.retry()
    school.proven()


def test_a_door_that_was_opened_by_hand(school: RealmSchool) -> None:
    key = f"{PREFIX}0007"
    school.change(key, status=PersonStatus.SUSPENDED)
    school.settle()
    assert school.user(key)["enabled"] is False
    school.by_hand(key, enabled=True)
    assert school.repair() == {key: False}
    assert school.user(key)["enabled"] is False
    school.change(key, status=PersonStatus.ACTIVE)
    school.settle()
    school.proven()


def _paused(school: RealmSchool, line: str, named: str) -> None:
    """The run pauses the site; its checklist names what is wrong.

    What Keycloak had said before is remembered for a while: then the run after it does."""
    run = school.run()
    if run.state is RunState.DONE:
        assert run.counts.get("account", {}).keys() <= {"unchanged"}, run.counts
        school.hasten()
        run = school.run()
    assert run.state is RunState.FAILED
    assert run.error in ("keycloak_forbidden", "keycloak_unprepared")
    assert school.realm.standing is SiteStanding.PAUSED
    school.services.site_checks.check(school.realm.id)
    checklist = {each["name"]: each for each in school.realm.checklist}
    assert checklist[line]["status"] == "error"
    assert named in checklist[line]["details"]
    assert named.split()[0] in (school.gate().last_error or ""), "beside the runs"
