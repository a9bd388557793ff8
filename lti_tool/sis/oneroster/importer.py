"""Imports a package: read everything first, then land it in one transaction or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.changes import record_since
from lti_tool.sis.grade_models import ClassPartGrade
from lti_tool.sis.grading import Grading
from lti_tool.sis.models import ClassHeader, Enrollment, ImportRun
from lti_tool.sis.oneroster.basics import (
    land_courses,
    land_organisations,
    land_people,
    land_roles,
    land_terms,
    settle_roles,
)
from lti_tool.sis.oneroster.classes import land_classes, settle_teachers
from lti_tool.sis.oneroster.enrollments import land_enrollments
from lti_tool.sis.oneroster.files import FILES
from lti_tool.sis.oneroster.grades import land_line_items, land_results
from lti_tool.sis.oneroster.landing import Landing, RemovalPolicy
from lti_tool.sis.oneroster.manifest import Manifest, read_manifest
from lti_tool.sis.oneroster.package import open_package
from lti_tool.sis.oneroster.reading import Sheet, read_sheet
from lti_tool.sis.oneroster.report import FileReport, ImportReport
from lti_tool.sis.totals import recompute_totals

Progress = Callable[[str], None]

_LOGGED_ISSUES = 500
_LANDERS: dict[str, Callable[[Landing, Sheet], None]] = {
    "orgs": land_organisations,
    "academicSessions": land_terms,
    "courses": land_courses,
    "users": land_people,
    "roles": land_roles,
    "classes": land_classes,
    "enrollments": land_enrollments,
}


class _PlannedError(Exception):
    """Ends a planned import: what it did is rolled back."""


class OneRosterImporter:
    """Imports OneRoster 1.2 CSV packages into the embedded SIS.

    Args:
        removal_share, removal_count: more than this share of what the SIS has, or more than this
            number, is a mass change: it waits until somebody accepts it.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        removal_share: Decimal = Decimal("0.05"),
        removal_count: int = 200,
    ) -> None:
        self._database = database
        self._clock = clock
        self._removal_share = removal_share
        self._removal_count = removal_count

    def run(
        self,
        path: Path,
        *,
        actor: str = "import",
        plan: bool = False,
        accept_removals: bool = False,
        progress: Progress = lambda _: None,
    ) -> ImportReport:
        """Import the package at ``path``; with ``plan`` nothing lands and the report is the same.

        Raises:
            PackageError: the package cannot be read at all. Nothing has landed.
        """
        started = self._clock.now()
        report = ImportReport(planned=plan)
        removals = RemovalPolicy(self._removal_share, self._removal_count, accept_removals)
        manifest, sheets = _read(path, report, progress)
        try:
            with self._database.write() as session:
                landing = Landing(
                    session, report, now=started, removals=removals, counts=manifest.counts
                )
                self._land(landing, sheets, actor, progress)
                record_since(session, started)
                session.add(self._log(path, actor, started, report))
                if plan:
                    session.flush()
                    raise _PlannedError
        except _PlannedError:
            pass
        order = {name: place for place, name in enumerate(FILES)}
        report.errors.sort(key=lambda error: (order.get(error.file, -1), error.line))
        return report

    def _land(
        self, landing: Landing, sheets: dict[str, Sheet], actor: str, progress: Progress
    ) -> None:
        for name, lander in _LANDERS.items():
            if name in sheets:
                progress(f"landing {name}")
                lander(landing, sheets[name])
        if {"users", "roles", "enrollments"} & set(sheets):
            settle_roles(landing)
        if {"classes", "enrollments"} & set(sheets):
            settle_teachers(landing)
        items = land_line_items(landing, sheets["lineItems"]) if "lineItems" in sheets else {}
        if "results" in sheets:
            progress("landing results")
            grading = Grading(self._database, self._clock)
            land_results(landing, sheets["results"], items, grading, actor=actor)
        if {"classes", "courses", "enrollments"} & set(sheets):
            progress("totals")
            recompute_totals(
                landing.session, _graded_headers(landing.session, sheets), now=landing.now
            )

    def _log(self, path: Path, actor: str, started: dt.datetime, report: ImportReport) -> ImportRun:
        return ImportRun(
            kind="oneroster",
            source=path.name[:255],
            actor=actor,
            started_at=started,
            finished_at=self._clock.now(),
            updated_at=started,
            counts=report.counts(),
            error_count=len(report.errors),
            issues=[asdict(error) for error in report.errors[:_LOGGED_ISSUES]],
        )


def _read(
    path: Path, report: ImportReport, progress: Progress
) -> tuple[Manifest, dict[str, Sheet]]:
    sheets: dict[str, Sheet] = {}
    with open_package(path) as package:
        manifest = read_manifest(package, report)
        for name, spec in FILES.items():
            mode = manifest.modes.get(name)
            if mode is None:
                continue
            progress(f"reading {name}")
            report.files[name] = FileReport(name, mode)
            with package.open(f"{name}.csv") as handle:
                sheets[name] = read_sheet(handle, spec, mode, report)
            report.files[name].rows = sheets[name].total
    return manifest, sheets


def _graded_headers(session: Session, sheets: dict[str, Sheet]) -> list[int]:
    """Classes with grades whose weights or enrolments may have changed."""
    touched = {
        row.values.get("classSourcedId") or row.key
        for name in ("classes", "enrollments")
        if name in sheets
        for row in sheets[name].rows
    }
    everything = "courses" in sheets or any(
        row.deleted for sheet in sheets.values() for row in sheet.rows
    )
    rows = session.execute(
        sa.select(ClassHeader.id, ClassHeader.sourced_id)
        .join(Enrollment, Enrollment.header_id == ClassHeader.id)
        .join(ClassPartGrade, ClassPartGrade.enrollment_id == Enrollment.id)
        .distinct()
    )
    return [id_ for id_, key in rows if everything or key in touched]
