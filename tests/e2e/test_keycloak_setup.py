"""A real Keycloak is prepared: at first, again, and after somebody's hands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from keycloak import KeycloakAdmin

from lti_tool.cli import nagasis
from lti_tool.cli.session import open_services
from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import SystemClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.core.http import HttpClient
from lti_tool.identity.keycloak.connection import as_administrator, as_service
from lti_tool.identity.keycloak.errors import KeycloakForbiddenError, translated
from lti_tool.identity.keycloak.realm import SERVICE, TOOL, RealmPlan, realm_file
from lti_tool.identity.keycloak.setup import Change, RealmSetup
from lti_tool.lti.keys import ToolKeys
from tests.e2e.keycloak import ADMIN, ADMIN_PASSWORD, Keycloak
from tests.lti.outbound_world import Stub, as_json

pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]

MOODLE = "https://moodle.example.edu"


@pytest.fixture
def tool_keys(database: Database, keyring: Keyring, audit: AuditLog) -> ToolKeys:
    keys = ToolKeys(database, SystemClock(), keyring, audit)
    keys.ensure()
    return keys


@pytest.fixture
def tool(tool_keys: ToolKeys) -> Iterator[Stub]:
    """Where the tool publishes its keys."""
    stub = Stub()
    stub.on("GET", "/lti/keys", as_json(tool_keys.public_keyset()))
    yield stub
    stub.close()


@pytest.fixture
def plan(request: pytest.FixtureRequest, tool: Stub) -> RealmPlan:
    name = request.node.name.replace("_", "-")[:30]
    return RealmPlan(realm=name, tool_url=tool.url, moodle_urls=(MOODLE,))


@pytest.fixture
def admin(keycloak: Keycloak, http: HttpClient, plan: RealmPlan) -> KeycloakAdmin:
    return as_administrator(
        http, keycloak.url, realm=plan.realm, username=ADMIN, password=ADMIN_PASSWORD
    )


def test_a_plan_changes_nothing(admin: KeycloakAdmin, plan: RealmPlan) -> None:
    planned = RealmSetup(admin, plan).changes()
    assert Change(f"client {TOOL}") in planned
    assert plan.realm not in {each["realm"] for each in admin.get_realms()}


def test_prepared_twice_it_is_prepared_once(admin: KeycloakAdmin, plan: RealmPlan) -> None:
    setup = RealmSetup(admin, plan)
    made = {change.thing for change in setup.apply()}
    assert {f"realm {plan.realm}", f"client {TOOL}", "client moodle", "role registrar"} <= made
    assert setup.changes() == []
    assert setup.apply() == []
    assert len(setup.moodle_secret()) >= 32


def test_what_somebody_changed_is_named_and_mended(admin: KeycloakAdmin, plan: RealmPlan) -> None:
    setup = RealmSetup(admin, plan)
    setup.apply()
    tool = admin.get_client_id(TOOL)
    assert tool is not None
    client = admin.get_client(tool)
    wanted = list(client["redirectUris"])
    admin.update_client(tool, {**client, "redirectUris": ["https://thief.example/*"]})
    admin.delete_client_role(tool, "auditor")
    profile = admin.get_realm_users_profile()
    attribute = next(each for each in profile["attributes"] if each["name"] == plan.claim)
    attribute["permissions"]["edit"] = ["admin", "user"]
    email = next(each for each in profile["attributes"] if each["name"] == "email")
    email["permissions"]["edit"] = ["admin", "user"]
    admin.update_realm_users_profile(profile)
    admin.create_client({"clientId": "library", "enabled": True})
    found = setup.apply()
    assert Change(f"client {TOOL}", "redirectUris", ["https://thief.example/*"], wanted) in found
    assert Change("role auditor") in found
    assert {change.thing for change in found} == {
        f"client {TOOL}",
        "role auditor",
        f"attribute {plan.claim}",
        "attribute email",
    }
    after = {each["name"]: each for each in admin.get_realm_users_profile()["attributes"]}
    # What else the realm says of its attributes stays.
    assert "validations" in after["email"]
    assert setup.changes() == []
    assert admin.get_client_id("library") is not None


def test_the_service_account_may_do_what_it_needs_and_no_more(
    keycloak: Keycloak, http: HttpClient, admin: KeycloakAdmin, plan: RealmPlan, tool_keys: ToolKeys
) -> None:
    setup = RealmSetup(admin, plan)
    setup.apply()
    service = as_service(
        http, SystemClock(), tool_keys.sign, keycloak.url, realm=plan.realm, client_id=SERVICE
    )
    key = {plan.claim: ["p-1"]}
    person = service.create_user({"username": "dara", "enabled": True, "attributes": key})
    assert service.get_user(person)["attributes"] == key
    service.group_user_add(person, service.get_group_by_path("/naga-students")["id"])
    tool = admin.get_client_id(TOOL)
    assert tool is not None
    assert [each["name"] for each in admin.get_composite_client_roles_of_user(person, tool)] == [
        "student"
    ]
    for what, forbidden in (
        ("make clients", lambda: service.create_client({"clientId": "mine"})),
        ("change the realm", lambda: service.update_realm(plan.realm, {"enabled": False})),
        ("read keys", service.get_keys),
    ):
        with pytest.raises(KeycloakForbiddenError, match=what), translated(what):
            forbidden()


def test_rights_beyond_what_is_needed_are_taken_away(admin: KeycloakAdmin, plan: RealmPlan) -> None:
    setup = RealmSetup(admin, plan)
    setup.apply()
    management = admin.get_client_id("realm-management")
    service = admin.get_client_id(SERVICE)
    assert management is not None
    assert service is not None
    user = admin.get_client_service_account_user(service)["id"]
    admin.assign_client_role(user, management, [admin.get_client_role(management, "manage-realm")])
    found = setup.apply()
    assert [change.thing for change in found] == [f"rights of {SERVICE}"]
    assert setup.changes() == []


def test_the_file_holds_the_same_realm(
    keycloak: Keycloak, admin: KeycloakAdmin, plan: RealmPlan
) -> None:
    keycloak.call("POST", "", json.loads(json.dumps(realm_file(plan))))
    admin.connection.get_token()
    assert RealmSetup(admin, plan).changes() == []


def test_a_wrong_password_is_said(keycloak: Keycloak, http: HttpClient) -> None:
    with pytest.raises(KeycloakForbiddenError, match="Invalid user credentials"):
        as_administrator(http, keycloak.url, realm="school", username=ADMIN, password="wrong")


def test_the_command(keycloak: Keycloak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").mkdir()
    for name, value in {
        "PUBLIC_URL": "http://localhost:8700",
        "DATABASE_URL": f"sqlite:///{tmp_path}/naga.db",
        "KEYS_DIR": str(tmp_path / "keys"),
        "OUTBOUND_ALLOW_PRIVATE": "true",
        "OUTBOUND_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(f"NAGASIS_{name}", value)
    runner = CliRunner()
    assert runner.invoke(nagasis, ["init"]).exit_code == 0
    asked = ["keycloak", "setup", keycloak.url, "--realm", "by-command", "--user", ADMIN]
    asked += ["--moodle", MOODLE]
    planned = runner.invoke(nagasis, [*asked, "--plan"], input=f"{ADMIN_PASSWORD}\n")
    assert "would be made" in planned.output
    first = runner.invoke(nagasis, asked, input=f"{ADMIN_PASSWORD}\n")
    assert first.exit_code == 0, first.output
    assert f"NAGASIS_OIDC_ISSUER={keycloak.url}/realms/by-command" in first.output
    again = runner.invoke(nagasis, asked, input=f"{ADMIN_PASSWORD}\n")
    assert "nothing to change" in again.output
    # Another Moodle, asked for alone, takes nobody's client away.
    other = "https://another.example.edu"
    answer = runner.invoke(nagasis, [*asked[:-1], other], input=f"{ADMIN_PASSWORD}\n")
    assert f"People sign in to {other} by the client moodle-2." in answer.output
    services = open_services()
    issuer = f"{keycloak.url}/realms/by-command"
    assert services.sign_in_clients.addresses(issuer) == {"moodle": MOODLE, "moodle-2": other}
    before = services.sign_in_clients.of(MOODLE)
    renewed = runner.invoke(
        nagasis,
        ["keycloak", "rotate-secret", MOODLE, "--user", ADMIN, "--password", ADMIN_PASSWORD],
    )
    assert renewed.exit_code == 0, renewed.output
    after = services.sign_in_clients.of(MOODLE)
    assert before is not None
    assert after is not None
    assert after.client_secret not in ("", before.client_secret)
    assert after.client_secret not in renewed.output
    services.database.dispose()
    again = runner.invoke(nagasis, asked, input=f"{ADMIN_PASSWORD}\n")
    assert "nothing to change" in again.output
    file = tmp_path / "realm.json"
    assert runner.invoke(nagasis, [*asked, "--export", str(file)]).exit_code == 0
    assert json.loads(file.read_text())["realm"] == "by-command"
