"""The plan before the yes: what would change, down to one field of one person."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa

from lti_tool.moodle.documents import Member, MemberResult, Result, Roster
from lti_tool.sis.changes import record_since
from lti_tool.sis.entities import EnrollmentStatus
from lti_tool.sis.models import ClassHeader, Enrollment, Person
from lti_tool.sync.provisioning.slices import joined, slices
from tests.sync.provisioning.conftest import Campus


def test_a_first_plan_is_the_whole_campus_and_changes_nothing(campus: Campus) -> None:
    before = repr(campus.platform.state)
    steps: list[tuple[int, int]] = []
    preview = campus.parts.previews.preview(
        campus.site, progress=lambda done, total: steps.append((done, total))
    )
    assert repr(campus.platform.state) == before
    run = campus.run()
    assert run is not None
    for kind in ("category", "user", "course", "roster"):
        assert preview.counts[kind]["created"] == run.counts[kind]["created"]
    assert preview.counts["roster"]["people_created"] == run.counts["roster"]["people_created"]
    assert steps[-1][0] == steps[-1][1] == sum(map(len, map(campus.desired, preview.counts)))  # type: ignore[arg-type]
    assert campus.count("moodle_integration_record") > 0


def test_one_field_of_one_person(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    former = campus.extracts.people([key])[key].family_name
    campus.change(Person, key, family_name="NEW")
    preview = campus.parts.previews.preview(campus.site)
    [result] = preview.results
    assert (result.kind, result.key, result.result) == ("user", key, "updated")
    assert [(each.field, each.before, each.after) for each in result.changes] == [
        ("lastname", former, "NEW")
    ]
    assert campus.marks_left()["user"] == 1, "it is still to be done"


def test_what_fits_no_document_is_in_the_plan(campus: Campus) -> None:
    campus.run()
    key = campus.extracts.person_keys()[0]
    campus.change(Person, key, school_email="x" * 200 + "@school.edu")
    [result] = campus.parts.previews.preview(campus.site).results
    assert (result.result, result.code, result.field) == ("refused", "unfit", "/email")


def test_everything_finds_what_nobody_knows_of(campus: Campus) -> None:
    campus.run()
    assert campus.parts.previews.preview(campus.site, everything=True).empty
    with campus.platform.change():
        account = next(p for p in campus.platform.state.people.values() if p.idnumber)
        account.family_name = "BY HAND"
    assert campus.parts.previews.preview(campus.site).empty
    [result] = campus.parts.previews.preview(campus.site, everything=True).results
    assert (result.key, result.changes[0].before) == (account.idnumber, "BY HAND")


def _crowd(campus: Campus, count: int) -> str:
    """So many new people in a class of its own; returns the class."""
    host, somebody = campus.place()
    campus.clock.advance(seconds=1)
    now = campus.clock.now()
    with campus.database.write() as session:
        table = cast(sa.Table, Person.__table__)
        enrollments = cast(sa.Table, Enrollment.__table__)
        model = session.execute(sa.select(table).where(table.c.sourced_id == somebody)).one()
        header = session.scalar(sa.select(ClassHeader.id).where(ClassHeader.sourced_id == host))
        like = session.execute(
            sa.select(enrollments).where(enrollments.c.person_id == model.id)
        ).first()
        assert like is not None
        people = [
            {**dict(model._mapping), "sourced_id": f"new-{n:04}", "student_id": f"9{n:05}"}
            | {"school_email": f"new{n}@school.edu", "updated_at": now}
            for n in range(count)
        ]
        for each in people:
            del each["id"]
        session.execute(sa.insert(table), people)
        ids = session.scalars(sa.select(table.c.id).where(table.c.sourced_id.like("new-%"))).all()
        rows = [
            {**dict(like._mapping), "person_id": number, "header_id": header}
            | {"status": EnrollmentStatus.ENROLLED, "updated_at": now}
            for number in ids
        ]
        for row in rows:
            row.pop("id")
            if row.get("sourced_id"):
                row["sourced_id"] = f"enrolled-{row['person_id']}"
        session.execute(sa.insert(enrollments), rows)
        record_since(session, now)
    return host


def test_a_roster_with_more_new_people_than_one_call_takes(campus: Campus) -> None:
    host = _crowd(campus, 1100)
    preview = campus.parts.previews.preview(campus.site)
    roster = next(r for r in preview.results if (r.kind, r.key) == ("roster", host))
    assert roster.result == "created"
    new = [each for each in roster.members if each.user.startswith("new-")]
    assert len(new) == len({each.user for each in new}) == 1100
    assert {each.result for each in new} == {"created"}
    run = campus.run()
    assert run is not None
    for kind in ("user", "course", "roster"):
        assert preview.counts[kind] == {
            outcome: number for outcome, number in run.counts[kind].items() if outcome != "skipped"
        }
    assert campus.parts.previews.preview(campus.site, everything=True).empty


def test_slices_say_together_what_the_whole_would_say() -> None:
    members = [Member(user=f"P{n}", role="student", status="active", groups=[]) for n in range(5)]
    whole = Roster(course="C", count=5, members=members)
    parts = [part for part in slices(whole, people=2) if isinstance(part, Roster)]
    assert [[member.user for member in part.members] for part in parts] == [
        ["P0", "P1"],
        ["P2", "P3"],
        ["P4"],
    ]
    answers = []
    for part in parts:
        named = [each.user for each in part.members]
        # P3 is there, P9 is there and stands in no document: each slice would suspend who is not
        # in it.
        told = [
            MemberResult(user=user, result="unchanged" if user == "P3" else "created")
            for user in named
        ]
        told += [MemberResult(user=u, result="suspended") for u in ("P3", "P9") if u not in named]
        answers.append((part, Result(kind="roster", key="C", result="updated", members=told)))
    result = joined(whole, answers)
    assert result.result == "updated"
    assert [(each.user, each.result) for each in result.members] == [
        ("P0", "created"),
        ("P1", "created"),
        ("P2", "created"),
        ("P3", "unchanged"),
        ("P4", "created"),
        ("P9", "suspended"),
    ]
    quiet = [
        (part, answer.model_copy(update={"members": [MemberResult(user="P0", result="unchanged")]}))
        for part, answer in answers[:1]
    ]
    assert joined(whole, quiet).result == "unchanged"
