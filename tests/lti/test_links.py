from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.lti.links import (
    Link,
    find_link,
    has_parameter,
    parse_links,
    same_origin,
    with_path_suffix,
    with_query,
    without_parameters,
)

BASE = "https://lms.example/a/members?limit=2"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://lms.example/Next?Page=2>; rel="next"', "https://lms.example/Next?Page=2"),
        ("<https://lms.example/n>; rel=next", "https://lms.example/n"),
        ("<https://lms.example/n>;rel=“next”", "https://lms.example/n"),
        (
            "<https://lms.example/n>; rel=“next”".encode().decode("latin-1"),
            "https://lms.example/n",
        ),
        ("<https://lms.example/n>; rel='next'", "https://lms.example/n"),
        ('<https://lms.example/n>; REL="NEXT"', "https://lms.example/n"),
        ('<https://lms.example/n>; title="a, b; c"; rel="next"', "https://lms.example/n"),
        ('<https://lms.example/n>; rel="last next"', "https://lms.example/n"),
        ('<https://lms.example/1>; rel="prev", <https://lms.example/3>; rel="next"', "…/3"),
        ("<https://lms.example/n?a=1&amp;b=2&amp;a=3>; rel=next", "…/n?a=1&b=2&a=3"),
        ('</b/more?from=2>; rel="next"', "https://lms.example/b/more?from=2"),
        ('<?from=2>; rel="next"', "https://lms.example/a/members?from=2"),
        ('<https://lms.example/n>; rel="prev"', None),
        ('<https://lms.example/n>; rel=""', None),
        ("<https://lms.example/n>", None),
        ("<>; rel=next", None),
        ("nonsense; rel=next", None),
        ("", None),
    ],
)
def test_find_link(header: str, expected: str | None) -> None:
    if expected is not None:
        expected = expected.replace("…", "https://lms.example")
    assert find_link([header], "next", base=BASE) == expected


def test_several_headers() -> None:
    headers = [
        '<https://lms.example/d>; rel="differences"',
        "<https://lms.example/n>; rel=“next”, <https://lms.example/l>; rel=“last”",
    ]
    assert parse_links(headers, base=BASE) == [
        Link("https://lms.example/d", frozenset({"differences"})),
        Link("https://lms.example/n", frozenset({"next"})),
        Link("https://lms.example/l", frozenset({"last"})),
    ]


def test_an_address_that_cannot_be_read_is_on_no_host() -> None:
    link = find_link(["<http://[bad/>; rel=next"], "next", base=BASE)
    assert link == "http://[bad/"
    assert not same_origin(link, BASE)


@given(st.text(max_size=300))
def test_any_header_is_survived(text: str) -> None:
    for link in parse_links([text, f"<{text}>; rel=next"], base=BASE):
        same_origin(link.url, BASE)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://A.example:443/y?z", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "https://a.example@b.example", False),
        ("javascript:alert(1)", "javascript:alert(1)", False),
        ("https://a.example:x", "https://a.example:x", False),
    ],
)
def test_same_origin(one: str, other: str, same: bool) -> None:
    assert same_origin(one, other) is same


def test_query_surgery() -> None:
    url = "https://lms.example/lineitems/3/lineitem?type_id=3&X=%2F"
    assert with_path_suffix(url, "/scores") == (
        "https://lms.example/lineitems/3/lineitem/scores?type_id=3&X=%2F"
    )
    assert with_query(url, {}) == url
    assert with_query(url, {"tag": "a b&c"}) == f"{url}&tag=a%20b%26c"
    assert with_query("https://lms.example/x", {"a": "1"}) == "https://lms.example/x?a=1"
    assert without_parameters(url, "type_id") == "https://lms.example/lineitems/3/lineitem?X=%2F"
    assert has_parameter(url, "type_id")
    assert not has_parameter(url, "type")
