"""Makes Moodle equal to the SIS: marks → documents → apply → results, each step once."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.clock import Clock
from lti_tool.core.errors import NagaError
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import Kind, key_of
from lti_tool.moodle.models import Site, SiteStanding
from lti_tool.moodle.plugin_errors import (
    AuthenticationError,
    ContractRefusedError,
    DataError,
    PluginError,
)
from lti_tool.moodle.sites import Sites
from lti_tool.sis.bulk import chunks
from lti_tool.sync.provisioning.batches import batches
from lti_tool.sync.provisioning.client import MoodleAPIClient, SiteClosedError
from lti_tool.sync.provisioning.gate import Gates
from lti_tool.sync.provisioning.guard import Guard, WaitingError, Watch, Work
from lti_tool.sync.provisioning.ledger import LeaseLostError, Ledger
from lti_tool.sync.provisioning.marks import Mark, Marks
from lti_tool.sync.provisioning.models import RunState, RunTrigger, SyncRun
from lti_tool.sync.provisioning.people import people_of, told_anew
from lti_tool.sync.provisioning.runs import Runs
from lti_tool.sync.rendered import Former, Nothing, Unfit
from lti_tool.sync.rendering import Rendering

log = structlog.get_logger(__name__)

Progress = Callable[[SyncRun], None]
# Documents rendered, compared and sent before the next are.
_RENDERED = 500
# Rosters of one call that go before all else.
_FIRST = 25


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
        sites: Sites,
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
        self._sites = sites
        self._attempts = attempts
        self._most = most

    def run(
        self,
        site: Site,
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
        # Before the lease: where nothing is due, as mostly, nothing is written.
        self._marks.gather()
        if not self._marks.any_due(site):
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
        site: Site,
        holder: str,
        trigger: RunTrigger,
        actor: str,
        progress: Progress,
    ) -> SyncRun | None:
        due = {kind: self._marks.due(site.id, kind) for kind in site.kinds if site.takes(kind)}
        total = sum(map(len, due.values()))
        if not total:
            return None
        if trigger is RunTrigger.CHANGES and (
            self._gates.closed(site.id) is not None or self._still_waits(site, due)
        ):
            # Nothing can be done at this moment: a run each few seconds would only say so.
            return None
        run = self._runs.begin(site.id, trigger=trigger, actor=actor, total=total, holder=holder)
        with self._gates.alive(site.id, holder):
            self._guarded(site, run, lambda: self._all(site, run, trigger, due, progress))
        progress(run)
        return run

    def _guarded(self, site: Site, run: SyncRun, act: Callable[[], None]) -> None:
        """Act, and end the run as it went."""
        try:
            act()
        except _StoppedError as stop:
            self._runs.end(run, stop.state, error=stop.reason)
        except LeaseLostError as error:
            self._runs.end(run, RunState.FAILED, error=str(error))
        except WaitingError as waiting:
            self._runs.wait(run, waiting.facts)
        except AuthenticationError as error:
            # Whoever watches the logs is woken by this: nothing goes on until somebody acts.
            if self._sites.pause_refused(site, reason=error.code, actor=run.actor):
                log.error("sync.site_paused", site=site.id, run=run.id, code=error.code)
            self._gates.refused(site.id, error.detail)
            self._runs.end(run, RunState.FAILED, error=error.code)
        except DataError as error:
            # Not a document: the two sides do not understand each other. Time may bring an update.
            self._gates.failed(site.id, error.detail, open_=True)
            self._runs.end(run, RunState.FAILED, error=error.code)
        except PluginError as error:
            self._runs.end(run, RunState.DONE, error=error.code)
        except BaseException as error:
            # Not again within two seconds, whatever it was. If the database is away, the next run
            # finds this one interrupted.
            with suppress(SQLAlchemyError):
                self._gates.failed(site.id, type(error).__name__, open_=True)
                self._runs.end(run, RunState.FAILED, error=type(error).__name__)
            raise
        else:
            self._runs.end(run, RunState.DONE)

    def _all(
        self,
        site: Site,
        run: SyncRun,
        trigger: RunTrigger,
        due: Mapping[Kind, list[Mark]],
        progress: Progress,
    ) -> None:
        watch = self._guard.watch(site, run)
        for kind in watch.kinds:
            marks = due[kind]
            known = self._ledger.known(site.id, kind, [mark.key for mark in marks])
            if not watch.harmless(kind, known, marks):
                watch.foresee(kind, self._works(run, kind, marks))
        looked = run.started_at

        def between() -> set[str]:
            nonlocal looked
            before, looked = looked, self._clock.now()
            return self._first(site, run, watch, before)

        for kind in due:
            # Anew: what a kind before has let go of, or what turned out to be missing, is taken
            # in this run already.
            newcomers = self._newcomers(site) if kind in ("roster", "grades") else set()
            for work in self._works(run, kind, self._marks.due(site.id, kind)):
                progress(run)
                self._keep_back(work, newcomers)
                if work.documents:
                    watch.count(work)
                    self._send(site, run, trigger, work, progress, between)

    def _first(self, site: Site, run: SyncRun, watch: Watch, since: dt.datetime) -> set[str]:
        """Rosters that changed meanwhile go before all that waits: for a place in a course people
        stand at the counter. Those only whose course and people are there; returns their keys."""
        self._marks.gather()
        fresh = [
            mark
            for mark in self._marks.due(site.id, "roster")
            if mark.changed_at > since and not mark.attempts
        ]
        gone: set[str] = set()
        for work in self._works(run, "roster", fresh):
            self._keep_back(work, self._newcomers(site))
            work.documents = {
                key: work.documents[key] for key in work.documents if key in work.known
            }
            if work.documents:
                watch.count(work)
                for batch in batches(work.documents.values(), most=_FIRST):
                    self._call(site, run, work, [key_of(document) for document in batch])
            gone |= work.documents.keys()
        return gone

    def _newcomers(self, site: Site) -> set[str]:
        """People who came while the run was under way, and have no account yet."""
        due = {mark.key for mark in self._marks.due(site.id, "user")}
        return due - self._ledger.known(site.id, "user", due).keys()

    def _keep_back(self, work: Work, newcomers: set[str]) -> None:
        """Leave what names newcomers to the next run, which makes their accounts before."""
        if not newcomers:
            return
        for key, document in list(work.documents.items()):
            if not newcomers.isdisjoint(people_of(document)):
                del work.documents[key], work.marks[key]

    def _works(self, run: SyncRun, kind: Kind, marks: list[Mark]) -> Iterator[Work]:
        """A kind's work in pieces: however much there is, little of it is in memory."""
        for some in chunks(marks, _RENDERED):
            yield self._work(run, kind, some)

    def _still_waits(self, site: Site, due: Mapping[Kind, list[Mark]]) -> bool:
        """Whether a mass change waits for its yes, and nothing came that might have ended it."""
        waiting = self._runs.waiting(site.id)
        if waiting is None or waiting.guard.get("approved_by"):
            return False
        since = waiting.heartbeat_at
        return not any(mark.changed_at > since for marks in due.values() for mark in marks)

    def _work(self, run: SyncRun, kind: Kind, marks: list[Mark]) -> Work:
        """Render what is marked; settle at once what needs no call."""
        by_key = {mark.key: mark for mark in marks}
        rendered = self._rendering.render(
            kind, list(by_key), now=self._clock.now(), site_id=run.site_id
        )
        known = self._ledger.known(run.site_id, kind, by_key)
        refused = self._ledger.refused(run.site_id, kind, by_key)
        work = Work(kind, {}, {}, known)
        same: list[Mark] = []
        nothing: list[Mark] = []
        unfit: dict[str, Unfit] = {}
        for key, found in rendered.items():
            document = found.document if isinstance(found, Former) and key in known else found
            if isinstance(document, Nothing | Former):
                nothing.append(by_key[key])
            elif isinstance(document, Unfit):
                unfit[key] = document
            elif (
                key in known
                and known[key].fingerprint == fingerprint(document)
                # What was refused before is asked for once more: it may be possible now.
                and not (key in refused or told_anew(document))
            ):
                same.append(by_key[key])
            else:
                work.marks[key] = by_key[key]
                work.documents[key] = document
        sent = [key for key in work.marks if key in known and known[key].fingerprint]
        for key in self._rendering.nothing_new(run.site_id, work.documents, sent) - refused:
            same.append(work.marks.pop(key))
            del work.documents[key]
        if same:
            self._ledger.unchanged(run, kind, same)
        if nothing:
            self._ledger.unchanged(run, kind, nothing, nothing=True)
        if unfit:
            self._ledger.unfit(run, kind, {key: by_key[key] for key in unfit}, unfit)
        return work

    def _send(
        self,
        site: Site,
        run: SyncRun,
        trigger: RunTrigger,
        work: Work,
        progress: Progress,
        between: Callable[[], set[str]],
    ) -> None:
        left = list(work.marks)
        while left:
            pace = self._gates.pace(site.id, work.kind, most=self._most)
            batch = _company(work, left, pace)
            left = left[len(batch) :]
            if trigger is not RunTrigger.MANUAL and self._runs.held(site.id):
                raise _StoppedError("held")
            self._call(site, run, work, batch)
            progress(run)
            newer = between()
            if work.kind == "roster":
                # What was rendered before is no longer so.
                left = [key for key in left if key not in newer]

    def _call(self, site: Site, run: SyncRun, work: Work, keys: list[str]) -> None:
        if not self._gates.keep(site.id, run.holder or ""):
            raise LeaseLostError("another worker took over")
        documents = [work.documents[key] for key in keys]
        began = time.monotonic()
        try:
            applied = self._client.apply(site, documents)
        except SiteClosedError as error:
            raise _StoppedError(error.detail) from error
        except AuthenticationError:
            raise
        except ContractRefusedError:
            raise
        except DataError as error:
            self._refused_whole(site, run, work, keys, error)
        except PluginError as error:
            self._failed(site, run, work, keys, error, seconds=time.monotonic() - began)
        else:
            self._gates.took(site.id, work.kind, len(keys), time.monotonic() - began)
            self._ledger.applied(run, work.kind, _of(work.marks, keys), documents, applied.results)

    def _refused_whole(
        self, site: Site, run: SyncRun, work: Work, keys: list[str], error: NagaError
    ) -> None:
        """Moodle takes none of a call: halve it until what it refuses stands alone."""
        if len(keys) == 1:
            message = f"{error.detail} {error.remedy or ''}".strip()
            self._ledger.give_up(
                run, work.kind, work.marks[keys[0]], code=error.code, message=message
            )
            return
        half = len(keys) // 2
        self._call(site, run, work, keys[:half])
        self._call(site, run, work, keys[half:])

    def _failed(
        self,
        site: Site,
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

    def _answers(self, site: Site) -> bool:
        try:
            self._client.status(site)
        except NagaError:
            return False
        return True


def _company(work: Work, left: list[str], pace: int) -> list[str]:
    """Who travels next, and how many together: fewer after each failure."""
    attempts = work.marks[left[0]].attempts
    size = max(1, pace // 5**attempts)
    some = [key for key in left[:size] if work.marks[key].attempts == attempts]
    return some[: len(next(batches((work.documents[key] for key in some), most=size)))]


def _of(marks: Mapping[str, Mark], keys: list[str]) -> dict[str, Mark]:
    return {key: marks[key] for key in keys}
