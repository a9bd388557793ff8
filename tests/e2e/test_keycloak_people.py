"""People in a realm of a real Keycloak: made, changed, refused, found again; others untouched."""

from __future__ import annotations

from typing import Any

import pytest

from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Change
from tests.e2e.keycloak import CLAIM, Keycloak
from tests.e2e.realm_people import (
    STUDENTS,
    TEACHERS,
    Desk,
    account,
    key_attribute,
)

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


def test_a_new_person_gets_an_account(desk: Desk) -> None:
    result = desk.one(account("p-1"))
    assert result.result == "created"
    assert Change(field="username", after="p-1") in result.changes
    assert Change(field="groups", after=[STUDENTS]) in result.changes
    made = desk.account("p-1")
    assert made["attributes"] == key_attribute("p-1")
    assert (made["firstName"], made["lastName"]) == ("Dara", "Sok")
    assert made["email"] == "p-1@school.example"
    assert made["emailVerified"] is False
    assert made["requiredActions"] == ["UPDATE_PASSWORD"]
    assert desk.groups("p-1") == {STUDENTS}
    again = desk.one(account("p-1"))
    assert (again.result, again.changes) == ("unchanged", [])


def test_what_differs_is_changed_and_nothing_else(desk: Desk) -> None:
    """Somebody gave the account more: a password, an attribute, a group, something to do."""
    profile = desk.admin.get_realm_users_profile()
    both = ["admin", "user"]
    profile["attributes"].append({"name": "shoe", "permissions": {"view": both, "edit": both}})
    profile["unmanagedAttributePolicy"] = "ADMIN_EDIT"
    desk.admin.update_realm_users_profile(profile)
    desk.admin.create_group({"name": "choir"})
    account_id = desk.make(
        "old-name",
        email="old@school.example",
        emailVerified=True,
        attributes={**key_attribute("p-1"), "shoe": ["42"], "not-in-the-profile": ["kept"]},
        groups=["/choir", f"/{TEACHERS}"],
        requiredActions=["VERIFY_EMAIL", "webauthn-register"],
        credentials=[{"type": "password", "value": "their own", "temporary": False}],
    )
    _allow_user_names_to_change(desk)
    before = desk.everything()["old-name"]
    result = desk.one(account("p-1", username="p-one", lastname="Chan"))
    assert result.result == "updated"
    assert result.changes == [
        Change(field="username", before="old-name", after="p-one"),
        Change(field="firstname", before="Given", after="Dara"),
        Change(field="lastname", before="Family", after="Chan"),
        Change(field="email", before="old@school.example", after="p-1@school.example"),
        Change(field="groups", before=[TEACHERS], after=[STUDENTS]),
    ]
    after = desk.everything()["p-one"]
    assert after["id"] == account_id
    ours = {"username", "firstName", "lastName", "email", "emailVerified", "groups", "roles"}
    kept = {name: value for name, value in before.items() if name not in ours}
    assert {name: after[name] for name in kept} == kept
    assert {"shoe", "not-in-the-profile"} < set(after["attributes"])
    assert len(after["credentials"]) == 1
    assert after["groups"] == ["/choir", f"/{STUDENTS}"]
    # The new address is nobody's proven one.
    assert after["emailVerified"] is False


def test_asked_again_nothing_is_written(desk: Desk) -> None:
    documents = [account(f"p-{number}") for number in range(30)]
    documents.append(account("leaver", enabled=False, groups=[]))
    assert {each.result for each in desk.apply(*documents)} == {"created"}
    before = desk.everything()
    desk.asked.start()
    assert {each.result for each in desk.apply(*documents)} == {"unchanged"}
    assert desk.asked.writes == []
    assert desk.everything() == before


def test_a_plan_writes_nothing(desk: Desk) -> None:
    desk.apply(account("p-1"), account("p-2"))
    desk.make("holder", email="shared@school.example")
    before = desk.everything()
    desk.asked.start()
    results = desk.apply(
        account("p-1", firstname="Other", groups=[]),
        account("p-2"),
        account("p-3"),
        account("p-4", email="shared@school.example"),
        account("p-5", username="holder"),
        dryrun=True,
    )
    assert [each.result for each in results] == [
        "updated",
        "unchanged",
        "created",
        "refused",
        "refused",
    ]
    assert results[0].changes == [
        Change(field="firstname", before="Dara", after="Other"),
        Change(field="groups", before=[STUDENTS], after=[]),
    ]
    assert [each.code for each in results[3:]] == ["email_taken", "username_taken"]
    assert desk.asked.writes == []
    assert desk.everything() == before


