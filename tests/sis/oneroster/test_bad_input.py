"""Each bad input by name: what is said, where, and that nothing wrong lands."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lti_tool.core.database import Database
from lti_tool.sis.embedded import EmbeddedSis
from lti_tool.sis.models import Person
from lti_tool.sis.oneroster import package as package_module
from lti_tool.sis.oneroster.importer import OneRosterImporter
from lti_tool.sis.oneroster.report import PackageError

PARTS = "metadata.naga.parts"


@pytest.mark.parametrize(
    ("file", "row", "column", "value"),
    [
        ("academicSessions", 0, "startDate", "06/01/2026"),
        ("academicSessions", 0, "startDate", "2026-13-01"),
        ("academicSessions", 0, "endDate", "2025-01-01"),
        ("academicSessions", 0, "type", "trimester"),
        ("academicSessions", 0, "title", ""),
        ("orgs", 0, "type", "castle"),
        ("courses", 0, "orgSourcedId", "nowhere"),
        ("users", 0, "enabledUser", "yes"),
        ("users", 0, "email", "not an address"),
        ("users", 0, "email", "two@@naga.example"),
        ("users", 0, "givenName", "x" * 256),
        ("users", 0, "givenName", "nul\x00byte"),
        ("users", 0, "givenName", "\udcff"),
        ("users", 0, "givenName", "y" * 10_000_000),
        ("users", 1, "identifier", "00001"),
        ("users", 1, "sourcedId", "P1"),
        ("users", 0, "sourcedId", ""),
        ("users", 0, "metadata.naga.status", "ALIVE"),
        ("users", 0, "status", "gone"),
        ("users", 0, "dateLastModified", "2026-03-01"),
        ("users", 0, "dateLastModified", "0001-01-01T00:00:00+14:00"),
        ("roles", 0, "role", "captain"),
        ("roles", 0, "userSourcedId", "nobody"),
        ("classes", 0, "courseSourcedId", "no-course"),
        ("classes", 0, "termSourcedIds", "T1,T9"),
        ("classes", 0, "termSourcedIds", ","),
        ("classes", 0, "metadata.naga.timeOfDay", "DAWN"),
        ("classes", 0, PARTS, "not json"),
        ("classes", 0, PARTS, "[]"),
        ("classes", 0, PARTS, '[{"weight":"heavy"}]'),
        ("classes", 0, PARTS, '[{"weight":-1}]'),
        ("classes", 0, PARTS, '[{"code":1},{"code":1}]'),
        ("classes", 0, PARTS, '[{"id":"x"},{"id":"x"}]'),
        ("classes", 0, PARTS, '[{"teacher":"nobody"}]'),
        ("classes", 0, PARTS, '[{"start":"late"}]'),
        ("classes", 0, PARTS, '[{"days":"FUNDAY"}]'),
        ("classes", 0, PARTS, '[{"name":"\\u0000"}]'),
        ("classes", 0, PARTS, "[" * 100_000),
        ("enrollments", 0, "classSourcedId", "no-class"),
        ("enrollments", 0, "userSourcedId", "nobody"),
        ("enrollments", 1, "userSourcedId", "P1"),
        ("enrollments", 0, "role", "guest"),
        ("enrollments", 0, "primary", "1"),
        ("enrollments", 0, "metadata.naga.status", "WAITLISTED"),
    ],
)
def test_bad_field_is_reported_once_with_its_place(
    package: Any, importer: OneRosterImporter, file: str, row: int, column: str, value: str
) -> None:
    package.files[file][row][column] = value
    path = package.write()
    if value == "\udcff":
        raw = package.contents()[f"{file}.csv"].replace(
            "\udcff".encode("utf-8", "surrogatepass"), b"\xff"
        )
        (path / f"{file}.csv").write_bytes(raw)
    report = importer.run(path)
    here = [error for error in report.errors if error.file == file]
    (error,) = here
    assert error.line == row + 2
    assert error.field == column
    assert error.problem
    assert error.remedy
    assert report.files[file].failed == 1
    # The other rows of the file landed.
    assert report.files[file].created == len(package.files[file]) - 1


def test_same_course_term_section_and_time_twice(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis
) -> None:
    package["classes"][1] |= {"courseSourcedId": "C1", "metadata.naga.timeOfDay": "EVE"}
    (error,) = importer.run(package.write()).errors
    assert (error.file, error.line, error.field) == ("classes", 3, "metadata.naga.section")
    assert sis.class_("K1") is not None
    assert sis.class_("K2") is None


def test_nameless_person(package: Any, importer: OneRosterImporter) -> None:
    package["users"][0] |= {"givenName": "", "familyName": ""}
    errors = [error for error in importer.run(package.write()).errors if error.file == "users"]
    assert [error.field for error in errors] == ["familyName"]


def test_one_name_is_enough(package: Any, importer: OneRosterImporter) -> None:
    package["users"][0]["givenName"] = ""
    assert importer.run(package.write()).errors == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("manifest.version", "2.0"),
        ("oneroster.version", "1.1"),
    ],
)
def test_wrong_version_lands_nothing(
    package: Any, importer: OneRosterImporter, database: Database, name: str, value: str
) -> None:
    package.properties[name] = value
    with pytest.raises(PackageError) as caught:
        importer.run(package.write())
    assert caught.value.field == name
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Person)) == 0


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"propertyName,value\nx\n", b"\xff\xfe", b'"'])
def test_broken_manifest(package: Any, importer: OneRosterImporter, content: bytes) -> None:
    path = package.write()
    (path / "manifest.csv").write_bytes(content)
    with pytest.raises(PackageError):
        importer.run(path)


def test_no_manifest(package: Any, importer: OneRosterImporter) -> None:
    path = package.write()
    (path / "manifest.csv").unlink()
    with pytest.raises(PackageError):
        importer.run(path)


@pytest.mark.parametrize("mode", ["absent", "sometimes"])
def test_file_that_the_manifest_does_not_declare_does_not_land(
    package: Any, importer: OneRosterImporter, sis: EmbeddedSis, mode: str
) -> None:
    package.properties["file.enrollments"] = mode
    errors = importer.run(package.write()).errors
    assert [(error.file, error.line) for error in errors] == [("enrollments", 0)]
    assert sis.class_("K1") is not None
    assert list(sis.roster("K1")) == []


def test_declared_file_that_is_missing(package: Any, importer: OneRosterImporter) -> None:
    package.properties["file.results"] = "delta"
    assert [error.field for error in importer.run(package.write()).errors] == ["file.results"]


def test_file_that_oneroster_does_not_know(package: Any, importer: OneRosterImporter) -> None:
    package.raw["pets"] = b"sourcedId\n1\n"
    assert [error.file for error in importer.run(package.write()).errors] == ["pets"]


def test_demographics_are_refused_with_a_note(package: Any, importer: OneRosterImporter) -> None:
    package.files["demographics"] = [{"sourcedId": "P1", "birthDate": "2010-01-01"}]
    report = importer.run(package.write())
    assert report.errors == []
    assert any("demographics.csv was not read" in note for note in report.notes)


def test_no_table_has_a_column_for_what_minors_must_not_leave_behind() -> None:
    columns = {column.name for column in Person.__table__.columns}
    assert not {name for name in columns if "birth" in name or "phone" in name or "monk" in name}


def test_header_without_a_required_column(package: Any, importer: OneRosterImporter) -> None:
    for row in package["roles"]:
        del row["role"]
    (error,) = importer.run(package.write()).errors
    assert (error.file, error.line, error.field) == ("roles", 1, "role")


def test_header_with_a_column_twice(package: Any, importer: OneRosterImporter) -> None:
    package.raw["roles"] = b"sourcedId,role,role,userSourcedId\nR1,student,student,P1\n"
    (error,) = importer.run(package.write()).errors
    assert (error.file, error.line) == ("roles", 1)


def test_delta_needs_status_and_time(package: Any, importer: OneRosterImporter) -> None:
    package.only("orgs").delta()
    package["orgs"].append({"sourcedId": "x", "name": "X", "type": "school", "status": "active"})
    (error,) = importer.run(package.write()).errors
    assert (error.line, error.field) == (3, "dateLastModified")


@pytest.mark.parametrize(
    "line", [b"R9,student", b"R9,student,P1,naga,extra,more", b'R9,"stu"dent,P1']
)
def test_row_out_of_shape_is_one_error_and_the_rest_lands(
    package: Any, importer: OneRosterImporter, line: bytes
) -> None:
    package.raw["roles"] = (
        b"sourcedId,role,userSourcedId\nR1,student,P1\n" + line + b"\nR2,student,P2\n"
    )
    report = importer.run(package.write())
    assert [(error.file, error.line) for error in report.errors] == [("roles", 3)]
    assert report.files["roles"].created == 2


# --- packages that mean harm


def test_not_a_zip(importer: OneRosterImporter, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK not really")
    with pytest.raises(PackageError):
        importer.run(path)


def test_zip_bomb(package: Any, importer: OneRosterImporter) -> None:
    package.raw["users"] = b"sourcedId,enabledUser\n" + b"0" * 20_000_000
    with pytest.raises(PackageError, match="compressed more than"):
        importer.run(package.zip())


def test_file_over_the_size_limit(
    package: Any, importer: OneRosterImporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_module, "MAX_FILE_BYTES", 100)
    with pytest.raises(PackageError, match="larger than"):
        importer.run(package.write())


def test_damaged_zip(package: Any, importer: OneRosterImporter, sis: EmbeddedSis) -> None:
    path = package.zip()
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("users.csv")
        start = info.header_offset + 30 + len("users.csv")
    raw = bytearray(path.read_bytes())
    raw[start + 5 : start + 15] = b"\x00" * 10
    path.write_bytes(raw)
    with pytest.raises(PackageError, match="damaged"):
        importer.run(path)
    assert sis.person("P1") is None


def test_files_in_a_folder_inside_the_zip(package: Any, importer: OneRosterImporter) -> None:
    path = package.folder.parent / "nested.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in package.contents().items():
            archive.writestr(f"export/{name}", content)
    with pytest.raises(PackageError, match="folder inside the zip"):
        importer.run(path)


def test_link_to_another_file(package: Any, importer: OneRosterImporter, tmp_path: Path) -> None:
    path = package.write()
    (tmp_path / "elsewhere.csv").write_bytes(b"secret")
    (path / "orgs.csv").unlink()
    (path / "orgs.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(PackageError, match="plain file"):
        importer.run(path)
