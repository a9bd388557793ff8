"""Accounts beside documents."""

from __future__ import annotations

import threading

import pytest

from lti_tool.identity.keycloak.accounts import (
    Refusal,
    as_document,
    differences,
    fields,
    person_of,
    refusals,
    standing,
)
from lti_tool.identity.keycloak.at_once import at_once
from lti_tool.identity.keycloak.realm_checks import rights_of
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Account

DOCUMENT = Account(
    person="p-1",
    username="dara",
    firstname="Dara",
    lastname="Sok",
    email="dara@school.example",
    groups=["naga-teachers", "naga-students"],
)
THERE = {
    "id": "1",
    "username": "dara",
    "firstName": "Dara",
    "lastName": "Sok",
    "email": "dara@school.example",
    "enabled": True,
    "attributes": {"key": ["p-1"]},
}
BOTH = ("naga-students", "naga-teachers")


def test_an_account_that_is_as_it_should_be() -> None:
    found = standing(THERE, "p-1", BOTH)
    assert differences(DOCUMENT, found) == []
    assert fingerprint(as_document(found)) == fingerprint(DOCUMENT)


def test_capital_letters_of_user_names_and_addresses_are_not_kept_there() -> None:
    document = DOCUMENT.model_copy(update={"username": "Dara", "email": "Dara@School.example"})
    assert differences(document, standing(THERE, "p-1", BOTH)) == []


def test_what_keycloak_holds_need_not_be_a_valid_document() -> None:
    found = standing({"id": "1", "username": "x" * 200, "firstName": "<b>\n"}, "p-1")
    assert fingerprint(as_document(found)) != fingerprint(DOCUMENT)
    assert (found.lastname, found.email, found.enabled) == ("", "", False)


def test_a_new_address_is_not_the_one_that_was_proven() -> None:
    changed = differences(
        DOCUMENT.model_copy(update={"email": "new@school.example"}), standing(THERE, "p-1", BOTH)
    )
    assert fields(changed) == {"email": "new@school.example", "emailVerified": False}
    renamed = DOCUMENT.model_copy(update={"lastname": "Chan", "groups": []})
    assert fields(differences(renamed, standing(THERE, "p-1", BOTH))) == {"lastName": "Chan"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "p-1"),
        ({"attributes": {"key": ["p-1", "p-2"]}}, None),
        ({"attributes": {}}, None),
        ({"attributes": None}, None),
        ({"username": "service-account-naga-service"}, None),
    ],
)
def test_whose_account_it_is(values: dict[str, object], expected: str | None) -> None:
    assert person_of({**THERE, **values}, "key") == expected


def test_refusals() -> None:
    assert refusals(409, {"errorMessage": "User exists with same email"}) == [
        Refusal("email_taken", "email", "")
    ]
    assert refusals(409, {"errorMessage": "User exists with same username"}) == [
        Refusal("username_taken", "username", "")
    ]
    several = {
        "errors": [
            {"field": "email", "errorMessage": "error-invalid-email", "params": ["email", "x"]},
            {"field": "shoe", "errorMessage": "error-user-attribute-required", "params": ["shoe"]},
        ]
    }
    assert [(each.code, each.field) for each in refusals(400, several)] == [
        ("account_refused", "email"),
        ("account_refused", None),
    ]
    assert "“shoe”" in refusals(400, several)[1].message
    assert refusals(400, {})[0].code == "account_refused"
    assert refusals(404, {"error": "User not found"}) == []
    assert refusals(None, {}) == []


def test_rights_in_a_token() -> None:
    assert rights_of({}).has is None
    none = rights_of({"resource_access": {}})
    assert none.lacking == ("manage-users", "query-groups", "query-users", "view-users")
    some = {"realm-management": {"roles": ["manage-users", "manage-realm"]}}
    rights = rights_of({"resource_access": some})
    assert rights.beyond == ("manage-realm",)
    assert rights.lacking == ("query-groups", "query-users", "view-users")


def test_at_once_keeps_the_order_and_stops_at_an_error() -> None:
    assert at_once(lambda each: each * 2, range(100), concurrency=8) == list(range(0, 200, 2))
    begun = []
    away = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 5:
            away.set()
            raise OSError("away")
        if number > 5:
            away.wait(60)
        return number

    with pytest.raises(OSError, match="away"):
        at_once(work, range(10_000), concurrency=4)
    assert len(begun) < 10_000