def test_who_is_nobodys_of_the_sis_is_left_alone(desk: Desk) -> None:
    desk.make("foreign", email="foreign@school.example", groups=[f"/{TEACHERS}"])
    desk.make("other-key", attributes=key_attribute("P-1"), groups=[f"/{TEACHERS}"])
    before = desk.everything()
    assert desk.one(account("p-1")).result == "created"
    assert desk.one(account("p-1", groups=[])).result == "updated"
    after = desk.everything()
    assert {name: after[name] for name in before} == before
    listed = {each.key for each in desk.directory.digests(desk.site, "account")}
    assert listed == {"p-1", "P-1"}


def test_keys_of_any_letters_are_found(desk: Desk) -> None:
    keys = ["a b", "a:b", 'say "x"', "it's", "100%", "a_b", "back\\slash", "end\\", "ភាសា", "a*"]
    keys += ["two  spaces", f"{CLAIM}:zzz", '"quoted"', "comma,semi;", "a+b&c=d#e", 'x\\"y']
    documents = [
        account(key, username=f"user-{number}", email="") for number, key in enumerate(keys)
    ]
    for document in documents:
        assert desk.one(document).result == "created", document.person
        again = desk.one(document)
        assert again.result == "unchanged", (document.person, again)
    assert {each.result for each in desk.apply(*documents)} == {"unchanged"}
    for document in documents:
        page = desk.directory.digest(desk.site, "account", [document.person])
        assert [(each.key, each.fingerprint) for each in page.items] == [
            (document.person, fingerprint(document))
        ]


def test_the_digest_tells_what_stands_there(desk: Desk) -> None:
    documents = [account(f"p-{number:03}", groups=[TEACHERS, STUDENTS]) for number in range(25)]
    desk.apply(*documents)
    for number in range(5):
        desk.make(f"p-foreign-{number}")
    expected = {each.person: fingerprint(each) for each in documents}
    found = list(desk.directory.digests(desk.site, "account", limit=7))
    assert len(found) == len(documents)
    assert {each.key: each.fingerprint for each in found} == expected
    whole = desk.directory.digest(desk.site, "account")
    assert whole.next is None
    assert {each.key: each.fingerprint for each in whole.items} == expected
    some = desk.directory.digest(desk.site, "account", ["p-003", "nobody"])
    assert [(each.key, each.fingerprint) for each in some.items] == [("p-003", expected["p-003"])]
    desk.admin.update_user(desk.account("p-003")["id"], {"lastName": "By hand"})
    changed = {each.key: each.fingerprint for each in desk.directory.digests(desk.site, "account")}
    assert {key for key, value in changed.items() if value != expected[key]} == {"p-003"}


def test_who_leaves_is_out_at_once(desk: Desk) -> None:
    desk.apply(account("p-1"))
    person = desk.account("p-1")["id"]
    _sign_in(desk, person, "p-1")
    assert len(desk.admin.get_sessions(person)) == 1
    result = desk.one(account("p-1", enabled=False, groups=[]))
    assert Change(field="enabled", before=True, after=False) in result.changes
    assert desk.account("p-1")["enabled"] is False
    assert desk.admin.get_sessions(person) == []
    back = desk.one(account("p-1"))
    assert back.changes == [
        Change(field="enabled", before=False, after=True),
        Change(field="groups", before=[], after=[STUDENTS]),
    ]


def test_a_session_that_was_left_open_is_ended_the_next_time(desk: Desk) -> None:
    """The call broke off between the two."""
    desk.apply(account("p-1"))
    person = desk.account("p-1")["id"]
    _sign_in(desk, person, "p-1")
    desk.admin.update_user(person, {"enabled": False})
    assert len(desk.admin.get_sessions(person)) == 1
    assert desk.one(account("p-1", enabled=False)).result == "unchanged"
    assert desk.admin.get_sessions(person) == []


def test_few_calls_for_one_of_many(desk: Desk) -> None:
    documents = [account(f"p-{number:03}") for number in range(400)]
    desk.asked.start()
    assert {each.result for each in desk.apply(*documents)} == {"created"}
    assert len(desk.asked.writes) == 400
    assert len(desk.asked.calls) < 410
    desk.asked.start()
    assert desk.one(account("p-123", firstname="New")).result == "updated"
    # Found, its groups, changed.
    assert [method for method, _ in desk.asked.calls] == ["GET", "GET", "PUT"]
    desk.asked.start()
    assert {each.result for each in desk.apply(*documents[:200])} == {"unchanged", "updated"}
    assert len(desk.asked.calls) < 10


