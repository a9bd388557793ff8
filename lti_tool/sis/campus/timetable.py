"""The campus's classes: courses, sections, sessions, parts, and who sits in them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lti_tool.sis.campus.calendar import CampusTerm
from lti_tool.sis.campus.population import Population, data
from lti_tool.sis.entities import ClassType, TimeOfDay
from lti_tool.sis.models import Cycle, TermType
from lti_tool.sis.rules import session_count

# Programme → parts as (type, name, weight by template); half the classes carry the weight 1.000
# on every part instead, as the school's own data does.
_PARTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "EHSS": (
        ("GRAMMAR", "GREAT-3", "0.4"),
        ("READING", "RE-01", "0.4"),
        ("VENTURES", "V-3B", "0.2"),
    ),
    "GESL": (
        ("GRAMMAR", "LONGMAN-1", "0.4"),
        ("READING", "SR-ELEM", "0.4"),
        ("SPEAKING", "V-2A", "0.2"),
    ),
    "IEAP": (("GRAMMAR", "Grammar/Communications", "0.5"), ("WRITING", "Writing", "0.5")),
    "EXPRESS": (("MAIN", "Express", "0.5"), ("CONVERSATION", "Talk", "0.5")),
}
_BA_PARTS = (("LECTURE", "Lecture", "0.7"), ("PROJECT", "Project", "0.3"))
_TIMES = {
    TimeOfDay.MORN: ("08:00", "11:15"),
    TimeOfDay.AFT: ("14:00", "17:15"),
    TimeOfDay.EVE: ("17:40", "20:50"),
}
_COMBINED = ("ENGL-302A", "SOC-429", "THM-421")
_READING = "PHIL-213"


@dataclass(slots=True)
class CampusPart:
    """A part; ``session`` is the number of its grade half."""

    session: int
    code: int
    kind: str
    name: str
    weight: Decimal
    teacher: str | None
    room: str | None


@dataclass(slots=True)
class CampusClass:
    """A class with its students' keys."""

    term: CampusTerm
    course: str
    cycle: Cycle
    section: str
    time_of_day: TimeOfDay
    class_type: ClassType = ClassType.STANDARD
    combined: str | None = None
    parts: list[CampusPart] = field(default_factory=list)
    students: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The class's key: its natural key."""
        return f"{self.term.code}/{self.course}/{self.section}/{self.time_of_day}"

    @property
    def sessions(self) -> int:
        """How many grade halves it has."""
        return session_count(self.course)

    @property
    def hours(self) -> tuple[str, str]:
        """When it begins and ends, local time."""
        return _TIMES[self.time_of_day]


class Timetable:
    """Fills terms with classes; every choice comes from one seeded source."""

    def __init__(self, people: Population, seed: int, size: int) -> None:
        self._people = people
        self._rng = random.Random(f"classes/{seed}/{size}")  # noqa: S311 - reproducible, not secret
        courses: list[dict[str, Any]] = data("courses.json")
        self._courses = {
            cycle: [course["code"] for course in courses if course["cycle"] == cycle]
            for cycle in Cycle
        }
        self._teacher = 0

    def classes(self, term: CampusTerm, *, share: int, of: int) -> list[CampusClass]:
        """The classes of one term, for the ``share``-th of ``of`` equal parts of its students."""
        if term.cycle is Cycle.LANG:
            kinds = 3
            own = [
                key
                for number, key in enumerate(self._people.language)
                if (number % kinds == 2) == (term.kind is TermType.ENG_B)
            ]
            rounds = 1
        elif term.cycle is Cycle.BA:
            # A few language students already take a bachelor's course beside it.
            own, rounds = [*self._people.bachelor, *self._people.language[::33]], 3
        else:
            own, rounds = list(self._people.master), 1
        own = own[share::of]
        self._rng.shuffle(own)
        waiting = own * rounds
        return list(self._fill(term, waiting))

    def _fill(self, term: CampusTerm, waiting: list[str]) -> Iterator[CampusClass]:
        plan = self._plan(term)
        taken: dict[str, set[str]] = defaultdict(set)
        while waiting:
            class_, size = next(plan)
            later: list[str] = []
            while waiting and len(class_.students) < size:
                student = waiting.pop(0)
                if class_.course in taken[student]:
                    later.append(student)
                else:
                    taken[student].add(class_.course)
                    class_.students.append(student)
            waiting = later + waiting
            if not class_.students:
                # Everybody left has this course already; the next one may suit them.
                continue
            self._staff(class_)
            yield class_

    def _plan(self, term: CampusTerm) -> Iterator[tuple[CampusClass, int]]:
        sections: dict[tuple[str, TimeOfDay], int] = defaultdict(int)
        if term.cycle is Cycle.BA:
            for course in _COMBINED:
                class_ = CampusClass(
                    term,
                    course,
                    term.cycle,
                    "1E603",
                    TimeOfDay.EVE,
                    ClassType.COMBINED,
                    "combined-1",
                )
                yield class_, 5
            yield (
                CampusClass(term, _READING, term.cycle, "A", TimeOfDay.AFT, ClassType.READING),
                3,
            )
        first_sizes = [16, 9, 47]
        number = 0
        while True:
            for course in self._courses[term.cycle]:
                # The same course and section exists in the evening and in the morning.
                time_of_day = TimeOfDay.MORN if number % 7 == 5 else TimeOfDay.EVE
                place = sections[course, time_of_day]
                sections[course, time_of_day] += 1
                size = (
                    first_sizes[number]
                    if number < len(first_sizes)
                    else int(self._rng.triangular(7, 47, 17))
                )
                number += 1
                section = chr(ord("A") + place % 26) + ("" if place < 26 else str(place // 26))
                yield CampusClass(term, course, term.cycle, section, time_of_day), size

    def _staff(self, class_: CampusClass) -> None:
        number = self._teacher = self._teacher + 1
        teachers = self._people.teachers
        lead: str | None = teachers[number % len(teachers)]
        if class_.combined:
            # What is combined shares its teacher and room.
            lead = teachers[0]
        elif number % 19 == 7:
            lead = None
        programme = class_.course.split("-")[0]
        shape = _PARTS.get(programme) or (
            _BA_PARTS if class_.cycle is Cycle.BA and number % 3 == 0 else (("MAIN", "Class", "1"),)
        )
        # In most IEAP classes nobody has filled the second half yet.
        filled = class_.sessions if number % 3 == 0 else 1
        for session in range(1, filled + 1):
            for code, (kind, name, weight) in enumerate(shape, start=1):
                other = teachers[(number + code) % len(teachers)]
                class_.parts.append(
                    CampusPart(
                        session=session,
                        code=code,
                        kind=kind,
                        name=name,
                        weight=Decimal(1) if number % 2 else Decimal(weight),
                        teacher=other if lead and code > 1 and number % 2 == 0 else lead,
                        room=None
                        if number % 11 == 4
                        else f"{'ABC'[number % 3]}{100 + number % 26}",
                    )
                )
