"""A realm by commands: looked at, connected, kept, explained, undone, let go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lti_tool.cli import nagasis
from lti_tool.cli.session import open_services
from lti_tool.core.errors import InvalidInputError
from lti_tool.identity.keycloak.directory import KeycloakDirectory
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.wiring import Services
from tests.identity.keycloak.realm_in_memory import RealmInMemory

SERVER = "https://login.example.edu"


@pytest.fixture
def realm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealmInMemory:
    (tmp_path / "keys").mkdir()
    for name, value in {
        "PUBLIC_URL": "http://localhost:8700",
        "DATABASE_URL": f"sqlite:///{tmp_path}/naga.db",
        "KEYS_DIR": str(tmp_path / "keys"),
    }.items():
        monkeypatch.setenv(f"NAGASIS_{name}", value)
    found = RealmInMemory()
    defaults = KeycloakDirectory.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "open_", found.open_)
    return found


@pytest.fixture
def services(realm: RealmInMemory) -> Iterator[Services]:
    assert CliRunner().invoke(nagasis, ["init"]).exit_code == 0
    found = open_services()
    generate_campus(found.database, found.clock, size=50)
    yield found
    found.database.dispose()


def call(*arguments: str, code: int = 0) -> str:
    done: Result = CliRunner().invoke(nagasis, list(arguments), env={"COLUMNS": "200"})
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_looked_at_connected_and_kept(services: Services, realm: RealmInMemory) -> None:
    person = services.provisioning.rendering.all_keys("account")[0]
    planned = call("keycloak", "connect", SERVER, "--plan")
    number = len(services.provisioning.rendering.all_keys("account"))
    assert f"{number:8} have none: one would be made" in planned
    assert (services.sites.list(), realm.users) == ([], {})

    connected = call("keycloak", "connect", SERVER, "--hold")
    assert "The service account has the rights that it needs, and no others." in connected
    assert "Keycloak: school" in call("site", "list")
    shown = call("site", "show", "1")
    assert "Waiting in Moodle" not in shown
    assert f"{SERVER}/realms/school" in shown
    assert "held by" in call("sync", "status", "--site", "1")
    assert realm.users == {}

    assert "account" in call("sync", "plan", "--site", "1", "--counts")
    assert realm.users == {}
    assert "Run 1: done" in call("sync", "apply", "--site", "1")
    assert len(realm.users) == number
    call("sync", "resume", "--site", "1")

    steps = call("sync", "explain", "--site", "1", person)
    assert "✓ Keycloak has the account." in steps
    assert "Moodle" not in steps
    assert "Marked to be sent again" in call("sync", "resync", "--site", "1", person)
    assert "1 account" in call("sync", "status", "--site", "1")
    call("sync", "apply", "--site", "1")

    realm.users[realm.of(person)["id"]]["lastName"] = "By hand"
    realm.make("former", person="NOT-IN-THE-SIS")
    compared = call("sync", "reconcile", "--site", "1", "--report")
    assert f"account {person} differs" in compared
    assert "account that the SIS does not know: NOT-IN-THE-SIS" in compared
    call("sync", "reconcile", "--site", "1")
    assert "Keycloak is equal to the SIS." in call("sync", "reconcile", "--site", "1")

    call("sync", "undo", "1", "--plan")
    assert realm.of(person)["enabled"]
    assert "Changes are held" in call("sync", "undo", "1")
    assert not realm.of(person)["enabled"]

    assert call("site", "pause", "1") == "Paused.\n"
    assert "paused" in call("site", "show", "1")
    assert call("site", "resume", "1") == "Active.\n"
    call("site", "disconnect", "1", "--yes")
    assert len(realm.users) == number + 1


def test_what_is_refused_is_listed_and_tried_again(
    services: Services, realm: RealmInMemory
) -> None:
    call("keycloak", "connect", SERVER)
    [person, *_] = [
        view.person_key
        for view in services.sis_extracts.people(
            services.provisioning.rendering.all_keys("account")
        ).values()
        if view.student_id
    ]
    number = services.sis_extracts.people([person])[person].student_id
    held = realm.make(str(number))
    call("sync", "apply", "--site", "1")
    listed = call("sync", "failures", "--site", "1", "--code", "username_taken")
    assert person in listed
    assert "put the key" in listed
    assert "✕ Keycloak refused the account" in call("sync", "explain", "--site", "1", person)
    realm.users.pop(held)
    assert "1 will be tried again." in call("sync", "retry", "--site", "1", "account", person)
    call("sync", "apply", "--site", "1")
    assert realm.of(person)["username"] == str(number)


def test_rights_are_said_one_by_one(services: Services, realm: RealmInMemory) -> None:
    call("keycloak", "connect", SERVER)
    said = call("keycloak", "rights", "1")
    assert said.count("✓") == 4
    realm.rights.remove("query-groups")
    realm.rights.append("manage-realm")
    said = call("keycloak", "rights", "1", code=1)
    assert "✕ query-groups: To find the groups of students and teachers." in said
    assert "! manage-realm: more than needed" in said
    assert "✕" in call("site", "check", "1", code=1)
    assert services.sites.get(1).checklist


def test_a_realm_has_no_courses(services: Services, realm: RealmInMemory) -> None:
    call("keycloak", "connect", SERVER)
    done = CliRunner().invoke(nagasis, ["sync", "reconcile", "--site", "1", "--course", "C"])
    assert isinstance(done.exception, InvalidInputError)
    assert realm.written == []
