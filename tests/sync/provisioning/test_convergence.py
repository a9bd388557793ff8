"""Whatever happens in whatever order, Moodle ends equal to the SIS."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo.grade_model import Grade
from lti_tool.core.clock import FixedClock
from lti_tool.core.crypto import Keyring
from lti_tool.core.database import Base, Database
from lti_tool.core.errors import ConflictError
from lti_tool.core.http import HttpClient
from lti_tool.moodle.documents import Applied, Document, Roster
from lti_tool.moodle.models import Site
from lti_tool.moodle.plugin import MoodlePlugin
from lti_tool.moodle.plugin_errors import TransientError
from lti_tool.sis.changes import record_since
from lti_tool.sis.entities import ClassStatus, EnrollmentStatus, PersonStatus
from lti_tool.sis.grading import GradeEntry
from lti_tool.sis.models import (
    ClassHeader,
    ClassPart,
    ClassSession,
    CombinedClass,
    Enrollment,
    Person,
)
from lti_tool.sync.provisioning.client import SiteClosedError
from lti_tool.sync.provisioning.models import RunTrigger
from tests.sync.provisioning.conftest import Campus, build_campus, served_platform

ACTS = (
    "enrol",
    "drop",
    "status",
    "person_status",
    "rename",
    "class_status",
    "combine",
    "split",
    "run",
    "run",
    "run_killed",
    "answer_lost",
    "down",
    "by_hand",
    "deleted_by_hand",
    "killed_anywhere",
    "undone",
    "late",
    "graded",
    "approved",
    "graded_in_moodle",
    "graded_in_moodle",
    "pulled",
)


class Killed(BaseException):
    """The process is gone."""


class World:
    """Acts upon the SIS, the platform and the engine, chosen by a seed."""

    def __init__(self, campus: Campus, seed: int) -> None:
        self.campus = campus
        self.random = random.Random(seed)

    def act(self, name: str) -> None:
        self.campus.clock.advance(seconds=1)
        getattr(self, name)()

    def _one(self, column: Any) -> Any:
        with self.campus.database.read() as session:
            return self.random.choice(session.scalars(sa.select(column).order_by(column)).all())

    def _set(self, model: Any, **values: Any) -> None:
        key = self._one(model.sourced_id)
        now = self.campus.clock.now()
        with self.campus.database.write() as session:
            session.execute(
                sa.update(model).where(model.sourced_id == key).values(updated_at=now, **values)
            )
            record_since(session, now)

    def enrol(self) -> None:
        self.campus.enrolling.enroll(
            self._one(Person.sourced_id), self._one(ClassHeader.sourced_id)
        )

    def status(self) -> None:
        with self.campus.database.read() as session:
            pairs = session.execute(
                sa.select(Person.sourced_id, ClassHeader.sourced_id)
                .select_from(Enrollment)
                .join(Person, Person.id == Enrollment.person_id)
                .join(ClassHeader, ClassHeader.id == Enrollment.header_id)
                .order_by(Enrollment.id)
            ).all()
        person, class_key = self.random.choice(pairs)
        self.campus.enrolling.set_status(
            person, class_key, self.random.choice(list(EnrollmentStatus))
        )

    drop = status

    def person_status(self) -> None:
        self._set(Person, status=self.random.choice(list(PersonStatus)))

    def rename(self) -> None:
        self._set(
            Person, family_name=self.random.choice(["SOK", "<b>CHEA</b>", "ចាន់", "O'Neil 😀"])
        )

    def class_status(self) -> None:
        self._set(ClassHeader, status=self.random.choice(list(ClassStatus)))

    def combine(self) -> None:
        now = self.campus.clock.now()
        with self.campus.database.write() as session:
            first = self._one(ClassHeader.sourced_id)
            header = session.scalars(
                sa.select(ClassHeader).where(ClassHeader.sourced_id == first)
            ).one()
            others = session.scalars(
                sa.select(ClassHeader).where(ClassHeader.term_id == header.term_id)
            ).all()
            group = CombinedClass(
                term_id=header.term_id, name=f"together {now.isoformat()}", updated_at=now
            )
            session.add(group)
            session.flush()
            for each in {header, self.random.choice(others)}:
                each.combined_class_id, each.updated_at = group.id, now
            record_since(session, now)

    def split(self) -> None:
        self._set(ClassHeader, combined_class_id=None)

    def run(self) -> None:
        self._approve()
        self.campus.parts.engine.run(self.campus.site)

    def late(self) -> None:
        self.campus.clock.advance(seconds=self.random.choice([5, 300]))

    def run_killed(self) -> None:
        """The process dies between Moodle's answer and its being stored."""
        ledger = self.campus.parts.ledger

        def die(*_: Any, **__: Any) -> None:
            raise Killed

        ledger.applied = die  # type: ignore[method-assign]
        try:
            self.run()
        except Killed:
            # Nobody gave the lease back: it ends by time.
            pass
        finally:
            del ledger.applied

    def down(self) -> None:
        self._faulty(lambda call: _unavailable())

    def answer_lost(self) -> None:
        """Moodle did the work, and its answer never arrived."""

        def lose(call: Callable[[], Applied]) -> Applied:
            call()
            return _unavailable()

        self._faulty(lose)

    def by_hand(self) -> None:
        """Somebody changes in Moodle what is ours."""
        state = self.campus.platform.state
        with self.campus.platform.change():
            if state.people:
                self.random.choice([*state.people.values()]).family_name = "BY HAND"

    def deleted_by_hand(self) -> None:
        """Somebody deletes in Moodle what is ours."""
        state = self.campus.platform.state
        ours = [each.id for each in state.courses.values() if each.idnumber]
        if ours:
            with self.campus.platform.change():
                del state.courses[self.random.choice(ours)]

    def killed_anywhere(self) -> None:
        """The process dies at some statement or other."""
        left = self.random.randint(1, 90)

        def die(*_: object) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Killed

        engine = self.campus.database.engine
        with suppress(Killed):
            sa.event.listen(engine, "before_cursor_execute", die)
            try:
                self.campus.parts.engine.run(self.campus.site)
            finally:
                sa.event.remove(engine, "before_cursor_execute", die)
        # Its lease ends by time.
        self.campus.clock.advance(seconds=61)

    def undone(self) -> None:
        """An administrator takes a run back, and thinks better of it."""
        site = self.campus.site
        runs = [run for run in self.campus.parts.runs.recent(site.id) if run.finished_at]
        if runs:
            with suppress(ConflictError, SiteClosedError):
                self.campus.parts.undo.undo(site, self.random.choice(runs).id, actor="tests")
            self.campus.parts.runs.go_on(site.id, actor="tests")

    def graded(self) -> None:
        """A teacher enters grades in the SIS."""
        with self.campus.database.read() as session:
            rows = session.execute(
                sa.select(Person.sourced_id, ClassPart.sourced_id)
                .select_from(Enrollment)
                .join(Person, Person.id == Enrollment.person_id)
                .join(ClassSession, ClassSession.header_id == Enrollment.header_id)
                .join(ClassPart, ClassPart.session_id == ClassSession.id)
                .order_by(Person.sourced_id, ClassPart.sourced_id)
            ).all()
        self.campus.grading.enter(
            [
                GradeEntry(person, part, Decimal(self.random.randint(0, 10_000)) / 100)
                for person, part in self.random.choices(rows, k=5)
            ],
            actor="teacher",
            submitted=self.random.random() < 0.8,
        )

    def approved(self) -> None:
        parts = [self._one(ClassPart.sourced_id) for _ in range(5)]
        self.campus.grading.approve(parts, actor="head")

    def graded_in_moodle(self) -> None:
        """A teacher grades in Moodle, or takes a grade away, and Moodle tells of it."""
        state = self.campus.platform.state
        items = [each for each in state.line_items.values() if each.key]
        with self.campus.platform.change():
            for item in self.random.choices(items, k=5) if items else ():
                course = state.courses.get(item.course_id)
                people = [*(course.roster or {})] if course else []
                if course is None or not people:
                    continue
                cells = state.grades.setdefault(item.id, {})
                cell = cells.setdefault(self.random.choice(people), Grade(None, 0.0))
                cell.final = self.random.choice([None, 0.0, 50.0, 61.25])
                cell.modified, cell.source = self.campus.platform.epoch(), ""
                self.campus.pulls.request(self.campus.site.id, [course.idnumber])

    def pulled(self) -> None:
        self.campus.pulls.run(self.campus.site)

    def settle(self) -> None:
        """Time passes, faults end, the nightly comparison comes."""
        for _ in range(3):
            self.campus.clock.advance(hours=2)
            self._approve()
            self.campus.parts.engine.run(self.campus.site)
            self._approve()
            self.campus.parts.reconciler.reconcile(self.campus.site)
            self.campus.clock.advance(seconds=10)
            self.campus.pulls.run(self.campus.site)

    def _approve(self) -> None:
        waiting = self.campus.parts.runs.waiting(self.campus.site.id)
        if waiting is not None and not waiting.guard.get("approved_by"):
            self.campus.parts.runs.approve(waiting.id, actor="tests")

    def _faulty(self, fault: Callable[[Callable[[], Applied]], Applied]) -> None:
        plugin = self.campus.plugin

        def apply(site: Site, documents: Sequence[Document], *, dryrun: bool = False) -> Applied:
            return fault(lambda: MoodlePlugin.apply(plugin, site, documents, dryrun=dryrun))

        plugin.apply = apply  # type: ignore[method-assign]
        try:
            self.run()
        finally:
            del plugin.apply


