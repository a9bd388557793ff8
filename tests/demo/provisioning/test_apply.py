"""Documents are applied in any order, each as a whole, and the second time nothing is left."""

from __future__ import annotations

import itertools
from copy import deepcopy
from typing import Any

import pytest

from demo.model import Category, Course, Membership, Person, State
from demo.provisioning.apply import apply

Json = dict[str, Any]

TERM: Json = {"kind": "category", "idnumber": "T1", "name": "Term 1"}
YEAR: Json = {"kind": "category", "idnumber": "Y1", "name": "Year 1"}
DARA: Json = {
    "kind": "user",
    "idnumber": "S1",
    "username": "dara",
    "firstname": "Dara",
    "lastname": "Sok",
    "email": "dara@example.edu",
}
CLASS: Json = {
    "kind": "course",
    "idnumber": "C1",
    "shortname": "ENG-1",
    "fullname": "English 1",
    "category": "T1",
    "startdate": 1_800_000_000,
    "sections": [{"key": "mon", "name": "Monday"}],
    "groups": [{"idnumber": "G1", "name": "Group 1"}],
}
MEMBER: Json = {"user": "S1", "groups": ["G1"]}
ROSTER: Json = {"kind": "roster", "course": "C1", "count": 1, "members": [MEMBER]}


@pytest.fixture
def state() -> State:
    admin = Person(2, "admin", "Admin", "User", "admin@example.edu", "A1", site_admin=True)
    return State(people={2: admin}, last_id=2)


def _one(state: State, document: Json) -> Json:
    [result] = apply(state, [document], dryrun=False)
    return result


def _outcomes(results: list[Json]) -> list[str]:
    return [result["code"] or result["result"] for result in results]


def test_everything_in_one_call_in_any_order(state: State) -> None:
    for order in itertools.permutations([TERM, DARA, CLASS, ROSTER]):
        fresh = deepcopy(state)
        assert _outcomes(apply(fresh, order, dryrun=False)) == ["created"] * 4
        settled = deepcopy(fresh)
        assert _outcomes(apply(fresh, order, dryrun=False)) == ["unchanged"] * 4
        assert fresh == settled


def test_preview_says_the_same_and_changes_nothing(state: State) -> None:
    before = deepcopy(state)
    preview = apply(state, [TERM, DARA, CLASS, ROSTER], dryrun=True)
    assert state == before
    done = apply(state, [TERM, DARA, CLASS, ROSTER], dryrun=False)
    assert [each["id"] for each in preview] == [None] * 4
    assert [{**each, "id": None} for each in preview] == [{**each, "id": None} for each in done]


def test_children_before_parents(state: State) -> None:
    results = apply(state, [{**TERM, "parent": "Y1"}, YEAR], dryrun=False)
    assert _outcomes(results) == ["created", "created"]


def test_no_category_is_its_own_ancestor(state: State) -> None:
    ring = [{**TERM, "parent": "Y1"}, {**YEAR, "parent": "T1"}]
    assert _outcomes(apply(state, ring, dryrun=False)) == ["category_loop"] * 2
    apply(state, [TERM, {**YEAR, "parent": "T1"}], dryrun=False)
    assert _one(state, {**TERM, "parent": "Y1"})["code"] == "category_loop"
    turned = [{**TERM, "parent": "Y1"}, YEAR]
    assert _outcomes(apply(state, turned, dryrun=False)) == ["updated", "updated"]


def test_a_name_that_another_document_frees(state: State) -> None:
    other = {**CLASS, "idnumber": "C2", "shortname": "ENG-2"}
    apply(state, [TERM, CLASS, other], dryrun=False)
    chain = [{**CLASS, "shortname": "ENG-2"}, {**other, "shortname": "ENG-3"}]
    assert _outcomes(apply(state, chain, dryrun=False)) == ["updated", "updated"]


def test_two_documents_for_one_thing(state: State) -> None:
    results = apply(state, [DARA, TERM, {**DARA, "lastname": "Chan"}], dryrun=False)
    assert _outcomes(results) == ["duplicate_document", "created", "duplicate_document"]


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ("text", "schema", ""),
        ({}, "schema", "/kind"),
        ({**DARA, "kind": "teacher"}, "unknown_kind", "/kind"),
        ({**DARA, "birthday": 1}, "schema", "/birthday"),
        ({**DARA, "a/b~": 1}, "schema", "/a~1b~0"),
        ({**DARA, "firstname": "x" * 101}, "schema", "/firstname"),
        ({**DARA, "firstname": "a\nb"}, "schema", "/firstname"),
        ({**DARA, "suspended": 1}, "schema", "/suspended"),
        ({**DARA, "username": "Dara"}, "username_invalid", "/username"),
        ({**DARA, "username": "admin"}, "username_taken", "/username"),
        ({**DARA, "email": "dara"}, "email_invalid", "/email"),
        ({**DARA, "email": "Admin@example.edu"}, "email_taken", "/email"),
        ({**DARA, "auth": "telepathy"}, "auth_missing", "/auth"),
        ({**DARA, "idnumber": "A1"}, "protected_user", "/idnumber"),
        (CLASS, "category_missing", "/category"),
        ({**TERM, "idnumber": "  "}, "schema", "/idnumber"),
        ({**TERM, "parent": "Y9"}, "category_missing", "/parent"),
        ({**CLASS, "enddate": 1}, "dates_reversed", "/enddate"),
        ({**CLASS, "groups": [{"idnumber": "G"}]}, "schema", "/groups/0/name"),
        (ROSTER, "course_missing", "/course"),
    ],
)
def test_refusals(state: State, document: Any, code: str, field: str) -> None:
    before = deepcopy(state)
    result = _one(state, document)
    assert (result["code"], result["field"]) == (code, field)
    assert result["message"]
    assert state == before


