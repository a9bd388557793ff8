"""The example cases of the contract: what they give and expect, in the built-in platform."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from demo import Platform
from demo.model import Category, Course, Group, Membership, Person, Section, State
from tests.moodle.case_gradebooks import (
    give_own_category,
    give_own_item,
    snapshot_foreign,
    snapshot_gradebooks,
)
from tests.moodle.case_grades import give_grade, give_item, snapshot_grades

CASES = Path(__file__).parents[2] / "moodle_plugin/local_nagasis/contract/cases"
# Where something is not called the same in a case and in the platform.
_PERSON = {"firstname": "given_name", "lastname": "family_name", "admin": "site_admin"}

Json = dict[str, Any]


def read_cases() -> Iterator[tuple[str, Json]]:
    """All cases by name."""
    for path in sorted(CASES.glob("*.json")):
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


class Given:
    """Makes by hand what a case's ``given`` says."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.state: State = platform.state

    def make(self, given: Json) -> None:
        """Make everything; what is there already gets the fields that are named."""
        for name, value in given.get("config", {}).items():
            self._set(name, value)
        for fields in given.get("categories", []):
            self._category(fields)
        for fields in given.get("users", []):
            self._person(fields)
        for fields in given.get("courses", []):
            self._course(fields)
        for fields in given.get("enrolments", []):
            self._enrol(fields)
        for fields in given.get("gradecategories", []):
            give_own_category(self.platform, fields)
        for fields in given.get("items", []):
            give_own_item(self.platform, fields)
        for fields in given.get("grades", []):
            give_grade(self.state, fields)
        for fields in given.get("gradeitems", []):
            give_item(self.state, fields)

    def _set(self, name: str, value: Any) -> None:
        match name:
            case "allowaccountssameemail":
                self.state.share_emails = bool(value)
            case "contextlocking":
                self.state.context_locking = bool(value)
            case _:
                raise AssertionError(f"a case sets {name}, which the platform does not have")

    def _category(self, fields: Json) -> None:
        made = Category(self.platform.next_id(), fields.get("name", "Given"))
        made.idnumber, made.visible = fields.get("idnumber", ""), fields.get("visible", True)
        made.parent_id = self._category_id(fields.get("parent"))
        self.state.categories[made.id] = made

    def _category_id(self, idnumber: str | None) -> int | None:
        return next((c.id for c in self.state.categories.values() if c.idnumber == idnumber), None)

    def _person(self, fields: Json) -> None:
        number = self.platform.next_id()
        made = Person(number, f"given{number}", "Given", "Person", f"given{number}@example.edu")
        for name, value in fields.items():
            setattr(made, _PERSON.get(name, name), value)
        self.state.people[made.id] = made

    def _course(self, fields: Json) -> None:
        number = self.platform.next_id()
        made = Course(number, f"given{number}", "Given course")
        for name, value in fields.items():
            match name:
                case "category":
                    made.category_id = self._category_id(value)
                case "sections":
                    made.sections = [Section(self.platform.next_id(), **each) for each in value]
                case "groups":
                    made.groups = [Group(self.platform.next_id(), **each) for each in value]
                case _:
                    setattr(made, name, value)
        self.state.courses[made.id] = made

    def _enrol(self, fields: Json) -> None:
        course = next(c for c in self.state.courses.values() if c.idnumber == fields["course"])
        person = next(p for p in self.state.people.values() if p.idnumber == fields["user"])
        ours = fields.get("method", "manual") == "nagasis"
        if ours and course.roster is None:
            course.roster = {}
        held = course.roster if ours and course.roster is not None else course.members
        role, status = fields.get("role", "student"), fields.get("status", "active")
        held[person.id] = Membership(person.id, role, status)
        for group in course.groups:
            if group.idnumber in fields.get("groups", []):
                group.members[person.id] = ours


