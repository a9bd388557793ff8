"""What a real Keycloak refuses of a person's account: named, with what to do; the rest goes on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lti_tool.moodle.documents import Change
from tests.e2e.keycloak import CLAIM
from tests.e2e.realm_people import STUDENTS, TEACHERS, Desk, account, key_attribute

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


def test_two_accounts_with_one_key(desk: Desk) -> None:
    ids = [desk.make(name, attributes=key_attribute("p-1")) for name in ("one", "two")]
    before = desk.everything()
    refused, other = desk.apply(account("p-1"), account("p-2"))
    assert (refused.code, refused.field) == ("account_twice", "/person")
    assert all(each in (refused.message or "") for each in ids)
    assert other.result == "created"
    after = desk.everything()
    assert {name: after[name] for name in before} == before
    twice = desk.directory.digest(desk.site, "account", ["p-1"]).items
    listed = [each for each in desk.directory.digests(desk.site, "account") if each.key == "p-1"]
    assert [each.fingerprint for each in twice] == ["twice"]
    assert listed == twice


def test_an_address_of_an_account_that_is_nobodys(desk: Desk) -> None:
    """It may be the person's own, made by hand: the key in its attribute says so."""
    made = desk.make("by-hand", email="P-1@school.example")
    before = desk.everything()
    result = desk.one(account("p-1"))
    assert (result.result, result.code, result.field) == ("refused", "email_taken", "/email")
    assert f"put the key p-1 into its attribute “{CLAIM}”" in (result.message or "")
    assert desk.everything() == before
    desk.admin.update_realm(desk.plan.realm, {"editUsernameAllowed": True})
    there = desk.admin.get_user(made)
    desk.admin.update_user(made, {**there, "attributes": key_attribute("p-1")})
    assert desk.one(account("p-1")).result == "updated"
    assert desk.account("p-1")["id"] == made
    assert len(desk.everything()) == 1


def test_a_user_name_of_an_account_that_is_nobodys(desk: Desk) -> None:
    desk.make("dara", email="another@school.example")
    before = desk.everything()
    result = desk.one(account("p-1", username="dara"))
    assert (result.result, result.code, result.field) == (
        "refused",
        "username_taken",
        "/username",
    )
    assert "nobody's of the SIS" in (result.message or "")
    assert desk.everything() == before


def test_a_user_name_and_an_address_of_another_person(desk: Desk) -> None:
    desk.admin.update_realm(desk.plan.realm, {"editUsernameAllowed": True})
    desk.apply(account("p-1"), account("p-2"))
    for field, value in (("username", "p-1"), ("email", "p-1@school.example")):
        made, changed = desk.apply(
            account("p-3", **{field: value}), account("p-2", lastname="New", **{field: value})
        )
        assert (made.result, made.code) == ("refused", f"{field}_taken")
        assert "The person with the key p-1 has this" in (made.message or "")
        assert (changed.result, changed.code) == ("refused", f"{field}_taken")
        # What else differs arrives all the same.
        assert desk.account("p-2")["lastName"] == "New"
        assert [each.field for each in changed.changes] == ["lastname"]
        assert desk.one(account("p-2")).result == "updated"


def test_what_somebody_lets_go_of_is_free_for_who_comes_with_them(desk: Desk) -> None:
    """In whichever order they are written: many are at once."""
    desk.apply(account("p-1"), account("p-2"))
    given = {f"p-{number}": f"p-{number - 1}@school.example" for number in (1, 2, 3)}
    third, second, first = desk.apply(
        *(account(key, email=given[key]) for key in sorted(given)[::-1])
    )
    assert (third.result, second.result, first.result) == ("created", "updated", "updated")
    before, after = "p-2@school.example", "p-1@school.example"
    assert second.changes == [Change(field="email", before=before, after=after)]
    there = {name: each["email"] for name, each in desk.everything().items()}
    assert there == given
    # Who exchange theirs stand in each other's way: one of them must let go first.
    exchanged = desk.apply(account("p-1", email=given["p-2"]), account("p-2", email=given["p-1"]))
    assert {each.code for each in exchanged} == {"email_taken"}


