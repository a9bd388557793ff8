"""The campus's people: students and teachers, with the names and addresses that break software."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from importlib import resources
from typing import Any

from lti_tool.sis.entities import PersonStatus
from lti_tool.sis.search import fold

_NAMESPACE = uuid.UUID("6f1ad1f7-5a6b-5c0e-9a55-0d9c7a1f4e21")
_LONGEST = 255
_DOMAIN = "naga.example"


@dataclass(frozen=True, slots=True)
class Population:
    """Rows of ``sis_person`` and the keys of students by programme, and of teachers."""

    rows: list[dict[str, Any]]
    language: list[str]
    bachelor: list[str]
    master: list[str]
    teachers: list[str]


def data(name: str) -> Any:
    """A JSON file of ``sis/data``."""
    return json.loads((resources.files("lti_tool.sis") / "data" / name).read_text("utf-8"))


def campus_key(seed: int, *what: object) -> str:
    """A deterministic UUID for something of the campus with this seed."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(str(part) for part in (seed, *what))))


def populate(size: int, seed: int) -> Population:
    """``size`` students, seven in ten of them in language courses, and the teachers they need."""
    rng = random.Random(f"people/{seed}/{size}")  # noqa: S311 - reproducible, not secret
    names = data("names.json")
    rows = [_student(rng, names, seed, number, size) for number in range(size)]
    keys = [row["sourced_id"] for row in rows]
    bachelor = max(13, size * 26 // 100)
    master = max(2, size * 4 // 100)
    language = size - bachelor - master
    teachers = [_teacher(rng, names, seed, number) for number in range(6 + size // 20)]
    # A few master's students teach: one person, two roles.
    for row in rows[language + bachelor :][::5]:
        row["is_teacher"] = True
    both = [row["sourced_id"] for row in rows if row["is_teacher"]]
    own = [row["sourced_id"] for row in teachers]
    # Teachers who study: they sit in a master's class with a student id like anybody else's.
    for number, row in enumerate(teachers[4::6]):
        row |= {"is_student": True, "student_id": f"{200001 + number}"}
    studying = [row["sourced_id"] for row in teachers if row["is_student"]]
    for row in (*rows, *teachers):
        row["search"] = fold(
            row["family_name"],
            row["personal_name"],
            row["khmer_name"],
            row["student_id"],
            row["school_email"],
            row["sourced_id"],
        )
    return Population(
        rows=[*rows, *teachers],
        language=keys[:language],
        bachelor=keys[language : language + bachelor],
        master=keys[language + bachelor :] + studying,
        teachers=own + both,
    )


def _person(rng: random.Random, names: dict[str, list[list[str]]]) -> dict[str, Any]:
    family, personal = rng.choice(names["family"]), rng.choice(names["personal"])
    return {
        "family_name": family[0],
        "personal_name": personal[0],
        "khmer_name": f"{family[1]} {personal[1]}",
        "status": PersonStatus.ACTIVE,
        "is_student": False,
        "is_teacher": False,
        "student_id": None,
        "active": True,
        "source_modified_at": None,
    }


def _student(
    rng: random.Random, names: dict[str, list[list[str]]], seed: int, number: int, size: int
) -> dict[str, Any]:
    row = _person(rng, names)
    # The oldest tenth has short ids, shown with leading zeros; the numbers were later restarted.
    old = size // 10
    student_id = f"{number + 5:05d}" if number < old else f"{100001 + number - old}"
    email: str | None = f"s{student_id}@students.{_DOMAIN}"
    match number % 53:
        case 3:
            row["family_name"] = (row["family_name"] + " ") * 60
            row["personal_name"] = (row["personal_name"] + "-") * 60
            row["khmer_name"] = row["khmer_name"] * 30
        case 5 | 23:
            row["family_name"] = ""
        case 7:
            row["personal_name"] = ""
        case 11 | 31 | 44:
            row["khmer_name"] = None
        case 13:
            row["family_name"], row["personal_name"] = row["khmer_name"].split(" ")
        case 17:
            row["personal_name"] = "D'ARA-ÉLISE"
        case 4 | 14 | 24 | 34:
            email = None
        case 9 | 10:
            # Brothers and sisters who share one address.
            email = f"family{number // 53}@students.{_DOMAIN}"
        case 29:
            row["status"] = PersonStatus.FROZEN
        case _:
            pass
    for name in ("family_name", "personal_name", "khmer_name"):
        row[name] = row[name][:_LONGEST].strip() if row[name] else row[name]
    return row | {
        "sourced_id": campus_key(seed, "student", number),
        "student_id": student_id,
        "school_email": email,
        "is_student": True,
    }


def _teacher(
    rng: random.Random, names: dict[str, list[list[str]]], seed: int, number: int
) -> dict[str, Any]:
    return _person(rng, names) | {
        "sourced_id": campus_key(seed, "teacher", number),
        "school_email": None if number % 9 == 8 else f"t{number + 1:03d}@{_DOMAIN}",
        "is_teacher": True,
    }
