"""Grade items, categories and grades: plain records that can be saved as JSON.

Weights are hundredths of a percent, as in the contract with the tool.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class LineItem:
    """A column of the gradebook. ``tool_id`` 0: a teacher's, or the SIS's.

    ``coupled`` belongs to an activity and was made with it; the others were made by a tool.
    ``known_to_service``: whether the grade service has a record of it (needed to delete it).
    ``parent_id``: the grade category in which it counts, ``None`` the course's. ``key``: which part
    of the class it is, ``""`` if none; ``stood``: it is a teacher's own that was connected to that
    part, and had this place and weight before. ``numeric``: it has grades that are numbers.
    """

    id: int
    course_id: int
    tool_id: int
    label: str
    maximum: float
    resource_id: str = ""
    tag: str = ""
    link_id: int | None = None
    coupled: bool = False
    known_to_service: bool = True
    minimum: float = 0.0
    parent_id: int | None = None
    weight: int = 0
    key: str = ""
    stood: tuple[int | None, int] | None = None
    locked: bool = False
    numeric: bool = True


@dataclass
class GradeCategory:
    """A grade category; ``id`` is its total's among the grade items.

    ``key``: which session of the class it is, or, where it ``stood`` elsewhere before, which part.
    ``weighted``: its total is the weighted mean of what has a grade.
    """

    id: int
    label: str
    parent_id: int | None = None
    weight: int = 0
    key: str = ""
    stood: tuple[int | None, int] | None = None
    locked: bool = False
    weighted: bool = True


@dataclass
class Gradebook:
    """How a course's grades add up. ``total_id`` is the course total's among the grade items.

    ``built``: by the SIS. ``letters``: (letter, minimum), the best first; none: the site's.
    """

    total_id: int
    weighted: bool = False
    built: bool = False
    locked: bool = False
    categories: list[GradeCategory] = field(default_factory=list)
    letters: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Grade:
    """A cell of the gradebook. ``modified`` is in seconds since the epoch.

    Of a total there is one only where it does not follow from its parts (``overridden``).
    ``source``: who answers for it, as the grade history says. ``grader``: an account. ``text``:
    the SIS's letter that stands for it, and is the comment.
    """

    final: float | None
    modified: float
    comment: str | None = None
    overridden: bool = False
    locked: bool = False
    source: str = ""
    grader: int | None = None
    text: str = ""