def test_two_things_of_one_idnumber(state: State) -> None:
    for number, name in ((7, "one"), (8, "two")):
        state.people[number] = Person(number, name, "", "", idnumber="S1")
        state.categories[number] = Category(number, name, "T1")
        state.courses[number] = Course(number, name, name, "C1")
    for document in (DARA, TERM, ROSTER):
        result = _one(state, document)
        assert result["code"] == "ambiguous_idnumber"
        assert "'one' and 'two'" in result["message"]


def test_only_suspending_is_called_so(state: State) -> None:
    _one(state, DARA)
    suspended = _one(state, {**DARA, "suspended": True})
    assert suspended["result"] == "suspended"
    assert suspended["changes"] == [{"field": "suspended", "before": False, "after": True}]
    assert _one(state, {**DARA, "lastname": "Kim"})["result"] == "updated"


def test_markup_is_text(state: State) -> None:
    _one(state, {**TERM, "name": " <script>x</script> "})
    assert [each.name for each in state.categories.values()] == ["‹script›x‹/script›"]


class TestRoster:
    @pytest.fixture(autouse=True)
    def _campus(self, state: State) -> None:
        bopha = {**DARA, "idnumber": "S2", "username": "bopha", "email": "bopha@example.edu"}
        apply(state, [TERM, DARA, bopha, CLASS], dryrun=False)

    def _apply(self, state: State, *members: Json, count: int | None = None) -> Json:
        count = len(members) if count is None else count
        return _one(state, {**ROSTER, "count": count, "members": list(members)})

    def test_absent_are_suspended_and_come_back(self, state: State) -> None:
        self._apply(state, MEMBER, {"user": "S2"})
        result = self._apply(state, MEMBER)
        assert result["result"] == "updated"
        assert [(m["user"], m["result"]) for m in result["members"]] == [
            ("S1", "unchanged"),
            ("S2", "suspended"),
        ]
        assert self._apply(state, MEMBER)["result"] == "unchanged"
        back = self._apply(state, MEMBER, {"user": "S2"})["members"][1]
        assert back["changes"] == [{"field": "status", "before": "suspended", "after": "active"}]

    def test_count_guards(self, state: State) -> None:
        self._apply(state, MEMBER, {"user": "S2"})
        before = deepcopy(state)
        result = self._apply(state, MEMBER, count=2)
        assert (result["code"], result["field"]) == ("count_mismatch", "/count")
        assert state == before

    def test_others_go_on(self, state: State) -> None:
        result = self._apply(state, {"user": "S9"}, {"user": "S2", "groups": ["G9"]}, MEMBER)
        assert _outcomes(result["members"]) == ["user_missing", "group_missing", "created"]
        assert [m["field"] for m in result["members"]] == [
            "/members/0/user",
            "/members/1/groups/0",
            None,
        ]

    def test_refused_members_are_not_absent(self, state: State) -> None:
        self._apply(state, MEMBER, {"user": "S2"})
        result = self._apply(state, MEMBER, {"user": "S2", "groups": ["G9"]})
        assert _outcomes(result["members"]) == ["unchanged", "group_missing"]

    def test_enrolments_by_hand_are_left_alone(self, state: State) -> None:
        [course] = state.courses.values()
        [admin] = [p for p in state.people.values() if p.site_admin]
        course.members[admin.id] = Membership(admin.id, "editingteacher")
        self._apply(state, MEMBER)
        result = self._apply(state)
        assert [m["user"] for m in result["members"]] == ["S1"]
        assert course.members[admin.id].status == "active"

    def test_suspended_who_is_not_enrolled_stays_so(self, state: State) -> None:
        result = self._apply(state, {"user": "S1", "status": "suspended"})
        assert result["result"] == "unchanged"
        assert [m["result"] for m in result["members"]] == ["unchanged"]

    def test_administrator_is_not_suspended(self, state: State) -> None:
        self._apply(state, {"user": "A1", "role": "teacher"})
        result = self._apply(state)
        assert result["result"] == "unchanged"
        assert _outcomes(result["members"]) == ["protected_user"]
        suspended = self._apply(state, {"user": "A1", "role": "teacher", "status": "suspended"})
        assert _outcomes(suspended["members"]) == ["protected_user"]

    def test_groups_follow(self, state: State) -> None:
        self._apply(state, MEMBER)
        result = self._apply(state, {"user": "S1"})
        assert result["members"][0]["changes"] == [
            {"field": "groups", "before": ["G1"], "after": []}
        ]
