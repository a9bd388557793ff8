"""Moodle's cron, as an administrator sets it up."""

from __future__ import annotations

import subprocess
import threading
import time

from benchmarks.moodle_site import Site

MINUTE = 60


class Cron:
    """Moodle's cron, started every minute whether the last one has ended or not."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._over = threading.Event()
        self._running: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Cron:
        # What is due in a Moodle without cron for long takes its time, once.
        self._site.php("admin/cli/cron.php", "--keep-alive=0")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for process in self._running:
            process.wait()

    def settle(self) -> None:
        """Wait until the first watch of the next minute has begun."""
        time.sleep(MINUTE - time.time() % MINUTE + 5)

    def _run(self) -> None:
        # On the minute, as cron does.
        while not self._over.wait(MINUTE - time.time() % MINUTE):
            self._running.append(
                subprocess.Popen(
                    ["php", "admin/cli/cron.php", "--keep-alive=0"],
                    cwd=self._site.directory,
                    stdout=subprocess.DEVNULL,
                    **self._site.account(),
                )
            )
