"""A Keycloak that dies, is slow or refuses, and a realm that people edit by hand: in the end it
equals the SIS, nobody is there twice, and nothing is lost.

How many moments it is killed at is set by ``DRILL_SEEDS``.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Iterator

import pytest

from lti_tool.sync.provisioning.models import BreakerState, RunState
from tests.drills.cable import Request
from tests.drills.realm_school import RealmSchool, open_school
from tests.e2e.keycloak import KeycloakServer, find_keycloak, serving

SEEDS = int(os.environ.get("DRILL_SEEDS", "3"))
pytestmark = [pytest.mark.keycloak, pytest.mark.timeout(300)]


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
def school(opened: RealmSchool) -> RealmSchool:
    """Whole and settled."""
    opened.settle()
    return opened


class _Blow:
    """Strikes once, when so much has been written."""

    def __init__(self, after: int, strike: object) -> None:
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
            assert callable(self._strike)
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
