"""Rosters: who is enrolled in a course by the school."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from demo.model import Course, Group, Membership, Person
from demo.provisioning.documents import MemberPart, RosterDocument
from demo.provisioning.plan import Plan, Site, differences, one
from demo.provisioning.refusal import RefusedError
from demo.provisioning.users import is_protected

Step = Callable[[], None]


class RosterPlanner:
    """Plans one roster against one course."""

    def __init__(self, site: Site, document: RosterDocument) -> None:
        self.site = site
        self.document = document
        self.steps: list[Step] = []
        self.course = self._course()
        self.roster = {} if self.course.roster is None else self.course.roster
        self.groups = [group for group in self.course.groups if group.idnumber]

    def plan(self) -> Plan:
        """Return the plan; refuses the whole roster, or single members of it."""
        document = self.document
        if document.count != len(document.members):
            raise RefusedError(
                "count_mismatch",
                "/count",
                f"The roster says {document.count} and holds {len(document.members)} members.",
            )
        times = Counter(member.user for member in document.members)
        results, present = [], set[int]()
        for number, member in enumerate(document.members):
            where = f"/members/{number}"
            try:
                if times[member.user] > 1:
                    present |= {p.id for p in self._everyone(member.user)}
                    raise RefusedError(
                        "duplicate_member", f"{where}/user", f"{member.user!r} stands there twice."
                    )
                results.append(self._member(member, where, present))
            except RefusedError as error:
                results.append({"user": member.user, **error.result()})
        results += [self._absent(held) for held in self._left(present)]
        changed = any(result["result"] not in ("unchanged", "refused") for result in results)
        outcome = "updated" if changed else "unchanged"
        if changed and self.course.roster is None:
            outcome = "created"
        return Plan(outcome, self._execute, members=results)

    def _course(self) -> Course:
        if not self.site.enrolments:
            raise RefusedError("enrol_disabled", None, "Enrolments of the school are switched off.")
        course = self.site.course(self.document.course, "/course")
        if course is None:
            raise RefusedError(
                "course_missing", "/course", f"There is no course {self.document.course!r}."
            )
        return course

    def _everyone(self, idnumber: str) -> list[Person]:
        return [p for p in self.site.state.people.values() if p.idnumber == idnumber]

    def _member(self, member: MemberPart, where: str, present: set[int]) -> dict[str, Any]:
        # Whoever is named is not absent, even if something else of the entry is wrong.
        present |= {found.id for found in self._everyone(member.user)}
        person = self.site.person(member.user, f"{where}/user")
        if person is None:
            raise RefusedError(
                "user_missing", f"{where}/user", f"There is no account {member.user!r}."
            )
        groups = [self._group(idnumber, where, n) for n, idnumber in enumerate(member.groups)]
        held = self.roster.get(person.id)
        if held is None and member.status == "suspended":
            return _result(member.user, "unchanged")
        if person.account != "person" or (
            person.site_admin
            and member.status == "suspended"
            and held is not None
            and held.status == "active"
        ):
            raise _protected(person, f"{where}/user")
        wanted = sorted({group.idnumber for group in groups}, key=str.encode)
        self.steps.append(lambda: self._write(person, member, groups))
        if held is None:
            return _result(member.user, "created")
        changes = differences(self._compare(held, member, wanted))
        changed = {change["field"] for change in changes}
        outcome = "updated" if changes else "unchanged"
        if changed == {"status"} and member.status == "suspended":
            outcome = "suspended"
        return _result(member.user, outcome, changes)

    def _compare(
        self, held: Membership, member: MemberPart, wanted: list[str]
    ) -> Iterator[tuple[str, Any, Any]]:
        yield "role", held.role, member.role
        yield "status", held.status, member.status
        yield "groups", self._held_groups(held.user_id), wanted

    def _held_groups(self, user_id: int) -> list[str]:
        return sorted(
            (group.idnumber for group in self.groups if group.members.get(user_id)), key=str.encode
        )

    def _group(self, idnumber: str, where: str, number: int) -> Group:
        field = f"{where}/groups/{number}"
        group = one(self.groups, idnumber, field, lambda found: found.name)
        if group is None:
            raise RefusedError("group_missing", field, f"The course has no group {idnumber!r}.")
        return group

    def _left(self, present: set[int]) -> list[Membership]:
        return [
            held
            for held in self.roster.values()
            if held.status == "active" and held.user_id not in present
        ]

    def _absent(self, held: Membership) -> dict[str, Any]:
        person = self.site.state.people[held.user_id]
        if is_protected(person):
            return {"user": person.idnumber, **_protected(person, None).result()}

        def suspend() -> None:
            held.status = "suspended"

        self.steps.append(suspend)
        change = {"field": "status", "before": "active", "after": "suspended"}
        return _result(person.idnumber, "suspended", [change])

    def _write(self, person: Person, member: MemberPart, groups: list[Group]) -> None:
        self.roster[person.id] = Membership(person.id, member.role, member.status)
        for group in self.groups:
            if group in groups:
                group.members[person.id] = True
            elif group.members.get(person.id):
                del group.members[person.id]

    def _execute(self) -> int:
        if self.steps:
            self.course.roster = self.roster
        for step in self.steps:
            step()
        return self.course.id


def plan_roster(site: Site, document: RosterDocument) -> Plan:
    """Plan one roster."""
    return RosterPlanner(site, document).plan()


def _result(user: str, result: str, changes: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "user": user,
        "result": result,
        "changes": changes or [],
        "code": None,
        "field": None,
        "message": None,
    }


def _protected(person: Person, field: str | None) -> RefusedError:
    return RefusedError(
        "protected_user", field, f"{person.username!r} is not the school's to suspend or enrol."
    )
