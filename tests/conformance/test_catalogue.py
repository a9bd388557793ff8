"""No case of the conformance list is without a test, and its page is current."""

from __future__ import annotations

from tests.conformance.catalogue import CASES, PAGE, page, proofs


def test_every_case_is_proved_by_a_test() -> None:
    cases = {case for chapter in CASES.values() for case in chapter}
    assert sorted(cases - proofs().keys()) == []


def test_no_test_names_a_case_that_is_not_in_the_list() -> None:
    cases = {case for chapter in CASES.values() for case in chapter}
    assert sorted(proofs().keys() - cases) == []


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.conformance.catalogue"
