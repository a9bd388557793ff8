"""The school as a OneRoster 1.2 CSV folder, which is how it reaches the SIS."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from tests.e2e import school

SPEAKING = "e2e-part-speaking"
WRITING = "e2e-part-writing"
SECOND_PART = "e2e-part-second"
OTHER_PART = "e2e-part-other"

PART_NAMES = {SPEAKING: "Speaking", WRITING: "Writing", SECOND_PART: "Reading"}

Row = dict[str, str]


def speaking_score(key: str) -> Decimal | None:
    """A student's score for the part Speaking; the first one's is 0, the second has none."""
    number = int(key[-3:])
    if number == 2:
        return None
    return Decimal(0) if number == 1 else Decimal(40 + number % 60) + Decimal(number % 4) / 4


def write(folder: Path, *, today: dt.date) -> Path:
    """Write the package; the term runs today."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[Row]] = {
        "orgs": [{"sourcedId": "e2e-school", "name": "End-to-end school", "type": "school"}],
        "academicSessions": [
            {
                "sourcedId": "e2e-term",
                "title": "E2E term",
                "type": "term",
                "startDate": (today - dt.timedelta(days=30)).isoformat(),
                "endDate": (today + dt.timedelta(days=60)).isoformat(),
                "schoolYear": str(today.year),
            }
        ],
        "courses": [
            _course("e2e-course-7", "EHSS-07", "English for high school, seven"),
            _course("e2e-course-8", "EHSS-08", "English for high school, eight"),
        ],
        "users": [_user(key) for key in _everybody()],
        "roles": [
            _role(key, "teacher" if key in (school.TEACHER, school.OTHER_TEACHER) else "student")
            for key in _everybody()
        ],
        "classes": [
            _class(
                school.BIG_CLASS,
                "e2e-course-7",
                "A",
                [
                    _part(SPEAKING, 1, "0.4", school.TEACHER),
                    _part(WRITING, 2, "0.6", school.TEACHER),
                ],
            ),
            _class(
                school.SECOND_CLASS,
                "e2e-course-8",
                "A",
                [_part(SECOND_PART, 1, "1", school.TEACHER)],
            ),
            _class(
                school.OTHER_CLASS,
                "e2e-course-8",
                "B",
                [_part(OTHER_PART, 1, "1", school.OTHER_TEACHER)],
            ),
        ],
        "enrollments": [
            _enrollment(school.BIG_CLASS, school.TEACHER, "teacher"),
            _enrollment(school.SECOND_CLASS, school.TEACHER, "teacher"),
            _enrollment(school.OTHER_CLASS, school.OTHER_TEACHER, "teacher"),
            *(_enrollment(school.BIG_CLASS, key, "student") for key in school.IN_BIG_CLASS),
            _enrollment(school.BIG_CLASS, school.DROPPED, "student", status="DROPPED"),
            *(_enrollment(school.SECOND_CLASS, key, "student") for key in school.IN_SECOND_CLASS),
        ],
        "lineItems": [
            _line_item(SPEAKING, school.BIG_CLASS),
            _line_item(SECOND_PART, school.SECOND_CLASS),
        ],
        "results": [
            *(_result(SPEAKING, key) for key in school.IN_BIG_CLASS),
            *(_result(SECOND_PART, key) for key in school.IN_SECOND_CLASS),
        ],
    }
    for name, rows in files.items():
        _write(folder / f"{name}.csv", rows)
    properties = {"manifest.version": "1.0", "oneroster.version": "1.2"} | {
        f"file.{name}": "bulk" for name in files
    }
    properties |= {"source.systemName": "End-to-end tests", "source.systemCode": "e2e"}
    _write(
        folder / "manifest.csv",
        [{"propertyName": name, "value": value} for name, value in properties.items()],
    )
    return folder


def _everybody() -> Sequence[str]:
    return (school.TEACHER, school.OTHER_TEACHER, *school.SIS_STUDENTS)


def _course(key: str, code: str, title: str) -> Row:
    return {
        "sourcedId": key,
        "title": title,
        "courseCode": code,
        "orgSourcedId": "e2e-school",
        "metadata.naga.cycle": "LANG",
    }


def _user(key: str) -> Row:
    names = school.name(key)
    return {
        "sourcedId": key,
        "enabledUser": "true",
        "username": key,
        "givenName": names.personal,
        "familyName": names.family,
        "identifier": key.removeprefix(school.PREFIX),
        "email": f"{key}@example.edu",
        "metadata.naga.khmerName": names.khmer,
    }


def _role(key: str, role: str) -> Row:
    return {
        "sourcedId": f"{key}-role",
        "userSourcedId": key,
        "roleType": "primary",
        "role": role,
        "orgSourcedId": "e2e-school",
    }


def _class(key: str, course: str, section: str, parts: list[Mapping[str, object]]) -> Row:
    return {
        "sourcedId": key,
        "title": f"{course} {section}",
        "courseSourcedId": course,
        "classCode": section,
        "classType": "scheduled",
        "schoolSourcedId": "e2e-school",
        "termSourcedIds": "e2e-term",
        "metadata.naga.section": section,
        "metadata.naga.timeOfDay": "EVE",
        "metadata.naga.status": "ACTIVE",
        "metadata.naga.parts": json.dumps(parts, ensure_ascii=False),
    }


def _part(key: str, code: int, weight: str, teacher: str) -> Mapping[str, object]:
    return {
        "id": key,
        "code": code,
        "name": PART_NAMES.get(key, "Listening"),
        "weight": weight,
        "teacher": teacher,
        "room": "A-201",
        "days": "MON,WED,FRI",
        "start": "17:30",
        "end": "19:00",
    }


def _enrollment(class_key: str, key: str, role: str, *, status: str = "") -> Row:
    return {
        "sourcedId": f"{class_key}-{key}",
        "classSourcedId": class_key,
        "schoolSourcedId": "e2e-school",
        "userSourcedId": key,
        "role": role,
        "primary": "true" if role == "teacher" else "",
        "metadata.naga.status": status or ("ENROLLED" if role == "student" else ""),
    }


def _line_item(part: str, class_key: str) -> Row:
    return {
        "sourcedId": f"{part}-line",
        "title": PART_NAMES[part],
        "classSourcedId": class_key,
        "resultValueMin": "0",
        "resultValueMax": "100",
        "metadata.naga.part": part,
    }


def _result(part: str, key: str) -> Row:
    score = speaking_score(key)
    return {
        "sourcedId": f"{part}-{key}",
        "lineItemSourcedId": f"{part}-line",
        "studentSourcedId": key,
        "scoreStatus": "not submitted" if score is None else "fully graded",
        "score": "" if score is None else str(score),
        "metadata.naga.status": "" if score is None else "SUBMITTED",
    }


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
