"""Puts the engine's parts together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lti_tool.core.audit import AuditLog
from lti_tool.core.clock import Clock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Database
from lti_tool.moodle.models import Site, System
from lti_tool.moodle.sites import Sites
from lti_tool.sis.interfaces import SisExtracts
from lti_tool.sync.grades.log import GradeLog
from lti_tool.sync.grades.pull_queue import PullQueue
from lti_tool.sync.grades.receipts import Receipts
from lti_tool.sync.grades.rendering import GradeRendering
from lti_tool.sync.lifecycle import Lifecycle
from lti_tool.sync.provisioning.client import MoodleAPIClient, Target
from lti_tool.sync.provisioning.engine import Engine
from lti_tool.sync.provisioning.explain import Explanations
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.guard import Guard
from lti_tool.sync.provisioning.journal import Journal
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.letters import DeadLetters
from lti_tool.sync.provisioning.mappings import Mappings
from lti_tool.sync.provisioning.marks import Marks
from lti_tool.sync.provisioning.preview import Previews
from lti_tool.sync.provisioning.reconcile import Reconciler
from lti_tool.sync.provisioning.rounds import Rounds
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.provisioning.services import (
    KeycloakAccountSyncService,
    MoodleCourseSyncService,
    MoodleEnrollmentSyncService,
    MoodleUserSyncService,
    SyncService,
)
from lti_tool.sync.provisioning.undo import Undo
from lti_tool.sync.rendering import Rendering


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard sites are pressed, and when a change is a mass change (``settings.py``)."""

    calls_per_minute: int = 100
    documents_per_call: int = 500
    attempts: int = 3
    guard_share: float = 0.05
    guard_count: int = 200


@dataclass(frozen=True, slots=True)
class Provisioning:
    """The parts by which Moodle is kept equal to the SIS."""

    rendering: Rendering
    marks: Marks
    ledger: Ledger
    letters: DeadLetters
    receipts: Receipts
    gates: Gates
    guard: Guard
    runs: Runs
    client: MoodleAPIClient
    engine: Engine
    previews: Previews
    reconciler: Reconciler
    undo: Undo
    explanations: Explanations
    rounds: Rounds
    user_sync: MoodleUserSyncService
    account_sync: KeycloakAccountSyncService
    course_sync: MoodleCourseSyncService
    enrollment_sync: MoodleEnrollmentSyncService

    def people_sync(self, site: Site) -> SyncService:
        """What brings people to such a site."""
        return self.account_sync if site.takes("account") else self.user_sync


def assemble(
    database: Database,
    clock: Clock,
    keyring: Keyring,
    audit: AuditLog,
    sis: SisExtracts,
    targets: Mapping[System, Target],
    sites: Sites,
    lifecycle: Lifecycle,
    limits: Limits,
    *,
    grades_on_request: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Provisioning:
    """Build all parts of one process.

    ``grades_on_request``: grades go to Moodle only when a teacher sends them.
    """
    grades = GradeRendering(database, sis, lifecycle, on_request=grades_on_request)
    rendering = Rendering(sis, lifecycle, grades)
    mappings = Mappings(database)
    queue = PullQueue(database, clock)
    receipts = Receipts(database, clock, sis, GradeLog(database, clock), queue)
    marks = Marks(database, clock, sis, rendering, mappings)
    letters = DeadLetters(database, clock, keyring)
    journal = Journal(clock, keyring)
    ledger = Ledger(database, clock, journal, mappings, marks, letters, receipts)
    gates = Gates(database, clock, per_minute=limits.calls_per_minute)
    runs = Runs(database, clock, audit)
    client = MoodleAPIClient(targets, gates, clock, attempts=limits.attempts, sleep=sleep)
    guard = Guard(clock, ledger, runs, client, share=limits.guard_share, count=limits.guard_count)
    engine = Engine(
        clock,
        client,
        rendering,
        marks,
        ledger,
        gates,
        guard,
        runs,
        sites,
        attempts=limits.attempts,
        most=limits.documents_per_call,
    )
    reconciler = Reconciler(database, clock, client, rendering, marks, ledger, engine, queue)
    explanations = Explanations(database, clock, sis, rendering, ledger, letters, gates, runs)
    of_services = (
        database,
        clock,
        sis,
        client,
        rendering,
        marks,
        ledger,
        letters,
        explanations,
    )
    return Provisioning(
        rendering=rendering,
        marks=marks,
        ledger=ledger,
        letters=letters,
        receipts=receipts,
        gates=gates,
        guard=guard,
        runs=runs,
        client=client,
        engine=engine,
        previews=Previews(clock, client, rendering, marks, ledger),
        reconciler=reconciler,
        undo=Undo(database, clock, journal, client, gates, rendering, ledger, runs, sleep=sleep),
        explanations=explanations,
        rounds=Rounds(database, marks, engine, reconciler, runs),
        user_sync=MoodleUserSyncService(*of_services),
        account_sync=KeycloakAccountSyncService(*of_services),
        course_sync=MoodleCourseSyncService(*of_services),
        enrollment_sync=MoodleEnrollmentSyncService(*of_services),
    )
