"""Lands the rows of one file in one table: what is new, what differs, what goes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.core.database import Base
from lti_tool.sis.bulk import chunks, ids_by_key, write_rows
from lti_tool.sis.models import Sourced
from lti_tool.sis.oneroster.reading import Row, Sheet
from lti_tool.sis.oneroster.report import FieldError, FileReport, ImportReport

Build = Callable[[Row], dict[str, Any]]


@dataclass(slots=True)
class Landed:
    """The rows of a file that land, with their values, and those that go, with their time."""

    rows: list[tuple[Row, dict[str, Any]]] = field(default_factory=list)
    deleted: dict[str, dt.datetime | None] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)

    @property
    def keys(self) -> list[str]:
        """Identifiers of the rows that landed."""
        return [row.key for row, _ in self.rows]


@dataclass(frozen=True, slots=True)
class RemovalPolicy:
    """When absence from a bulk file is believed without asking: below both limits."""

    share: Decimal
    count: int
    accepted: bool

    def allows(self, missing: int, total: int) -> bool:
        """Whether so many of so many may go. One may always go, or small schools never could."""
        return self.accepted or missing <= min(self.count, max(1, int(self.share * total)))


class Landing:
    """What landing any file needs: the transaction, the report, the references of this import."""

    def __init__(
        self,
        session: Session,
        report: ImportReport,
        *,
        now: dt.datetime,
        removals: RemovalPolicy,
        counts: dict[str, int],
    ) -> None:
        self.session = session
        self.report = report
        self.now = now
        self._removals = removals
        self._counts = counts

    def ids(self, column: InstrumentedAttribute[str], keys: Iterable[str | None]) -> dict[str, int]:
        """Database ids by identifier, of what is stored by now."""
        return ids_by_key(self.session, column, {key for key in keys if key})

    def prepare(
        self, sheet: Sheet, model: type[Sourced], build: Build, *, only: Any = None
    ) -> Landed:
        """Turn rows into values; stale ones are skipped, wrong ones reported.

        ``build`` gets the values of a table's row, or raises ``FieldError``. ``only`` says which
        rows of the sheet belong to this table.
        """
        report = self.report.files[sheet.name]
        landed = Landed()
        rows = [row for row in sheet.rows if only is None or only(row)]
        stored = self._stored(model, [row.key for row in rows])
        for row in rows:
            modified, active = stored.get(row.key, (None, False))
            if sheet.mode == "delta" and modified and row.modified and row.modified < modified:
                landed.stale.add(row.key)
                report.skipped += 1
            elif row.deleted:
                if active:
                    landed.deleted[row.key] = row.modified
                elif only is None:
                    report.skipped += 1
            else:
                try:
                    values = build(row)
                except FieldError as wrong:
                    self.report.error(sheet.name, row.line, wrong)
                    continue
                values |= {
                    "sourced_id": row.key,
                    "active": True,
                    "source_modified_at": row.modified or modified,
                }
                landed.rows.append((row, values))
        return landed

    def settle(
        self,
        sheet: Sheet,
        landed: Landed,
        natural: Callable[[dict[str, Any]], Hashable],
        held: dict[Hashable, str],
        wrong: FieldError,
        *,
        swaps: bool = True,
    ) -> set[str]:
        """Keep natural keys unique: drop rows that claim one which another thing keeps.

        ``held``: stored natural key → identifier. Returns the identifiers that must let go of
        theirs before the rows are written, because two things swap; without ``swaps`` none may.
        """
        claimed: dict[Hashable, str] = {}
        kept: list[tuple[Row, dict[str, Any]]] = []
        for row, values in landed.rows:
            key = natural(values)
            if key is not None and claimed.setdefault(key, row.key) != row.key:
                self.report.error(sheet.name, row.line, wrong)
            else:
                kept.append((row, values))
        while True:
            moving = {row.key: natural(values) for row, values in kept}
            still = []
            for row, values in kept:
                holder = held.get(natural(values))
                stays = not swaps or holder not in moving or moving[holder] == natural(values)
                if holder is not None and holder != row.key and stays:
                    self.report.error(sheet.name, row.line, wrong)
                else:
                    still.append((row, values))
            if len(still) == len(kept):
                break
            # A row that was dropped keeps its old natural key: look again.
            kept = still
        landed.rows = kept
        return {
            holder
            for row, values in kept
            if (holder := held.get(natural(values))) is not None and holder != row.key
        }

    def write(self, sheet: Sheet, model: type[Base], landed: Landed) -> None:
        """Insert and update what landed."""
        written = write_rows(
            self.session,
            model,
            [values for _, values in landed.rows],
            key=("sourced_id",),
            now=self.now,
        )
        report = self.report.files[sheet.name]
        report.created += written.created
        report.updated += written.updated
        report.unchanged += written.unchanged

    def remove(
        self,
        sheet: Sheet,
        models: Collection[type[Sourced]],
        deleted: Mapping[str, dt.datetime | None],
        deactivate: Callable[[type[Sourced], list[int]], None],
        present: Callable[[type[Sourced]], sa.ColumnElement[bool]] = lambda model: sa.true(),
    ) -> None:
        """Take away what the file deletes, and what a whole bulk file no longer has.

        ``present`` narrows what counts as there; ``deactivate`` takes ids of one table.
        """
        report = self.report.files[sheet.name]
        missing: dict[type[Sourced], list[int]] = {}
        total = 0
        for model in models:
            going = self.ids(_key(model), deleted)
            if going:
                deactivate(model, list(going.values()))
                # An older row that arrives late must not bring it back.
                self.session.execute(
                    sa.update(model),
                    [{"id": id_, "source_modified_at": deleted[key]} for key, id_ in going.items()],
                )
                report.removed += len(going)
            if sheet.mode != "bulk":
                continue
            rows = self.session.execute(
                sa.select(_key(model), model.id).where(model.active, present(model))
            ).all()
            total += len(rows)
            missing[model] = [id_ for key, id_ in rows if key not in sheet.keys]
        report.missing = sum(len(ids) for ids in missing.values())
        if not report.missing:
            return
        doubt = self._doubt(sheet)
        if doubt is not None:
            self.report.notes.append(
                f"{sheet.name}.csv: {report.missing} of {total} are missing, but {doubt}. "
                "Nobody was removed."
            )
        elif not self._trusted(sheet, report, total):
            self.report.removals_waiting += report.missing
            self.report.notes.append(
                f"{sheet.name}.csv: {report.missing} of {total} are missing. Nobody was removed; "
                "if this is right, import again and accept the removals (--accept-removals)."
            )
        else:
            for model, ids in missing.items():
                if ids:
                    deactivate(model, ids)
            report.removed += report.missing

    def deactivate(self, model: type[Sourced], ids: list[int]) -> None:
        """Mark rows inactive; they stay."""
        for some in chunks(ids):
            self.session.execute(
                sa.update(model)
                .where(model.id.in_(some))
                .values(active=False, updated_at=self.now)
                .execution_options(synchronize_session=False)
            )

    def _doubt(self, sheet: Sheet) -> str | None:
        """Why what is missing from this file means nothing, whoever accepts it."""
        if not sheet.total:
            return "the file has no rows"
        if sheet.broken:
            return "rows are cut or out of shape"
        expected = self._counts.get(sheet.name, sheet.total)
        if expected != sheet.total:
            return f"it has {sheet.total} rows where the manifest counts {expected}"
        return None

    def _trusted(self, sheet: Sheet, report: FileReport, total: int) -> bool:
        if not sheet.ended and sheet.name not in self._counts and not self._removals.accepted:
            self.report.notes.append(
                f"{sheet.name}.csv does not end with a line break: it may have been cut."
            )
            return False
        return self._removals.allows(report.missing, total)

    def _stored(
        self, model: type[Sourced], keys: list[str]
    ) -> dict[str, tuple[dt.datetime | None, bool]]:
        found: dict[str, tuple[dt.datetime | None, bool]] = {}
        column = _key(model)
        for some in chunks(keys):
            for key, modified, active in self.session.execute(
                sa.select(column, model.source_modified_at, model.active).where(column.in_(some))
            ):
                found[key] = (modified, active)
        return found


def known(ids: dict[str, int], key: str, name: str, what: str) -> int:
    """The id that a reference leads to; raises ``FieldError``."""
    found = ids.get(key)
    if found is None:
        raise FieldError(
            name, f"There is no such {what}.", f"Add it to the package, or correct {name}."
        )
    return found


def _key(model: type[Sourced]) -> InstrumentedAttribute[str]:
    return model.sourced_id
