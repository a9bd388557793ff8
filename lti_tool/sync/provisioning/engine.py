"""Makes Moodle equal to the SIS: marks → documents → apply → results, each step once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from lti_tool.core.clock import Clock
from lti_tool.core.errors import NagaError
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import KINDS, Document, Kind
from lti_tool.moodle.models import MoodleSite, SiteStanding
from lti_tool.moodle.plugin_errors import AuthenticationError, DataError, PluginError
from lti_tool.sync.provisioning.client import MoodleAPIClient, SiteClosedError
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.guard import Guard
from lti_tool.sync.provisioning.ledger import Ledger
from lti_tool.sync.provisioning.marks import Mark, Marks
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.rendering import Nothing, Rendering, Unfit

log = structlog.get_logger(__name__)

Progress = Callable[[SyncRun], None]


@dataclass(slots=True)
class Work:
    """What one kind has to send: documents that differ from what was last applied."""

    kind: Kind
    marks: dict[str, Mark]
    documents: dict[str, Document]


class _StoppedError(Exception):
    """The run cannot go on now; its marks stay."""

    def __init__(self, reason: str, *, state: RunState = RunState.DONE) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state


class Engine:
    """One run at a time at each site, on whatever worker takes its lease.

    Args:
        attempts: tries at a document that fails alone although the site answers; then it is a
            dead letter.
        most: documents of one call at most.
    """

    def __init__(
        self,
        clock: Clock,
        client: MoodleAPIClient,
        rendering: Rendering,
        marks: Marks,
        ledger: Ledger,
        gates: Gates,
        guard: Guard,
        runs: Runs,
        *,
        attempts: int = 3,
        most: int = 500,
    ) -> None:
        self._clock = clock
        self._client = client
        self._rendering = rendering
        self._marks = marks
        self._ledger = ledger
        self._gates = gates
        self._guard = guard
        self._runs = runs
        self._attempts = attempts
        self._most = most

    def run(
        self,
        site: MoodleSite,
        *,
        trigger: RunTrigger = RunTrigger.CHANGES,
        actor: str = "sync",
        progress: Progress = lambda _: None,
    ) -> SyncRun | None:
        """Bring one site up to the SIS. ``None``: somebody else runs it, or nothing is due.

        Kill it at any point: what was applied and not stored is found to be unchanged next time.
        """
        if site.standing is not SiteStanding.ACTIVE:
            return None
        if trigger is not RunTrigger.MANUAL and self._runs.held(site.id):
            return None
        holder = self._gates.take(site.id)
        if holder is None:
            return None
        try:
            return self._run(site, holder, trigger, actor, progress)
        finally:
            self._gates.give_back(site.id, holder)

    def _run(
        self,
        site: MoodleSite,
        holder: str,
        trigger: RunTrigger,
        actor: str,
        progress: Progress,
    ) -> SyncRun | None:
        self._marks.gather()
        due = {kind: self._marks.due(site.id, kind) for kind in KINDS}
        total = sum(map(len, due.values()))
        if not total or (trigger is RunTrigger.CHANGES and self._still_waits(site, due)):
            return None
        run = self._runs.begin(site.id, trigger=trigger, actor=actor, total=total)
        try:
            for kind in KINDS:
                # What a kind before it has let go of is taken in this run already.
                marks = due[kind] if kind == KINDS[0] else self._marks.due(site.id, kind)
                work = self._work(run, kind, marks)
                progress(run)
                if work.documents:
                    self._guard.pass_(site, run, work, self._client)
                    self._send(site, holder, run, work, progress)
        except _StoppedError as stop:
            self._runs.end(run, stop.state, error=stop.reason)
        except AuthenticationError as error:
            self._runs.pause_site(site, run, error)
            self._runs.end(run, RunState.FAILED, error=error.code)
        except PluginError as error:
            self._runs.end(run, RunState.DONE, error=error.code)
        except Guard.WaitingError as waiting:
            self._runs.wait(run, waiting.facts)
        except BaseException as error:
            self._runs.end(run, RunState.FAILED, error=type(error).__name__)
            raise
        else:
            self._runs.end(run, RunState.DONE)
        progress(run)
        return run

    def _still_waits(self, site: MoodleSite, due: Mapping[Kind, list[Mark]]) -> bool:
        """Whether a mass change waits for its yes, and nothing came that might have ended it."""
        waiting = self._runs.waiting(site.id)
        if waiting is None or waiting.guard.get("approved_by"):
            return False
        since = waiting.heartbeat_at
        return not any(mark.changed_at > since for marks in due.values() for mark in marks)

    def _work(self, run: SyncRun, kind: Kind, marks: list[Mark]) -> Work:
        """Render what is marked; settle at once what needs no call."""
        by_key = {mark.key: mark for mark in marks}
        rendered = self._rendering.render(kind, list(by_key), now=self._clock.now())
        known = self._ledger.known(run.site_id, kind, by_key)
        work = Work(kind, {}, {})
        same: list[Mark] = []
        nothing: list[Mark] = []
        unfit: dict[str, Unfit] = {}
        for key, document in rendered.items():
            if isinstance(document, Nothing):
                nothing.append(by_key[key])
            elif isinstance(document, Unfit):
                unfit[key] = document
            elif key in known and known[key].fingerprint == fingerprint(document):
                same.append(by_key[key])
            else:
                work.marks[key] = by_key[key]
                work.documents[key] = document
        if same:
            self._ledger.unchanged(run, kind, same)
        if nothing:
            self._ledger.unchanged(run, kind, nothing, nothing=True)
        if unfit:
            self._ledger.unfit(run, kind, {key: by_key[key] for key in unfit}, unfit)
        return work

    def _send(
        self, site: MoodleSite, holder: str, run: SyncRun, work: Work, progress: Progress
    ) -> None:
        # What failed before travels last, and in ever smaller company: it must not hold up the
        # others again, and what it is that fails ends up alone.
        left = sorted(work.marks, key=lambda key: work.marks[key].attempts)
        while left:
            attempts = work.marks[left[0]].attempts
            pace = self._gates.pace(site.id, work.kind, most=self._most)
            size = max(1, pace // 5**attempts)
            batch = [key for key in left[:size] if work.marks[key].attempts == attempts]
            left = left[len(batch) :]
            self._call(site, holder, run, work, batch)
            progress(run)

    def _call(
        self, site: MoodleSite, holder: str, run: SyncRun, work: Work, keys: list[str]
    ) -> None:
        if not self._gates.keep(site.id, holder):
            raise _StoppedError("another worker took over", state=RunState.FAILED)
        documents = [work.documents[key] for key in keys]
        began = time.monotonic()
        try:
            applied = self._client.apply(site, documents)
        except SiteClosedError as error:
            raise _StoppedError(error.detail) from error
        except AuthenticationError:
            raise
        except DataError as error:
            self._refused_whole(site, holder, run, work, keys, error)
        except PluginError as error:
            self._failed(site, run, work, keys, error, seconds=time.monotonic() - began)
        else:
            self._gates.took(site.id, work.kind, len(keys), time.monotonic() - began)
            self._ledger.applied(run, work.kind, _of(work.marks, keys), documents, applied.results)

    def _refused_whole(
        self,
        site: MoodleSite,
        holder: str,
        run: SyncRun,
        work: Work,
        keys: list[str],
        error: NagaError,
    ) -> None:
        """Moodle takes none of a call: halve it until what it refuses stands alone."""
        if len(keys) == 1:
            message = f"{error.detail} {error.remedy or ''}".strip()
            self._ledger.give_up(
                run, work.kind, work.marks[keys[0]], code=error.code, message=message
            )
            return
        half = len(keys) // 2
        self._call(site, holder, run, work, keys[:half])
        self._call(site, holder, run, work, keys[half:])

    def _failed(
        self,
        site: MoodleSite,
        run: SyncRun,
        work: Work,
        keys: list[str],
        error: NagaError,
        *,
        seconds: float,
    ) -> None:
        """A passing failure. Where the site is away, nothing is counted against its documents."""
        log.warning(
            "sync.call_failed",
            site=site.id,
            run=run.id,
            kind=work.kind,
            documents=len(keys),
            code=error.code,
        )
        if not self._answers(site):
            raise _StoppedError(error.code) from error
        # The site is well: it is something in this batch that it cannot bear.
        self._gates.took(site.id, work.kind, len(keys), seconds)
        mark = work.marks[keys[0]]
        if len(keys) == 1 and mark.attempts >= self._attempts:
            message = f"{error.detail} {error.remedy or ''}".strip()
            self._ledger.give_up(run, work.kind, mark, code=error.code, message=message)
        else:
            self._ledger.failed(run, work.kind, work.marks, keys, error.code)

    def _answers(self, site: MoodleSite) -> bool:
        try:
            self._client.status(site)
        except NagaError:
            return False
        return True


def _of(marks: Mapping[str, Mark], keys: list[str]) -> dict[str, Mark]:
    return {key: marks[key] for key in keys}