def snapshot(state: State) -> Json:
    """What the platform holds, as cases name it."""
    categories, people = state.categories, state.people
    return {
        "categories": [
            {"idnumber": c.idnumber, "name": c.name, "visible": c.visible,
             "parent": categories[c.parent_id].idnumber if c.parent_id else None}
            for c in categories.values()
        ],
        "users": [
            {"idnumber": p.idnumber, "username": p.username, "firstname": p.given_name,
             "lastname": p.family_name, "email": p.email, "alternatename": p.alternatename,
             "suspended": p.suspended, "lang": p.lang, "admin": p.site_admin, "auth": p.auth}
            for p in people.values()
        ],
        "courses": [
            {"idnumber": c.idnumber, "shortname": c.shortname, "fullname": c.fullname,
             "category": categories[c.category_id].idnumber if c.category_id else None,
             "startdate": c.startdate, "enddate": c.enddate, "visible": c.visible,
             "readonly": c.readonly,
             "summary": c.summary,
             "sections": [{"key": s.key, "name": s.name} for s in c.sections],
             "groups": [{"idnumber": g.idnumber, "name": g.name} for g in c.groups]}
            for c in state.courses.values()
        ],
        "enrolments": [
            {"course": c.idnumber, "user": people[m.user_id].idnumber, "method": method,
             "role": m.role, "status": m.status,
             "groups": sorted(g.idnumber for g in c.groups if m.user_id in g.members)}
            for c in state.courses.values()
            for method, held in (("manual", c.members), ("nagasis", c.roster or {}))
            for m in held.values()
        ],
        "grades": snapshot_grades(state),
        "gradebooks": snapshot_gradebooks(state),
        "items": snapshot_foreign(state),
    }  # fmt: skip


# What tells one thing of a kind from another.
_NAMES = {
    "categories": ("idnumber",),
    "users": ("idnumber", "username"),
    "courses": ("idnumber", "shortname"),
    "enrolments": ("course", "user", "method"),
    "grades": ("course", "user", "item"),
    "gradebooks": ("course",),
    "items": ("name", "course"),
}


def check_then(then: Json, state: State) -> None:
    """Each thing that is named must be there with the fields that are named."""
    there = snapshot(state)
    for kind, wanted in then.items():
        if kind in _NAMES:
            for fields in wanted:
                assert any(_fits(fields, thing) for thing in there[kind]), (
                    f"{kind}: {fields} is not among {there[kind]}"
                )
    for kind, absent in then.get("absent", {}).items():
        for each in absent:
            found = [thing for thing in there[kind] if _named(each, thing, _NAMES[kind][0])]
            assert not found, f"{kind}: {each} is there: {found}"


def _named(each: Any, thing: Json, name: str) -> bool:
    return _fits(each, thing) if isinstance(each, dict) else thing[name] == each


def _fits(fields: Json, thing: Json) -> bool:
    return all(_same(value, thing[name]) for name, value in fields.items())


def _same(value: Any, held: Any) -> bool:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        # Other sections and groups are left alone.
        return all(any(_fits(each, thing) for thing in held) for each in value)
    if isinstance(value, list):
        return sorted(value) == sorted(held)
    return bool(value == held)


def comparable(results: Sequence[Json]) -> list[Json]:
    """Results without ids and words; a refusal must have words."""
    found = []
    for result in results:
        if result["result"] == "refused":
            assert result.get("message", "…"), f"no words: {result}"
        kept = {
            name: value
            for name, value in result.items()
            if name not in ("id", "message", "members", "notes") and value not in (None, [])
        }
        if result.get("notes"):
            assert all(note.get("message", "…") for note in result["notes"]), f"no words: {result}"
            kept["notes"] = [{"code": note["code"]} for note in result["notes"]]
        if result.get("members"):
            kept["members"] = comparable(result["members"])
        found.append(kept)
    return found


def again(results: Sequence[Json], documents: Sequence[Any]) -> list[Json]:
    """What the same documents must give the second time: nothing is left to do."""
    found = []
    for result, document in zip(comparable(results), documents, strict=True):
        kept = _settled(result)
        if "members" in result:
            # Behind the document's own members stand those who were suspended as absent.
            named = len(document.get("members", document.get("grades", [])))
            members = [_settled(each) for each in result["members"][:named]]
            members += [each for each in result["members"][named:] if each["result"] == "refused"]
            kept["members"] = members
            if not members:
                del kept["members"]
        found.append(kept)
    return found


def _settled(result: Json) -> Json:
    if result["result"] == "refused":
        return dict(result)
    kept = {name: value for name, value in result.items() if name not in ("changes", "members")}
    return {**kept, "result": "unchanged"}
