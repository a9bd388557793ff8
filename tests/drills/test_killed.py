"""``kill -9`` of every process there is, in the middle of an apply: Moodle ends equal to the SIS.

How many seeds is set by ``DRILL_SEEDS``; each kills one kind of process, in turn.
"""

from __future__ import annotations

import os
import random
import threading
import time

import pytest

from tests.drills.door import Answer, Call
from tests.drills.site import Installation

SEEDS = int(os.environ.get("DRILL_SEEDS", "3"))
KINDS = ("worker", "php", "web")
pytestmark = [pytest.mark.moodle, pytest.mark.timeout(600)]


class _Blow:
    """Strikes once, some time into the chosen apply."""

    def __init__(self, installation: Installation, victim: str, chance: random.Random) -> None:
        self.struck = threading.Event()
        self.missed = False
        self._installation = installation
        self._victim = victim
        self._left = chance.randint(1, 4)
        self._after = chance.uniform(0.0, 0.8)
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer | None:
        with self._lock:
            self._left -= call.function == "apply"
            strikes = self._left == 0 and call.function == "apply"
            if strikes:
                self._left = -1_000_000
        if strikes:
            threading.Thread(target=self._strike).start()
        return call.send()

    def _strike(self) -> None:
        time.sleep(self._after)
        if self._victim == "php":
            deadline = time.monotonic() + 30
            while self._installation.kill_php() is None and not self.missed:
                time.sleep(0.01)
                self.missed = time.monotonic() > deadline
        else:
            self._installation.tool.kill(self._victim)
        self.struck.set()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_any_process_may_be_killed_in_mid_apply(installation: Installation, seed: int) -> None:
    victim = KINDS[seed % len(KINDS)]
    if victim == "php" and installation.act_once("database")["family"] != "postgres":
        pytest.skip("which PHP process writes is asked of PostgreSQL, and this Moodle has another")
    blow = _Blow(installation, victim, random.Random(seed))
    with installation.door.doing(blow):
        installation.shake(seed)
        assert blow.struck.wait(120)
        if victim != "php":
            if victim == "worker":
                # Sooner than its lease ends: the next meets what Moodle still does for the dead.
                installation.expire_lease()
            installation.tool.restart(victim)
        installation.settle()
    installation.proven()
    if blow.missed:
        pytest.skip("no PHP process of this Moodle was seen writing: is it on this machine?")


def test_a_dead_workers_site_is_taken_over_by_itself(installation: Installation) -> None:
    blow = _Blow(installation, "worker", random.Random(99))
    with installation.door.doing(blow):
        installation.shake(99)
        assert blow.struck.wait(120)
        installation.tool.restart("worker")
        installation.settle(240)
    installation.proven()
