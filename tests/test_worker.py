"""The worker as a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.timeout(120)
def test_the_schedule_ends_with_a_worker_that_is_killed(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "NAGASIS_DATABASE_URL": f"sqlite:///{tmp_path / 'naga.db'}",
        "NAGASIS_KEYS_DIR": str(tmp_path / "keys"),
        "NAGASIS_BROKER_DIR": str(tmp_path / "broker"),
        "NAGASIS_PUBLIC_URL": "http://127.0.0.1:1",
    }
    nagasis = [sys.executable, "-c", "from lti_tool.cli import main; main()"]
    subprocess.run([*nagasis, "init"], env=environment, cwd=tmp_path, check=True)
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [*nagasis, "worker"], env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
    schedule: list[int] = []
    try:
        _until(lambda: any(map(_watches, _children(worker.pid))), worker)
        schedule = _children(worker.pid)
        worker.kill()
        worker.wait()
        _until(lambda: not any(map(_runs, schedule)), None)
    finally:
        worker.kill()
        for process in filter(_runs, schedule):
            os.kill(process, signal.SIGKILL)


def _children(process: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def _watches(process: int) -> bool:
    """Whether it has come so far that it has threads."""
    return len(list(Path(f"/proc/{process}/task").iterdir())) > 1


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(said: Callable[[], bool], worker: subprocess.Popen[bytes] | None) -> None:
    began = time.monotonic()
    while not said():
        assert worker is None or worker.poll() is None, "the worker ended"
        assert time.monotonic() - began < 60
        time.sleep(0.1)
