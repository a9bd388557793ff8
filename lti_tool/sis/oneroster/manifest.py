"""The manifest: which files are there, and whether each is the whole truth or only changes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from lti_tool.sis.oneroster.files import FILES, KNOWN, REFUSED
from lti_tool.sis.oneroster.package import Package
from lti_tool.sis.oneroster.report import FieldError, FileReport, ImportReport, PackageError

_NAME = "manifest.csv"
_VERSIONS = {"manifest.version": "1.0", "oneroster.version": "1.2"}
_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files to read, by name, with their mode (``bulk`` or ``delta``).

    ``counts``: how many rows a file has, where the manifest says so (``naga.count.<file>``).
    """

    modes: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def read_manifest(package: Package, report: ImportReport) -> Manifest:
    """Read and check the manifest against the files that are really there.

    A file that is declared and missing, or there and not declared, is an error in ``report`` and
    left out. Raises :class:`PackageError` if there is no manifest to go by.
    """
    properties = _properties(package)
    for name, version in _VERSIONS.items():
        if properties.get(name) != version:
            raise PackageError(
                f"The manifest's {name} is not {version}.",
                field=name,
                remedy="Export the package as OneRoster 1.2 CSV.",
            )
    manifest = Manifest()
    present = {name.removesuffix(".csv") for name in package.names} - {"manifest"}
    declared = {
        name.removeprefix("file."): value
        for name, value in properties.items()
        if name.startswith("file.")
    }
    for name in sorted(present | set(declared)):
        mode = declared.get(name, "absent")
        wrong = _wrong(name, mode, present=name in present)
        if wrong is not None:
            report.files[name] = FileReport(name, mode)
            report.error(name, 0, wrong)
        elif mode == "absent":
            continue
        elif name in REFUSED:
            report.notes.append(f"{name}.csv was not read: {REFUSED[name]}.")
        elif name in FILES:
            manifest.modes[name] = mode
            count = properties.get(f"naga.count.{name}", "")
            if count.isdecimal():
                manifest.counts[name] = int(count)
        else:
            report.notes.append(f"{name}.csv was not read: the SIS has no use for it.")
    return manifest


def _wrong(name: str, mode: str, *, present: bool) -> FieldError | None:
    field_name = f"file.{name}"
    if name not in KNOWN:
        return FieldError(
            field_name, "OneRoster has no such file.", "Check its name, or take it out."
        )
    if mode not in ("absent", "bulk", "delta"):
        return FieldError(
            field_name, "The mode is not absent, bulk or delta.", "Correct the manifest."
        )
    if present and mode == "absent":
        return FieldError(
            field_name,
            "The file is there, but the manifest says that it is absent.",
            "Declare it bulk or delta, or take it out.",
        )
    if not present and mode != "absent":
        return FieldError(
            field_name,
            "The manifest declares the file, but it is not there.",
            "Add the file, or declare it absent.",
        )
    return None


def _properties(package: Package) -> dict[str, str]:
    if _NAME not in package.names:
        raise PackageError(
            "There is no manifest.csv.", field=_NAME, remedy="Add the manifest to the package."
        )
    with package.open(_NAME) as handle:
        raw = handle.read(_MAX_BYTES + 1)
    try:
        if len(raw) > _MAX_BYTES:
            raise ValueError
        rows = [row for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"))) if row]
        if not rows or [cell.strip() for cell in rows[0]] != ["propertyName", "value"]:
            raise ValueError
        properties: dict[str, str] = {}
        for row in rows[1:]:
            if len(row) != 2 or row[0].strip() in properties:
                raise ValueError
            properties[row[0].strip()] = row[1].strip()
    except (ValueError, csv.Error) as error:
        raise PackageError(
            "manifest.csv is not a list of propertyName,value, each once.",
            field=_NAME,
            remedy="Export the package again.",
        ) from error
    return properties
