"""The tool's models and the built-in platform, written apart, agree on any document."""

from __future__ import annotations

import json
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from demo.model import State
from demo.provisioning.apply import apply
from demo.provisioning.documents import read_document
from demo.provisioning.fingerprints import digest
from demo.provisioning.refusal import RefusedError
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import AnyDocument, key_of
from tests.moodle.document_strategies import DOCUMENTS, SOUND, Json

_MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def _platform_takes(document: Json) -> bool:
    try:
        read_document(document)
    except RefusedError:
        return False
    return True


def _tool_takes(document: Json) -> bool:
    try:
        AnyDocument.validate_python(document)
    except ValidationError:
        return False
    return True


@_MANY
@given(DOCUMENTS)
def test_they_take_the_same_documents(document: Json) -> None:
    document = json.loads(json.dumps(document))
    assert _platform_takes(document) == _tool_takes(document)


@_MANY
@given(st.lists(DOCUMENTS, max_size=6))
def test_preview_is_what_happens_and_then_nothing_is_left(documents: list[Json]) -> None:
    state = State()
    before = deepcopy(state)
    preview = apply(state, documents, dryrun=True)
    assert state == before
    done = apply(state, documents, dryrun=False)
    assert [{**each, "id": None} for each in preview] == [{**each, "id": None} for each in done]
    settled = deepcopy(state)
    again = apply(state, documents, dryrun=False)
    assert {each["result"] for each in again} <= {"unchanged", "refused"}
    assert state == settled


@_MANY
@given(st.lists(SOUND, min_size=2, max_size=6), st.randoms())
def test_the_order_within_a_call_does_not_matter(documents: list[Json], random: object) -> None:
    shuffled = list(documents)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    states = []
    for order in (documents, shuffled):
        state = State()
        apply(state, order, dryrun=False)
        states.append(
            {kind: [(i["key"], i["fingerprint"]) for i in digest(state, kind, limit=99)["items"]]
             for kind in ("category", "user", "course", "roster")}
        )  # fmt: skip
    # Of two who want one name the first gets it: there alone the order tells.
    if _no_rivals(documents):
        assert states[0] == states[1]


def _no_rivals(documents: list[Json]) -> bool:
    for field in ("username", "email", "shortname"):
        names = [each[field] for each in documents if field in each]
        if len(names) != len(set(names)):
            return False
    return True


@_MANY
@given(st.lists(SOUND, max_size=6))
def test_what_was_done_has_the_fingerprint_that_the_tool_expects(documents: list[Json]) -> None:
    state = State()
    for raw, result in zip(documents, apply(state, documents, dryrun=False), strict=True):
        members = result["members"]
        if result["result"] == "refused" or any(m["result"] == "refused" for m in members):
            continue
        document = AnyDocument.validate_python(raw)
        [held] = digest(state, document.kind, keys=[key_of(document)])["items"]
        assert held["fingerprint"] == fingerprint(document)
