"""The SIS's rules: weights, totals, letters, the life of a grade."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.errors import InvalidInputError
from lti_tool.sis.entities import GradeStatus
from lti_tool.sis.rules import (
    GradeLockedError,
    GradeStepError,
    check_change,
    check_step,
    checked_score,
    choose_scale,
    final_status,
    graded,
    next_status,
    normalised,
    previous_status,
    quantised,
    session_score,
    session_weights,
    weighted_mean,
)
from lti_tool.sis.scales import shipped_scales

SCALES = shipped_scales()
SCORE = st.decimals(0, 100, places=2)
WEIGHT = st.decimals(0, 3, places=3)


@given(
    st.lists(WEIGHT, min_size=1, max_size=8),
    st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("0.3333"), Decimal(0)]),
)
def test_normalised_weights_sum_to_the_whole(weights: list[Decimal], whole: Decimal) -> None:
    shares = normalised(weights, whole=whole)
    assert sum(shares) == whole
    assert sum(normalised(weights)) == 1
    assert all(share >= 0 for share in shares)


def test_no_weights_are_no_shares() -> None:
    assert normalised([]) == ()


@given(
    st.lists(st.tuples(st.one_of(st.none(), SCORE), WEIGHT), max_size=8),
    st.sampled_from([Decimal(1), Decimal(2), Decimal(100)]),
)
def test_total_lies_between_its_scores_and_knows_no_scale_of_weights(
    pairs: list[tuple[Decimal | None, Decimal]], factor: Decimal
) -> None:
    total = weighted_mean(pairs)
    scores = [score for score, _ in pairs if score is not None]
    assert (total is None) == (not scores)
    if total is not None:
        assert min(scores) <= total <= max(scores)
        assert total == quantised(total)
        assert total == weighted_mean([(score, weight * factor) for score, weight in pairs])


def test_zero_is_a_grade_and_none_is_not() -> None:
    half = Decimal("0.5")
    assert weighted_mean([(Decimal(0), half), (Decimal(80), half)]) == 40
    assert weighted_mean([(None, half), (Decimal(80), half)]) == 80
    assert weighted_mean([(None, half)]) is None
    assert weighted_mean([(Decimal(0), half)]) == 0


def test_weights_of_one_each_are_shares() -> None:
    ones = [(Decimal(score), Decimal(1)) for score in (70, 80, 91)]
    assert weighted_mean(ones) == Decimal("80.33")


def test_halves_round_up() -> None:
    assert quantised(Decimal("89.995")) == Decimal("90.00")
    assert quantised(Decimal("0.005")) == Decimal("0.01")


def test_drafts_do_not_count() -> None:
    weights = {1: Decimal(1), 2: Decimal(1), 3: Decimal(1)}
    grades = {
        1: (Decimal(50), GradeStatus.DRAFT),
        2: (Decimal(70), GradeStatus.SUBMITTED),
        3: (Decimal(90), GradeStatus.FINALIZED),
    }
    assert session_score(weights, grades) == 80


@given(st.sampled_from(SCALES), st.decimals(0, 100, places=4))
def test_every_score_has_exactly_one_letter(scale: object, score: Decimal) -> None:
    found = next(one for one in SCALES if one is scale)
    exact = quantised(score)
    rows = [row for row in found.conversions if row.minimum <= exact <= row.maximum]
    assert rows == [found.convert(score)]


@pytest.mark.parametrize(
    ("cycle", "course", "score", "letter", "points"),
    [
        ("LANG", "EHSS-07", "50", "D", "1"),
        ("LANG", "EHSS-07", "89.995", "A", "4"),
        ("LANG", "EHSS-07", "49.99", "F", "0"),
        ("LANG", "IEAP-02", "59.99", "F", "0"),
        ("LANG", "ieap-02", "60", "D", "1"),
        ("BA", "COMP-210", "96", "A+", "4"),
        ("BA", "COMP-210", "90", "A-", "3.67"),
        ("MASTERS", "MBA-501", "60", "D", "1"),
        ("UNKNOWN", "X-1", "0", "F", "0"),
    ],
)
def test_scale_by_cycle_and_prefix(
    cycle: str, course: str, score: str, letter: str, points: str
) -> None:
    scale = choose_scale(SCALES, cycle=cycle, course_code=course)
    row = scale.convert(Decimal(score))
    assert (row.letter, row.points) == (letter, Decimal(points))


def test_letter_alone_is_the_middle_of_its_range() -> None:
    scale = choose_scale(SCALES, cycle="LANG", course_code="EHSS-07")
    assert scale.midpoint("B") == Decimal("85.00")
    assert scale.convert(scale.midpoint("B")).letter == "B"
    with pytest.raises(InvalidInputError):
        scale.midpoint("A+")


def test_no_score_has_no_letter() -> None:
    assert graded(SCALES[0], None).letter is None
    assert graded(SCALES[0], Decimal(0)).letter == "F"


def test_ieap_has_two_halves() -> None:
    assert session_weights("IEAP-02") == (Decimal("0.5"), Decimal("0.5"))
    assert session_weights("EHSS-07") == (Decimal(1),)


@pytest.mark.parametrize("score", ["-0.01", "100.01", "NaN", "Infinity", "-Infinity", "sNaN"])
def test_score_out_of_range(score: str) -> None:
    with pytest.raises(InvalidInputError):
        checked_score(Decimal(score))


@given(st.sampled_from(GradeStatus), st.sampled_from(GradeStatus))
def test_only_the_next_step_is_open(status: GradeStatus, to: GradeStatus) -> None:
    if next_status(status) is to:
        check_step(status, to)
        assert previous_status(to) is status
    else:
        with pytest.raises(GradeStepError):
            check_step(status, to)


@given(st.sampled_from(GradeStatus))
def test_approved_and_finalised_are_locked(status: GradeStatus) -> None:
    if status in (GradeStatus.APPROVED, GradeStatus.FINALIZED):
        with pytest.raises(GradeLockedError):
            check_change(status)
    else:
        check_change(status)


@given(st.lists(st.sampled_from(GradeStatus)), st.booleans())
def test_final_status_is_the_least_that_counts(statuses: list[GradeStatus], complete: bool) -> None:
    order = list(GradeStatus)
    found = final_status(statuses, complete=complete)
    assert all(order.index(found) <= order.index(status) for status in statuses)
    assert complete or not found.locked
