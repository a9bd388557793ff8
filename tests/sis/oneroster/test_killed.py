"""An import that is killed, wherever it stands, has landed whole or not at all."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Base, Database
from lti_tool.sis.oneroster.importer import OneRosterImporter

ROOT = Path(__file__).parents[3]
# Says what it sends to the database, so that it can be killed in between.
IMPORT = """
import sys
from datetime import datetime
from pathlib import Path
import sqlalchemy as sa
from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.sis.oneroster.importer import OneRosterImporter
url, now, path = sys.argv[1:]
database = Database(url)
def say(*_):
    print(flush=True)
sa.event.listen(database.engine, "before_cursor_execute", say)
sa.event.listen(database.engine, "commit", say)
OneRosterImporter(database, FixedClock(datetime.fromisoformat(now))).run(Path(path))
print("landed", flush=True)
"""


def settled(database: Database) -> dict[str, list[str]]:
    """The SIS's rows without the database's own numbers, once a killed import is decided."""
    found = {}
    with database.write() as session:
        if not database.is_sqlite:
            # The server may not know yet that nobody is there any more.
            session.execute(sa.text("LOCK TABLE sis_import_run IN ACCESS EXCLUSIVE MODE"))
        for table in Base.metadata.sorted_tables:
            columns = [one for one in table.columns if one.name != "id" and not one.foreign_keys]
            if table.name.startswith("sis_") and columns:
                found[table.name] = sorted(map(repr, session.execute(sa.select(*columns))))
    return found


@pytest.fixture
def changed(package: Any, importer: OneRosterImporter) -> Path:
    """A package with changes of every kind to what is stored."""
    assert importer.run(package.write()).errors == []
    package["users"][0]["familyName"] = "Changed"
    package["enrollments"].pop(1)
    package["enrollments"].append(package["enrollments"][0] | {"sourcedId": "E9"})
    package["enrollments"][-1] |= {"classSourcedId": "K2"}
    package["classes"][1]["classCode"] = "B"
    package.files["lineItems"] = [{"sourcedId": "K1/1.1", "title": "x", "classSourcedId": "K1"}]
    package.files["results"] = [
        {
            "sourcedId": "S1",
            "lineItemSourcedId": "K1/1.1",
            "studentSourcedId": "P1",
            "score": "70",
            "scoreStatus": "fully graded",
        }
    ]
    return Path(package.write())


_random = random.Random(5)
_POINTS = [0.0, *(round(_random.random(), 3) for _ in range(4)), 0.98, 1.0]


@pytest.mark.parametrize("point", _POINTS)
def test_a_killed_import_lands_nothing_or_everything(
    database: Database,
    database_url: str,
    clock: FixedClock,
    changed: Path,
    importer: OneRosterImporter,
    statements: Any,
    point: float,
) -> None:
    """``point``: how far it is when it is killed, of all that it says to the database."""
    before = settled(database)
    with statements() as sent:
        importer.run(changed, plan=True)
    assert settled(database) == before
    worker = subprocess.Popen(
        [sys.executable, "-c", IMPORT, database_url, clock.now().isoformat(), str(changed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    # The last thing that it says is that it commits.
    for _ in range(1 + round(point * len(sent))):
        assert worker.stdout.readline()
    worker.kill()
    worker.wait()
    worker.stdout.close()

    left = settled(database)
    assert importer.run(changed).errors == []
    whole = settled(database)
    landed = len(left["sis_import_run"]) == 2
    for state in (before, left, whole):
        del state["sis_import_run"]
    assert before != whole
    assert left == (whole if landed else before)
