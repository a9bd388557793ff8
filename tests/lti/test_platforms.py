from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from lti_tool.core.http import HttpResponse
from lti_tool.lti.platforms import Moodle, Platform, platform_for
from lti_tool.lti.platforms.base import LINE_ITEM, LINE_ITEM_READ
from lti_tool.lti.scores import Result, Score

NOW = dt.datetime(2026, 3, 2, 3, 0, 0, 600500, tzinfo=dt.UTC)


def _answer(url: str, *links: str) -> HttpResponse:
    return HttpResponse(200, {}, b"[]", url, links)


def _score(**values: Any) -> Score:
    return Score(
        **{
            "user_id": "7",
            "score_given": Decimal(5),
            "score_maximum": Decimal(10),
            "timestamp": NOW,
            **values,
        }
    )


def test_chosen_by_family() -> None:
    assert isinstance(platform_for("moodle"), Moodle)
    assert isinstance(platform_for(" Moodle "), Moodle)
    assert type(platform_for("canvas")) is Platform
    assert type(platform_for(None)) is Platform


def test_the_smallest_scope_that_reads_line_items() -> None:
    generic, moodle = Platform(), Moodle()
    assert generic.line_item_read_scope([LINE_ITEM, LINE_ITEM_READ]) == LINE_ITEM_READ
    assert generic.line_item_read_scope([]) == LINE_ITEM_READ
    assert generic.line_item_read_scope([LINE_ITEM]) == LINE_ITEM
    assert moodle.line_item_read_scope([LINE_ITEM]) == LINE_ITEM_READ


def test_timestamps_strictly_increase_by_what_the_platform_can_tell() -> None:
    generic, moodle = Platform(), Moodle()
    assert generic.next_timestamp(NOW, None) == NOW.replace(microsecond=600000)
    assert generic.next_timestamp(NOW, NOW) == NOW + dt.timedelta(milliseconds=1)
    whole = NOW.replace(microsecond=0)
    assert moodle.next_timestamp(NOW, None) == whole
    assert moodle.next_timestamp(NOW, whole) == whole + dt.timedelta(seconds=1)
    later = whole + dt.timedelta(seconds=9)
    assert moodle.next_timestamp(NOW, later) == later + dt.timedelta(seconds=1)
    assert moodle.next_timestamp(later, whole) == later


def test_only_moodle_is_spared_progress_beside_a_grade() -> None:
    progress = _score(grading_progress="Pending")
    held = [Result("7", None, None)]
    assert not Platform().must_look_first(progress)
    assert not Platform().holds_back(progress, held)
    assert Moodle().must_look_first(progress)
    assert Moodle().holds_back(progress, held)
    assert not Moodle().holds_back(progress, [])
    assert not Moodle().must_look_first(_score())
    assert not Moodle().holds_back(_score(), held)


def test_moodle_pages_of_line_items_are_counted() -> None:
    moodle = Moodle()
    url = "https://m.example/2/lineitems?type_id=3&limit=500"
    assert moodle.next_line_items(_answer(url), 499) is None
    second = moodle.next_line_items(_answer(url), 500)
    assert second == f"{url}&from=500"
    assert moodle.next_line_items(_answer(second), 500) == f"{url}&from=1000"
    assert moodle.next_line_items(_answer(f"{url}&from=x"), 500) == f"{url}&from=500"


def test_moodle_results_have_one_page_without_limit() -> None:
    moodle = Moodle()
    url = "https://m.example/2/lineitems/3/lineitem/results?type_id=3"
    assert moodle.first_page(url, moodle.results_page_size) == url
    assert moodle.next_results(_answer(url, f"<{url}&from=1>; rel=“next”")) is None


def test_moodle_members_keep_their_role_filter() -> None:
    moodle = Moodle()
    url = "https://m.example/members?limit=2"
    link = "<https://m.example/members?limit=2&from=2>; rel=next"
    nothing = moodle.next_members(_answer(url), role="Learner")
    assert nothing is None
    assert moodle.next_members(_answer(url, link), role=None) == f"{url}&from=2"
    assert moodle.next_members(_answer(url, link), role="Learner") == f"{url}&from=2&role=Learner"
    kept = "<https://m.example/members?role=Learner&from=2>; rel=next"
    assert moodle.next_members(_answer(url, kept), role="Learner") == (
        "https://m.example/members?role=Learner&from=2"
    )


@pytest.mark.parametrize(
    ("service", "status", "body", "says"),
    [
        ("token", 404, "<html>", "fetch this tool's keys"),
        ("token", 400, '{"error":"invalid_scope"}', "use the service"),
        ("token", 400, '{"error":"invalid_client"}', "client id"),
        ("registration", 404, " <html>", "registration token"),
        ("score", 400, "", "not enrolled"),
        ("score", 404, "<html>", "not enrolled"),
        ("score", 409, "", "newer"),
        ("score", 403, "", "write to this column"),
        ("grades", 403, "", "write to this column"),
        ("members", 403, "", "read the members"),
        ("members", 401, "", "read the members"),
        ("grades", 401, "", "access token"),
        ("grades", 500, "", "failed inside"),
    ],
)
def test_moodle_refusals_in_plain_words(service: str, status: int, body: str, says: str) -> None:
    explained = Moodle().explain(service, status, body)
    assert explained is not None
    assert says in explained.detail
    assert explained.remedy


def test_what_is_not_known_is_not_explained() -> None:
    assert Moodle().explain("token", 418, "") is None
    assert Moodle().explain("registration", 400, "{}") is None
    assert Moodle().explain("grades", 404, "") is None
    assert Platform().explain("score", 400, "") is None
