"""A campus of 1,000 from the SIS to a real Moodle, against core's web services in a plain loop.

The loop makes the same people, courses and enrolments by core's functions in their best batches,
and keeps no record of anything. Ours is ``nagasis sync apply --all`` from its start to its end:
rendering, calls, mappings and journal, and the loading of Python. Everything is removed at the
end. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import sqlalchemy as sa

from benchmarks.kept import Kept, kept
from benchmarks.moodle_site import WebService, figure, find_site, tokens
from benchmarks.provision import CORE_COURSES, CORE_ENROLMENTS, CORE_USERS, WARMING, by_core
from lti_tool.moodle.documents import Category, Course, Roster, User
from lti_tool.sync.provisioning.models import MoodleIntegrationRecord, SyncedDocument

PREFIX = "nbterm"
GOAL = 2.5
ROLES = {"student": 5, "teacher": 4, "editingteacher": 3}


def _chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def by_loop(service: WebService, campus: Kept) -> tuple[float, dict[str, int]]:
    """Make the campus by core's functions; returns seconds and what was made."""
    categories = cast("dict[str, Category]", campus.documents("category"))
    users = cast("dict[str, User]", campus.documents("user"))
    courses = cast("dict[str, Course]", campus.documents("course"))
    rosters = cast("dict[str, Roster]", campus.documents("roster"))
    began = time.perf_counter()
    ids: dict[str, int] = {}
    for each in categories.values():
        wanted = {"name": each.name, "idnumber": PREFIX + each.idnumber, "parent": 0}
        [made] = service.call("core_course_create_categories", categories=[wanted])
        ids[each.idnumber] = made["id"]
    people: dict[str, int] = {}
    for some in _chunks(list(users.values()), CORE_USERS):
        rows = [
            {
                "idnumber": PREFIX + each.idnumber,
                "username": PREFIX + each.username,
                "firstname": each.firstname,
                "lastname": each.lastname,
                "email": PREFIX + each.email,
                # Nobody uses a password here, and core need not hash one.
                "auth": "oauth2",
                "password": "Naga-1234",
            }
            for each in some
        ]
        made_people = service.call("core_user_create_users", users=rows)
        people |= {each.idnumber: row["id"] for each, row in zip(some, made_people, strict=True)}
    places: dict[str, int] = {}
    for part in _chunks(list(courses.values()), CORE_COURSES):
        rows = [
            {
                "idnumber": PREFIX + each.idnumber,
                "shortname": PREFIX + each.shortname,
                "fullname": each.fullname,
                "categoryid": ids[each.category],
                "startdate": each.startdate,
                "enddate": each.enddate or 0,
            }
            for each in part
        ]
        made_courses = service.call("core_course_create_courses", courses=rows)
        places |= {each.idnumber: row["id"] for each, row in zip(part, made_courses, strict=True)}
    enrolments = [
        {
            "roleid": ROLES[member.role],
            "userid": people[member.user],
            "courseid": places[roster.course],
        }
        for roster in rosters.values()
        for member in roster.members
        # Who left before has no place to be taken away.
        if member.status == "active"
    ]
    for rows in _chunks(enrolments, CORE_ENROLMENTS):
        service.call("enrol_manual_enrol_users", enrolments=rows)
    counts = {"people": len(people), "courses": len(places), "enrolments": len(enrolments)}
    return time.perf_counter() - began, counts


def _tracked(campus: Kept) -> dict[str, int]:
    with campus.services.database.reading() as connection:
        return {
            name: connection.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for name, model in (("mappings", SyncedDocument), ("journal", MoodleIntegrationRecord))
        }


def main() -> None:
    """Measure, compare, remove."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    site = find_site()
    print(site.run("about"), flush=True)
    with tokens(site) as (core, _), kept(site) as campus:
        try:
            by_core(core, "nbwarmcore", WARMING)
            looped, counts = by_loop(core, campus)
            print(f"core web services in a loop: {looped:.2f} s, {counts}", flush=True)
            began = time.perf_counter()
            said = campus.tool.cli("sync", "apply", "--all")
            ours = time.perf_counter() - began
            print(f"{said}\nfrom the SIS to equal: {ours:.2f} s, {_tracked(campus)}", flush=True)
            different = campus.different()
            figures = [
                figure("times as fast as core web services", looped / ours, GOAL, at_least=True),
                figure("things that differ afterwards", different, 0, at_least=False),
            ]
        finally:
            for prefix in (PREFIX, "nbwarm"):
                site.run("remove", prefix=prefix)
    print(json.dumps({"name": "term", "figures": figures}))


if __name__ == "__main__":
    main()
