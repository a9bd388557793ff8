"""Lands results as part grades: a line item is a part, by its own id or by metadata.naga.part."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from lti_tool.sis.entities import GradeSource, GradeStatus
from lti_tool.sis.grading import GradeEntry, Grading
from lti_tool.sis.models import ClassPart
from lti_tool.sis.oneroster.files import NAGA
from lti_tool.sis.oneroster.landing import Landing, known
from lti_tool.sis.oneroster.reading import Row, Sheet
from lti_tool.sis.oneroster.report import FieldError

_HUNDRED = Decimal(100)
_REMEDIES = {
    "not_enrolled": "Enrol the student in the class first.",
    "grade_locked": "Correct the grade in the SIS, with a reason.",
    "audit": "Take the row out: who audits gets no grade.",
    "not_attending": "Take the row out, or enrol the student again.",
}


def land_line_items(landing: Landing, sheet: Sheet) -> dict[str, tuple[str, Decimal]]:
    """``lineItems.csv``: returns line item → part and highest score. Nothing is stored."""
    rows = [row for row in sheet.rows if not row.deleted]
    parts = landing.ids(
        ClassPart.sourced_id, (row.values[NAGA + "part"] or row.key for row in rows)
    )
    found: dict[str, tuple[str, Decimal]] = {}
    for row in rows:
        part = row.values[NAGA + "part"] or row.key
        maximum = row.values["resultValueMax"]
        try:
            known(parts, part, NAGA + "part", "class part")
            if maximum is not None and maximum <= 0:
                raise FieldError("resultValueMax", "The highest score is 0.", "Correct it.")
        except FieldError as wrong:
            landing.report.error(sheet.name, row.line, wrong)
            continue
        found[row.key] = (part, maximum or _HUNDRED)
        landing.report.files[sheet.name].unchanged += 1
    return found


def land_results(
    landing: Landing,
    sheet: Sheet,
    items: Mapping[str, tuple[str, Decimal]],
    grading: Grading,
    *,
    actor: str,
) -> None:
    """``results.csv``. Deleted and missing results take no grade away."""
    report = landing.report.files[sheet.name]
    parts = landing.ids(
        ClassPart.sourced_id,
        (row.values["lineItemSourcedId"] for row in sheet.rows if not row.deleted),
    )
    for submitted in (False, True):
        rows: list[Row] = []
        entries: list[GradeEntry] = []
        for row in sheet.rows:
            if row.deleted or row.values["scoreStatus"] in ("exempt", "not submitted"):
                report.skipped += not submitted
                continue
            if _submitted(row) is not submitted:
                continue
            try:
                entries.append(_entry(row, items, parts))
                rows.append(row)
            except FieldError as wrong:
                landing.report.error(sheet.name, row.line, wrong)
        outcomes = grading.enter_within(
            landing.session,
            entries,
            actor=actor,
            source=GradeSource.MIGRATED,
            submitted=submitted,
        )
        for row, outcome in zip(rows, outcomes, strict=True):
            if outcome.state == "refused":
                remedy = _REMEDIES.get(outcome.reason or "", "Correct the row.")
                refused = FieldError("studentSourcedId", outcome.detail or "Refused.", remedy)
                landing.report.error(sheet.name, row.line, refused)
            elif outcome.state == "entered":
                report.updated += 1
            else:
                report.unchanged += 1


def _submitted(row: Row) -> bool:
    status = row.values[NAGA + "status"]
    if status is not None:
        return str(status) != GradeStatus.DRAFT
    complete: bool = row.values["scoreStatus"] == "fully graded"
    return complete


def _entry(
    row: Row, items: Mapping[str, tuple[str, Decimal]], parts: Mapping[str, int]
) -> GradeEntry:
    item = row.values["lineItemSourcedId"]
    part, maximum = items.get(item, (item, _HUNDRED))
    if item not in items and item not in parts:
        raise FieldError(
            "lineItemSourcedId", "There is no such line item or class part.", "Add lineItems.csv."
        )
    score = row.values["score"]
    if score is not None and not 0 <= score <= maximum:
        raise FieldError(
            "score", f"The score is not between 0 and {maximum}.", "Correct the score."
        )
    return GradeEntry(
        person_key=row.values["studentSourcedId"],
        part_key=part,
        score=None if score is None else score * _HUNDRED / maximum,
    )
