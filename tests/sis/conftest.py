"""Fixtures of the SIS: a campus, counted statements, packages of CSV files."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.sis.campus.generate import generate_campus
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.oneroster.importer import OneRosterImporter

Counting = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def sis(database: Database, clock: FixedClock) -> EmbeddedSis:
    return EmbeddedSis(database, clock)


@pytest.fixture
def campus(database: Database, clock: FixedClock) -> EmbeddedSis:
    """The smallest campus."""
    generate_campus(database, clock, size=50)
    return EmbeddedSis(database, clock)


@pytest.fixture
def importer(database: Database, clock: FixedClock) -> OneRosterImporter:
    return OneRosterImporter(database, clock)


@pytest.fixture
def statements(database: Database) -> Counting:
    """Collects the SQL statements that are sent within a ``with`` block."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        sent: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
                sent.append(statement)

        sa.event.listen(database.engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", note)

    return counting


class PackageMaker:
    """A small school as OneRoster files that a test can bend before it writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mode = "bulk"
        self.properties: dict[str, str] = {"manifest.version": "1.0", "oneroster.version": "1.2"}
        self.raw: dict[str, bytes] = {}
        self.files: dict[str, list[dict[str, str]]] = {
            "orgs": [{"sourcedId": "naga", "name": "Naga School", "type": "school"}],
            "academicSessions": [
                {
                    "sourcedId": "T1",
                    "title": "260106E-T1AE",
                    "type": "term",
                    "startDate": "2026-01-06",
                    "endDate": "2026-04-01",
                }
            ],
            "courses": [
                {
                    "sourcedId": "C1",
                    "title": "English 7",
                    "courseCode": "EHSS-07",
                    "orgSourcedId": "naga",
                },
                {
                    "sourcedId": "C2",
                    "title": "Academic English 2",
                    "courseCode": "IEAP-02",
                    "orgSourcedId": "naga",
                },
            ],
            "users": [user(f"P{n}", f"{n:05d}") for n in range(1, 5)],
            "roles": [
                {"sourcedId": f"R{n}", "userSourcedId": f"P{n}", "role": role}
                for n, role in enumerate(["student", "student", "student", "teacher"], start=1)
            ],
            "classes": [
                class_("K1", "C1", **{"metadata.naga.timeOfDay": "EVE"}),
                class_("K2", "C2"),
            ],
            "enrollments": [enrollment(f"E{n}", "K1", f"P{n}") for n in range(1, 4)]
            + [enrollment("E4", "K1", "P4", role="teacher", primary="true")],
        }

    def __getitem__(self, name: str) -> list[dict[str, str]]:
        return self.files[name]

    def only(self, *names: str) -> PackageMaker:
        """Keep only these files."""
        self.files = {name: self.files[name] for name in names}
        return self

    def delta(self, at: str = "2026-03-01T00:00:00.000Z") -> PackageMaker:
        """Make it a delta package; rows without a status are active."""
        self.mode = "delta"
        for rows in self.files.values():
            for row in rows:
                row.setdefault("status", "active")
                row.setdefault("dateLastModified", at)
        return self

    def contents(self) -> dict[str, bytes]:
        found = {f"{name}.csv": table(rows) for name, rows in self.files.items()}
        found |= {f"{name}.csv": raw for name, raw in self.raw.items()}
        names = {name.removesuffix(".csv") for name in found}
        properties = {f"file.{name}": self.mode for name in sorted(names)} | self.properties
        lines = ["propertyName,value", *(f"{key},{value}" for key, value in properties.items())]
        return {"manifest.csv": ("\n".join(lines) + "\n").encode()} | found

    def write(self) -> Path:
        """Write the package as a folder."""
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        for name, content in self.contents().items():
            (self.folder / name).write_bytes(content)
        return self.folder

    def zip(self, extra: Mapping[str, bytes] | None = None) -> Path:
        """Write the package as a zip."""
        path = self.folder.with_suffix(".zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (self.contents() | dict(extra or {})).items():
                archive.writestr(name, content)
        return path


def table(rows: list[dict[str, str]]) -> bytes:
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["sourcedId"]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\r\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def user(key: str, student_id: str) -> dict[str, str]:
    return {
        "sourcedId": key,
        "enabledUser": "true",
        "username": key.lower(),
        "givenName": "Dara",
        "familyName": "Sok",
        "identifier": student_id,
        "email": f"{key.lower()}@naga.example",
        "phone": "012345678",
        "metadata.naga.khmerName": "សុខ ដារ៉ា",
    }


def class_(key: str, course: str, **more: str) -> dict[str, str]:
    return {
        "sourcedId": key,
        "title": f"Class {key}",
        "courseSourcedId": course,
        "classCode": "A",
        "classType": "scheduled",
        "schoolSourcedId": "naga",
        "termSourcedIds": "T1",
    } | more


def enrollment(
    key: str, class_key: str, person: str, role: str = "student", primary: str = ""
) -> dict[str, str]:
    return {
        "sourcedId": key,
        "classSourcedId": class_key,
        "schoolSourcedId": "naga",
        "userSourcedId": person,
        "role": role,
        "primary": primary,
    }


@pytest.fixture
def package(tmp_path: Path) -> PackageMaker:
    """A whole bulk package of a small school."""
    return PackageMaker(tmp_path / "package")
