"""A world whose platform has the SIS's gradebooks, and in which teachers grade there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from demo.grade_model import Grade
from demo.gradebook import CourseGrades, in_range
from demo.model import Course, LineItem, Person
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import ClassView, GradeSource, PartGradeView, PartView
from lti_tool.sis.grading import GradeEntry
from lti_tool.sync.grades.conflict_views import ConflictView
from lti_tool.sync.rendering import host_of
from tests.web.synced import synced_world
from tests.web.world import World


@dataclass
class Graded:
    """The world, and the course of its class on the platform."""

    world: World
    site: MoodleSite

    @property
    def class_(self) -> ClassView:
        """The class of the course."""
        return self.world.class_

    @property
    def course_key(self) -> str:
        """The class in whose course it is taught."""
        return host_of(self.class_)

    def own_part(self) -> PartView:
        """A part that the teacher teaches."""
        key = self.world.people["teacher"].idnumber
        return next(part for part in self.class_.parts if part.teacher_key == key)

    def students(self) -> list[str]:
        """Keys of the students who have a place in the course."""
        return [
            person.idnumber
            for name, person in self.world.people.items()
            if name in ("student", "classmate") or name.startswith("student")
        ]

    def sis(self, person_key: str, part: PartView) -> PartGradeView | None:
        """The SIS's grade."""
        grades = self.world.services.sis.part_grades(self.class_.class_key, [part.part_key])
        return next((each for each in grades if each.person_key == person_key), None)

    def enter(self, person_key: str, part: PartView, score: str, *, approve: bool = False) -> None:
        """A teacher's grade in the SIS, and in Moodle."""
        grading, actor = self.world.services.grading, self.world.people["teacher"].idnumber
        entry = GradeEntry(person_key, part.part_key, Decimal(score))
        (outcome,) = grading.enter(
            [entry], actor=actor, source=GradeSource.MANUAL_TEACHER, submitted=True
        )
        if outcome.state == "refused":
            grading.correct(entry, actor=actor, reason="tests")
        if approve:
            grading.approve([part.part_key], actor="admin:dean", person_keys=[person_key])

    def send(self) -> None:
        """Make Moodle equal."""
        for _ in range(10):
            run = self.world.services.provisioning.engine.run(self.site)
            if run is None or not run.done:
                return

    def grade(self, person_key: str, part: PartView, score: str | None) -> None:
        """A teacher grades on the platform, or takes a grade away."""
        with self.world.platform.change() as state:
            item = CourseGrades(state, self._course()).keyed(part.part_key)
            assert isinstance(item, LineItem)
            cell = state.grades.setdefault(item.id, {}).setdefault(
                self._account(person_key).id, Grade(None, 0.0)
            )
            cell.final = None if score is None else in_range(int(Decimal(score) * 100), item)
            cell.modified = self.world.platform.epoch() + 1
            cell.grader = self.world.people["teacher"].id
            cell.source = ""

    def moodle(self, person_key: str, part: PartView) -> Decimal | None:
        """What the platform has."""
        held = CourseGrades(self.world.platform.state, self._course())
        item = held.keyed(part.part_key)
        assert item is not None
        found = held.percent(item, self._account(person_key).id)
        return None if found is None else Decimal(found) / 100

    def pull(self) -> int:
        """Read the course's grades."""
        pulls = self.world.services.grades.pulls
        pulls.request(self.site.id, [self.course_key])
        return pulls.run(self.site)

    def conflicts(self) -> list[ConflictView]:
        """What is undecided, the oldest first."""
        return self.world.services.grades.conflicts.undecided(limit=1000)

    def conflict(self, person_key: str, part: PartView) -> ConflictView:
        """The one about this grade."""
        (found,) = (
            each
            for each in self.conflicts()
            if (each.person_key, each.item_key) == (person_key, part.part_key)
        )
        return found

    def locked(self, person_key: str, part: PartView, sis: str, moodle: str | None) -> ConflictView:
        """A grade that was approved, and then changed on the platform."""
        self.enter(person_key, part, sis, approve=True)
        self.send()
        self.pull()
        self.grade(person_key, part, moodle)
        self.pull()
        return self.conflict(person_key, part)

    def _course(self) -> Course:
        courses = self.world.platform.state.courses.values()
        return next(each for each in courses if each.idnumber == self.course_key)

    def _account(self, person_key: str) -> Person:
        people = self.world.platform.state.people.values()
        return next(each for each in people if each.idnumber == person_key)


@contextmanager
def graded_world(folder: Path) -> Iterator[Graded]:
    """A world of its own, with the SIS's grades on the platform."""
    with synced_world(folder) as world:
        (site,) = world.services.sites.moodles()
        graded = Graded(world, site)
        graded.send()
        graded.pull()
        yield graded
