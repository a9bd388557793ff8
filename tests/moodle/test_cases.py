"""The example cases of the contract, run by the platform and judged by the tool's own models."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from demo import Platform, PlatformConfig, create_platform
from demo.provisioning.apply import apply
from demo.provisioning.fingerprints import digest
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import AnyDocument, Applied, Document, Grades, key_of
from tests.moodle.case_gradebooks import named
from tests.moodle.case_world import (
    Given,
    Json,
    again,
    check_then,
    comparable,
    read_cases,
)

CASES = dict(read_cases())
# What the tool's own models refuse before anything is sent.
_BROKEN = ("schema", "unknown_kind")


@pytest.fixture
def platform() -> Platform:
    found: Platform = create_platform(PlatformConfig(course_json={})).extensions["platform"]
    return found


@pytest.mark.parametrize("name", CASES)
def test_platform_does_as_the_contract_says(name: str, platform: Platform) -> None:
    for number, step in enumerate(CASES[name]["steps"]):
        _run(step, platform, f"{name}, step {number}")


def _run(step: Json, platform: Platform, where: str) -> None:
    Given(platform).make(step.get("given", {}))
    step = named(platform.state, step)
    documents, state = step["documents"], platform.state
    before = deepcopy(state)
    previewed = _apply(platform, documents, dryrun=True)
    assert state == before, f"{where}: the preview changed something"
    applied = _apply(platform, documents)
    assert comparable(applied) == comparable(step["results"]), where
    assert comparable(previewed) == comparable(applied), where
    for preview, result in zip(previewed, applied, strict=True):
        assert preview["id"] == (None if result["result"] == "created" else result["id"]) or (
            preview["id"] == result["id"]
        )
    check_then(step.get("then", {}), state)
    for kind, prints in step.get("fingerprints", {}).items():
        found = digest(state, kind, keys=list(prints))["items"]
        assert {item["key"]: item["fingerprint"] for item in found} == prints, where
    settled = deepcopy(state)
    repeated = comparable(_apply(platform, documents))
    expected = step.get("again")
    assert repeated == (comparable(expected) if expected else again(applied, documents)), where
    if not expected:
        assert state == settled, f"{where}: the second time changed something"


def _apply(platform: Platform, documents: list[Any], *, dryrun: bool = False) -> list[Json]:
    results = apply(platform.state, documents, dryrun=dryrun)
    Applied.model_validate({"contract": 1, "dryrun": dryrun, "results": results})
    return results


@pytest.mark.parametrize("name", CASES)
def test_tool_refuses_what_the_contract_refuses(name: str) -> None:
    for step in CASES[name]["steps"]:
        documents = named(None, step["documents"])
        for document, result in zip(documents, step["results"], strict=True):
            broken = result.get("code") in _BROKEN
            assert _tool_would_send(document) is not broken, document


def _tool_would_send(document: Any) -> bool:
    try:
        AnyDocument.validate_python(document)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", CASES)
def test_what_was_done_has_the_fingerprint_that_the_tool_expects(
    name: str, platform: Platform
) -> None:
    for step in CASES[name]["steps"]:
        Given(platform).make(step.get("given", {}))
        documents = named(platform.state, step["documents"])
        results = _apply(platform, documents)
        for raw, result in zip(documents, results, strict=True):
            if result["result"] == "refused" or _has_refused(result):
                continue
            document = AnyDocument.validate_python(raw)
            if isinstance(document, Grades):
                # Reconciled by reading them.
                continue
            assert _held(platform, document) == fingerprint(document), raw


def _has_refused(result: Json) -> bool:
    return any(member["result"] == "refused" for member in result["members"])


def _held(platform: Platform, document: Document) -> str | None:
    found = digest(platform.state, document.kind, keys=[key_of(document)])["items"]
    return found[0]["fingerprint"] if found else None