def test_what_the_user_profile_refuses(desk: Desk) -> None:
    long, letters, good = desk.apply(
        account("p-1", username="ab"), account("p-2", firstname="Dara$#"), account("p-3")
    )
    assert (long.code, long.field) == ("account_refused", "/username")
    assert "error-invalid-length (3, 255)" in (long.message or "")
    assert (letters.code, letters.field) == ("account_refused", "/firstname")
    assert "error-person-name-invalid-character" in (letters.message or "")
    assert good.result == "created"
    assert set(desk.everything()) == {"p-3"}
    changed = desk.one(account("p-3", firstname="Dara$#", lastname="New", groups=[TEACHERS]))
    assert (changed.result, changed.code, changed.field) == (
        "refused",
        "account_refused",
        "/firstname",
    )
    assert changed.changes == [
        Change(field="lastname", before="Sok", after="New"),
        Change(field="groups", before=[STUDENTS], after=[TEACHERS]),
    ]
    assert desk.account("p-3")["lastName"] == "New"
    assert desk.groups("p-3") == {TEACHERS}


def test_a_realm_that_lets_no_user_name_be_changed(desk: Desk) -> None:
    desk.apply(account("p-1"))
    result = desk.one(account("p-1", username="new-name", enabled=False))
    assert (result.result, result.code, result.field) == (
        "refused",
        "username_fixed",
        "/username",
    )
    assert result.changes == [Change(field="enabled", before=True, after=False)]
    assert desk.account("p-1")["enabled"] is False
    desk.admin.update_realm(desk.plan.realm, {"editUsernameAllowed": True})
    assert desk.one(account("p-1", username="new-name", enabled=False)).result == "updated"
    assert desk.account("new-name")["enabled"] is False


def test_a_profile_that_wants_more_than_the_sis_has(desk: Desk) -> None:
    """Keycloak then writes nothing of an account: whoever leaves loses what can be taken."""
    desk.apply(account("p-1"))
    profile = desk.admin.get_realm_users_profile()
    admins = {"view": ["admin"], "edit": ["admin"]}
    wanted = {"name": "shoe", "permissions": admins, "required": {"roles": ["admin", "user"]}}
    profile["attributes"].append(wanted)
    desk.admin.update_realm_users_profile(profile)
    made, left = desk.apply(account("p-2"), account("p-1", enabled=False, groups=[]))
    assert (made.result, made.code, made.field) == ("refused", "account_refused", None)
    assert "“shoe”" in (made.message or "")
    assert (left.result, left.code) == ("refused", "account_refused")
    assert "Until then the account stays open." in (left.message or "")
    assert left.changes == [Change(field="groups", before=[STUDENTS], after=[])]
    assert desk.groups("p-1") == set()
    assert desk.account("p-1")["enabled"] is True
    profile["attributes"].remove(wanted)
    desk.admin.update_realm_users_profile(profile)
    assert desk.one(account("p-1", enabled=False, groups=[])).result == "updated"
    assert desk.account("p-1")["enabled"] is False


def test_an_address_that_several_people_have(desk: Desk) -> None:
    document = account("p-1", email="", email_shared=True)
    for expected in ("created", "unchanged"):
        result = desk.one(document)
        assert result.result == expected
        [beside] = result.members
        assert (beside.user, beside.result, beside.code, beside.field) == (
            "p-1",
            "refused",
            "email_shared",
            "/email",
        )
    assert "email" not in desk.account("p-1")
    assert desk.one(account("p-1")).members == []
    assert desk.one(document).changes == [
        Change(field="email", before="p-1@school.example", after="")
    ]
    assert "email" not in desk.account("p-1")


def test_a_clients_own_account_is_no_person(desk: Desk) -> None:
    service = desk.admin.get_client_id("naga-service")
    assert service is not None
    own = desk.admin.get_client_service_account_user(service)
    desk.admin.update_user(own["id"], {**own, "attributes": key_attribute("p-1")})
    before = desk.admin.get_user(own["id"])
    assert desk.one(account("p-1")).result == "created"
    assert desk.one(account("p-1")).result == "unchanged"
    assert desk.admin.get_user(own["id"]) == before


def test_a_group_that_is_not_ours(desk: Desk) -> None:
    desk.admin.create_group({"name": "administrators"})
    result = desk.one(account("p-1", groups=["administrators"]))
    assert (result.result, result.code, result.field) == ("refused", "group_unknown", "/groups")
    assert desk.everything() == {}


def test_two_workers_with_the_same_people(desk: Desk) -> None:
    documents = [account(f"p-{number:02}") for number in range(40)]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: desk.apply(*documents), range(2)))
    assert {each.result for results in both for each in results} <= {"created", "unchanged"}
    made = [each.key for results in both for each in results if each.result == "created"]
    assert sorted(made) == [each.person for each in documents]
    assert len(desk.everything()) == 40