def _unavailable() -> Applied:
    raise TransientError("It does not answer.")


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), acts=st.lists(st.sampled_from(ACTS), max_size=12))
@example(seed=43797510, acts=["enrol", "person_status", "graded", "graded", "graded"])
def test_it_converges(
    keyring: Keyring,
    http: HttpClient,
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    acts: list[str],
) -> None:
    clock = FixedClock(dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC))
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('campus')}/naga.db")
    Base.metadata.create_all(database.engine)
    with served_platform(clock) as platform:
        campus = build_campus(database, clock, keyring, http, platform)
        world = World(campus, seed)
        for act in acts:
            world.act(act)
        world.settle()
        assert campus.pulls.waiting(campus.site.id) == set()
        assert _refusals(campus) == {
            (letter.key, letter.item, letter.code)
            for letter in campus.parts.letters.list(campus.site.id)
        }
        assert campus.marks_left() == {}
        before = repr(platform.state)
        assert campus.parts.engine.run(campus.site) is None
        assert repr(platform.state) == before
    database.dispose()


def _refusals(campus: Campus) -> set[tuple[str, str, str]]:
    """All in which the platform differs: grades of whom it cannot have any, as of a teacher who was
    enrolled in the class that they teach."""
    found = set()
    for result in campus.different():
        assert result["result"] == "unchanged", result
        for member in result["members"]:
            if member["result"] != "unchanged":
                assert (result["kind"], member["result"]) == ("grades", "refused"), result
                found.add((result["key"], f"{member['user']} {member['item']}", member["code"]))
    return found


def test_rosters_name_each_person_once(campus: Campus) -> None:
    rendered = campus.parts.rendering.render(
        "roster",
        campus.parts.rendering.all_keys("roster"),
        now=campus.clock.now(),
        site_id=campus.site.id,
    )
    for roster in rendered.values():
        assert isinstance(roster, Roster)
        people = [member.user for member in roster.members]
        assert len(people) == len(set(people)) == roster.count


def test_a_run_by_hand_needs_no_lease_of_its_own(campus: Campus) -> None:
    holder = campus.parts.gates.take(campus.site.id)
    assert holder is not None
    assert campus.parts.engine.run(campus.site, trigger=RunTrigger.MANUAL) is None
    campus.parts.gates.give_back(campus.site.id, holder)
    assert campus.parts.engine.run(campus.site, trigger=RunTrigger.MANUAL) is not None
