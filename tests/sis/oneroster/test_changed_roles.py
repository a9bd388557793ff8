"""An enrolment whose role changes is taken away where it was."""

from __future__ import annotations

from typing import Any

from lti_tool.core.clock import FixedClock
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.oneroster.importer import OneRosterImporter


def status(sis: EmbeddedSis) -> EnrollmentStatus:
    """Of the person whose role changes."""
    entry = sis.enrollment("P1", "K1")
    assert entry is not None
    return entry.status


def test_a_student_who_becomes_the_teacher_leaves_the_students(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis, clock: FixedClock
) -> None:
    importer.run(package.write())
    clock.advance(days=1)
    package["enrollments"][0]["role"] = "teacher"
    report = importer.run(package.write())
    assert report.errors == []
    assert report.files["enrollments"].removed == 1
    entry = sis.enrollment("P1", "K1")
    assert entry is not None
    assert (entry.status, entry.since) == (EnrollmentStatus.DROPPED, clock.now())
    assert [one.class_key for one in sis.classes_taught_by("P1")] == ["K1"]
    clock.advance(days=1)
    assert importer.run(package.write()).files["enrollments"].removed == 0
    assert sis.enrollment("P1", "K1") == entry

    package["enrollments"][0]["role"] = "student"
    assert importer.run(package.write()).files["enrollments"].removed == 1
    assert status(sis) is EnrollmentStatus.ENROLLED
    assert sis.classes_taught_by("P1") == []

    package["enrollments"][0]["role"] = "proctor"
    importer.run(package.write())
    assert status(sis) is EnrollmentStatus.DROPPED
    assert sis.classes_taught_by("P1") == []


def test_a_changed_role_that_cannot_land_changes_nothing(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    importer.run(package.write())
    package["enrollments"][0] |= {"role": "teacher", "classSourcedId": "nowhere"}
    assert len(importer.run(package.write()).errors) == 1
    assert status(sis) is EnrollmentStatus.ENROLLED


def test_an_older_row_of_another_role_is_late(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    importer.run(package.write())
    package.only("enrollments").delta("2026-03-01T12:00:00.000Z")
    importer.run(package.write())
    package["enrollments"][0] |= {
        "role": "teacher",
        "dateLastModified": "2026-03-01T11:00:00.000Z",
    }
    assert importer.run(package.write()).files["enrollments"].skipped == 1
    assert status(sis) is EnrollmentStatus.ENROLLED
    assert sis.classes_taught_by("P1") == []
    package["enrollments"][0]["dateLastModified"] = "2026-03-01T13:00:00.000Z"
    importer.run(package.write())
    assert status(sis) is EnrollmentStatus.DROPPED
    package["enrollments"][0] |= {
        "role": "student",
        "dateLastModified": "2026-03-01T12:30:00.000Z",
    }
    assert importer.run(package.write()).files["enrollments"].skipped == 1
    assert status(sis) is EnrollmentStatus.DROPPED
