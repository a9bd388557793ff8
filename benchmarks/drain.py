"""From the outbox of a real Moodle into the tool's database: events a second, memory, delay.

The tool runs as it is deployed and is paired by a code; 50,000 events are put into the outbox and
sent by the plugin's task. Then Moodle's cron is started every minute, as it should be, and things
happen: how long until the tool holds each? In the end the two are unpaired. The last line is one
JSON object.

Besides ``MOODLE_DIR`` and ``MOODLE_URL``: ``MOODLE_TOOL_CERT``, ``MOODLE_TOOL_KEY`` and
``MOODLE_TOOL_URL``, an address of this machine under which Moodle reaches the tool.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.cron import Cron
from benchmarks.moodle_site import Site, figure, find_site
from lti_tool.moodle.models import MoodleEvent
from tests.e2e.environment import find_address
from tests.e2e.tool import Tool, database_address

EVENTS, WARMING = 50_000, 5_000
HAPPENINGS, PAUSE = 60, 2.5
TASK = r"--execute=\local_nagasis\task\send_events"


@contextmanager
def _paired(site: Site) -> Iterator[Tool]:
    """The tool, running, with this Moodle connected to it."""
    address = find_address(os.environ)
    if isinstance(address, str):
        sys.exit(f"No tool: {address}.")
    if site.run("about")["paired"]:
        sys.exit("This Moodle is paired with a tool: this would break it. Unpair it first.")
    ca = Path(site.ca) if isinstance(site.ca, str) else None
    with tempfile.TemporaryDirectory() as folder, database_address(Path(folder)) as database:
        tool = Tool(address, Path(folder), database, ca)
        tool.cli("init")
        try:
            tool.start()
            code = tool.cli("site", "code").split()[0]
            site.php("local/nagasis/cli/pair.php", f"--code={code}")
            yield tool
        finally:
            site.php("local/nagasis/cli/unpair.php")
            tool.stop()


def _send(site: Site) -> tuple[float, int]:
    """Run the task until nothing waits; returns its seconds and the most memory of a run, in KB."""
    seconds, memory = 0.0, 0
    while site.run("backlog")["waiting"]:
        began = time.perf_counter()
        process = subprocess.Popen(
            ["php", "admin/cli/scheduled_task.php", TASK],
            cwd=site.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **site.account(),
        )
        assert process.stdout is not None
        said = process.stdout.read().decode(errors="replace")
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds += time.perf_counter() - began
        memory = max(memory, used.ru_maxrss)
        if process.returncode or "problem: none" not in said:
            raise SystemExit(f"The task did not send everything: {said}")
    return seconds, memory


def _memory(tool: Tool) -> int:
    """Resident memory of the tool's web server with its workers, in KB."""
    master = tool.processes["web"].pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    total = 0
    for process in (str(master), *children):
        status = Path(f"/proc/{process}/status").read_text()
        total += int(next(row for row in status.splitlines() if row.startswith("VmRSS")).split()[1])
    return total


def _received(tool: Tool) -> dict[str, float]:
    """When the tool received each event."""
    with tool.services() as services, services.database.read() as session:
        rows = session.execute(sa.select(MoodleEvent.event_id, MoodleEvent.received_at))
        return {event: at.timestamp() for event, at in rows}


def _delays(site: Site, tool: Tool) -> list[float]:
    """Seconds from each happening until the tool had received it."""
    with Cron(site) as cron:
        cron.settle()
        happened: dict[str, float] = site.run("provoke", events=HAPPENINGS, pause=PAUSE)
        time.sleep(15)
        received = _received(tool)
    missing = set(happened) - set(received)
    if missing or len(happened) != HAPPENINGS:
        raise SystemExit(f"{len(missing)} of {len(happened)} events did not arrive.")
    return sorted(received[event] - at for event, at in happened.items())


def main() -> None:
    """Measure, then unpair."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"), flush=True)
    with _paired(site) as tool:
        site.run("fill", events=WARMING)
        _, small = _send(site)
        warm = _memory(tool)
        site.run("fill", events=EVENTS)
        seconds, large = _send(site)
        held = _memory(tool)
        stored = len(_received(tool))
        print(
            f"{EVENTS} events in {seconds:.1f} s; memory of the task {small // 1024} MB for"
            f" {WARMING}, {large // 1024} MB for all; of the tool {warm // 1024} MB after"
            f" {WARMING}, {held // 1024} MB after all; {stored} stored",
            flush=True,
        )
        if stored < WARMING + EVENTS:
            raise SystemExit(f"{WARMING + EVENTS - stored} events are missing.")
        delays = _delays(site, tool)
    p95 = statistics.quantiles(delays, n=20)[-1]
    print(
        f"delay: median {statistics.median(delays):.1f} s, 95% {p95:.1f} s, all {delays[-1]:.1f} s"
    )
    figures: list[dict[str, Any]] = [
        figure("events a second", EVENTS / seconds, 500, at_least=True),
        figure("memory of the task, ten times the events", large / small, 1.2, at_least=False),
        figure("memory of the tool, ten times the events", held / warm, 1.2, at_least=False),
        figure("seconds until an event is held, 95%", p95, 10, at_least=False),
    ]
    print(json.dumps({"name": "drain", "figures": figures}))


if __name__ == "__main__":
    main()
