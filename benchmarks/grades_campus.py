"""The people and courses whose grades are measured, as documents."""

from __future__ import annotations

from typing import Any

from lti_tool.moodle.documents import AnyDocument, Document, Gradebook, GradeCategory, GradeItem

PREFIX = "nbgrades"
STUDENTS, COURSES = 1000, 20
EACH = STUDENTS // COURSES


def _person(number: int) -> str:
    return f"{PREFIX}s{number:04}"


def campus() -> list[Document]:
    """A term, its people, its courses, and who is in which."""
    term: dict[str, Any] = {"kind": "category", "idnumber": f"{PREFIX}t", "name": PREFIX}
    people = [
        {
            "kind": "user",
            "idnumber": _person(number),
            "username": _person(number),
            "firstname": "Student",
            "lastname": f"{number}",
            "email": f"{_person(number)}@example.edu",
        }
        for number in range(STUDENTS)
    ]
    found: list[dict[str, Any]] = [term, *people]
    for number in range(COURSES):
        course = f"{PREFIX}c{number:02}"
        found.append(
            {
                "kind": "course",
                "idnumber": course,
                "shortname": course,
                "fullname": course,
                "category": term["idnumber"],
                "startdate": 1_767_225_600,
            }
        )
        members = [{"user": _person(number * EACH + each)} for each in range(EACH)]
        found.append({"kind": "roster", "course": course, "count": EACH, "members": members})
    return [AnyDocument.validate_python(each) for each in found]


def gradebook(course: str) -> Gradebook:
    """Two sessions of two parts."""
    return Gradebook(
        course=course,
        categories=[
            GradeCategory(key="mid", name="Midterm", weight=4000),
            GradeCategory(key="end", name="Final", weight=6000),
        ],
        items=[
            GradeItem(key=f"{category}{part}", name=f"Part {part}", category=category, weight=5000)
            for category in ("mid", "end")
            for part in (1, 2)
        ],
    )
