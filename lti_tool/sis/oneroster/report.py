"""What an import found and did. It never holds a value of a row: rows are about people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lti_tool.core.errors import NagaError


class PackageError(NagaError):
    """The package cannot be imported at all; nothing of it has landed."""

    code = "oneroster_package"
    status = 400
    title = "This OneRoster package cannot be imported"


class FieldError(Exception):
    """A field of a row is wrong."""

    def __init__(self, field_name: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.field = field_name
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class RowError:
    """One row, or one file (``line`` 0 or 1), that did not land: where, what, and what to do."""

    file: str
    line: int
    field: str
    problem: str
    remedy: str


@dataclass(slots=True)
class FileReport:
    """What became of one file's rows.

    ``missing`` counts what the SIS has and a bulk file has not; ``removed`` what was therefore, or
    by ``tobedeleted``, made inactive. ``skipped``: older than what the SIS has, or nothing to do.
    """

    name: str
    mode: str
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    missing: int = 0
    removed: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do (``planned``).

    ``removals_waiting``: removals that need ``accept_removals``.
    """

    planned: bool = False
    files: dict[str, FileReport] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    removals_waiting: int = 0

    def error(self, file: str, line: int, wrong: FieldError) -> None:
        """Record that a row did not land."""
        self.errors.append(RowError(file, line, wrong.field, wrong.problem, wrong.remedy))
        if file in self.files:
            self.files[file].failed += 1

    def counts(self) -> dict[str, Any]:
        """The numbers by file, for the import log."""
        return {
            name: {
                "mode": part.mode,
                "rows": part.rows,
                "created": part.created,
                "updated": part.updated,
                "unchanged": part.unchanged,
                "skipped": part.skipped,
                "failed": part.failed,
                "missing": part.missing,
                "removed": part.removed,
            }
            for name, part in self.files.items()
        }
