"""A real Keycloak that breaks off, takes rights away or lost what it was prepared with."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lti_tool.identity.keycloak.errors import KeycloakForbiddenError, RealmUnpreparedError
from lti_tool.identity.keycloak.models import Realm
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.moodle.plugin_errors import AuthenticationError, TransientError
from tests.e2e.cable import Cable, Request
from tests.e2e.keycloak import CLAIM, Keycloak
from tests.e2e.realm_people import TEACHERS, Desk, account

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


class Cut:
    """Lets so many accounts be asked for, and breaks off at each that follows."""

    def __init__(self, left: int) -> None:
        self._left = left
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> bytes | None:
        if not (request.method == "POST" and request.path.startswith("/admin")):
            return None
        with self._lock:
            self._left -= 1
            return None if self._left >= 0 else b""


@contextmanager
def _cable(url: str) -> Iterator[Cable]:
    cable = Cable(url)
    try:
        yield cable
    finally:
        cable.close()


def test_a_batch_that_breaks_off_is_sent_again(desk: Desk, keycloak: Keycloak) -> None:
    documents = [account(f"p-{number:02}") for number in range(40)]
    with _cable(keycloak.url) as cable:
        site = Realm(id=1, url=f"{cable.url}/realms/{desk.plan.realm}", name="cable")
        with cable.doing(Cut(15)):
            with pytest.raises(TransientError, match="did not answer"):
                desk.directory.apply(site, documents)
            assert len(desk.everything()) == 15
            # Nothing was asked after the error had been seen.
            with pytest.raises(TransientError):
                desk.directory.apply(site, documents)
            assert len(desk.everything()) == 15
        again = [each.result for each in desk.directory.apply(site, documents).results]
        assert (again.count("unchanged"), again.count("created")) == (15, 25)
        assert len(desk.everything()) == 40


def test_a_right_that_was_taken_away_is_named(desk: Desk) -> None:
    desk.apply(account("p-1"))
    management = desk.admin.get_client_id("realm-management")
    service = desk.admin.get_client_id("naga-service")
    assert management is not None
    assert service is not None
    user = desk.admin.get_client_service_account_user(service)["id"]
    role = desk.admin.get_client_role(management, "manage-users")
    desk.admin.delete_client_roles_of_user(user, management, [role])
    assert desk.directory.rights(desk.site).lacking == ("manage-users",)
    with pytest.raises(KeycloakForbiddenError, match="lacks manage-users"):
        desk.apply(account("p-4"))
    found = {each.name: each for each in desk.directory.check(desk.site)}
    assert found["keycloak_rights"].status == "error"
    assert found["keycloak_rights"].details == "manage-users"
    RealmSetup(desk.admin, desk.plan).apply()
    assert desk.one(account("p-4")).result in ("created", "unchanged")


def test_a_client_that_is_gone(desk: Desk) -> None:
    service = desk.admin.get_client_id("naga-service")
    assert service is not None
    desk.admin.delete_client(service)
    with pytest.raises(AuthenticationError, match="sign in as the tool's service account"):
        desk.apply(account("p-1"))
    found = {each.name: each.status for each in desk.directory.check(desk.site)}
    assert found == {"keycloak_answers": "ok", "keycloak_signs_in": "error"}


def test_a_realm_that_is_not_there(desk: Desk, keycloak: Keycloak) -> None:
    site = Realm(id=2, url=f"{keycloak.url}/realms/nowhere", name="nowhere")
    with pytest.raises(AuthenticationError, match="Realm does not exist"):
        desk.directory.status(site)


def test_a_group_that_is_gone(desk: Desk) -> None:
    group = desk.admin.get_group_by_path(f"/{TEACHERS}")
    desk.admin.delete_group(group["id"])
    with pytest.raises(RealmUnpreparedError) as refused:
        desk.apply(account("p-1"))
    assert TEACHERS in refused.value.detail
    assert "nagasis keycloak setup" in (refused.value.remedy or "")
    assert isinstance(refused.value, AuthenticationError)
    found = {each.name: each for each in desk.directory.check(desk.site)}
    assert found["keycloak_groups"].status == "error"
    RealmSetup(desk.admin, desk.plan).apply()
    assert desk.one(account("p-1", groups=[TEACHERS])).result == "created"


def test_a_group_that_goes_while_its_id_is_remembered(desk: Desk) -> None:
    desk.apply(account("p-1"))
    desk.admin.delete_group(desk.admin.get_group_by_path(f"/{TEACHERS}")["id"])
    with pytest.raises(TransientError):
        desk.apply(account("p-2", groups=[TEACHERS]))
    with pytest.raises(RealmUnpreparedError):
        desk.apply(account("p-2", groups=[TEACHERS]))


def test_an_attribute_that_the_profile_does_not_know(desk: Desk) -> None:
    """Keycloak would make the account, and drop the key without a word."""
    profile = desk.admin.get_realm_users_profile()
    profile["attributes"] = [each for each in profile["attributes"] if each["name"] != CLAIM]
    desk.admin.update_realm_users_profile(profile)
    with pytest.raises(RealmUnpreparedError, match=CLAIM):
        desk.apply(account("p-1"))
    assert desk.everything() == {}
    found = {each.name: each.status for each in desk.directory.check(desk.site)}
    assert found["keycloak_attribute"] == "error"


def test_a_token_that_has_ended_is_renewed(desk: Desk) -> None:
    desk.apply(account("p-1"))
    desk.asked.start()
    with desk.directory._connected(desk.site) as people:
        held = dict(people.admin.connection.token or {})
        people.admin.connection.token = {**held, "access_token": "ended", "expires_in": 300}
    documents = [account(f"p-{number}") for number in range(2, 12)]
    assert {each.result for each in desk.apply(*documents)} == {"created"}
    with desk.directory._connected(desk.site) as people:
        assert (people.admin.connection.token or {})["access_token"] != "ended"