def test_two_workers_make_one_account(desk: Desk, keycloak: Keycloak) -> None:
    """Both have looked before either made anything."""
    from lti_tool.identity.keycloak.keeping import AccountKeeper
    from lti_tool.identity.keycloak.realm_people import RealmPeople

    with desk.directory._connected(desk.site) as people:
        assert isinstance(people, RealmPeople)
        keeper = AccountKeeper(people, CLAIM, (), dryrun=False)
        assert keeper.keep(account("p-1"), []).result == "created"
        assert keeper.keep(account("p-1"), []).result == "unchanged"
        assert keeper.keep(account("p-1", firstname="New"), []).result == "updated"
    assert len(desk.everything()) == 1


def test_the_checklist_of_a_prepared_realm_is_well(desk: Desk) -> None:
    found = {each.name: each.status for each in desk.directory.check(desk.site)}
    assert set(found.values()) == {"ok"}
    assert set(found) == {
        "keycloak_answers",
        "keycloak_signs_in",
        "keycloak_clock",
        "keycloak_rights",
        "keycloak_groups",
        "keycloak_attribute",
        "keycloak_profile",
        "keycloak_usernames",
    }
    rights = desk.directory.rights(desk.site)
    assert (rights.lacking, rights.beyond) == ((), ())
    assert set(rights.has or ()) == set(rights.needs)


def test_the_checklist_names_what_is_wrong(desk: Desk) -> None:
    management = desk.admin.get_client_id("realm-management")
    service = desk.admin.get_client_id("naga-service")
    tool = desk.admin.get_client_id("naga-tool")
    assert management is not None
    assert service is not None
    assert tool is not None
    user = desk.admin.get_client_service_account_user(service)["id"]
    role = desk.admin.get_client_role(management, "manage-realm")
    desk.admin.assign_client_role(user, management, [role])
    group = desk.admin.get_group_by_path(f"/{TEACHERS}")["id"]
    teacher = desk.admin.get_client_role(tool, "teacher")
    desk.admin.delete_group_client_roles(group, tool, [teacher])
    profile = desk.admin.get_realm_users_profile()
    attribute = next(each for each in profile["attributes"] if each["name"] == CLAIM)
    attribute["permissions"]["edit"] = ["admin", "user"]
    email = next(each for each in profile["attributes"] if each["name"] == "email")
    email["permissions"]["edit"] = ["admin", "user"]
    desk.admin.update_realm_users_profile(profile)
    found = {each.name: each for each in desk.directory.check(desk.site)}
    assert {name for name, each in found.items() if each.status != "ok"} == {
        "keycloak_rights",
        "keycloak_groups",
        "keycloak_attribute",
        "keycloak_profile",
    }
    assert found["keycloak_profile"].details == "People may edit email."
    assert found["keycloak_rights"].details == "manage-realm"
    assert TEACHERS in found["keycloak_groups"].details
    RealmSetup(desk.admin, desk.plan).apply()
    assert {each.status for each in desk.directory.check(desk.site)} == {"ok"}


def test_who_has_no_address_is_not_asked_for_one(desk: Desk) -> None:
    # It would be taken away again at the next comparison, and be asked for at each sign-in.
    desk.apply(account("p-1", email=""))
    person = desk.account("p-1")["id"]
    profile = desk.admin.get_realm_users_profile()
    email = next(each for each in profile["attributes"] if each["name"] == "email")
    email["permissions"]["edit"] = ["admin", "user"]
    desk.admin.update_realm_users_profile(profile)
    with pytest.raises(AssertionError, match="not fully set up"):
        _sign_in(desk, person, "p-1")
    RealmSetup(desk.admin, desk.plan).apply()
    _sign_in(desk, person, "p-1")


def _allow_user_names_to_change(desk: Desk) -> None:
    desk.admin.update_realm(desk.plan.realm, {"editUsernameAllowed": True})


def _sign_in(desk: Desk, person: str, username: str) -> dict[str, Any]:
    """A session of this person, by a client of the test's own."""
    if desk.admin.get_client_id("direct") is None:
        desk.admin.create_client(
            {"clientId": "direct", "publicClient": True, "directAccessGrantsEnabled": True}
        )
    desk.admin.set_user_password(person, "secret", temporary=False)
    desk.admin.update_user(person, {"requiredActions": []})
    answer = desk.admin.connection._s.post(
        f"{desk.site.url}/protocol/openid-connect/token",
        data={
            "grant_type": "password",
            "client_id": "direct",
            "username": username,
            "password": "secret",
        },
        timeout=60,
    )
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found
