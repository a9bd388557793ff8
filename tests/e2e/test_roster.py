"""The roster of a course of 300: who is here, who should be, who is not, and why."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FrameLocator, expect

from tests.e2e import school
from tests.e2e.conftest import OpenBrowser
from tests.e2e.course import ROSTER, Links, come_in
from tests.e2e.platform import Platform
from tests.e2e.tool_pages import arrived

pytestmark = [pytest.mark.moodle, pytest.mark.browser, pytest.mark.timeout(600)]

_MISSING = (*school.NOT_IN_COURSE, *school.NO_ACCOUNT)


def test_everybody_is_accounted_for(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    # One of those who are missing has opened the tool elsewhere, so their account is known.
    absent = come_in(open_browser(), platform, school.NOT_IN_COURSE[0])
    arrived(trusted.open(absent, ROSTER, course=school.SECOND_COURSE))
    page = come_in(open_browser(), platform, school.TEACHER)
    frame = trusted.open(page, ROSTER)
    arrived(frame, ROSTER)
    expect(frame.locator("table caption")).to_be_attached()
    frame.get_by_role("button", name="Refresh").click()
    expect(frame.get_by_role("button", name="Refresh")).to_be_enabled()
    assert _counts(frame) == {
        "All": 305,
        "In both": school.HERE,
        "Missing in Moodle": 1,
        "No Moodle account known": len(_MISSING) - 1,
        "Left the class": 1,
        "Not in the class": 1,
        "Account not connected": 2,
        "Teacher": 1,
    }
    why = {
        "missing": "Enrolled in the SIS, but not in this Moodle course.",
        "missing_account": "Enrolled in the SIS, but we do not know their Moodle account.",
        "left": "In the Moodle course, but left the class in the SIS.",
        "not_in_sis": "In the Moodle course, but not in this class in the SIS.",
        "unlinked": "In the Moodle course, but we do not know whose account this is.",
        "teacher": "Teaches this Moodle course.",
    }
    who = {
        "missing": _names(school.NOT_IN_COURSE[0]),
        "missing_account": _names(school.NOT_IN_COURSE[1], *school.NO_ACCOUNT),
        "left": _names(school.DROPPED),
        "not_in_sis": _names(school.NEVER_ENROLLED),
        "teacher": _names(school.TEACHER),
    }
    for state, reason in why.items():
        frame.locator(f"a[href*='state={state}']").first.click()
        expect(frame.locator(f"a[href*='state={state}'][aria-current]")).to_be_visible()
        rows = frame.locator("main tbody tr")
        texts = rows.all_inner_texts()
        assert all(reason in text for text in texts), (state, texts)
        names = {_first_line(text) for text in rows.locator("th").all_inner_texts()}
        assert state not in who or names == who[state]


def test_a_person_is_found_by_a_khmer_name_or_a_number(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    page = come_in(open_browser(), platform, school.TEACHER)
    frame = trusted.open(page, ROSTER)
    arrived(frame, ROSTER)
    wanted = school.student(298)
    for text in (school.name(wanted).khmer, wanted.removeprefix(school.PREFIX)):
        frame.get_by_role("searchbox").fill(text)
        frame.get_by_role("button", name="Search").click()
        expect(frame.locator("main tbody th").first).to_contain_text(text)


def test_all_pages_hold_everybody_once(
    trusted: Links, platform: Platform, open_browser: OpenBrowser
) -> None:
    page = come_in(open_browser(), platform, school.TEACHER)
    frame = trusted.open(page, ROSTER)
    arrived(frame, ROSTER)
    seen: list[str] = []
    while True:
        expect(frame.locator("main tbody tr").first).to_be_visible()
        seen += [_first_line(text) for text in frame.locator("main tbody th").all_inner_texts()]
        following = frame.get_by_role("link", name="Next")
        if not following.count():
            break
        address = following.get_attribute("href") or ""
        following.click()
        expect(frame.locator(f"a[rel='next'][href='{address}']")).to_have_count(0)
    assert len(seen) == 305
    assert _names(*school.IN_BIG_CLASS) <= set(seen)


def _counts(frame: FrameLocator) -> dict[str, int]:
    chips = frame.locator("nav[aria-label='Show only'] a").all_inner_texts()
    found = [re.fullmatch(r"\W*(\w.*?)\s+([\d,]+)", chip.strip()) for chip in chips]
    return {match[1]: int(match[2].replace(",", "")) for match in found if match}


def _names(*keys: str) -> set[str]:
    return {f"{school.name(key).family} {school.name(key).personal}" for key in keys}


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]
