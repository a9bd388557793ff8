"""A class of 300, the same people in Moodle and in the SIS but for those who are not.

Keys begin with ``e2e-``: they are the usernames and ID numbers in Moodle and the sourced ids in
the SIS, and what is deleted afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

PREFIX = "e2e-"
PASSWORD = "Naga-1234-e2e"

BIG_CLASS = "e2e-class-big"
SECOND_CLASS = "e2e-class-second"
OTHER_CLASS = "e2e-class-other"
BIG_COURSE = "e2e-big"
SECOND_COURSE = "e2e-second"

TEACHER = "e2e-teacher"
OTHER_TEACHER = "e2e-teacher2"

ENROLLED = 300
HERE = 296
SECOND_SIZE = 8

_FAMILY = ("CHAN", "SUN", "HENG", "KIM", "LY", "CHHOEUN", "MAO", "NUON", "KEO", "TEP", "SOK")
_PERSONAL = ("SOKHA", "DARA", "SREYMOM", "VICHET", "BOPHA", "ROTANA", "PISETH", "CHANTHA", "NARY")
_KHMER = ("ចាន់ សុខា", "ស៊ុន ដារ៉ា", "ហេង ស្រីមុំ", "គឹម វិចិត្រ", "លី បុប្ផា")


def student(number: int) -> str:
    """The key of one student, from 1."""
    return f"{PREFIX}s{number:03d}"


# Enrolled in the SIS, with an account in Moodle, but not in the course.
NOT_IN_COURSE = (student(297), student(298))
# Enrolled in the SIS, without an account in Moodle.
NO_ACCOUNT = (student(299), student(300))
# Dropped in the SIS, still in the course.
DROPPED = student(301)
# Known to the SIS, in the course, but never enrolled in the class.
NEVER_ENROLLED = student(302)
# In the course, and the SIS has no such person.
STRANGER = f"{PREFIX}stranger"
# In the course without any ID number.
NAMELESS = f"{PREFIX}nameless"
# With an account in Moodle, enrolled only in the second class and course.
NEWCOMER = student(303)

SIS_STUDENTS = tuple(student(number) for number in range(1, 304))
IN_BIG_CLASS = tuple(student(number) for number in range(1, ENROLLED + 1))
# The first who is missing from the big course opens the tool from the second one.
IN_SECOND_CLASS = (
    *(student(number) for number in range(1, SECOND_SIZE - 1)),
    NOT_IN_COURSE[0],
    NEWCOMER,
)


@dataclass(frozen=True)
class Name:
    """A person's names in the SIS."""

    family: str
    personal: str
    khmer: str


def name(key: str) -> Name:
    """The same names for the same key, every time."""
    if key == TEACHER:
        return Name("PICH", "SOVANN", "ពេជ្រ សុវណ្ណ")
    if key == OTHER_TEACHER:
        return Name("MEAS", "RITHY", "មាស រិទ្ធី")
    digits = "".join(filter(str.isdigit, key.rpartition("-")[2]))
    number = int(digits) if digits else len(key)
    return Name(
        _FAMILY[number % len(_FAMILY)],
        f"{_PERSONAL[number % len(_PERSONAL)]} {number}",
        _KHMER[number % len(_KHMER)],
    )


def moodle_document() -> dict[str, Any]:
    """What ``seed.php seed`` makes in Moodle."""
    people = [
        _account(TEACHER, (BIG_COURSE, "editingteacher"), (SECOND_COURSE, "editingteacher")),
        *(
            _account(
                key,
                (BIG_COURSE, "student"),
                *([(SECOND_COURSE, "student")] if key in IN_SECOND_CLASS else []),
            )
            for key in (*IN_BIG_CLASS[:HERE], DROPPED, NEVER_ENROLLED, STRANGER, NAMELESS)
        ),
        _account(NOT_IN_COURSE[0], (SECOND_COURSE, "student")),
        _account(NOT_IN_COURSE[1]),
        _account(NEWCOMER, (SECOND_COURSE, "student")),
    ]
    return {
        "courses": [
            {"shortname": BIG_COURSE, "fullname": "English seven, evening", "idnumber": BIG_CLASS},
            {"shortname": SECOND_COURSE, "fullname": "English eight", "idnumber": ""},
        ],
        "people": people,
    }


def _account(key: str, *enrolments: tuple[str, str]) -> dict[str, Any]:
    names = name(key)
    return {
        "username": key,
        "firstname": names.personal.title(),
        "lastname": names.family.title(),
        "email": f"{key}@example.edu",
        "idnumber": "" if key == NAMELESS else key,
        "password": PASSWORD,
        "enrolments": [{"course": course, "role": role} for course, role in enrolments],
    }
