"""Reads one CSV file into rows, telling good ones from bad ones, and whole files from cut ones."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from lti_tool.sis.oneroster import fields
from lti_tool.sis.oneroster.files import FileSpec
from lti_tool.sis.oneroster.package import MAX_FILE_BYTES
from lti_tool.sis.oneroster.report import FieldError, ImportReport

_CUT = "Export the file again and send it whole."


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read. ``values`` has every column of the file, ``None`` where empty."""

    line: int
    key: str
    deleted: bool
    modified: dt.datetime | None
    values: dict[str, Any]


@dataclass(slots=True)
class Sheet:
    """A file as read.

    ``keys``: every identifier that was seen, in bad rows too: what a bad row means is there.
    ``broken``: rows are cut or out of shape, so what is missing means nothing.
    ``ended``: the last line is whole.
    """

    name: str
    mode: str
    rows: list[Row] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    total: int = 0
    broken: bool = False
    ended: bool = True


class _Lines:
    """Passes lines on and remembers how the last one ended."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self.ended = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.ended = line.endswith(("\n", "\r"))
        return line


def read_sheet(handle: IO[bytes], spec: FileSpec, mode: str, report: ImportReport) -> Sheet:
    """Read a whole file; every row that cannot be read is one error in ``report``."""
    # The limit belongs to the process; a field may be as large as a file, and is then refused by
    # its own length, with its line.
    csv.field_size_limit(MAX_FILE_BYTES)
    sheet = Sheet(spec.name, mode)
    # What is not UTF-8 is kept visible, so that the error names its row instead of the file.
    with io.TextIOWrapper(handle, "utf-8-sig", errors="surrogateescape", newline="") as text:
        _read_rows(_Lines(iter(text)), spec, sheet, report)
    return sheet


def _read_rows(lines: _Lines, spec: FileSpec, sheet: Sheet, report: ImportReport) -> None:
    reader = csv.reader(lines, strict=True)
    header = _header(reader, spec, sheet, report)
    if header is None:
        sheet.broken = True
        return
    started = reader.line_num
    while True:
        line = started + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            sheet.total += 1
            sheet.broken = True
            started = reader.line_num
            wrong = FieldError("", "The row's quotation marks do not match.", _CUT)
            report.error(spec.name, line, wrong)
            continue
        started = reader.line_num
        if not cells:
            continue
        sheet.total += 1
        try:
            sheet.rows.append(_row(cells, header, spec, sheet, line))
        except FieldError as wrong:
            report.error(spec.name, line, wrong)
    sheet.ended = lines.ended


def _header(
    reader: Iterator[list[str]], spec: FileSpec, sheet: Sheet, report: ImportReport
) -> list[str] | None:
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error:
        header = []
    missing = [name for name in spec.required if name not in header]
    if sheet.mode == "delta":
        missing += [name for name in ("status", "dateLastModified") if name not in header]
    if not header:
        wrong = FieldError("", "The file is empty.", _CUT)
    elif missing:
        wrong = FieldError(missing[0], "The header has no such column.", "Add the column.")
    elif len(set(header)) < len(header):
        wrong = FieldError("", "The header names a column twice.", "Keep one of them.")
    else:
        return header
    report.error(spec.name, 1, wrong)
    return None


def _row(cells: list[str], header: list[str], spec: FileSpec, sheet: Sheet, line: int) -> Row:
    if len(cells) != len(header):
        sheet.broken = True
        raise FieldError(
            "", f"The row has {len(cells)} fields where the header has {len(header)}.", _CUT
        )
    record = dict(zip(header, cells, strict=True))
    # While whom a row means is unknown, nobody may be found missing.
    broken, sheet.broken = sheet.broken, True
    key = _field(record, "sourcedId", fields.text())
    if key is None:
        raise FieldError("sourcedId", "The identifier is empty.", "Fill it in.")
    sheet.broken = broken
    if key in sheet.keys:
        raise FieldError(
            "sourcedId", "An earlier row has the same identifier.", "Keep one of the rows."
        )
    sheet.keys.add(key)
    status = _field(record, "status", fields.choice("active", "tobedeleted", "inactive"))
    modified = _field(record, "dateLastModified", fields.timestamp)
    if sheet.mode == "delta":
        for name, value in (("status", status), ("dateLastModified", modified)):
            if value is None:
                raise FieldError(name, "A delta file needs this field.", "Fill it in.")
    deleted = status in ("tobedeleted", "inactive")
    values: dict[str, Any] = {}
    # Of a row that goes only its identifier matters; sources often send nothing else.
    for column in () if deleted else spec.columns:
        value = _field(record, column.name, column.read)
        if value is None and column.required:
            raise FieldError(column.name, "The field is empty.", "Fill it in.")
        values[column.name] = value
    return Row(line, key, deleted, modified, values)


def _field(record: dict[str, str], name: str, read: fields.Reader) -> Any:
    value = record.get(name, "").strip()
    if not value:
        return None
    if not fields.clean(value):
        raise FieldError(
            name,
            "The field holds bytes that are not UTF-8 text, or control characters.",
            "Save the file as UTF-8 and take the characters out.",
        )
    return read(name, value)
