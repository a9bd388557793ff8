from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.http import HttpResponse
from lti_tool.lti.ags_documents import read_line_item, read_result
from lti_tool.lti.service_errors import AgsError, AgsMalformedError

ORIGIN = "https://lms.example/2/lineitems"
ANSWER = HttpResponse(200, {"Content-Type": "application/json"}, b"{}", ORIGIN)

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)
NAMES = st.sampled_from(
    ["id", "label", "scoreMaximum", "resourceId", "userId", "resultScore", "resultMaximum"]
)


@given(VALUES | st.dictionaries(NAMES, VALUES))
def test_any_document_is_read_or_refused(entry: Any) -> None:
    document = json.loads(json.dumps(entry), parse_float=Decimal)
    result = read_result(document)
    if result is not None and result.score is not None:
        assert result.score.is_finite()
        assert result.maximum is not None
    with pytest.raises(AgsError):
        read_line_item(document, ANSWER, ORIGIN)


def test_an_address_too_long_to_keep_is_refused() -> None:
    with pytest.raises(AgsMalformedError):
        read_line_item({"id": f"{ORIGIN}/{'9' * 1000}", "scoreMaximum": 1}, ANSWER, ORIGIN)
