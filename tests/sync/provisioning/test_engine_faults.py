"""Whatever fails, at whatever moment: nothing is lost, nothing is done twice, the others go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.errors import NagaError
from lti_tool.moodle.documents import Applied, Document, Roster, key_of
from lti_tool.moodle.models import Site
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.plugin_errors import (
    BatchTooLargeError,
    ContractRefusedError,
    DataError,
    MalformedAnswerError,
    TransientError,
)
from lti_tool.sis.models import Person
from lti_tool.sync.provisioning.gate import LEASE
from lti_tool.sync.provisioning.models import BreakerState, RunState
from tests.sync.provisioning.conftest import Campus


class KilledError(BaseException):
    """The process is gone."""


@contextmanager
def _faulty(campus: Campus, fault: Any) -> Iterator[None]:
    """Calls of ``apply`` go through ``fault(documents, call)``."""
    plugin = campus.plugin

    def apply(site: Site, documents: Sequence[Document], *, dryrun: bool = False) -> Applied:
        return fault(  # type: ignore[no-any-return]
            documents, lambda: MoodlePlugin.apply(plugin, site, documents, dryrun=dryrun)
        )

    plugin.apply = apply  # type: ignore[method-assign]
    try:
        yield
    finally:
        del plugin.apply


@contextmanager
def _killed_at(campus: Campus, statement: int) -> Iterator[None]:
    """The process dies at its n-th statement."""
    seen = 0

    def die(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen >= statement:
            raise KilledError

    sa.event.listen(campus.database.engine, "before_cursor_execute", die)
    try:
        yield
    finally:
        sa.event.remove(campus.database.engine, "before_cursor_execute", die)


@pytest.mark.parametrize("statement", [1, 4, 9, 17, 26, 35, 44, 53, 62, 71, 80])
def test_killed_at_any_moment(campus: Campus, statement: int) -> None:
    for _ in range(3):
        with suppress(KilledError), _killed_at(campus, statement):
            campus.run()
        campus.clock.advance(seconds=LEASE.total_seconds() + 10)
    # What it found out may be wrong by now, but never stops it for good.
    for _ in range(2):
        campus.clock.advance(seconds=LEASE.total_seconds() + 10)
        campus.settle()
    assert campus.equal()
    assert campus.marks_left() == {}
    names = [each.username for each in campus.platform.state.people.values()]
    assert len(names) == len(set(names))
    assert not [run for run in campus.parts.runs.recent(1) if run.state is RunState.RUNNING]


def test_two_workers_at_once(campus: Campus) -> None:
    campus.parts.marks.gather()
    calls: list[str] = []

    def count(documents: Sequence[Document], call: Any) -> Applied:
        calls.extend(f"{document.kind}:{key_of(document)}" for document in documents)
        answer: Applied = call()
        return answer

    with _faulty(campus, count), ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: campus.parts.engine.run(campus.site), range(4)))
    assert any(run is not None for run in runs)
    campus.settle()
    assert campus.equal()
    assert len(calls) == len(set(calls)), "nothing travelled twice"


def test_the_answer_is_lost_after_the_work_is_done(campus: Campus) -> None:
    def lose(_: Sequence[Document], call: Any) -> Applied:
        call()
        raise TransientError("gone")

    with _faulty(campus, lose):
        run = campus.run()
    assert run is not None
    assert campus.codes() == []
    for _ in range(4):
        campus.clock.advance(minutes=10)
        campus.settle()
    assert campus.equal()
    assert campus.marks_left() == {}


@pytest.mark.parametrize("error", [TransientError("timeout"), DataError("coding error")])
def test_one_document_that_moodle_cannot_bear_ends_up_alone(
    campus: Campus, error: NagaError
) -> None:
    poisoned = campus.extracts.person_keys()[7]

    def choke(documents: Sequence[Document], call: Any) -> Applied:
        if any(key_of(each) == poisoned for each in documents):
            raise error
        answer: Applied = call()
        return answer

    with _faulty(campus, choke):
        for _ in range(12):
            campus.settle()
            campus.clock.advance(minutes=5)
        assert ("user", poisoned, error.code) in campus.codes()
        assert len(campus.fingerprints("user")) == len(campus.extracts.person_keys()) - 1
        assert set(campus.desired("roster")) == set(campus.fingerprints("roster"))
        assert "user" not in campus.marks_left()
    campus.parts.ledger.retry(campus.site.id)
    campus.settle()
    campus.settle()
    assert campus.codes() == []
    assert campus.equal()


def test_nothing_is_consumed_while_moodle_is_away(campus: Campus) -> None:
    host, port = campus.site.url.rsplit(":", 1)
    campus.parts.marks.gather()
    marks = campus.marks_left()
    assert port
    campus.site.url = f"{host}:1"
    for _ in range(10):
        campus.run()
    state = campus.parts.gates.state(campus.site.id)
    assert state is not None
    assert state.breaker is BreakerState.OPEN
    assert campus.marks_left() == marks
    assert campus.codes() == []
    assert len(campus.parts.runs.recent(campus.site.id)) <= 3, "one look at a time"
    campus.site.url = f"{host}:{port}"
    campus.clock.advance(minutes=6)
    campus.run()
    assert campus.equal()


@pytest.mark.parametrize(
    "error", [MalformedAnswerError("HTML"), TransientError("503"), TransientError("nothing")]
)
def test_whatever_it_answers_is_no_ones_fault(campus: Campus, error: NagaError) -> None:
    campus.plugin.status = _raise(error)  # type: ignore[method-assign]
    with _faulty(campus, lambda *_: _raise(error)()):
        for _ in range(3):
            campus.run()
            campus.clock.advance(minutes=6)
    del campus.plugin.status
    assert campus.codes() == []
    campus.clock.advance(minutes=10)
    campus.run()
    assert campus.equal()


def _raise(error: NagaError) -> Any:
    def call(*_: object, **__: object) -> Any:
        raise error

    return call


def test_two_sides_that_do_not_understand_each_other_bury_no_documents(campus: Campus) -> None:
    refusal = ContractRefusedError("versions 2 to 3")
    with _faulty(campus, lambda *_: _raise(refusal)()):
        run = campus.run()
        assert run is not None
        assert (run.state, run.error) == (RunState.FAILED, refusal.code)
        assert campus.run() is None, "not again at once"
    assert campus.codes() == []
    campus.clock.advance(minutes=6)
    campus.run()
    assert campus.equal()


def test_what_a_server_will_not_take_travels_in_smaller_calls(campus: Campus) -> None:
    def small(documents: Sequence[Document], call: Any) -> Applied:
        if len(documents) > 3:
            raise BatchTooLargeError("too large")
        answer: Applied = call()
        return answer

    with _faulty(campus, small):
        campus.run()
    assert campus.equal()
    assert campus.codes() == []


def test_a_change_while_its_document_is_under_way_is_sent_next(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    campus.change(Person, key, family_name="FIRST")

    def change(_: Sequence[Document], call: Any) -> Applied:
        answer: Applied = call()
        campus.change(Person, key, family_name="SECOND")
        campus.parts.marks.gather()
        return answer

    with _faulty(campus, change):
        campus.run()
    assert campus.marks_left()["user"] == 1
    campus.run()
    assert campus.equal()


def test_a_bug_stops_its_run_and_not_the_next(campus: Campus) -> None:
    campus.parts.rendering.render = _raise(NagaError("x"))  # type: ignore[method-assign]
    with pytest.raises(NagaError):
        campus.run()
    del campus.parts.rendering.render
    [run] = campus.parts.runs.recent(campus.site.id)
    assert (run.state, run.error) == (RunState.FAILED, "NagaError")
    assert campus.run() is None, "not again at once"
    campus.clock.advance(seconds=10)
    campus.run()
    assert campus.equal()


def test_rosters_of_any_size_are_carried_in_several_calls(campus: Campus) -> None:
    sizes: list[int] = []

    def weigh(documents: Sequence[Document], call: Any) -> Applied:
        sizes.append(sum(len(each.members) for each in documents if isinstance(each, Roster)))
        answer: Applied = call()
        return answer

    with _faulty(campus, weigh):
        campus.run()
    assert max(sizes) <= 8000
    assert campus.equal()
