"""The teacher's work with grades, in the tool, in the SIS and in Moodle's gradebook."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, expect

from lti_tool.sis.grading import GradeEntry, Grading
from tests.e2e import school
from tests.e2e.moodle.site import Moodle
from tests.e2e.tool import Tool
from tests.e2e.tool_pages import arrived

_SEND = re.compile(r"Send [\d,]+ grades?")
# Seconds; three hundred grades at Moodle's pace.
_PUSH = 300_000


@dataclass
class Column:
    """A column of Moodle's gradebook: ``scores`` by username, as Moodle holds them."""

    id: int
    scores: dict[str, float | None]
    modified: dict[str, int]


def column(moodle: Moodle, name: str, *, course: str = school.BIG_COURSE) -> Column:
    """Read a column from Moodle's own gradebook."""
    found: list[dict[str, Any]] = moodle.call("grades", course=course)
    item = next((item for item in found if item["name"] == name), None)
    if item is None:
        pytest.fail(f"Moodle's gradebook has no column {name}, only {[i['name'] for i in found]}")
    return Column(
        item["id"],
        {user: grade["final"] for user, grade in item["grades"].items()},
        {user: grade["modified"] for user, grade in item["grades"].items()},
    )


def enter(tool: Tool, scores: dict[str, Decimal], part: str) -> None:
    """Enter and submit grades in the SIS."""
    with tool.services() as services:
        outcomes = Grading(services.database, services.clock).enter(
            [GradeEntry(key, part, score) for key, score in scores.items()],
            actor="e2e",
            submitted=True,
        )
    assert {outcome.state for outcome in outcomes} <= {"entered", "unchanged"}, outcomes


def preview(frame: FrameLocator) -> dict[str, int]:
    """Press the preview's button on a gradebook page; returns the counts by state."""
    frame.get_by_role("button", name="Preview what would change in Moodle").click()
    arrived(frame, "What would change in Moodle")
    return counts(frame)


def send(frame: FrameLocator) -> dict[str, int]:
    """Send a preview and wait for the receipts; returns the counts by state."""
    frame.get_by_role("button", name=_SEND).click()
    arrived(frame, "Grades for Moodle")
    expect(frame.get_by_text(re.compile("Finished at"))).to_be_visible(timeout=_PUSH)
    return counts(frame)


def counts(frame: FrameLocator) -> dict[str, int]:
    """The chips above a list: how many are in each state."""
    chips = frame.locator("nav[aria-label='Show only'] a").all_inner_texts()
    found = [re.fullmatch(r"\W*(\w.*?)\s+([\d,]+)", chip.strip()) for chip in chips]
    return {match[1]: int(match[2].replace(",", "")) for match in found if match}


def lines(frame: FrameLocator, state: str) -> dict[str, str]:
    """The rows of one state, by the name of the student."""
    frame.locator(f"nav[aria-label='Show only'] a[href*='state={state}']").click()
    expect(frame.locator(f"a[href*='state={state}'][aria-current]")).to_be_visible()
    rows = frame.locator("main tbody tr").all()
    return {row.locator("th").inner_text().splitlines()[0]: row.inner_text() for row in rows}


def name(key: str) -> str:
    """A student as the tool names them."""
    names = school.name(key)
    return f"{names.family} {names.personal}"
