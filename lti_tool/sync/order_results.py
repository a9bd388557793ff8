"""What an order found, as it is kept and shown: counts, and a line for each thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypedDict

from lti_tool.moodle.documents import Change, MemberResult, Result
from lti_tool.sync.grades.values import score
from lti_tool.sync.provisioning.preview import Preview
from lti_tool.sync.provisioning.reconcile import Reconciliation
from lti_tool.sync.provisioning.undo import Undone

# The first plan of a large campus has a line for everybody; nobody reads them all.
_LINES = 2000


class Line(TypedDict):
    """One thing, or one person of a roster (``person``), and what becomes of it. Of grades, the
    field of a change is the key of the grade item."""

    kind: str
    key: str
    person: str
    outcome: str
    changes: list[tuple[str, Any, Any]]
    code: str
    message: str


class Found(TypedDict, total=False):
    """``counts``: ``{kind: {outcome: number}}``; ``more``: lines that were not kept. ``drift``,
    ``checked``, ``foreign``, ``foreign_keys``: of a comparison. ``left``: what an undo cannot
    bring back, and why."""

    counts: dict[str, dict[str, int]]
    lines: list[Line]
    more: int
    checked: dict[str, int]
    foreign: dict[str, int]
    foreign_keys: dict[str, list[str]]
    left: list[tuple[str, str, str]]


def of_preview(preview: Preview) -> Found:
    """A plan."""
    return {"counts": preview.counts, **_kept(preview.results)}


def of_undo(undone: Undone) -> Found:
    """An undo, or its plan."""
    counts = Preview()
    for result in undone.results:
        counts.add(result.kind, result.result)  # type: ignore[arg-type]
        for member in result.members:
            of_what = "grades" if result.kind == "grades" else "people"
            counts.add(result.kind, f"{of_what}_{member.result}")  # type: ignore[arg-type]
    return {"counts": counts.counts, "left": undone.left[:_LINES], **_kept(undone.results)}


def of_comparison(found: Reconciliation) -> Found:
    """A comparison with what is really there."""
    counts = Preview()
    lines: list[Line] = []
    for drift in found.drift:
        outcome = "missing" if drift.missing else "different"
        counts.add(drift.kind, outcome)
        by = f"{drift.how} ({drift.by})" if drift.how else ""
        lines.append(_line(drift.kind, drift.key, "", outcome, [], "", by))
    return {
        "counts": counts.counts,
        "lines": lines[:_LINES],
        "more": max(0, len(lines) - _LINES),
        "checked": found.checked,
        "foreign": found.foreign,
        "foreign_keys": found.foreign_keys,
    }


def _kept(results: Iterable[Result]) -> Found:
    lines: list[Line] = []
    more = 0
    for result in results:
        for line in _lines(result):
            if len(lines) < _LINES:
                lines.append(line)
            else:
                more += 1
    return {"lines": lines, "more": more}


def _lines(result: Result) -> Iterator[Line]:
    if result.result != "unchanged" and not (
        result.kind in ("roster", "grades") and result.members
    ):
        yield _line(
            result.kind,
            result.key,
            "",
            result.result,
            result.changes,
            result.code or "",
            result.message or "",
        )
    for member in result.members:
        if member.result != "unchanged":
            yield _line(
                result.kind,
                result.key,
                member.user,
                member.result,
                as_shown(member),
                member.code or "",
                member.message or "",
            )


def as_shown(member: MemberResult) -> list[Change]:
    """The changes of a grade as people write grades; others as they are."""
    if member.item is None:
        return member.changes
    return [
        Change(
            field=member.item,
            **{
                side: str(score(value)) if isinstance(value, int) else value
                for side, value in (("before", change.before), ("after", change.after))
            },
        )
        for change in member.changes
    ]


def _line(
    kind: str,
    key: str,
    person: str,
    outcome: str,
    changes: Iterable[Change],
    code: str,
    message: str,
) -> Line:
    return {
        "kind": kind,
        "key": key,
        "person": person,
        "outcome": outcome,
        "changes": [(change.field, change.before, change.after) for change in changes],
        "code": code,
        "message": message,
    }
