"""The tool's models and the built-in platform, written apart, agree on any document."""

from __future__ import annotations

import json
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from demo.model import LineItem, State
from demo.provisioning.apply import apply
from demo.provisioning.documents import read_document
from demo.provisioning.fingerprints import digest
from demo.provisioning.readings import read
from demo.provisioning.refusal import RefusedError
from lti_tool.moodle.contract import fingerprint
from lti_tool.moodle.documents import AnyDocument, key_of
from tests.moodle.document_strategies import CAMPUS, DOCUMENTS, GRADED, SOUND, TEACHERS, Json

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
             for kind in ("category", "user", "course", "roster", "gradebook")}
        )  # fmt: skip
    # Of two who want one name the first gets it: there alone the order tells.
    if _no_rivals(documents):
        assert states[0] == states[1]


def _no_rivals(documents: list[Json]) -> bool:
    for field in ("username", "email", "shortname"):
        names = [each[field] for each in documents if field in each]
        if len(names) != len(set(names)):
            return False
    # So it is with numbers of things, which are given one after another.
    return not any(item.get("source") for each in documents for item in each.get("items", []))


@_MANY
@given(st.lists(SOUND, max_size=6))
def test_what_was_done_has_the_fingerprint_that_the_tool_expects(documents: list[Json]) -> None:
    state = State()
    for raw, result in zip(documents, apply(state, documents, dryrun=False), strict=True):
        members = result["members"]
        if raw["kind"] == "grades":
            continue
        if result["result"] == "refused" or any(m["result"] == "refused" for m in members):
            continue
        document = AnyDocument.validate_python(raw)
        [held] = digest(state, document.kind, keys=[key_of(document)])["items"]
        assert held["fingerprint"] == fingerprint(document)


def _campus() -> State:
    state = State()
    apply(state, CAMPUS, dryrun=False)
    [course] = state.courses.values()
    for number in TEACHERS:
        state.line_items[number] = LineItem(number, course.id, 0, f"Quiz {number}", 10.0)
    state.last_id = max(TEACHERS)
    return state


@_MANY
@given(GRADED)
def test_grades_call_after_call(calls: list[list[Json]]) -> None:
    state = _campus()
    for documents in calls:
        before = deepcopy(state)
        preview = apply(state, documents, dryrun=True)
        assert state == before
        done = apply(state, documents, dryrun=False)
        assert [{**each, "id": None} for each in preview] == [{**each, "id": None} for each in done]
        settled = deepcopy(state)
        again = apply(state, documents, dryrun=False)
        assert {each["result"] for each in again} <= {"unchanged", "refused"}
        assert state == settled
        for raw, result in zip(documents, done, strict=True):
            if result["result"] == "refused":
                continue
            if raw["kind"] == "gradebook":
                [held] = digest(state, "gradebook", keys=["c0"])["items"]
                assert held["fingerprint"] == fingerprint(AnyDocument.validate_python(raw))
            else:
                _require_taken(state, raw, result)
        # A teacher's own item is never lost, and keeps its name and range.
        for number in TEACHERS:
            item = state.line_items[number]
            assert (item.label, item.maximum) == (f"Quiz {number}", 10.0)


def _require_taken(state: State, document: Json, result: Json) -> None:
    scope = {"courses": ["c0"], "keyed": True}
    items = read(state, "grades", scope, after=0, limit=999)["items"]
    there = {(each["user"], each["key"]): each["percent"] for each in items}
    for grade, member in zip(document["grades"], result["members"], strict=True):
        if member["result"] != "refused" and grade["value"] is not None:
            assert there[grade["user"].strip(), grade["item"]] == grade["value"]
