"""The teacher's gradebook of a course of 200 students and 8 items, with receipts: time and SQL.

Needs no Moodle. The page is asked for in the server's own process: what is measured is what the
server does. The last line is one JSON object.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.moodle_site import figure
from tests.web.large_course import PARTS, STUDENTS, open_large_course
from tests.web.world import build_world

QUERY = f"/grades?show={STUDENTS}"
TIMES = 15
MILLISECONDS, STATEMENTS = 300, 20


def figures() -> list[dict[str, Any]]:
    """Measure the page with all students on it."""
    with tempfile.TemporaryDirectory() as folder, build_world(Path(folder)) as world:
        visit = open_large_course(world)
        page = visit.get(QUERY).text
        if page.count('name="person"') != STUDENTS:
            raise SystemExit("The page does not show all students.")
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith("BEGIN"):
                sent.append(statement)

        engine = world.services.database.engine
        sa.event.listen(engine, "before_cursor_execute", note)
        visit.get(QUERY)
        sa.event.remove(engine, "before_cursor_execute", note)
        took = []
        for _ in range(TIMES):
            began = time.perf_counter()
            visit.get(QUERY)
            took.append((time.perf_counter() - began) * 1000)
    print(
        f"{STUDENTS} students and {PARTS} items: median {statistics.median(took):.0f} ms, slowest"
        f" {max(took):.0f} ms, {len(sent)} statements, {len(page) // 1024} KB",
        flush=True,
    )
    return [
        figure(
            "milliseconds of the teacher's page",
            statistics.median(took),
            MILLISECONDS,
            at_least=False,
        ),
        figure("SQL statements of the teacher's page", len(sent), STATEMENTS, at_least=False),
    ]


def main() -> None:
    """Measure."""
    print(json.dumps({"name": "grades_page", "figures": figures()}))


if __name__ == "__main__":
    main()
