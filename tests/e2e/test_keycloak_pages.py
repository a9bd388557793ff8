"""The pages of a realm with a real Keycloak: looked at, connected, watched, let go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keycloak import KeycloakAdmin

from lti_tool.identity.keycloak.connection import as_administrator
from lti_tool.identity.keycloak.realm import SERVICE, RealmPlan
from lti_tool.identity.keycloak.setup import RealmSetup
from lti_tool.moodle.models import SiteStanding
from lti_tool.sis.entities import PersonStatus
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, Keycloak
from tests.web.office import Office
from tests.web.world import World, build_world

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]

REALM = "school"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with build_world(tmp_path_factory.mktemp("pages")) as found:
        yield found


def _administrator(world: World, keycloak: Keycloak) -> KeycloakAdmin:
    return as_administrator(
        world.services.http,
        keycloak.url,
        realm=REALM,
        username=ADMIN,
        password=ADMIN_PASSWORD,
    )


def test_from_the_first_look_to_the_end_of_the_connection(world: World, keycloak: Keycloak) -> None:
    office = Office(world, world.administrator(), keycloak.url)
    engine, sites = world.services.provisioning.engine, world.services.sites
    page, _ = office.post("/admin/sites/realms/look", 422, server=keycloak.url, realm="unprepared")
    assert "nothing was stored" in page
    plan = RealmPlan(realm=REALM, tool_url=world.url)
    RealmSetup(_administrator(world, keycloak), plan).apply()
    # The rights of a realm that was just made are not in an older token.
    admin = _administrator(world, keycloak)
    number = len(world.services.provisioning.rendering.all_keys("account"))
    admin.create_user({"username": "of-somebody-else", "enabled": True})

    page, _ = office.post("/admin/sites/realms/look", server=keycloak.url, realm=REALM)
    assert f"<dt>Have none: one would be made</dt><dd>{number}</dd>" in page
    assert "<dt>Nobody's of the SIS, left alone</dt><dd>1</dd>" in page
    assert admin.users_count() == 1

    site = office.connect(hold="yes")
    world.services.orders.resume()
    assert admin.users_count() == 1
    office.post(f"/admin/sites/{site.id}/sync/go-on")
    engine.run(sites.get(site.id))
    assert admin.users_count() == number + 1
    page = office.get(f"/admin/sites/{site.id}")
    assert page.count("✓</span>Given") == 4
    assert "Lacking" not in page

    # A right is taken away by hand: the page says which, and nothing is lost meanwhile.
    management, service = (admin.get_client_id(each) for each in ("realm-management", SERVICE))
    assert management is not None
    assert service is not None
    user = admin.get_client_service_account_user(service)["id"]
    admin.delete_client_roles_of_user(
        user, management, [admin.get_client_role(management, "manage-users")]
    )
    page, _ = office.post(f"/admin/sites/{site.id}/check")
    row = page.partition("<code>manage-users</code>")[2].partition("</tr>")[0]
    assert "Lacking" in row
    [key] = office.people(1)
    office.change(key, family_name="Later")
    engine.run(sites.get(site.id))
    assert sites.get(site.id).standing is SiteStanding.PAUSED
    steps = office.get(f"/admin/sites/{site.id}/sync/things?person={key}")
    assert "The connection to Keycloak: school is paused." in steps
    RealmSetup(_administrator(world, keycloak), plan).apply()
    office.post(f"/admin/sites/{site.id}/resume")
    engine.run(sites.get(site.id))
    [found] = admin.get_users({"q": f"person_uuid:{key}", "briefRepresentation": False})
    assert found["lastName"] == "Later"

    office.change(key, status=PersonStatus.DROPPED)
    engine.run(sites.get(site.id))
    assert not admin.get_user(found["id"])["enabled"]
    steps = office.get(f"/admin/sites/{site.id}/sync/things?person={key}")
    assert "closes the account" in steps

    before = {each["id"]: each for each in admin.get_users({})}
    page, _ = office.post(f"/admin/sites/{site.id}/disconnect", meant="yes")
    assert "its accounts stay as they are" in page
    office.change(key, status=PersonStatus.ACTIVE)
    assert engine.run(sites.get(site.id)) is None
    assert {each["id"]: each for each in admin.get_users({})} == before
