"""A Keycloak that dies, is slow or refuses: in the end the realm equals the SIS, nobody is there
twice, and nothing is lost.

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
from lti_tool.sync.provisioning.models import BreakerState, RunState
from tests.drills.authority import issue
from tests.drills.realm_school import REALM, RealmSchool
from tests.e2e.cable import Request, answer
from tests.e2e.tool import Tool

SEEDS = int(os.environ.get("DRILL_SEEDS", "2"))
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(600)]


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


def _kill(tool: Tool, name: str) -> None:
    process = tool.processes.pop(name)
    process.kill()
    process.wait()


def _until(said: Callable[[], bool], what: str) -> None:
    began = time.monotonic()
    while not said():
        assert time.monotonic() - began < 180, what
        time.sleep(0.25)
