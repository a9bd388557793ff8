"""The files of OneRoster 1.2 that are read, and their columns. Order is the order of landing."""

from __future__ import annotations

from dataclasses import dataclass

from lti_tool.sis.entities import (
    ClassStatus,
    ClassType,
    EnrollmentStatus,
    GradeStatus,
    PersonStatus,
    TimeOfDay,
)
from lti_tool.sis.models import Cycle, TermType
from lti_tool.sis.oneroster import fields
from lti_tool.sis.oneroster.fields import Column, choice, number, text

NAGA = "metadata.naga."
_KEY = text()


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file and the columns of it that are read; others are ignored."""

    name: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that the header must have."""
        return ("sourcedId", *(column.name for column in self.columns if column.required))


FILES: dict[str, FileSpec] = {
    spec.name: spec
    for spec in (
        FileSpec(
            "orgs",
            (
                Column("name", text(), required=True),
                Column(
                    "type",
                    choice("department", "school", "district", "local", "state", "national"),
                    required=True,
                ),
            ),
        ),
        FileSpec(
            "academicSessions",
            (
                Column("title", text(), required=True),
                Column(
                    "type", choice("gradingPeriod", "semester", "schoolYear", "term"), required=True
                ),
                Column("startDate", fields.date, required=True),
                Column("endDate", fields.date, required=True),
                Column(NAGA + "code", text(100)),
                Column(NAGA + "cycle", choice(*Cycle)),
                Column(NAGA + "termType", choice(*TermType)),
            ),
        ),
        FileSpec(
            "courses",
            (
                Column("title", text(), required=True),
                Column("courseCode", text(50)),
                Column("orgSourcedId", _KEY),
                Column(NAGA + "cycle", choice(*Cycle)),
                Column(NAGA + "credits", number(0, 99)),
            ),
        ),
        FileSpec(
            "users",
            (
                Column("enabledUser", fields.boolean, required=True),
                Column("givenName", text()),
                Column("familyName", text()),
                Column("identifier", text(30)),
                Column("email", fields.email),
                Column(NAGA + "khmerName", text()),
                Column(NAGA + "studentId", text(30)),
                Column(NAGA + "status", choice(*PersonStatus)),
            ),
        ),
        FileSpec(
            "roles",
            (
                Column("userSourcedId", _KEY, required=True),
                Column(
                    "role",
                    choice(
                        "aide",
                        "counselor",
                        "districtAdministrator",
                        "guardian",
                        "parent",
                        "principal",
                        "proctor",
                        "relative",
                        "siteAdministrator",
                        "student",
                        "systemAdministrator",
                        "teacher",
                    ),
                    required=True,
                ),
                Column("orgSourcedId", _KEY),
            ),
        ),
        FileSpec(
            "classes",
            (
                Column("title", text(), required=True),
                Column("courseSourcedId", _KEY, required=True),
                Column("classCode", text()),
                Column("classType", choice("homeroom", "scheduled")),
                Column("location", text(100)),
                Column("schoolSourcedId", _KEY),
                Column("termSourcedIds", fields.keys, required=True),
                Column(NAGA + "section", text()),
                Column(NAGA + "timeOfDay", choice(*TimeOfDay)),
                Column(NAGA + "type", choice(*ClassType)),
                Column(NAGA + "status", choice(*ClassStatus)),
                Column(NAGA + "combined", text()),
                Column(NAGA + "capacity", number(1, 100000)),
                Column(NAGA + "parts", fields.parts),
            ),
        ),
        FileSpec(
            "enrollments",
            (
                Column("classSourcedId", _KEY, required=True),
                Column("userSourcedId", _KEY, required=True),
                Column(
                    "role", choice("administrator", "proctor", "student", "teacher"), required=True
                ),
                Column("primary", fields.boolean),
                Column("beginDate", fields.date),
                Column("endDate", fields.date),
                Column(NAGA + "status", choice(*EnrollmentStatus)),
                Column(NAGA + "audit", fields.boolean),
            ),
        ),
        FileSpec(
            "lineItems",
            (
                Column("title", text(), required=True),
                Column("classSourcedId", _KEY, required=True),
                Column("resultValueMin", number(-1000000, 1000000)),
                Column("resultValueMax", number(0, 1000000)),
                Column(NAGA + "part", _KEY),
            ),
        ),
        FileSpec(
            "results",
            (
                Column("lineItemSourcedId", _KEY, required=True),
                Column("studentSourcedId", _KEY, required=True),
                Column(
                    "scoreStatus",
                    choice(
                        "exempt",
                        "fully graded",
                        "not submitted",
                        "partially graded",
                        "submitted",
                    ),
                    required=True,
                ),
                Column("score", number(-1000000, 1000000)),
                Column(NAGA + "status", choice(*GradeStatus)),
            ),
        ),
    )
}

#: Files that are never read, and why. Absent here and above: not known to this import.
REFUSED: dict[str, str] = {
    "demographics": "birth dates and the like are not stored, whatever is sent",
    "userProfiles": "accounts and passwords of other systems are not stored",
}

#: Every file that a manifest may name.
KNOWN = (
    frozenset(FILES)
    | frozenset(REFUSED)
    | {
        "categories",
        "classResources",
        "courseResources",
        "lineItemLearningObjectiveIds",
        "lineItemScoreScales",
        "resources",
        "resultLearningObjectiveIds",
        "resultScoreScales",
        "scoreScales",
        "userResources",
    }
)
