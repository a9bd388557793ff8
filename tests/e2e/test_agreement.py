"""The plugin in a real Moodle and the built-in platform, written apart, do the same."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.moodle_site import Site, WebService, find_site, tokens
from demo.model import State
from demo.provisioning.apply import apply
from demo.provisioning.fingerprints import digest
from tests.moodle.case_world import comparable
from tests.moodle.document_strategies import DOCUMENTS, Json

PREFIX = "nbagree"
KINDS = ("category", "user", "course", "roster")
# Fields that hold a key or a name that only one thing in Moodle may have.
_OURS = ("idnumber", "parent", "category", "course", "username", "email", "shortname")

pytestmark = [pytest.mark.moodle, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def site() -> Site:
    if not os.environ.get("MOODLE_DIR"):
        pytest.skip("no Moodle: set MOODLE_DIR and MOODLE_URL")
    return find_site()


@pytest.fixture(scope="module")
def plugin(site: Site) -> Iterator[WebService]:
    site.run("remove", prefix=PREFIX)
    with tokens(site) as (_, plugin):
        yield plugin
        site.run("remove", prefix=PREFIX)


@pytest.fixture(scope="module")
def state() -> State:
    return State()


def _marked(document: Json) -> Json:
    """The same document about things of this test alone."""
    marked: Json = {
        name: PREFIX + value.strip() if name in _OURS and isinstance(value, str) else value
        for name, value in document.items()
    }
    if isinstance(marked.get("members"), list):
        marked["members"] = [
            {**each, "user": PREFIX + each["user"].strip()} for each in marked["members"]
        ]
    return marked


@settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    # Moodle remembers what was done: an example that is tried again is another one.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=st.lists(DOCUMENTS, min_size=1, max_size=6))
def test_they_do_the_same(drawn: list[Json], plugin: WebService, state: State) -> None:
    documents = json.loads(json.dumps([_marked(each) for each in drawn]))
    text = json.dumps(documents)
    expected = comparable(apply(state, documents, dryrun=False))
    preview = comparable(plugin.plugin("apply", documents=text, dryrun=True)["results"])
    done = comparable(plugin.plugin("apply", documents=text)["results"])
    assert preview == done
    assert _judged(done) == _judged(expected), text
    for kind in KINDS:
        assert _held_by_moodle(plugin, kind) == _held_by_platform(state, kind), text


def _judged(results: list[Json]) -> list[Json]:
    # Where a document has two faults, which is told first is free.
    return [{"result": "refused"} if each["result"] == "refused" else each for each in results]


def _held_by_moodle(plugin: WebService, kind: str) -> dict[str, str]:
    items = plugin.plugin("digest", kind=kind, limit=5000)["items"]
    return {each["key"]: each["fingerprint"] for each in items if each["key"].startswith(PREFIX)}


def _held_by_platform(state: State, kind: str) -> dict[str, str]:
    items = digest(state, kind, limit=5000)["items"]
    return {each["key"]: each["fingerprint"] for each in items}
