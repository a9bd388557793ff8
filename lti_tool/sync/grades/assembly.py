"""Puts the parts of the grades' way together."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.sis.grading import Grading
from lti_tool.sis.interfaces import SisExtracts, StudentInformationSystem
from lti_tool.sync.grades.conflicts import Conflicts
from lti_tool.sync.grades.connections import GradeConnections
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.pulls import GradePulls
from lti_tool.sync.grades.receipts import Receipts
from lti_tool.sync.grades.service import MoodleGradeSyncService
from lti_tool.sync.grades.views import CourseGrades
from lti_tool.sync.provisioning.assembly import Provisioning


@dataclass(frozen=True, slots=True)
class GradeParts:
    """The parts by which grades go to Moodle and come from there."""

    sync: MoodleGradeSyncService
    receipts: Receipts
    pulls: GradePulls
    conflicts: Conflicts
    log: GradeLog
    views: CourseGrades
    connections: GradeConnections


def assemble(
    database: Database,
    clock: Clock,
    audit: AuditLog,
    sis: StudentInformationSystem,
    extracts: SisExtracts,
    grading: Grading,
    provisioning: Provisioning,
) -> GradeParts:
    """Build all parts of one process."""
    log = GradeLog(database, clock)
    return GradeParts(
        sync=MoodleGradeSyncService(
            database,
            clock,
            extracts,
            provisioning.client,
            provisioning.rendering,
            provisioning.marks,
            provisioning.ledger,
            provisioning.letters,
            provisioning.explanations,
            provisioning.receipts,
        ),
        receipts=provisioning.receipts,
        pulls=GradePulls(
            database, clock, provisioning.client, extracts, grading, provisioning.ledger, log
        ),
        conflicts=Conflicts(database, clock, audit, extracts, grading, provisioning.ledger, log),
        log=log,
        views=CourseGrades(database, sis),
        connections=GradeConnections(
            database,
            clock,
            audit,
            sis,
            provisioning.client,
            provisioning.rendering,
            provisioning.ledger,
        ),
    )
