"""Importing packages: what lands, what does not, and who is never removed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.clock import FixedClock
from lti_tool.core.database import Database
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.entities import (
    ClassStatus,
    EnrollmentStatus,
    GradeStatus,
    PersonStatus,
    TimeOfDay,
)
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.models import ImportRun, Person
from lti_tool.sis.oneroster.importer import OneRosterImporter


def statuses(sis: EmbeddedSis, class_key: str = "K1") -> dict[str, EnrollmentStatus]:
    return {
        entry.person.person_key: entry.status for part in sis.roster(class_key) for entry in part
    }


def everybody(count: int) -> list[dict[str, str]]:
    return [
        {"sourcedId": f"E{n}", "classSourcedId": "K1", "userSourcedId": f"P{n}", "role": "student"}
        for n in range(1, count + 1)
    ]


@pytest.fixture
def school(package: Any, importer: OneRosterImporter) -> Any:
    """A school of 40 students in one class, imported; then the same package to bend."""
    template = package["users"][0]
    package.files["users"] = [
        template | {"sourcedId": f"P{n}", "identifier": f"{n:05d}"} for n in range(1, 41)
    ]
    package.files["enrollments"] = everybody(40)
    assert importer.run(package.write()).errors == []
    return package


def test_whole_package_lands(package: Any, importer: OneRosterImporter, sis: EmbeddedSis) -> None:
    report = importer.run(package.write())
    assert report.errors == []
    assert statuses(sis) == dict.fromkeys(("P1", "P2", "P3"), EnrollmentStatus.ENROLLED)
    person = sis.person("P1")
    assert person is not None
    assert (person.student_id, person.khmer_name) == ("00001", "សុខ ដារ៉ា")
    assert person.is_student
    assert not person.is_teacher
    view = sis.class_("K1")
    assert view is not None
    assert (view.time_of_day, view.section, view.course_code) == (TimeOfDay.EVE, "A", "EHSS-07")
    # Without metadata: one session, one MAIN part, weight 1, its teacher the primary teacher.
    (part,) = view.parts
    assert (part.part_type, part.weight, part.teacher_key) == ("MAIN", Decimal(1), "P4")
    assert part.part_key == "K1/1.1"
    assert [one.class_key for one in sis.classes_taught_by("P4")] == ["K1"]


def test_ieap_has_two_sessions(package: Any, importer: OneRosterImporter, sis: EmbeddedSis) -> None:
    importer.run(package.write())
    view = sis.class_("K2")
    assert view is not None
    assert [(one.number, one.weight, len(one.parts)) for one in view.sessions] == [
        (1, Decimal(1), 1),
        (2, Decimal(0), 0),
    ]


def test_parts_in_metadata(package: Any, importer: OneRosterImporter, sis: EmbeddedSis) -> None:
    package["classes"][0]["metadata.naga.parts"] = (
        '[{"name":"Grammar","type":"GRAMMAR","weight":2,"teacher":"P4","room":"B101",'
        '"days":"MON,WED","start":"17:40","end":"19:00"},{"name":"Reading","weight":"1"}]'
    )
    importer.run(package.write())
    view = sis.class_("K1")
    assert view is not None
    grammar, reading = view.parts
    assert (grammar.name, grammar.room, grammar.meeting_days) == ("Grammar", "B101", ("MON", "WED"))
    assert grammar.weight + reading.weight == 1
    # The next export has one part less: it goes from the class, and its place is free.
    package["classes"][0]["metadata.naga.parts"] = '[{"id":"new","name":"Reading"}]'
    assert importer.run(package.write()).errors == []
    view = sis.class_("K1")
    assert view is not None
    assert [part.part_key for part in view.parts] == ["new"]
    # And an export that says nothing of parts leaves them.
    del package["classes"][0]["metadata.naga.parts"]
    importer.run(package.write())
    view = sis.class_("K1")
    assert view is not None
    assert [part.part_key for part in view.parts] == ["new"]


def test_second_import_changes_nothing(package: Any, importer: OneRosterImporter) -> None:
    importer.run(package.write())
    report = importer.run(package.write())
    assert all(
        (part.created, part.updated, part.removed) == (0, 0, 0) for part in report.files.values()
    )


def test_plan_lands_nothing_and_says_the_same(
    package: Any, importer: OneRosterImporter, database: Database
) -> None:
    package["users"][1]["enabledUser"] = "maybe"
    planned = importer.run(package.write(), plan=True)
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(ImportRun)) == 0
    done = importer.run(package.write())
    assert (planned.files, planned.errors) == (done.files, done.errors)


def test_import_is_logged_without_values(
    package: Any, importer: OneRosterImporter, database: Database
) -> None:
    package["users"][0]["email"] = "secret-name"
    importer.run(package.write(), actor="cli:x")
    with database.read() as session:
        run = session.scalars(sa.select(ImportRun)).one()
    assert (run.kind, run.actor, run.error_count) == ("oneroster", "cli:x", 3)
    assert "secret-name" not in str(run.issues)


def test_failure_in_the_middle_lands_nothing(
    package: Any, importer: OneRosterImporter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("lti_tool.sis.oneroster.importer.settle_teachers", fail)
    with pytest.raises(RuntimeError, match="killed"):
        importer.run(package.write())
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0


def test_zip_lands_like_a_folder(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    assert importer.run(package.zip({"../../evil.csv": b"x", "deep/users.csv": b"y"})).errors == []
    assert sis.person("P1") is not None


def test_bom_and_quoted_newlines(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    package["users"][0]["familyName"] = "Sok\nKeo"
    content = package.contents()["users.csv"]
    package.raw["users"] = b"\xef\xbb\xbf" + content
    package["users"].append(package["users"][0])
    assert importer.run(package.write()).errors == []
    person = sis.person("P1")
    assert person is not None
    assert person.family_name == "Sok Keo"


# --- who is never removed


def test_a_few_missing_students_are_dropped(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.files["enrollments"] = everybody(39)
    report = importer.run(school.write())
    assert report.files["enrollments"].removed == 1
    assert statuses(sis)["P40"] is EnrollmentStatus.DROPPED
    # Back again: the same row flips.
    school.files["enrollments"] = everybody(40)
    assert importer.run(school.write()).files["enrollments"].created == 0
    assert statuses(sis)["P40"] is EnrollmentStatus.ENROLLED


def test_many_missing_students_wait_for_a_yes(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.files["enrollments"] = everybody(20)
    report = importer.run(school.write())
    assert report.removals_waiting == 20
    assert EnrollmentStatus.DROPPED not in statuses(sis).values()
    report = importer.run(school.write(), accept_removals=True)
    assert report.files["enrollments"].removed == 20
    assert list(statuses(sis).values()).count(EnrollmentStatus.DROPPED) == 20


@pytest.mark.parametrize("accept", [False, True])
@pytest.mark.parametrize("cut", ["row", "quote", "header_only", "nothing", "no_key"])
def test_truncated_or_empty_removes_nobody(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis, cut: str, accept: bool
) -> None:
    whole = school.contents()["enrollments.csv"]
    lines = whole.split(b"\r\n")
    school.raw["enrollments"] = {
        "row": b"\r\n".join(lines[:30]) + b"\r\nE30,K1",
        "quote": b"\r\n".join(lines[:30]) + b'\r\nE30,"K1',
        "header_only": lines[0] + b"\r\n",
        "nothing": b"",
        "no_key": b"\r\n".join(lines[:30]) + b"\r\n,K1,P30,student\r\n",
    }[cut]
    report = importer.run(school.write(), accept_removals=accept)
    assert report.files["enrollments"].removed == 0
    assert EnrollmentStatus.DROPPED not in statuses(sis).values()
    assert report.notes


def test_cut_at_a_line_end_without_break_waits(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.files["enrollments"] = everybody(39)
    school.raw["enrollments"] = school.contents()["enrollments.csv"].rstrip(b"\r\n")
    report = importer.run(school.write())
    assert report.removals_waiting == 1
    assert statuses(sis)["P40"] is EnrollmentStatus.ENROLLED


def test_manifest_count_that_differs_removes_nobody(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.files["enrollments"] = everybody(39)
    school.properties["naga.count.enrollments"] = "40"
    report = importer.run(school.write(), accept_removals=True)
    assert report.files["enrollments"].removed == 0


def test_a_bad_row_is_not_a_missing_one(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school["enrollments"][0]["role"] = "captain"
    report = importer.run(school.write())
    assert [error.line for error in report.errors] == [2]
    assert report.files["enrollments"].missing == 0
    assert statuses(sis)["P1"] is EnrollmentStatus.ENROLLED


def test_who_finished_a_class_is_not_missing(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school["enrollments"][39]["metadata.naga.status"] = "COMPLETED"
    importer.run(school.write())
    school.files["enrollments"] = everybody(39)
    assert importer.run(school.write()).files["enrollments"].missing == 0
    assert statuses(sis)["P40"] is EnrollmentStatus.COMPLETED
    # A source that cannot say how a class ended does not undo it either.
    school.files["enrollments"] = everybody(40)
    importer.run(school.write())
    assert statuses(sis)["P40"] is EnrollmentStatus.COMPLETED


def test_missing_people_and_classes_become_inactive(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.files["users"].pop()
    school.files["classes"].pop()
    school.files["enrollments"] = everybody(39)
    importer.run(school.write())
    person, view = sis.person("P40"), sis.class_("K2")
    assert person is not None
    assert view is not None
    assert person.status is PersonStatus.INACTIVE
    assert view.status is ClassStatus.CANCELLED


# --- delta


def test_delta_changes_only_what_it_names(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.only("enrollments").delta()
    school.files["enrollments"] = [{**school["enrollments"][4], "status": "tobedeleted"}]
    report = importer.run(school.write())
    assert report.errors == []
    assert [key for key, one in statuses(sis).items() if not one.attends] == ["P5"]


def test_delta_older_than_what_is_stored_is_skipped(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    school.only("enrollments").delta()
    gone = everybody(5)[4] | {
        "status": "tobedeleted",
        "dateLastModified": "2026-03-01T12:00:00.000Z",
    }
    school.files["enrollments"] = [gone]
    importer.run(school.write())
    school.files["enrollments"] = [
        everybody(5)[4] | {"status": "active", "dateLastModified": "2026-03-01T11:00:00.000Z"}
    ]
    assert importer.run(school.write()).files["enrollments"].skipped == 1
    assert statuses(sis)["P5"] is EnrollmentStatus.DROPPED


def test_coming_back_under_a_new_id_keeps_the_row_and_its_grades(
    school: Any,
    importer: OneRosterImporter,
    sis: EmbeddedSis,
    database: Database,
    clock: FixedClock,
) -> None:
    grading = Grading(database, clock)
    grading.enter([GradeEntry("P5", "K1/1.1", Decimal(80))], actor="P4", submitted=True)
    school.only("enrollments").delta()
    school.files["enrollments"] = [
        everybody(5)[4]
        | {
            "sourcedId": "again",
            "status": "active",
            "dateLastModified": "2026-03-01T11:00:00.000Z",
        }
    ]
    assert importer.run(school.write()).errors == []
    assert len(statuses(sis)) == 40
    assert sis.student_grades("P5", "K1").parts[0].score == 80


def test_two_people_swap_their_student_ids(
    school: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    first, second = school["users"][0], school["users"][1]
    first["identifier"], second["identifier"] = second["identifier"], first["identifier"]
    assert importer.run(school.write()).errors == []
    people = sis.people(["P1", "P2"])
    assert (people["P1"].student_id, people["P2"].student_id) == ("00002", "00001")


def test_two_classes_swap_their_sections(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    for row, section in zip(package["classes"], "AB", strict=True):
        row |= {"courseSourcedId": "C1", "classCode": section, "metadata.naga.timeOfDay": "EVE"}
    importer.run(package.write())
    for row, section in zip(package["classes"], "BA", strict=True):
        row["classCode"] = section
    assert importer.run(package.write()).errors == []
    view = sis.class_("K1")
    assert view is not None
    assert view.section == "B"


def test_combined_classes(package: Any, importer: OneRosterImporter, sis: EmbeddedSis) -> None:
    for row in package["classes"]:
        row["metadata.naga.combined"] = "together"
    importer.run(package.write())
    view = sis.class_("K1")
    assert view is not None
    assert view.combined_with == ("K2",)


# --- results


def test_results_become_part_grades(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    package.files["lineItems"] = [
        {
            "sourcedId": "L1",
            "title": "Exam",
            "classSourcedId": "K1",
            "resultValueMax": "20",
            "metadata.naga.part": "K1/1.1",
        }
    ]
    package.files["results"] = [
        {
            "sourcedId": f"G{n}",
            "lineItemSourcedId": "L1",
            "studentSourcedId": f"P{n}",
            "scoreStatus": "fully graded",
            "score": score,
        }
        for n, score in ((1, "0"), (2, "15"), (3, "21"), (4, "3"))
    ]
    report = importer.run(package.write())
    assert [(error.line, error.field) for error in report.errors] == [
        (4, "score"),
        (5, "studentSourcedId"),
    ]
    grades = {one.person_key: one for one in sis.part_grades("K1", ["K1/1.1"])}
    assert {key: one.score for key, one in grades.items()} == {"P1": 0, "P2": 75}
    assert grades["P1"].status is GradeStatus.SUBMITTED
    final = sis.student_grades("P2", "K1").final
    assert final is not None
    assert (final.score, final.letter) == (Decimal(75), "C")
