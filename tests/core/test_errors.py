"""Problem documents."""

from __future__ import annotations

from lti_tool.core.errors import InvalidInputError


def test_a_problem_document_names_code_field_and_remedy() -> None:
    error = InvalidInputError("The name is empty.", field="name", remedy="Give a name.", row=3)
    assert error.problem(reference="R1") == {
        "type": "urn:naga:error:invalid_input",
        "title": "The input is not valid",
        "status": 400,
        "detail": "The name is empty.",
        "code": "invalid_input",
        "field": "name",
        "remedy": "Give a name.",
        "reference": "R1",
        "row": 3,
    }
