"""A campus through the plugin's ``apply``, against core's web services with their best batches.

1,000 users, 100 courses and 5,000 enrolments, made twice in one real Moodle in one run: by core's
functions, then by documents; then the same documents again, unchanged. People sign in by OAuth 2
in both, so that core need not hash passwords that nobody uses. Everything is removed at the end.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.moodle_site import MoodleFailedError, Site, WebService, figure, find_site, tokens


class Size(NamedTuple):
    """How many; ``members`` of each course."""

    users: int
    courses: int
    members: int


CAMPUS = Size(1000, 100, 50)
# Made before both, so that neither pays for what Moodle loads the first time.
WARMING = Size(10, 2, 5)
# What is fastest with core's functions; found by trying.
CORE_USERS, CORE_COURSES, CORE_ENROLMENTS = 100, 25, 500
# As many as the contract allows in one call, of whatever kinds.
DOCUMENTS = 1000
STUDENT = 5
START = 1_800_000_000

Json = dict[str, Any]
Times = dict[str, float]


def _timed(times: Times, name: str, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    began = time.perf_counter()
    found = work(*given, **named)
    times[name] = times.get(name, 0.0) + time.perf_counter() - began
    return found


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _person(prefix: str, number: int) -> Json:
    name = f"{prefix}u{number:04}"
    return {
        "idnumber": name,
        "username": name,
        "firstname": f"Dara {number}",
        "lastname": "Sok",
        "email": f"{name}@example.edu",
        "auth": "oauth2",
    }


def _course(prefix: str, number: int) -> Json:
    name = f"{prefix}c{number:03}"
    return {
        "idnumber": name,
        "shortname": name,
        "fullname": f"English {number}",
        "startdate": START,
    }


def _members(size: Size, course: int) -> list[int]:
    return [(course * size.members + member) % size.users for member in range(size.members)]


def by_core(service: WebService, prefix: str, size: Size = CAMPUS) -> Times:
    """Make the campus by core's functions."""
    times: Times = {}
    category = {"name": f"{prefix}t", "idnumber": f"{prefix}t", "parent": 0}
    [made] = service.call("core_course_create_categories", categories=[category])
    users: list[int] = []
    courses: list[int] = []
    for part in _chunks(range(size.users), CORE_USERS):
        people = [{**_person(prefix, number), "password": "Naga-1234"} for number in part]
        answer = _timed(times, "users", service.call, "core_user_create_users", users=people)
        users += [each["id"] for each in answer]
    for part in _chunks(range(size.courses), CORE_COURSES):
        wanted = [{**_course(prefix, number), "categoryid": made["id"]} for number in part]
        create = "core_course_create_courses"
        answer = _timed(times, "courses", service.call, create, courses=wanted)
        courses += [each["id"] for each in answer]
    enrolments = [
        {"roleid": STUDENT, "userid": users[member], "courseid": courses[number]}
        for number in range(size.courses)
        for member in _members(size, number)
    ]
    for part in _chunks(enrolments, CORE_ENROLMENTS):
        enrol = "enrol_manual_enrol_users"
        _timed(times, "enrolments", service.call, enrol, enrolments=list(part))
    return times


def documents(prefix: str, size: Size = CAMPUS) -> list[Json]:
    """The same campus as documents."""
    term = f"{prefix}t"
    found: list[Json] = [{"kind": "category", "idnumber": term, "name": term}]
    found += [{"kind": "user", **_person(prefix, number)} for number in range(size.users)]
    courses = [_course(prefix, number) for number in range(size.courses)]
    found += [{"kind": "course", **course, "category": term} for course in courses]
    for number, course in enumerate(courses):
        members = [{"user": f"{prefix}u{member:04}"} for member in _members(size, number)]
        roster = {"course": course["idnumber"], "count": len(members), "members": members}
        found.append({"kind": "roster", **roster})
    return found


def by_documents(service: WebService, campus: Sequence[Json], expected: str) -> Times:
    """Apply the campus; every result, and every member's, must be ``expected``."""
    times: Times = {}
    for part in _chunks(campus, DOCUMENTS):
        kinds = Counter(each["kind"] for each in part)
        name = " and ".join(f"{count} {kind}" for kind, count in kinds.items())
        answer = _timed(times, name, service.plugin, "apply", documents=json.dumps(part))
        for result in answer["results"]:
            for each in (result, *result.get("members", [])):
                if each["result"] != expected:
                    raise MoodleFailedError(f"not {expected}: {each}")
    return times


def _rows(site: Site, work: Callable[[], Any]) -> dict[str, int]:
    """Rows written while ``work`` ran, by table."""
    before = _counted(site)
    work()
    after = _counted(site)
    return {
        table: count - before.get(table, 0)
        for table, count in after.items()
        if count != before.get(table, 0)
    }


def _counted(site: Site) -> dict[str, int]:
    # The database's counters are about a second behind.
    time.sleep(1.5)
    counted = site.run("writes") or {}
    return {table: int(count) for table, count in counted.items()}


def _print(name: str, times: Times) -> None:
    parts = ", ".join(f"{part} {seconds:.2f} s" for part, seconds in times.items())
    print(f"{name}: {sum(times.values()):.2f} s ({parts})", flush=True)


def main() -> None:
    """Measure, compare, remove."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"))
    figures: list[Json] = []
    with tokens(site) as (core, plugin):
        try:
            by_core(core, "nbwarmcore", WARMING)
            by_documents(plugin, documents("nbwarmdocs", WARMING), "created")
            core_times = by_core(core, "nbcore")
            _print("core web services", core_times)
            campus = documents("nbdocs")
            first = by_documents(plugin, campus, "created")
            _print("documents", first)
            again = by_documents(plugin, campus, "unchanged")
            _print("the same again", again)
            # What Moodle itself writes for any call: the token's last use, its log.
            calls = -(-len(campus) // DOCUMENTS)
            upkeep = _rows(
                site, lambda: [plugin.plugin("digest", kind="category") for _ in range(calls)]
            )
            rows = _rows(site, lambda: by_documents(plugin, campus, "unchanged"))
            written = {
                table: count - upkeep.get(table, 0)
                for table, count in rows.items()
                if count > upkeep.get(table, 0)
            }
            print(f"rows written by {calls} calls: {rows}, by as many that write nothing: {upkeep}")
            once, total = sum(first.values()), sum(core_times.values())
            figures = [
                figure("times as fast as core web services", total / once, 3, at_least=True),
                figure("times as fast unchanged", once / sum(again.values()), 20, at_least=True),
                figure("rows written unchanged", sum(written.values()), 0, at_least=False),
            ]
        finally:
            print("removing …", flush=True)
            for prefix in ("nbwarm", "nbcore", "nbdocs"):
                site.run("remove", prefix=prefix)
    print(json.dumps({"name": "provision", "figures": figures}))


if __name__ == "__main__":
    main()
