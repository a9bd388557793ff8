"""Opens a package, a zip or a folder, without trusting it: nothing is ever unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lti_tool.sis.oneroster.report import PackageError

MAX_FILE_BYTES = 256 * 1024 * 1024
_MAX_ENTRIES = 100
# CSV compresses ten- to thirtyfold; a bomb a thousandfold.
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 1024 * 1024


class Package:
    """The files of a package by name. Only files at its top are seen; no name leads elsewhere."""

    def __init__(self, entries: dict[str, Path | zipfile.ZipInfo], archive: zipfile.ZipFile | None):
        self._entries = entries
        self._archive = archive

    @property
    def names(self) -> frozenset[str]:
        """Names of the files at the top of the package."""
        return frozenset(self._entries)

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """The bytes of one file."""
        entry = self._entries[name]
        try:
            if isinstance(entry, Path):
                with entry.open("rb") as handle:
                    yield handle
            elif self._archive is not None:
                with self._archive.open(entry) as handle:
                    yield handle
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise PackageError(
                f"{name} is damaged inside the zip.",
                field=name,
                remedy="Make the package again and send it whole.",
            ) from error


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open a zip or a folder; raises :class:`PackageError`."""
    if path.is_dir():
        yield Package(_folder(path), None)
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise PackageError(
            "The package is neither a folder nor a zip that can be opened.",
            remedy="Give a folder of CSV files or a whole zip file.",
        ) from error
    with archive:
        yield Package(_archived(archive), archive)


def _folder(path: Path) -> dict[str, Path | zipfile.ZipInfo]:
    entries: dict[str, Path | zipfile.ZipInfo] = {}
    for entry in path.iterdir():
        if entry.suffix.lower() != ".csv":
            continue
        mode = entry.lstat().st_mode
        # A link may point at any file of this machine.
        if not stat.S_ISREG(mode):
            raise PackageError(
                f"{entry.name} is not a plain file.",
                field=entry.name,
                remedy="Put the file itself into the folder.",
            )
        _check_size(entry.name, entry.lstat().st_size)
        entries[entry.name] = entry
    return entries


def _archived(archive: zipfile.ZipFile) -> dict[str, Path | zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > _MAX_ENTRIES:
        raise PackageError(
            f"The zip holds more than {_MAX_ENTRIES} files.",
            remedy="Put only the OneRoster files into it.",
        )
    entries: dict[str, Path | zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename
        if "/" in name or "\\" in name:
            if name.endswith("manifest.csv") and ".." not in name:
                raise PackageError(
                    "The files are in a folder inside the zip.",
                    field=name,
                    remedy="Zip the files themselves, not the folder that holds them.",
                )
            # Whatever lies below the top is never read, so it cannot lead anywhere.
            continue
        if not name.lower().endswith(".csv"):
            continue
        if name in entries:
            raise PackageError(
                f"{name} is twice in the zip.", field=name, remedy="Keep one of them."
            )
        if info.flag_bits & 0x1:
            raise PackageError(
                f"{name} is encrypted.", field=name, remedy="Make the zip without a password."
            )
        _check_size(name, info.file_size)
        if (
            info.file_size > _RATIO_FROM_BYTES
            and info.file_size > max(1, info.compress_size) * _MAX_RATIO
        ):
            raise PackageError(
                f"{name} is compressed more than {_MAX_RATIO} times, as no real file is.",
                field=name,
                remedy="Check where this package comes from.",
            )
        entries[name] = info
    return entries


def _check_size(name: str, size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise PackageError(
            f"{name} is larger than {MAX_FILE_BYTES // 1024 // 1024} MB.",
            field=name,
            remedy="Split the import by term.",
        )
