"""A world whose platform has the grades of the SIS, with a quiz that a teacher made there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.grade_model import Grade, LineItem
from demo.gradebook import CourseGrades
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import ClassView, GradeStatus, PartGradeView
from tests.web.synced import synced_world
from tests.web.world import World


@dataclass
class GradebookWorld:
    """The world, and what tests of grades ask of it."""

    world: World
    site: MoodleSite
    quiz: LineItem

    @property
    def view(self) -> ClassView:
        """The class."""
        return self.world.class_

    def settle(self) -> None:
        """What the worker does within seconds."""
        services = self.world.services
        services.provisioning.rounds.changes()
        assert services.provisioning.marks.counts(self.site.id) == {}

    def some_grade(self, status: GradeStatus, part_number: int = 0) -> PartGradeView:
        """A grade of the class in this status."""
        part = self.view.parts[part_number]
        grades = self.world.services.sis.part_grades(self.view.class_key, [part.part_key])
        return next(grade for grade in grades if grade.status is status and grade.score is not None)

    def grade_there(self, item_id: int, person_key: str, final: float | None) -> None:
        """A teacher grades on the platform, now."""
        with self.world.platform.change() as state:
            user = next(each.id for each in state.people.values() if each.idnumber == person_key)
            state.grades.setdefault(item_id, {})[user] = Grade(
                final, self.world.platform.epoch(), grader=self.world.people["teacher"].id
            )

    def held(self, item_key: str, person_key: str) -> int | None:
        """What stands on the platform, in hundredths."""
        state = self.world.platform.state
        grades = CourseGrades(state, state.courses[self.world.course.id])
        user = next(each.id for each in state.people.values() if each.idnumber == person_key)
        item = grades.keyed(item_key)
        assert item is not None
        return grades.percent(item, user)


@contextmanager
def gradebook_world(folder: Path, *, push: str = "automatic") -> Iterator[GradebookWorld]:
    """A world of its own: grades change everything in it. ``push``: ``MOODLE_GRADE_PUSH``."""
    with synced_world(folder) as world:
        services = world.services
        services.settings = services.settings.model_copy(
            update={"moodle_sync_enabled": True, "moodle_grade_push": push}
        )
        # What was built with the other settings is built anew.
        for name in ("provisioning", "grades"):
            vars(services).pop(name, None)
        [site] = services.sites.moodles()
        with world.platform.change() as state:
            state.last_id += 1
            quiz = LineItem(
                id=state.last_id,
                course_id=world.course.id,
                tool_id=0,
                label="Midterm quiz",
                maximum=20.0,
            )
            state.line_items[quiz.id] = quiz
        yield GradebookWorld(world, site, quiz)
