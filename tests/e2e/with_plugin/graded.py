"""A class whose one part is a quiz of its teacher's: what people do with it, and what stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from lti_tool.sis.entities import ClassView, PartGradeView, PartView
from lti_tool.wiring import Services
from tests.e2e.moodle.pages import settled
from tests.e2e.with_plugin.campus import Campus

_ACTS = Path(__file__).with_name("grade_acts.php")
QUIZ = "Vocabulary quiz"


@dataclass
class Graded:
    """The class; ``quiz`` and ``item`` are Moodle's, ``people`` have no grade in the part."""

    campus: Campus
    view: ClassView
    part: PartView
    people: list[str]
    course_id: int
    quiz: int
    item: int
    users: dict[str, int] = field(default_factory=dict)

    @classmethod
    def make(cls, campus: Campus) -> Graded:
        """With a quiz that has just been made by hand."""
        chosen = campus.chosen
        with campus.tool.services() as services:
            view = services.sis_extracts.classes([chosen.class_key])[chosen.class_key]
            part = view.parts[-1]
            there = services.sis.part_grades(view.class_key, [part.part_key])
        graded = {grade.person_key for grade in there}
        people = [person for person in chosen.students if person not in graded]
        course_id = campus.place(chosen.teacher)["course"]
        made = campus.moodle.script(_ACTS, "quiz", course=course_id, name=QUIZ)
        found = cls(campus, view, part, people, course_id, made["quiz"], made["item"])
        found.users = {person: campus.place(person)["user"] for person in chosen.students}
        return found

    def act(self, command: str, **arguments: Any) -> Any:
        """Do one thing in Moodle by ``grade_acts.php``."""
        return self.campus.moodle.script(_ACTS, command, **arguments)

    def attempt(self, person: str, *, right: bool) -> None:
        """A student takes the quiz."""
        self.act("attempt", quiz=self.quiz, user=self.users[person], right=right)

    def in_moodle(self, person: str, item: int | None = None) -> dict[str, Any]:
        """What stands in Moodle's gradebook."""
        user = self.users[person]
        held: dict[str, Any] = self.act("item", item=item or self.item, users=[user])["grades"]
        found: dict[str, Any] = held[str(user)]
        return found

    def in_sis(self, services: Services, person: str) -> PartGradeView | None:
        """What stands in the SIS for the part."""
        grades = services.sis.part_grades(self.view.class_key, [self.part.part_key])
        return next((grade for grade in grades if grade.person_key == person), None)

    def pull(self, services: Services) -> None:
        """What Moodle tells of is read, as the worker does every two seconds where it may."""
        self.campus.plugins.send()
        (site,) = services.sites.moodles()
        pulls = services.grades.pulls
        pulls.take_events(site)
        while pulls.waiting(site.id, [self.view.class_key]):
            pulls.run(site)

    def comes(self, person: str, score: str) -> PartGradeView:
        """Read what Moodle tells of; the grade, which must have this score then."""
        with self.campus.tool.services() as services:
            self.pull(services)
            grade = self.in_sis(services, person)
        assert grade is not None
        assert grade.score == Decimal(score)
        return grade

    def keys(self) -> dict[str, int]:
        """Moodle's grade items by their keys of the SIS."""
        found: dict[str, int] = self.act("keys", course=self.course_id)
        return found

    def grade_in_report(self, page: Page, person: str, points: str) -> None:
        """The teacher types a grade into Moodle's grader report."""
        self.report(page, editing=True)
        cell = page.locator(f"[name='grade[{self.users[person]}][{self.item}]']")
        cell.fill(points)
        with page.expect_navigation():
            page.locator("#gradersubmit").click()
        settled(page)

    def report(self, page: Page, *, editing: bool = False) -> None:
        """Open Moodle's grader report."""
        page.bring_to_front()
        page.goto(f"{self.campus.moodle.url}/grade/report/grader/index.php?id={self.course_id}")
        settled(page)
        switch = page.locator("input[name='setmode']")
        if switch.is_checked() != editing:
            with page.expect_navigation():
                switch.click(force=True)
            settled(page)

    def report_cell(self, page: Page, person: str, item: int) -> Locator:
        """One cell of the grader report."""
        row = page.locator(f"tr[data-uid='{self.users[person]}']")
        cell = row.locator(f"td[data-itemid='{item}']")
        expect(cell).to_have_count(1)
        return cell
