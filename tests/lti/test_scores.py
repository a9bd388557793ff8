from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.lti.scores import InvalidScoreError, Result, Score, as_number

NOW = dt.datetime(2026, 3, 2, 3, 0, 0, 123456, tzinfo=dt.UTC)
GOOD: dict[str, Any] = {
    "user_id": "7",
    "score_given": Decimal("85.5"),
    "score_maximum": Decimal(100),
    "timestamp": NOW,
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": ""}, "user_id"),
        ({"score_given": Decimal("NaN")}, "score_given"),
        ({"score_given": Decimal("sNaN")}, "score_given"),
        ({"score_given": Decimal("Infinity")}, "score_given"),
        ({"score_given": float("nan")}, "score_given"),
        ({"score_given": Decimal("-0.01")}, "score_given"),
        ({"score_given": Decimal("100.01")}, "score_given"),
        ({"score_maximum": Decimal(0)}, "score_maximum"),
        ({"score_maximum": Decimal(-1)}, "score_maximum"),
        ({"score_maximum": Decimal("NaN")}, "score_maximum"),
        ({"timestamp": NOW.replace(tzinfo=None)}, "timestamp"),
        ({"started_at": NOW.replace(tzinfo=None)}, "started_at"),
        ({"activity_progress": "Done"}, "activity_progress"),
        ({"grading_progress": "Done"}, "grading_progress"),
    ],
)
def test_refused_before_it_is_sent(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidScoreError) as caught:
        Score(**(GOOD | change))
    assert caught.value.field == field
    assert caught.value.code == "invalid_score"


def test_document() -> None:
    score = Score(**GOOD, comment="good", started_at=NOW, submitted_at=NOW)
    assert score.document() == {
        "userId": "7",
        "scoreGiven": 85.5,
        "scoreMaximum": 100,
        "timestamp": "2026-03-02T03:00:00.123+00:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
        "comment": "good",
        "submission": {
            "startedAt": "2026-03-02T03:00:00.123+00:00",
            "submittedAt": "2026-03-02T03:00:00.123+00:00",
        },
    }


def test_no_score_clears() -> None:
    document = Score(**(GOOD | {"score_given": None})).document()
    assert "scoreGiven" not in document
    assert "scoreMaximum" not in document


@given(st.decimals(min_value=0, max_value=100, places=2))
def test_a_mark_reads_back_the_same(mark: Decimal) -> None:
    assert Decimal(str(as_number(mark))) == mark


def test_results_are_rescaled() -> None:
    assert Result("7", Decimal(5), Decimal(10)).scaled_to(Decimal(100)) == 50
    assert Result("7", Decimal(5), Decimal(100)).scaled_to(Decimal(100)) == 5
    assert Result("7", Decimal(5), None).scaled_to(Decimal(100)) == 5
    assert Result("7", None, Decimal(10)).scaled_to(Decimal(100)) is None
