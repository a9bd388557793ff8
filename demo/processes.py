"""Child processes that live and die together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self


class ProcessFailedError(Exception):
    """A process ended that should not have."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} failed: {reason}")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def port_is_free(port: int) -> bool:
    """Whether a server can be started on this port of this machine."""
    with socket.socket() as probe:
        # As the servers do: a port that a former run just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Processes:
    """Python modules run as processes; all are stopped at the end, whatever the reason.

    What they print goes to ``logs/<name>.log``.
    """

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = dict(environment)
        self._logs = logs
        logs.mkdir(parents=True, exist_ok=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        # Set, not relied on: where it was started in the background, Ctrl-C's signal is ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, module: str, *arguments: str) -> None:
        """Start ``python -m module arguments…`` in a process group of its own."""
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, *urls: str, seconds: float = 60) -> None:
        """Wait until every address answers 200."""
        deadline = time.monotonic() + seconds
        for url in urls:
            while not _answers(url):
                self._raise_if_ended()
                if time.monotonic() > deadline:
                    raise ProcessFailedError(url, f"no answer within {seconds:.0f} seconds")
                time.sleep(0.2)

    def wait(self) -> None:
        """Wait until a process ends by itself, which is a failure."""
        while True:
            self._raise_if_ended()
            time.sleep(0.5)

    def stop(self) -> None:
        """Ask all to stop, then insist."""
        for sent, patience in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 2.0)):
            for process in self._running.values():
                if process.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, sent)
            deadline = time.monotonic() + patience
            for process in self._running.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        self._running.clear()

    def _raise_if_ended(self) -> None:
        for name, process in self._running.items():
            if process.poll() is not None:
                said = self._log(name).read_text(errors="replace").splitlines()[-20:]
                reason = "\n".join([f"it ended with code {process.returncode}", *said])
                raise ProcessFailedError(name, reason)

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
