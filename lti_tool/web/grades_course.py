"""A course whose grades the plugin keeps equal, and what of it the viewer may see and do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from flask import current_app, url_for

from lti_tool.core.errors import ForbiddenError, NotFoundError
from lti_tool.moodle.documents import TOTAL
from lti_tool.moodle.models import MoodleSite
from lti_tool.sis.entities import PartView
from lti_tool.sync.grades.cells import session_key
from lti_tool.sync.grades.course_tables import CourseState
from lti_tool.sync.grades.views import Table, course_key_of
from lti_tool.web.viewer import Viewer, require_teacher
from lti_tool.wiring import services


@dataclass(frozen=True)
class GradedCourse:
    """The course of this launch in a connected Moodle. Every page and every form asks here what
    its teacher may see: a hidden button protects nothing."""

    who: Viewer
    site: MoodleSite

    @cached_property
    def key(self) -> str:
        """The class in whose course the classes are taught."""
        return course_key_of(self.who.classes)

    @cached_property
    def item_keys(self) -> frozenset[str]:
        """The items whose grades this teacher may see: totals only with all their parts."""
        keys = {part.part_key for part in self.who.gradable_parts}
        if keys and self.who.sees_all_parts:
            keys |= {
                session_key(view.class_key, session.number)
                for view in self.who.classes
                for session in view.sessions
            } | {TOTAL}
        return frozenset(keys)

    def table(self, *, text: str = "", part_key: str | None = None) -> Table:
        """The gradebook as far as this teacher may see it; with ``part_key`` that part alone."""
        return services().grades.views.table(
            self.site,
            self.who.classes,
            part_keys=[part.part_key for part in self.parts(part_key)],
            totals=TOTAL in self.item_keys and not part_key,
            text=text,
        )

    def state(self) -> CourseState:
        """How the course as a whole stands."""
        return services().grades.views.state(self.site, self.key)

    def parts(self, part_key: str | None = None) -> list[PartView]:
        """The parts that this teacher may grade; with ``part_key`` that one.

        Raises:
            ForbiddenError: it is another teacher's.
        """
        found = [part for part in self.who.gradable_parts if part_key in (None, part.part_key)]
        if part_key and not found:
            raise ForbiddenError(
                "You do not teach this part of the class.",
                remedy="The SIS names another teacher for it. If that is wrong, ask the registrar.",
            )
        return found

    def part(self, part_key: str | None) -> PartView:
        """One part that this teacher may grade; raises ForbiddenError."""
        return self.parts(part_key or "-")[0]


def graded_course(who: Viewer) -> GradedCourse | None:
    """The course, if the plugin keeps its grades; else they go through Moodle's LTI services."""
    if who.launch.context_id is None:
        return None
    site = services().grades.views.site(who.registration.id, who.context_id, who.found_classes)
    return GradedCourse(who, site) if site else None


def require_graded_course() -> GradedCourse:
    """The course of this launch for a teacher whom the SIS knows."""
    who = require_teacher()
    _ = who.classes
    found = graded_course(who)
    if found is None:
        raise NotFoundError("The grades of this course are not kept by the plugin.")
    return found


def automatic() -> bool:
    """Whether grades go to Moodle by themselves."""
    return services().settings.moodle_grade_push == "automatic"


def names_of(keys: Iterable[str | None]) -> dict[str, str]:
    """Names of these people of the SIS by key; whoever is no person is absent."""
    wanted = {key for key in keys if key}
    if not wanted:
        return {}
    return {key: person.full_name for key, person in services().sis.people(wanted).items()}


def inbox_url() -> str | None:
    """Where conflicts of this course are decided, if there is such a page."""
    if "grades_inbox.course" not in current_app.view_functions:
        return None
    return url_for("grades_inbox.course")
