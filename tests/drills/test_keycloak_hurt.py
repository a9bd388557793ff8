"""A Keycloak that dies, is slow or refuses, and a realm that people edit by hand: in the end it
equals the SIS, nobody is there twice, and nothing is lost.

How many moments it is killed at is set by ``DRILL_SEEDS``.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lti_tool.identity.keycloak import connection
from lti_tool.moodle.models import SiteStanding
from lti_tool.sis.entities import PersonStatus
from lti_tool.sync.provisioning.models import BreakerState, RunState
from tests.drills.authority import issue
from tests.drills.crowd import PREFIX
from tests.drills.realm_school import PEOPLE, REALM, RealmSchool, open_school
from tests.e2e.cable import Request, answer
from tests.e2e.keycloak import CLAIM, KeycloakServer, find_keycloak, serving
from tests.e2e.tool import Tool

SEEDS = int(os.environ.get("DRILL_SEEDS", "2"))
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealmSchool]:
    home = find_keycloak()
    if isinstance(home, str):
        pytest.skip(home)
    with (
        serving(KeycloakServer(home, tmp_path_factory.mktemp("keycloak"))) as server,
        open_school(server, tmp_path_factory.mktemp("tool")) as school,
    ):
        yield school


@pytest.fixture
def school(opened: RealmSchool) -> Iterator[RealmSchool]:
    """Whole and settled; whatever a drill that failed left behind is mended after it."""
    opened.settle()
    yield opened
    if opened.realm.standing is SiteStanding.PAUSED:
        opened.prepare()
        opened.resume()
        opened.repair()
        opened.settle()


class _Blow:
    """Strikes once, when so much has been written."""

    def __init__(self, after: int, strike: Callable[[], object]) -> None:
        self._left = after
        self._strike = strike
        self._lock = threading.Lock()
        self.struck = threading.Event()

    def __call__(self, request: Request) -> bytes | None:
        if not request.writes:
            return None
        with self._lock:
            self._left -= 1
            strikes = self._left == 0
        if strikes:
            self._strike()
            self.struck.set()
        return None


@pytest.mark.parametrize("seed", range(SEEDS))
def test_keycloak_may_be_killed_in_mid_batch(school: RealmSchool, seed: int) -> None:
    chance = random.Random(seed)
    school.newcomers(30, prefix=f"kill-{seed}-")
    school.rename(f"killed {seed}")
    blow = _Blow(chance.randint(1, 140), lambda: school.server.stop(signal.SIGKILL))
    try:
        with school.cable.doing(blow):
            run = school.run()
        assert blow.struck.is_set()
        assert (run.state, run.error) == (RunState.DONE, "keycloak_unavailable")
        assert school.gate().breaker is BreakerState.OPEN
        assert school.left() > 0
        assert school.letters() == {}
    finally:
        school.server.start()
    school.settle()
    school.proven()
    assert school.gate().breaker is BreakerState.CLOSED


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_worker_may_be_killed_in_mid_batch(school: RealmSchool, seed: int) -> None:
    chance = random.Random(seed)
    worker = school.tool
    blow = _Blow(chance.randint(1, 140), lambda: _kill(worker, "worker"))
    with school.cable.doing(blow):
        school.newcomers(30, prefix=f"worker-{seed}-")
        school.rename(f"worker {seed}")
        worker.start_worker()
        assert blow.struck.wait(120), worker.log("worker")
    # Sooner than its lease ends.
    school.hasten()
    worker.start_worker()
    try:
        _until(lambda: not school.left(), "the next worker has done what was left")
    finally:
        worker.stop("worker")
    school.hasten()
    school.settle()
    school.proven()


def test_a_slow_keycloak_is_waited_for(school: RealmSchool) -> None:
    school.rename("slow", count=10)

    def slowly(request: Request) -> None:
        time.sleep(1)

    with school.cable.doing(slowly):
        run = school.run()
    assert (run.state, run.error) == (RunState.DONE, None)
    school.proven()


def test_a_keycloak_that_never_answers_is_given_up_in_time(
    school: RealmSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    school.rename("stuck", count=10)
    monkeypatch.setattr(connection, "_TIMEOUT_SECONDS", 3)
    school.forget_connection()
    over = threading.Event()

    def stuck(request: Request) -> None:
        over.wait(120)

    began = time.monotonic()
    try:
        with school.cable.doing(stuck):
            run = school.run()
    finally:
        over.set()
        school.forget_connection()
    assert (run.state, run.error) == (RunState.DONE, "keycloak_unavailable")
    # Its time limit, a few attempts at seeing whether it is well; not for ever.
    assert time.monotonic() - began < 60
    assert school.gate().breaker is BreakerState.OPEN
    assert school.letters() == {}
    school.settle()
    school.proven()


def test_a_keycloak_that_asks_to_wait_is_left_alone(school: RealmSchool) -> None:
    school.rename("busy", count=10)
    with school.cable.doing(lambda request: answer(503, "Retry-After: 90")):
        run = school.run()
        assert (run.state, run.error) == (RunState.DONE, "keycloak_unavailable")
        gate = school.gate()
        assert gate.breaker is BreakerState.OPEN
        assert gate.probe_at is not None
        assert (gate.probe_at - school.services.clock.now()).total_seconds() > 60
        asked = len(school.cable.asked)
        school.services.provisioning.rounds.changes()
        assert len(school.cable.asked) == asked
    school.settle()
    school.proven()


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose certificate nobody knows."""
    authority = issue(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate, authority.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def shake() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError):
                context.wrap_socket(near, server_side=True).close()
            near.close()

    thread = threading.Thread(target=shake)
    thread.start()
    yield f"https://localhost:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_certificate_that_is_not_trusted_names_the_setting(
    school: RealmSchool, untrusted: str
) -> None:
    for command in (
        ("connect", untrusted),
        ("setup", untrusted, "--user", "admin", "--password", "none"),
    ):
        with pytest.raises(AssertionError, match="NAGASIS_CA_BUNDLE"):
            school.tool.cli("keycloak", *command)
    # The address, as if its certificate had been exchanged for another one.
    url = school.realm.url
    school.moved(f"{untrusted}/realms/{REALM}")
    try:
        school.rename("untrusted", count=2)
        run = school.run()
        assert (run.state, run.error) == (RunState.DONE, "keycloak_unavailable")
        assert "NAGASIS_CA_BUNDLE" in (school.gate().last_error or "")
        (line,) = school.services.site_checks.check(school.realm.id)
        assert (line.name, line.status) == ("keycloak_answers", "error")
        assert "NAGASIS_CA_BUNDLE" in line.details
        status = " ".join(school.tool.cli("sync", "status", "--site", str(school.realm.id)).split())
        assert "NAGASIS_CA_BUNDLE" in status
    finally:
        school.moved(url)
    school.settle()
    school.proven()


# -- a realm that is edited by hand


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


def _kill(tool: Tool, name: str) -> None:
    process = tool.processes.pop(name)
    process.kill()
    process.wait()


def _until(said: Callable[[], bool], what: str) -> None:
    began = time.monotonic()
    while not said():
        assert time.monotonic() - began < 180, what
        time.sleep(0.25)
